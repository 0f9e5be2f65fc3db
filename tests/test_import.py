"""What importing skfashion costs."""

import subprocess
import sys

import pytest

import skfashion


@pytest.mark.parametrize(
    "statement",
    [
        "import skfashion",
        "from skfashion import FashionCNNClassifier; FashionCNNClassifier()",
        "import skfashion.datasets as d; d.load_fashion_sample()",
        "from skfashion.recipes import make_recipe; make_recipe('basic')",
        "from skfashion.preprocessing import ImageAugmenter; ImageAugmenter()",
        "import skfashion.model_selection, skfashion.inspection",
        "import skfashion.baselines as b; b.make_baseline('hog_svm')",
        "import skfashion.cli",
    ],
)
def test_neither_keras_nor_tensorflow_nor_opencv(statement):
    code = f"{statement}\nimport sys; print({{'cv2', 'keras', 'tensorflow'}} & set(sys.modules))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "set()", result.stderr


def test_public_names():
    for name in skfashion.__all__:
        assert getattr(skfashion, name) is not None
    assert set(skfashion.__all__) < set(dir(skfashion))
    with pytest.raises(AttributeError, match="no attribute 'FashionCNN'"):
        _ = skfashion.FashionCNN

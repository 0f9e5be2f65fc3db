"""What importing skfashion costs."""

import subprocess
import sys

import pytest

import skfashion

STATEMENTS = [
    "import skfashion",
    "from skfashion import FashionCNNClassifier; FashionCNNClassifier()",
    "import skfashion.datasets as d; d.load_fashion_sample()",
    "from skfashion.recipes import make_recipe; make_recipe('basic')",
    "from skfashion.preprocessing import ImageAugmenter; ImageAugmenter()",
    "import skfashion.model_selection, skfashion.inspection",
    "import skfashion.baselines as b; b.make_baseline('hog_svm')",
    "import skfashion.cli",
]


@pytest.fixture(scope="module")
def imported():
    """Which of the large libraries one process has after each statement, as text."""
    show = "import sys; print({'cv2', 'keras', 'tensorflow'} & set(sys.modules))"
    code = "\n".join(f"{statement}\n{show}" for statement in STATEMENTS)
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return dict(zip(STATEMENTS, result.stdout.splitlines(), strict=True))


@pytest.mark.parametrize("statement", STATEMENTS)
def test_neither_keras_nor_tensorflow_nor_opencv(statement, imported):
    assert imported[statement] == "set()"


def test_public_names():
    for name in skfashion.__all__:
        assert getattr(skfashion, name) is not None
    assert set(skfashion.__all__) < set(dir(skfashion))
    with pytest.raises(AttributeError, match="no attribute 'FashionCNN'"):
        _ = skfashion.FashionCNN

"""What is installed when somebody else installs skfashion."""

import os
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SAMPLE = "skfashion/datasets/data/fashion_sample.npz"


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """The source distribution, and the wheel built from it."""
    directory = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", directory, ROOT]
    subprocess.run(command, check=True, capture_output=True)
    (sdist,), (wheel,) = directory.glob("*.tar.gz"), directory.glob("*.whl")
    return sdist, wheel


def test_both_hold_the_sample_and_the_licence(distributions):
    sdist, wheel = distributions
    with tarfile.open(sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames() if "/" in name}
    assert {SAMPLE, "LICENSE", "README.md", "setup.cfg", "tests/test_packaging.py"} <= names
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert SAMPLE in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith(("tests", "docs", "benchmarks"))]


@pytest.mark.slow
@pytest.mark.parametrize("which", ["sdist", "wheel"])
def test_works_elsewhere(which, distributions, tmp_path):
    distribution = distributions[["sdist", "wheel"].index(which)]
    site = tmp_path / "site"
    subprocess.run(
        [
            *(sys.executable, "-m", "pip", "install", "--disable-pip-version-check"),
            *("--no-deps", "--no-build-isolation", "--target", site, distribution),
        ],
        check=True,
        capture_output=True,
    )
    code = (
        "import skfashion; print(skfashion.__file__)\n"
        "X, y = skfashion.datasets.load_fashion_sample(return_X_y=True, subset='test')\n"
        "clf = skfashion.FashionCNNClassifier(epochs=1, random_state=0).fit(X[:200], y[:200])\n"
        "print(len(clf.predict(X)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(site)}
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert result.stdout.split() == [str(site / "skfashion" / "__init__.py"), "1000"], result.stderr

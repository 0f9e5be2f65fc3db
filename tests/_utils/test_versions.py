"""Dependencies that are too old are refused at once."""

import os
import subprocess
import sys

import pytest

from skfashion._utils import versions
from skfashion._utils.versions import check_versions


def test_importing_says_what_is_too_old(tmp_path):
    """Another folder on the path holds an old version."""
    folder = tmp_path / "scikit_learn-1.6.1.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: scikit-learn\nVersion: 1.6.1\n")
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    result = subprocess.run(
        [sys.executable, "-c", "import skfashion"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    message = result.stderr.splitlines()[-1]
    assert message.startswith("ImportError: skfashion needs scikit-learn 1.")
    assert "or later, but scikit-learn 1.6.1 is installed. Run: pip install --upgrade" in message


@pytest.mark.parametrize(
    ("bound", "installed", "is_refused"),
    [
        ("numpy>=2.0", "1.26.4", True),
        ("numpy>=2.10", "2.9.3", True),
        ("numpy>=2.10", "2.10", False),
        ("numpy>=2.1", "2.10", False),
        ("numpy>=2.0.0", "2.0", False),
        ("numpy>=2.0", "2.0.0rc1", False),
        ("numpy>=4.13.0.90", "4.13.0.88", True),
    ],
)
def test_bounds(bound, installed, is_refused, monkeypatch):
    monkeypatch.setattr(versions.metadata, "requires", lambda name: [bound])
    monkeypatch.setattr(versions.metadata, "version", lambda name: installed)
    if is_refused:
        with pytest.raises(ImportError, match=rf"but numpy {installed} is installed"):
            check_versions()
    else:
        check_versions()


def test_all_that_are_checked_have_a_bound():
    requirements = versions.metadata.requires("skfashion")
    bounds = {name: bound for name, _, bound in (r.partition(">=") for r in requirements)}
    for name in versions._CHECKED:
        assert bounds[name].replace(".", "").isdigit()


def test_what_is_not_installed_is_left_to_its_import(monkeypatch):
    def version(name):
        raise versions.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(versions.metadata, "requires", lambda name: ["numpy>=2.0"])
    monkeypatch.setattr(versions.metadata, "version", version)
    check_versions()


def test_sources_that_were_never_installed(monkeypatch):
    def requires(name):
        raise versions.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(versions.metadata, "requires", requires)
    check_versions()

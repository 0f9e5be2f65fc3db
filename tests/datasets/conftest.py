"""Fashion-MNIST's files, where the system package is installed."""

from pathlib import Path

import pytest

SYSTEM = Path("/usr/share/datasets/fashion-mnist")


@pytest.fixture(scope="session")
def system_files():
    if not SYSTEM.is_dir():
        pytest.skip("needs all of Fashion-MNIST: apt-get install dataset-fashion-mnist")
    return SYSTEM


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty home: no cache of ours, none of Keras', no system package."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / ".cache"))
    monkeypatch.delenv("KERAS_HOME", raising=False)
    monkeypatch.setattr("skfashion.datasets._fashion_mnist._SYSTEM", tmp_path / "nowhere")
    monkeypatch.setattr("skfashion.datasets._fashion_mnist._MIRRORS", ("http://127.0.0.1:9/",))
    return tmp_path

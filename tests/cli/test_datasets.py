"""``skfashion datasets``."""

import os

import pytest

SYSTEM = "/usr/share/datasets/fashion-mnist"


@pytest.fixture
def list_datasets(run, tmp_path, monkeypatch):
    """Lists them for a user whose home and cache are empty but for what a test puts there."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))

    def list_datasets():
        result = run("datasets")
        assert result.returncode == 0
        assert result.stderr == ""
        return result.stdout

    return list_datasets


def test_nothing_but_the_sample(list_datasets, tmp_path):
    lines = list_datasets().splitlines()
    assert lines[0].startswith("sample  7,000 images")
    assert f"{tmp_path / 'cache' / 'skfashion' / 'fashion-mnist'}: no such folder" in lines[2]
    assert f"{tmp_path / 'datasets' / 'fashion-mnist'}: no such folder" in lines[4]
    help_is_shown = any("apt-get install" in line for line in lines)
    assert help_is_shown != os.path.isdir(SYSTEM)
    assert not [*tmp_path.iterdir()]


def test_complete_and_damaged(list_datasets, tmp_path):
    if not os.path.isdir(SYSTEM):
        pytest.skip("needs all of Fashion-MNIST: apt-get install dataset-fashion-mnist")
    (tmp_path / "datasets").mkdir()
    damaged = tmp_path / "datasets" / "fashion-mnist"
    damaged.mkdir()
    for name in os.listdir(SYSTEM):
        (damaged / name).write_bytes(b"no images")
    output = list_datasets()
    assert f"{SYSTEM}: complete" in output
    assert f"{damaged}: {damaged / 'train-images-idx3-ubyte.gz'}" in output

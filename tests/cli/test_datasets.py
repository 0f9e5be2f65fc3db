"""``skfashion datasets``."""

import os
import subprocess
import sys

import pytest

SYSTEM = "/usr/share/datasets/fashion-mnist"


@pytest.fixture
def list_datasets(tmp_path):
    """Lists them for a user whose home and cache are empty but for what a test puts there."""

    def run():
        places = {"HOME": tmp_path, "XDG_CACHE_HOME": tmp_path / "cache", "KERAS_HOME": tmp_path}
        result = subprocess.run(
            [sys.executable, "-m", "skfashion", "datasets"],
            env={**os.environ, **{name: str(path) for name, path in places.items()}},
            capture_output=True,
            text=True,
            check=True,
        )
        assert result.stderr == ""
        return result.stdout

    return run


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

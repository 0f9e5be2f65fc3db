"""All of Fashion-MNIST: sources in order, checks, downloads from a server on this machine."""

import functools
import gzip
import http.server
import shutil
import threading
import tracemalloc

import numpy as np
import pytest

from skfashion.datasets import (
    _fashion_mnist,
    fetch_fashion_mnist,
    find_fashion_mnist,
    load_fashion_sample,
)
from skfashion.errors import DatasetError, DatasetNotFoundError

LABELS = "t10k-labels-idx1-ubyte.gz"
IMAGES = "t10k-images-idx3-ubyte.gz"


@pytest.fixture
def copied(system_files, tmp_path):
    """A directory with the test files, to be damaged."""
    directory = tmp_path / "copied"
    directory.mkdir()
    for name in (IMAGES, LABELS):
        shutil.copy(system_files / name, directory)
    return directory


@pytest.fixture
def serve():
    """Serves directories over HTTP on the loopback address."""
    servers = []

    class QuietHandler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    def start(directory):
        handler = functools.partial(QuietHandler, directory=str(directory))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def publish(directory, monkeypatch):
    """Expect the files in ``directory``, which are compressed otherwise than the published."""
    import pooch

    files = {
        name: (content, pooch.file_hash(directory / f"{name}.gz"))
        for name, (content, _) in _fashion_mnist._FILES.items()
        if (directory / f"{name}.gz").exists()
    }
    monkeypatch.setattr(_fashion_mnist, "_FILES", files)


def test_all_images(system_files):
    bunch = fetch_fashion_mnist(subset="all", source="system")
    assert bunch.data.shape == (70_000, 784)
    assert bunch.images.shape == (70_000, 28, 28)
    assert bunch.data.dtype == np.uint8
    np.testing.assert_array_equal(np.bincount(bunch.target), [7000] * 10)
    assert bunch.target_names == load_fashion_sample().target_names
    assert np.shares_memory(bunch.data, bunch.images)


def test_directory_with_raw_files(copied, home):
    expected, _ = fetch_fashion_mnist(subset="test", source=copied, return_X_y=True)
    for name in (IMAGES, LABELS):
        (copied / name[:-3]).write_bytes(gzip.decompress((copied / name).read_bytes()))
        (copied / name).unlink()
    found, _ = fetch_fashion_mnist(subset="test", source=copied, return_X_y=True)
    np.testing.assert_array_equal(found, expected)


def test_keras_cache(copied, home):
    cache = home / ".keras" / "datasets" / "fashion-mnist"
    shutil.copytree(copied, cache)
    for source in ("keras", "auto"):
        assert len(fetch_fashion_mnist(subset="test", source=source).data) == 10_000


def test_nothing_local_and_offline(home):
    with pytest.raises(DatasetNotFoundError) as caught:
        fetch_fashion_mnist()
    message = str(caught.value)
    for place in (".cache/skfashion", "nowhere", ".keras/datasets/fashion-mnist", "127.0.0.1:9"):
        assert place in message
    for remedy in ("apt-get install dataset-fashion-mnist", "pass it as source", "sample"):
        assert remedy in message
    assert not list(home.rglob("*ubyte*"))


def test_network_is_not_asked_when_told_not_to(home):
    with pytest.raises(DatasetNotFoundError, match="not asked, download_if_missing=False"):
        fetch_fashion_mnist(download_if_missing=False)


def test_source_that_is_no_directory(home):
    with pytest.raises(DatasetNotFoundError, match="source='/no/where' is neither a directory"):
        fetch_fashion_mnist(source="/no/where")


def test_directory_without_the_files(tmp_path):
    with pytest.raises(DatasetNotFoundError, match=r"no train-images-idx3-ubyte\.gz"):
        fetch_fashion_mnist(source=tmp_path)


def truncate(content):
    return content[: len(content) // 2]


def swap_for_digits(content):
    """Another IDX file of the same shape, as MNIST's digits are."""
    return gzip.compress(bytes(gzip.decompress(content)[:-1]) + b"\x07", mtime=0)


def shorten(content):
    """Fewer labels than images, and a header that agrees."""
    return gzip.compress(b"\0\0\x08\x01\0\0\0\x05\1\2\3\4\5")


DAMAGES = {
    truncate: "truncated or damaged gzip",
    swap_for_digits: "may be MNIST's digits",
    shorten: r"of shape \(5,\), but its content is not Fashion-MNIST's",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_directory_is_refused_by_name(copied, damage):
    path = copied / LABELS
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(DatasetError, match=DAMAGES[damage]) as caught:
        fetch_fashion_mnist(subset="test", source=copied)
    assert str(path) in str(caught.value)


def test_file_of_another_size_is_not_read(copied):
    (copied / LABELS).write_bytes(gzip.compress(b"\0\0\x08\x01\x04\0\0\0" + bytes(2**26)))
    tracemalloc.start()
    with pytest.raises(DatasetError, match=r"of shape \(67108864,\), but its content is not"):
        fetch_fashion_mnist(subset="test", source=copied)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1.5 * 10_000 * 784  # the images, once


def test_download_is_kept(copied, home, serve, monkeypatch, capfd):
    publish(copied, monkeypatch)
    monkeypatch.setattr(_fashion_mnist, "_MIRRORS", (serve(copied),))
    first = fetch_fashion_mnist(subset="test", data_home=home / "data")
    assert "100%" in capfd.readouterr().err  # the progress bar
    monkeypatch.setattr(_fashion_mnist, "_MIRRORS", ())
    second = fetch_fashion_mnist(subset="test", data_home=home / "data")
    np.testing.assert_array_equal(first.data, second.data)
    assert sorted(p.name for p in (home / "data" / "fashion-mnist").iterdir()) == [IMAGES, LABELS]


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_mirror_is_passed_over(copied, home, serve, monkeypatch, tmp_path, damage):
    publish(copied, monkeypatch)
    bad = shutil.copytree(copied, tmp_path / "bad")
    (bad / LABELS).write_bytes(damage((copied / LABELS).read_bytes()))
    monkeypatch.setattr(_fashion_mnist, "_MIRRORS", (serve(bad),))
    with pytest.raises(DatasetNotFoundError, match="hash"):
        fetch_fashion_mnist(subset="test", data_home=home / "data")
    assert not (home / "data" / "fashion-mnist" / LABELS).exists()

    monkeypatch.setattr(_fashion_mnist, "_MIRRORS", (serve(bad), serve(copied)))
    assert len(fetch_fashion_mnist(subset="test", data_home=home / "data").data) == 10_000


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_cache_is_renewed(copied, home, serve, monkeypatch, damage):
    publish(copied, monkeypatch)
    monkeypatch.setattr(_fashion_mnist, "_MIRRORS", (serve(copied),))
    shutil.copytree(copied, home / "data" / "fashion-mnist")
    path = home / "data" / "fashion-mnist" / LABELS
    path.write_bytes(damage(path.read_bytes()))
    assert len(fetch_fashion_mnist(subset="test", data_home=home / "data").data) == 10_000
    assert path.read_bytes() == (copied / LABELS).read_bytes()


def test_home_is_expanded(copied, home):
    shutil.copytree(copied, home / "data" / "fashion-mnist")
    for where in ({"data_home": "~/data"}, {"source": "~/data/fashion-mnist"}):
        assert len(fetch_fashion_mnist(subset="test", **where).data) == 10_000


def test_damaged_cache_is_not_left_when_offline(copied, home):
    shutil.copytree(copied, home / "data" / "fashion-mnist")
    path = home / "data" / "fashion-mnist" / LABELS
    path.write_bytes(swap_for_digits(path.read_bytes()))
    with pytest.raises(DatasetNotFoundError, match="may be MNIST's digits"):
        fetch_fashion_mnist(subset="test", data_home=home / "data")
    assert not path.exists()


def test_copies_on_this_machine(system_files, copied, home):
    download = shutil.copytree(system_files, home / "data" / "fashion-mnist")
    keras = shutil.copytree(copied, home / ".keras" / "datasets" / "fashion-mnist")
    copies = find_fashion_mnist(data_home=home / "data")
    assert list(copies) == ["download", "system", "keras"]
    assert copies["download"] == {"directory": download, "problem": None}
    assert copies["system"] == {"directory": home / "nowhere", "problem": "no such folder"}
    assert copies["keras"] == {
        "directory": keras,
        "problem": f"{keras}: no train-images-idx3-ubyte.gz",
    }

"""The IDX format."""

import gzip
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from skfashion.datasets import read_idx
from skfashion.errors import DatasetError

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def to_idx(array):
    header = bytes([0, 0, CODES[array.dtype.str[1:]], array.ndim])
    sizes = np.array(array.shape, dtype=">u4").tobytes()
    return header + sizes + array.astype(array.dtype.newbyteorder(">")).tobytes()


@given(
    st.sampled_from(sorted(CODES)).flatmap(
        lambda code: arrays(code, array_shapes(max_dims=4, max_side=4))
    ),
    st.booleans(),
)
def test_reads_what_was_written(tmp_path_factory, array, compressed):
    path = tmp_path_factory.mktemp("idx") / "array"
    path.write_bytes(gzip.compress(to_idx(array)) if compressed else to_idx(array))
    found = read_idx(path)
    assert found.dtype == array.dtype
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, array)


def test_result_can_be_changed(tmp_path):
    (tmp_path / "a").write_bytes(to_idx(np.zeros(3, np.uint8)))
    read_idx(tmp_path / "a")[0] = 1


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"No IDX file .*nothing-here"):
        read_idx(tmp_path / "nothing-here")


LABELS = to_idx(np.arange(10, dtype=np.uint8))
# Without a time stamp, so that these bytes, and the tests' names made of them, are the same in
# every process that collects the tests.
COMPRESSED_LABELS = gzip.compress(LABELS, mtime=0)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "begins with nothing"),
        (b"\x89PNG", "begins with 89 50 4e 47"),
        (b"\0\0\x07\x01" + LABELS[4:], "begins with 00 00 07 01"),
        (LABELS[:6], "truncated: its header alone has 8 bytes"),
        (LABELS[:-1], r"truncated: an array of shape \(10,\) takes 18 bytes, it has 17"),
        (LABELS + b"x", "too long"),
        (b"\0\0\x08\x03" + b"\xff" * 12, "truncated"),
        (COMPRESSED_LABELS[:-9], "truncated or damaged gzip"),
        (COMPRESSED_LABELS[:12] + b"\xff\xff\xff" + COMPRESSED_LABELS[15:], "damaged gzip"),
    ],
)
def test_damaged_file_is_refused_by_name(tmp_path, content, message):
    path = tmp_path / "train-labels-idx1-ubyte.gz"
    path.write_bytes(content)
    with pytest.raises(DatasetError, match=message) as caught:
        read_idx(path)
    assert str(path) in str(caught.value)


def declare(*shape):
    """The header of a file of bytes."""
    return b"\0\0\x08" + bytes([len(shape)]) + np.array(shape, dtype=">u4").tobytes()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (gzip.compress(declare(10) + bytes(2**26)), "too long: .* takes 18 bytes, and more follow"),
        (gzip.compress(declare(2**32 - 1, 2**31) + bytes(100)), "truncated: .* it has 112"),
        (declare(2**32 - 1, 2**31) + bytes(100), "truncated: .* it has 112"),
        (declare(*[1] * 200) + b"x", "maximum supported dimension"),
        (declare(0, *[2**32 - 1] * 3), "array is too big"),
    ],
    ids=["more than declared", "less, compressed", "less", "dimensions", "impossible shape"],
)
def test_header_that_lies_takes_no_memory(tmp_path, content, message):
    (tmp_path / "a").write_bytes(content)
    tracemalloc.start()
    with pytest.raises(DatasetError, match=message):
        read_idx(tmp_path / "a")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**22

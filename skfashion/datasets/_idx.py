"""The IDX format, in which MNIST and Fashion-MNIST are published."""

import gzip
import zlib
from pathlib import Path

import numpy as np

from skfashion.errors import DatasetError

__all__ = ["parse_idx", "read_idx", "read_idx_bytes"]

_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(path):
    """Read an array from an IDX file, raw or compressed with gzip.

    Parameters
    ----------
    path : str or path-like
        The file. Compression is told from its content, not its name.

    Returns
    -------
    array : ndarray
        With the file's shape and type, in the machine's byte order; for Fashion-MNIST
        ``(n, 28, 28)`` images or ``(n,)`` labels of ``uint8``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DatasetError
        If the file is truncated, damaged, or not IDX.

    References
    ----------
    .. [1] Y. LeCun, C. Cortes, C. J. C. Burges, "The MNIST database of handwritten digits", 1998,
       section "File formats".

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skfashion.datasets import read_idx
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = Path(directory, "labels-idx1-ubyte")
    ...     _ = path.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 9, 0, 3]))
    ...     read_idx(path)
    array([9, 0, 3], dtype=uint8)
    """
    return parse_idx(read_idx_bytes(path), path)


def read_idx_bytes(path):
    """The content of an IDX file, decompressed if need be."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No IDX file {str(path)!r}.")
    content = path.read_bytes()
    if content[:2] != b"\x1f\x8b":
        return content
    try:
        return gzip.decompress(content)
    except (EOFError, OSError, zlib.error) as error:
        raise DatasetError(f"{path} is a truncated or damaged gzip file: {error}.") from error


def parse_idx(content, path):
    """The array in the content of an IDX file; ``path`` is for messages."""
    if len(content) < 4 or content[:2] != b"\0\0" or content[2] not in _DTYPES or not content[3]:
        raise DatasetError(
            f"{path} is not an IDX file: it begins with {content[:4].hex(' ') or 'nothing'}, "
            "not with a magic number such as 00 00 08 03."
        )
    dtype = np.dtype(_DTYPES[content[2]])
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise DatasetError(f"{path} is truncated: its header alone has {start} bytes.")
    shape = tuple(int(size) for size in np.frombuffer(content[4:start], dtype=">u4"))
    expected = start + int(np.prod(shape, dtype=object)) * dtype.itemsize
    if len(content) != expected:
        problem = "truncated" if len(content) < expected else "too long"
        raise DatasetError(
            f"{path} is {problem}: an array of shape {shape} takes {expected} bytes, it has "
            f"{len(content)}."
        )
    array = np.frombuffer(content, dtype=dtype, offset=start).reshape(shape)
    return array.astype(dtype.newbyteorder("="))

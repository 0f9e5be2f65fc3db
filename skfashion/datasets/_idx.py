"""The IDX format, in which MNIST and Fashion-MNIST are published."""

import gzip
import math
import zlib
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from skfashion.errors import DatasetError

__all__ = ["IdxReader", "open_idx", "read_idx"]

_DTYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
_CHUNK_BYTES = 2**20


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
    with open_idx(path) as idx:
        return idx.read()


@contextmanager
def open_idx(path):
    """Open an IDX file, raw or compressed with gzip, and read its header.

    Parameters
    ----------
    path : str or path-like

    Yields
    ------
    idx : IdxReader

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DatasetError
        If the file is truncated, damaged, or not IDX.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No IDX file {str(path)!r}.")
    with path.open("rb") as file:
        is_compressed = file.peek(2)[:2] == b"\x1f\x8b"
        if not is_compressed:
            yield IdxReader(file, path, n_bytes=path.stat().st_size)
            return
        try:
            with gzip.open(file) as content:
                yield IdxReader(content, path)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise DatasetError(f"{path} is a truncated or damaged gzip file: {error}.") from error


class IdxReader:
    """An IDX file whose header was read and checked.

    Parameters
    ----------
    file : binary file
        Its decompressed content.
    path : pathlib.Path
        For messages.
    n_bytes : int, default=None
        Length of the content, if it is known.

    Attributes
    ----------
    header : bytes
        The bytes before the array.
    shape : tuple of int
    dtype : dtype
        Shape and type that the header declares; the type in the machine's byte order.
    """

    def __init__(self, file, path, n_bytes=None):
        self._file, self._path = file, path
        magic = file.read(4)
        if len(magic) < 4 or magic[:2] != b"\0\0" or magic[2] not in _DTYPES or not magic[3]:
            raise DatasetError(
                f"{path} is not an IDX file: it begins with {magic.hex(' ') or 'nothing'}, "
                "not with a magic number such as 00 00 08 03."
            )
        self._dtype = np.dtype(_DTYPES[magic[2]])
        sizes = file.read(4 * magic[3])
        if len(sizes) < 4 * magic[3]:
            raise DatasetError(
                f"{path} is truncated: its header alone has {4 + 4 * magic[3]} bytes."
            )
        self.header = magic + sizes
        self.dtype = self._dtype.newbyteorder("=")
        self.shape = tuple(np.frombuffer(sizes, dtype=">u4").tolist())
        self._n_declared = math.prod(self.shape) * self._dtype.itemsize
        if n_bytes is not None:
            self._check_length(n_bytes)

    def read(self):
        """Read the array.

        Memory follows what the file holds, not what its header declares.

        Returns
        -------
        array : ndarray
        """
        content = bytearray()
        while chunk := self._file.read(min(_CHUNK_BYTES, self._n_declared - len(content))):
            content += chunk
        self._check_length(len(self.header) + len(content) + len(self._file.read(1)))
        try:
            array = np.frombuffer(content, dtype=self._dtype).reshape(self.shape)
        except ValueError as error:
            raise DatasetError(f"{self._path}: {error}.") from error
        return array.astype(self.dtype, copy=False)

    def _check_length(self, n_bytes):
        """Raise DatasetError unless the content has as many bytes as the header declares."""
        expected = len(self.header) + self._n_declared
        if n_bytes == expected:
            return
        takes = f"an array of shape {self.shape} takes {expected} bytes"
        if n_bytes < expected:
            raise DatasetError(f"{self._path} is truncated: {takes}, it has {n_bytes}.")
        raise DatasetError(f"{self._path} is too long: {takes}, and more follow.")

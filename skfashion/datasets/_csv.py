"""Images as rows of a CSV file, as Kaggle publishes Fashion-MNIST."""

import bz2
import codecs
import csv
import gzip
import io
import lzma
import re
import warnings
import zipfile
import zlib
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from skfashion._images import ImageShape
from skfashion.datasets._bunch import FASHION_CLASSES, as_bunch
from skfashion.errors import DatasetError

__all__ = ["read_image_csv"]

# Parsed numbers take eight times the room of pixels, so only some rows are parsed at once.
_CHUNK_ROWS = 2000
_CHUNK_CELLS = 2**23
# A colour image of 224x224 pixels has 150,528.
_MAX_COLUMNS = 200_000
_MAX_HEADER_BYTES = 2**22
# numpy.savetxt writes a pixel with 24 characters.
_MAX_PIXEL_BYTES = 32
_MAX_LABEL = 1000
# More than pandas reads ahead.
_READ_AHEAD_BYTES = 2**19
_OPENERS: dict[str, Callable[..., Any]] = {".bz2": bz2.open, ".gz": gzip.open, ".xz": lzma.open}
_ZIP_KINDS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
_READING_ERRORS = (
    EOFError,
    OSError,
    RuntimeError,  # encrypted
    ValueError,
    csv.Error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    zlib.error,
)


def read_image_csv(path, *, label="label", image_shape=None):
    """Read labelled images from a CSV file with a column for each pixel.

    Such is Kaggle's ``fashion-mnist_train.csv``: a header, then in each row the label and 784
    pixels.

    Parameters
    ----------
    path : str or path-like
        The file; it may be compressed (``.gz``, ``.bz2``, ``.xz``, or ``.zip`` with one file).
    label : str, default="label"
        Name of the column of labels, numbers or words. All other columns are pixels from 0 to 255,
        in row-major order.
    image_shape : tuple of 2 or 3 int, default=None
        Height, width and (1 if left out) channels. None: a perfect square of pixels is a grey
        image, three times a perfect square a colour image, anything else a strip one pixel high.

    Returns
    -------
    bunch : Bunch
        ``data`` (n, n_pixels) and ``images`` (n, height, width[, 3]) of ``uint8``, ``target``
        (n,) of ``int64``, ``target_names`` and ``DESCR``. Integer labels are kept as they are, and
        ``target_names`` are those of the labels that occur, in ascending order; if they are from 0
        to 9 and the images 28x28, as in Fashion-MNIST. Words become their position in the sorted
        ``target_names``.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DatasetError
        If there is no column of that name, or a pixel is missing, not a number, not whole, or not
        from 0 to 255; the message says in which row and column.
    ValueError
        If ``image_shape`` does not fit.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skfashion.datasets import read_image_csv
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = Path(directory, "tiny.csv")
    ...     _ = path.write_text("label,pixel1,pixel2,pixel3,pixel4\\n7,0,255,128,3\\n")
    ...     tiny = read_image_csv(path)
    >>> tiny.images
    array([[[  0, 255],
            [128,   3]]], dtype=uint8)
    >>> tiny.target
    array([7])
    """
    import pandas as pd

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No CSV file {str(path)!r}.")
    labels, parts, n_read = [], [], 0
    try:
        with (
            warnings.catch_warnings(action="error", category=pd.errors.ParserWarning),
            _open(path) as content,
            _BoundedFile(content, path) as file,
        ):
            position = _find_label(label, file.columns, path)
            chunks = pd.read_csv(
                file,
                header=None,
                names=range(len(file.columns)),
                index_col=False,
                chunksize=file.chunk_rows,
                low_memory=False,
            )
            for frame in chunks:
                file.allow_chunk()
                labels.append(frame.pop(position))
                parts.append(_to_pixels(frame, file.columns, path, first_row=n_read + 1))
                n_read += len(frame)
    except DatasetError:
        raise
    except pd.errors.ParserWarning as warning:
        raise DatasetError(f"{path} has rows with more fields than its header.") from warning
    except _READING_ERRORS as error:
        raise DatasetError(f"{path} is not a readable CSV file: {error!s:.200}") from error
    if not n_read:
        raise DatasetError(f"{path} has a header but no images.")

    data = np.concatenate(parts)
    shape = ImageShape.infer(data.shape, image_shape)
    images = data.reshape(-1, *(shape[:2] if shape[2] == 1 else shape))
    target, target_names = _to_target(pd.concat(labels), path, shape)
    return as_bunch(images, target, target_names, f"Images read from {path.name}.")


@contextmanager
def _open(path):
    """Yield the decompressed content as a binary file; pandas would decompress all of a zip."""
    suffix = path.suffix.lower()
    if suffix != ".zip":
        with _OPENERS.get(suffix, open)(path, "rb") as file:
            yield file
        return
    with zipfile.ZipFile(path) as archive:
        members = archive.infolist()
        # Python decompresses other kinds without a bound.
        if len(members) != 1 or members[0].compress_type not in _ZIP_KINDS:
            raise DatasetError(f"{path} must hold one file, compressed as zip usually does.")
        with archive.open(members[0]) as file:
            yield file


class _BoundedFile(io.BufferedIOBase):
    """Rows below a header, with an error if they have too many bytes or fields for images.

    pandas would read a line without an end, or a quote that is never closed, until the memory is
    full.

    Parameters
    ----------
    file : binary file
        The decompressed content.
    path : pathlib.Path
        For messages.

    Attributes
    ----------
    columns : list of str
        Their names.
    chunk_rows : int
        Number of rows to parse at once.
    """

    def __init__(self, file, path):
        self._file, self._path = file, path
        start = file.read(_MAX_HEADER_BYTES).removeprefix(codecs.BOM_UTF8)
        header = re.findall(rb"\A[\r\n]*[^\r\n]*", start)[0]
        if len(header) == _MAX_HEADER_BYTES or header.count(b",") >= _MAX_COLUMNS:
            raise DatasetError(
                f"{path} has a header longer than {_MAX_HEADER_BYTES >> 20} MiB or more than "
                f"{_MAX_COLUMNS:,} columns."
            )
        # pandas takes minutes for many columns of the same name.
        self.columns = next(csv.reader([header.decode("utf-8").strip("\r\n")]))
        self._rest_of_start = io.BytesIO(start[len(header) :])
        n_columns = max(1, len(self.columns))
        self.chunk_rows = max(1, min(_CHUNK_ROWS, _CHUNK_CELLS // n_columns))
        self.allow_chunk()

    def allow_chunk(self):
        """Let another chunk of rows be read."""
        n_columns = len(self.columns)
        row_bytes = 4 * _MAX_LABEL + n_columns * _MAX_PIXEL_BYTES
        self._bytes_left = self.chunk_rows * row_bytes + _READ_AHEAD_BYTES
        self._commas_left = self.chunk_rows * n_columns + _READ_AHEAD_BYTES

    def readable(self):
        return True

    def read(self, size=-1):
        content = self._rest_of_start.read(size) or self._file.read(size)
        self._bytes_left -= len(content)
        self._commas_left -= content.count(b",")
        if self._bytes_left < 0 or self._commas_left < 0:
            raise DatasetError(
                f"{self._path} has rows that are too long for its {len(self.columns)} columns: "
                "too many fields, a very long cell, or a quote that is never closed."
            )
        return content

    read1 = read


def _find_label(label, columns, path):
    """Return the position of the column of labels, if the columns are those of images."""
    if not columns:
        raise DatasetError(f"{path} is not a readable CSV file: it is empty.")
    if label not in columns:
        raise DatasetError(
            f"{path} has no column {label!r}; its columns are "
            f"{', '.join(f'{column:.50}' for column in columns[:5])}, ..."
        )
    if "" in columns:
        raise DatasetError(
            f"{path} has a column without a name. If pandas wrote its index there, write the file "
            "with index=False."
        )
    if len(columns) == 1:
        raise DatasetError(f"{path} has no columns but {label!r}, so no pixels.")
    return columns.index(label)


def _to_pixels(frame, columns, path, first_row):
    """A chunk of pixel columns as uint8, or an error that names the first bad cell."""
    import pandas as pd

    numeric = frame
    if not all(pd.api.types.is_numeric_dtype(dtype) for dtype in frame.dtypes):
        numeric = frame.apply(pd.to_numeric, errors="coerce")
    numbers = numeric.to_numpy(dtype=np.float64)
    with np.errstate(invalid="ignore"):
        bad = ~((numbers >= 0) & (numbers <= 255) & (numbers == np.floor(numbers)))
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise DatasetError(
            f"{path}, image {first_row + row}, column {columns[frame.columns[column]]!r:.50}: "
            f"{frame.iat[row, column]!r:.50} is not a pixel, a whole number from 0 to 255."
        )
    return numbers.astype(np.uint8)


def _to_target(labels, path, shape):
    import pandas as pd

    if labels.isna().any():
        row = int(np.flatnonzero(labels.isna())[0]) + 1
        raise DatasetError(f"{path}, image {row}: the label is missing.")
    if pd.api.types.is_integer_dtype(labels):
        target = labels.to_numpy()
        found = np.unique(target).tolist()
        is_fashion = shape == (28, 28, 1) and found[0] >= 0 and found[-1] < len(FASHION_CLASSES)
        return target, [FASHION_CLASSES[i] if is_fashion else str(i) for i in found]
    names, target = np.unique(labels.astype(str).to_numpy(dtype=object), return_inverse=True)
    longest = max(names, key=len)
    if len(longest) > _MAX_LABEL:
        raise DatasetError(f"{path}: the label {longest!r:.50} has {len(longest):,} characters.")
    return target, names.tolist()

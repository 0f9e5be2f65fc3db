"""Images as rows of a CSV file, as Kaggle publishes Fashion-MNIST."""

import warnings
import zipfile
import zlib
from pathlib import Path

import numpy as np

from skfashion._images import ImageShape
from skfashion.datasets._bunch import FASHION_CLASSES, as_bunch
from skfashion.errors import DatasetError

__all__ = ["read_image_csv"]

# Parsed numbers take eight times the room of pixels, so only some rows are parsed at once.
_CHUNK_ROWS = 2000


def read_image_csv(path, *, label="label", image_shape=None):
    """Read labelled images from a CSV file with a column for each pixel.

    Such is Kaggle's ``fashion-mnist_train.csv``: a header, then in each row the label and 784
    pixels.

    Parameters
    ----------
    path : str or path-like
        The file; it may be compressed as pandas understands (``.gz``, ``.zip``, ...).
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
            pd.read_csv(path, chunksize=_CHUNK_ROWS, index_col=False) as chunks,
        ):
            for frame in chunks:
                if label not in frame:
                    raise DatasetError(
                        f"{path} has no column {label!r}; its columns are "
                        f"{', '.join(map(str, frame.columns[:5]))}, ..."
                    )
                if any(str(column).startswith("Unnamed:") for column in frame.columns):
                    raise DatasetError(
                        f"{path} has a column without a name. If pandas wrote its index there, "
                        "write the file with index=False."
                    )
                labels.append(frame.pop(label))
                parts.append(_to_pixels(frame, path, first_row=n_read + 1))
                n_read += len(frame)
    except DatasetError:
        raise
    except pd.errors.ParserWarning as warning:
        raise DatasetError(f"{path} has rows with more fields than its header.") from warning
    except (EOFError, OSError, ValueError, zlib.error, zipfile.BadZipFile) as error:
        raise DatasetError(f"{path} is not a readable CSV file: {error}") from error
    if not n_read:
        raise DatasetError(f"{path} has a header but no images.")
    if not parts[0].shape[1]:
        raise DatasetError(f"{path} has no columns but {label!r}, so no pixels.")

    data = np.concatenate(parts)
    shape = ImageShape.infer(data.shape, image_shape)
    images = data.reshape(-1, *(shape[:2] if shape[2] == 1 else shape))
    target, target_names = _to_target(pd.concat(labels), path, shape)
    return as_bunch(images, target, target_names, f"Images read from {path.name}.")


def _to_pixels(frame, path, first_row):
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
            f"{path}, image {first_row + row}, column {frame.columns[column]!r}: "
            f"{frame.iat[row, column]!r} is not a pixel, a whole number from 0 to 255."
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
    names, target = np.unique(labels.astype(str).to_numpy(dtype=str), return_inverse=True)
    return target, names.tolist()

"""Pictures in folders, one folder a class."""

import struct
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from skfashion._images import ImageShape
from skfashion.datasets._bunch import as_bunch
from skfashion.errors import DatasetError

__all__ = ["read_image", "read_image_folder"]

_SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".png", ".webp"}
# Pillow knows more, some of which start other programs.
_FORMATS = ("PNG", "JPEG", "WebP", "BMP", "GIF")


def read_image(path, *, image_shape=(28, 28), color=False, invert=False):
    """Read one picture as an array of the wanted size.

    Its proportions are kept: it is made to fit and, where it does not fill the image, surrounded
    by background, black in the result.

    Parameters
    ----------
    path : str or path-like
        A PNG, JPEG, WebP, BMP or GIF file.
    image_shape : tuple of 2 int or None, default=(28, 28)
        Height and width of the result, in pixels. None keeps the picture's.
    color : bool, default=False
        Whether to keep colour.
    invert : bool, default=False
        Whether to exchange light and dark. Fashion-MNIST shows light clothes on black; a photo on
        a white ground needs this.

    Returns
    -------
    image : ndarray of shape (height, width) or (height, width, 3) of uint8

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    DatasetError
        If the file is not a picture that can be decoded, whatever its name, or has more pixels
        than ``PIL.Image.MAX_IMAGE_PIXELS``.
    ValueError
        If ``image_shape`` is no height and width.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from skfashion.datasets import read_image
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = Path(directory, "white.png")
    ...     Image.new("L", (200, 100), 255).save(path)
    ...     image = read_image(path)
    >>> image.shape, int(image[0, 0]), int(image[14, 14])
    ((28, 28), 0, 255)
    """
    from PIL import Image, ImageOps

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No picture {str(path)!r}.")
    if image_shape is not None:
        height, width, _ = ImageShape.parse(image_shape)
        if len(image_shape) != 2:
            raise ValueError(
                f"image_shape must be (height, width), got {image_shape!r}; colour is color=True."
            )
    background = 255 if invert else 0
    with _open_picture(path) as file:
        picture = ImageOps.exif_transpose(file)
        if picture.mode.startswith("I"):  # 16 bits, of which Pillow would keep the low 8
            picture = Image.fromarray((np.asarray(picture) // 256).astype(np.uint8))
        if picture.has_transparency_data:
            ground = Image.new("RGBA", picture.size, (background,) * 3 + (255,))
            picture = Image.alpha_composite(ground, picture.convert("RGBA"))
        picture = picture.convert("RGB" if color else "L")
    if image_shape is not None:
        fill = (background,) * 3 if color else background
        picture = ImageOps.pad(picture, (width, height), Image.Resampling.LANCZOS, color=fill)
    image = np.array(picture)
    return 255 - image if invert else image


@contextmanager
def _open_picture(path):
    """Open a picture, and raise DatasetError if it cannot be decoded."""
    from PIL import Image

    try:
        with (
            warnings.catch_warnings(action="error", category=Image.DecompressionBombWarning),
            Image.open(path, formats=_FORMATS) as picture,
        ):
            yield picture
    except (
        OSError,
        SyntaxError,
        TypeError,  # of damaged Exif data
        ValueError,
        struct.error,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ) as error:
        problem = f"{error!s:.200}"
        if isinstance(error, Image.UnidentifiedImageError):
            problem = f"only {', '.join(_FORMATS)} are read"
        raise DatasetError(f"{path} is not a picture that can be decoded: {problem}.") from error


def read_image_folder(path, *, image_shape=(28, 28), color=False, invert=False):
    """Read labelled pictures from a folder that has a folder for each class.

    Parameters
    ----------
    path : str or path-like
        The folder. Each folder in it is a class; its PNG, JPEG, WebP, BMP and GIF files, also in
        folders below, are that class's pictures. Other files are passed over.
    image_shape : tuple of 2 int, default=(28, 28)
        Height and width that each picture is brought to, in pixels, with its proportions kept.
    color : bool, default=False
        Whether to keep colour.
    invert : bool, default=False
        Whether to exchange light and dark. Fashion-MNIST shows light clothes on black; photos on
        a white ground need this.

    Returns
    -------
    bunch : Bunch
        ``data`` (n, n_pixels) and ``images`` (n, height, width[, 3]) of ``uint8``, ``target``
        (n,) of ``int64``, positions in the sorted ``target_names``, ``filenames`` and ``DESCR``.

    Raises
    ------
    FileNotFoundError
        If there is no such folder.
    DatasetError
        If there are no pictures, a class has none, or a picture cannot be decoded.
    ValueError
        If ``image_shape`` is no height and width.

    See Also
    --------
    read_image : One picture.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from PIL import Image
    >>> from skfashion.datasets import read_image_folder
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     for name in ("hat", "sock"):
    ...         Path(directory, name).mkdir()
    ...         Image.new("L", (40, 40), 200).save(Path(directory, name, "1.png"))
    ...     pictures = read_image_folder(directory)
    >>> pictures.images.shape, pictures.target_names
    ((2, 28, 28), ['hat', 'sock'])
    """
    path = Path(path)
    if not path.is_dir():
        raise FileNotFoundError(f"No folder {str(path)!r}.")
    folders = sorted(p for p in path.iterdir() if p.is_dir() and not p.name.startswith("."))
    if not folders:
        raise DatasetError(f"{path} holds no folders; it must hold one for each class.")
    files, target = [], []
    for position, folder in enumerate(folders):
        pictures = sorted(p for p in folder.rglob("*") if p.suffix.lower() in _SUFFIXES)
        if not pictures:
            raise DatasetError(f"{folder} holds no pictures; each folder must be a class.")
        files += pictures
        target += [position] * len(pictures)
    images = np.stack(
        [read_image(file, image_shape=image_shape, color=color, invert=invert) for file in files]
    )
    return as_bunch(
        images,
        target,
        [folder.name for folder in folders],
        f"Pictures read from {path}.",
        filenames=[str(file) for file in files],
    )

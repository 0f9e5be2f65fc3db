"""Images as matplotlib draws them."""

import numpy as np

from skfashion._images import ImageShape, check_images
from skfashion.inspection._labels import as_text

__all__ = ["as_images", "as_pictures", "draw_mosaic", "mosaic_size", "tile"]

# Bytes up to this are on a scale of their own, such as 0-16, rather than 0-255.
_DARKEST_BYTES = 32
# Of a new figure, in inches: no more can be looked at, nor saved.
_LARGEST_FIGURE = 40
# Between the images of a mosaic, as a share of their height.
_GAP = 1 / 14


def as_images(X, image_shape=None, name="X"):
    """Images of any of the accepted forms as ``(n, height, width, channels)``, not copied.

    Raises
    ------
    ValueError
        If X holds no images of this shape with finite pixels.
    """
    X = check_images(X, name)
    return ImageShape.infer(X.shape, image_shape).reshape(X)


def as_pictures(images):
    """Grey values or colours from 0 to 1, all on the same scale.

    Parameters
    ----------
    images : ndarray of shape (n, height, width, channels)
        Of 3 channels in colour; of other numbers the mean is shown.

    Returns
    -------
    pictures : ndarray of shape (n, height, width) or (n, height, width, 3)
    """
    low, high = min(0, images.min()), images.max()
    if images.dtype == np.uint8 and high > _DARKEST_BYTES:
        high = 255
    elif images.dtype.kind == "f" and low == 0 and high <= 1:
        high = 1
    pictures = (images - float(low)) / (float(high) - float(low) or 1)
    return pictures if images.shape[-1] == 3 else pictures.mean(axis=-1)


def draw_mosaic(ax, rows, row_labels):
    """Draw rows of pictures into one axes.

    Parameters
    ----------
    ax : matplotlib Axes
    rows : list of ndarray
        For each row its pictures, as of :func:`as_pictures`; rows may differ in length.
    row_labels : list of str
        What to write beside each row.

    Returns
    -------
    centres : ndarray of shape (n_columns,)
        Where the columns are on the horizontal axis.
    """
    is_light = np.mean([row.mean() for row in rows]) > 0.5
    mosaic, tops, lefts = tile(rows, fill=0.0 if is_light else 1.0)
    height, width = rows[0].shape[1:3]
    ax.imshow(mosaic, cmap="gray", vmin=0, vmax=1)
    ax.set_yticks(tops + (height - 1) / 2, [as_text(label) for label in row_labels])
    ax.set_xticks([])
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return lefts + (width - 1) / 2


def tile(rows, fill):
    """Rows of pictures as one, with gaps between them.

    Parameters
    ----------
    rows : list of ndarray of shape (n, height, width) or (n, height, width, 3)
        They may differ in length.
    fill : float
        What is between the pictures.

    Returns
    -------
    mosaic : ndarray of shape (mosaic_height, mosaic_width) or (mosaic_height, mosaic_width, 3)
    tops, lefts : ndarray of shape (n_rows,), (n_columns,)
        Where rows and columns begin.
    """
    height, width = rows[0].shape[1:3]
    gap = max(1, round(_GAP * height))
    tops = np.arange(len(rows)) * (height + gap)
    lefts = np.arange(max(map(len, rows))) * (width + gap)
    mosaic = np.full((tops[-1] + height, lefts[-1] + width, *rows[0].shape[3:]), fill)
    for top, row in zip(tops, rows, strict=True):
        for left, picture in zip(lefts, row, strict=False):
            mosaic[top : top + height, left : left + width] = picture
    return mosaic, tops, lefts


def mosaic_size(rows, row_labels, cell=0.6):
    """Width and height, in inches, of a figure for such rows."""
    height, width = rows[0].shape[1:3]
    n_columns = max(map(len, rows))
    label_width = 0.2 + 0.1 * max(len(as_text(label)) for label in row_labels)
    size = label_width + cell * n_columns * width / height, 0.2 + cell * len(rows)
    scale = min(1, _LARGEST_FIGURE / max(size))
    return size[0] * scale, size[1] * scale

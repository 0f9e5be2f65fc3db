"""Images and names in the form that matplotlib draws."""

import numpy as np

from skfashion._images import ImageShape, check_images
from skfashion._utils.names import make_visible

__all__ = ["as_images", "as_pictures", "as_text", "draw_mosaic", "mosaic_size", "tile"]

# Bytes up to this value are on another scale than 0-255, such as 0-16.
_DARKEST_BYTES = 32
# Largest side of a new figure, in inches: nobody can look at more, or save it.
_LARGEST_FIGURE = 40
# Space between the images of a mosaic, as a share of their height.
_GAP = 1 / 14


def as_images(X, image_shape=None, name="X"):
    """Return images of any accepted form as ``(n, height, width, channels)``, without a copy.

    Raises
    ------
    ValueError
        If X holds no images of this shape with finite pixels.
    """
    X = check_images(X, name)
    return ImageShape.infer(X.shape, image_shape).reshape(X)


def as_pictures(images):
    """Return grey values or colours from 0 to 1, all on the same scale.

    Parameters
    ----------
    images : ndarray of shape (n, height, width, channels)
        Three channels are a colour; any other number of channels is averaged.

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
        Pictures of each row, as :func:`as_pictures` returns them; rows may differ in length.
    row_labels : list of str
        Text to write beside each row.

    Returns
    -------
    centres : ndarray of shape (n_columns,)
        Positions of the columns on the horizontal axis.
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
    """Join rows of pictures into one picture, with gaps between them.

    Parameters
    ----------
    rows : list of ndarray of shape (n, height, width) or (n, height, width, 3)
        They may differ in length.
    fill : float
        Grey value between the pictures.

    Returns
    -------
    mosaic : ndarray of shape (mosaic_height, mosaic_width) or (mosaic_height, mosaic_width, 3)
    tops, lefts : ndarray of shape (n_rows,), (n_columns,)
        Positions at which rows and columns begin.
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
    """Return the width and height, in inches, of a figure for rows of pictures."""
    height, width = rows[0].shape[1:3]
    n_columns = max(map(len, rows))
    label_width = 0.2 + 0.1 * max(len(as_text(label)) for label in row_labels)
    size = label_width + cell * n_columns * width / height, 0.2 + cell * len(rows)
    scale = min(1, _LARGEST_FIGURE / max(size))
    return size[0] * scale, size[1] * scale


def as_text(name, n_characters=30):
    """Return a name that is short enough for a picture, and that is never read as a formula."""
    name = make_visible(name)
    if len(name) > n_characters:
        name = name[: n_characters - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return name.replace("$", r"\$")

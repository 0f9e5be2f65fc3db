"""What counts as images, which shape they have, and how their pixels are standardised."""

import math

import numpy as np

from skfashion._utils.warnings import warn

__all__ = [
    "ANY_AXES",
    "channel_statistics",
    "check_image_shape",
    "complete_image_shape",
    "infer_image_shape",
    "standardize",
    "warn_of_strips",
]

# For scikit-learn's validation: images need not be flattened.
ANY_AXES = {"ensure_2d": False, "allow_nd": True}

# Fewer are rather a table.
_MIN_IMAGE_FEATURES = 25

# Values that are held in double precision at once: 2 MB.
_CHUNK_VALUES = 2**18


def complete_image_shape(image_shape):
    """``(height, width)`` or ``(height, width, channels)`` as the latter, in plain ints.

    Raises
    ------
    ValueError
        If it is neither, or a size is not a positive integer.
    """
    try:
        sizes = tuple(int(size) for size in image_shape)
        valid = len(sizes) in (2, 3) and min(sizes) > 0 and sizes == tuple(image_shape)
    except (TypeError, ValueError):
        valid = False
    if not valid:
        raise ValueError(
            "image_shape must be (height, width) or (height, width, channels) in positive whole "
            f"pixels, got {image_shape!r}."
        )
    return sizes if len(sizes) == 3 else (*sizes, 1)


def infer_image_shape(shape, image_shape=None):
    """Height, width and channels of images in an array of the given shape.

    Parameters
    ----------
    shape : tuple of int
        ``(n, n_features)``, ``(n, height, width)`` or ``(n, height, width, channels)``.
    image_shape : tuple of 2 or 3 int, default=None
        What the images are to be. For flattened images, None means: a perfect square is one grey
        image, three times a perfect square one colour image, anything else a strip of one row.

    Returns
    -------
    image_shape : tuple of 3 int

    Raises
    ------
    ValueError
        If the array cannot hold such images.
    """
    if image_shape is not None:
        image_shape = complete_image_shape(image_shape)
    if len(shape) == 1:
        raise ValueError(
            "Expected 2D array, got 1D array instead: X must be (n_images, n_pixels), "
            "(n_images, height, width) or (n_images, height, width, channels). Reshape your data "
            "using X.reshape(1, -1) if it is one flattened image."
        )
    if len(shape) > 4:
        raise ValueError(
            "X must be (n_images, n_pixels), (n_images, height, width) or (n_images, height, "
            f"width, channels), got shape {tuple(shape)}."
        )
    if 0 in shape[1:]:
        raise ValueError(
            f"X has images without pixels: 0 feature(s) (shape={tuple(shape)}) while a minimum of "
            "1 is required."
        )
    if len(shape) == 2:
        n_features = shape[1]
        if image_shape is None:
            return _guess_image_shape(n_features)
        if math.prod(image_shape) != n_features:
            raise ValueError(
                f"image_shape={image_shape} has {math.prod(image_shape)} values, but X has "
                f"{n_features} features."
            )
        return image_shape
    found = (*shape[1:], 1)[:3]
    if image_shape is None:
        if found[0] in (1, 3) and min(found[1:]) > 4:
            raise ValueError(
                f"X of shape {tuple(shape)} looks like channels-first images; the channels come "
                "last here: pass X.transpose(0, 2, 3, 1). If it really holds images of height "
                f"{found[0]}, say so with image_shape={found}."
            )
        return found
    if image_shape != found:
        raise ValueError(f"image_shape={image_shape}, but X holds images of shape {found}.")
    return found


def warn_of_strips(shape, image_shape):
    """Warn where flattened images, of a shape that was not given, are hardly meant to be strips."""
    if len(shape) == 2 and image_shape[0] == 1 and shape[1] >= _MIN_IMAGE_FEATURES:
        warn(
            f"X has {shape[1]} features, no square, so its images are taken for strips one pixel "
            "high. Give image_shape=(height, width) or (height, width, channels); "
            f"image_shape=(1, {shape[1]}) if they are strips."
        )


def check_image_shape(X, name, expected, estimator):
    """Raise ValueError if images are of another size than expected, flattened or not."""
    estimator_name = type(estimator).__name__
    if X.ndim == 2:
        n_expected = math.prod(expected)
        if X.shape[1] != n_expected:
            advice = f" One image is {name}[None]." if X.shape == expected[:2] else ""
            raise ValueError(
                f"{name} has {X.shape[1]} features, but {estimator_name} is expecting "
                f"{n_expected} features as input (images of {expected}).{advice}"
            )
    elif X.ndim not in (3, 4) or (*X.shape[1:], 1)[:3] != expected:
        raise ValueError(
            f"{name} holds images of shape {infer_image_shape(X.shape)}, but {estimator_name} is "
            f"expecting images of {expected}."
        )


def _guess_image_shape(n_features):
    for channels in (1, 3):
        side = math.isqrt(n_features // channels)
        if side * side * channels == n_features:
            return (side, side, channels)
    return (1, n_features, 1)


def channel_statistics(X, rows, image_shape):
    """Mean and standard deviation of each channel, without a float copy of X.

    Returns
    -------
    mean, std : ndarray of shape (n_channels,)
        The standard deviation of a constant channel is given as 1.
    """
    channels = image_shape[2]
    shift = sums = squares = np.zeros(channels)
    chunk = max(1, _CHUNK_VALUES // math.prod(image_shape))
    for start in range(0, len(rows), chunk):
        pixels = X[rows[start : start + chunk]].reshape(-1, channels).astype(np.float64)
        if start == 0:
            shift = pixels.mean(axis=0)  # keeps the sum of squares exact far from zero
        pixels -= shift
        sums = sums + pixels.sum(axis=0)
        squares = squares + np.einsum("ij,ij->j", pixels, pixels)
    n_pixels = len(rows) * image_shape[0] * image_shape[1]
    mean = shift + sums / n_pixels
    std = np.sqrt(np.maximum(squares / n_pixels - (sums / n_pixels) ** 2, 0))
    std[std <= 10 * np.finfo(np.float64).eps * np.abs(mean)] = 1.0
    return mean, std


def standardize(X, image_shape, scale, offset):
    """A batch of raw images as a network takes them.

    Parameters
    ----------
    X : ndarray of shape (n, ...)
        Raw pixels, in any of the accepted shapes.
    image_shape : tuple of 3 int
        Height, width and channels.
    scale, offset : ndarray of shape (n_channels,)
        Pixels times ``scale`` plus ``offset`` are standardised.

    Returns
    -------
    images : ndarray of shape (n, height, width, channels) of float32
    """
    precision = np.result_type(X.dtype, np.float32)
    images = X.reshape(-1, *image_shape).astype(precision)
    images *= scale.astype(precision)
    images += offset.astype(precision)
    return images.astype(np.float32, copy=False)

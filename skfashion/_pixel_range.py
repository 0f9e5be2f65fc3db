"""Whether images to predict are on another pixel scale than the training images."""

import math

import numpy as np

__all__ = ["is_other_scale", "pixel_range"]

# A wrong scale shows in any few images, but not in a few pixels.
_SAMPLE_IMAGES = 256
_MIN_PIXELS = 32
# Scales that differ by less (digits of 0-16 against 0-1 differ by 16) may be other images only.
_FACTOR = 10
# Outliers do not make a scale: broken pixels, or a table's column that was nearly constant in
# training and, once scaled, holds anything.
_OUTLIERS_IN_TRAINING = 0.001
_OUTLIERS_IN_IMAGES = 0.02
_OUTLIERS = 2  # at least, however few pixels there are


def pixel_range(X):
    """Lowest and highest pixel but for outliers, in a sample of the images."""
    quantiles = [_OUTLIERS_IN_TRAINING, 1 - _OUTLIERS_IN_TRAINING]
    low, high = np.quantile(_sample(X), quantiles)
    return float(low), float(high)


def is_other_scale(X, fitted_range):
    """Whether pixels are ten or more times larger or smaller than in the training images.

    Parameters
    ----------
    X : ndarray of shape (n, ...)
        Raw images.
    fitted_range : tuple of 2 float
        :func:`pixel_range` of the training images.

    Returns
    -------
    differs : bool
        False where the images cannot tell: constant ones, a few pixels, and dark ones in whole
        numbers.
    """
    X = _sample(X)
    low, high = fitted_range
    span = high - low
    if X.size < _MIN_PIXELS or span == 0 or X.min() == X.max():
        return False
    outliers = max(_OUTLIERS, _OUTLIERS_IN_IMAGES * X.size)
    if np.sum((low - span > X) | (high + span < X)) > outliers:
        relative = (X - (low + high) / 2) / (span / 2)
        return bool(np.sqrt(np.mean(np.square(relative))) > _FACTOR)
    largest = np.abs(X).max()
    if largest > max(abs(low), abs(high)) / _FACTOR:
        return False
    # A dark photo in bytes has small pixels too; a scaled one has fractions, or is black and white.
    has_fractions = (np.floor(X) != X).any()
    return bool(has_fractions or (largest <= 1 and np.sum(X != 0) > outliers))


def _sample(X):
    return X[:: math.ceil(len(X) / _SAMPLE_IMAGES)].astype(np.float64)

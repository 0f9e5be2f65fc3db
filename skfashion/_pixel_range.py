"""Whether images to predict are on another pixel scale than the training images."""

import math

import numpy as np

from skfashion._images import standardize

__all__ = ["is_other_scale", "pixel_range"]

# A wrong scale shows in any few images.
_SAMPLE = 256
# Scales that differ by less (digits of 0-16 against 0-1 differ by 16) may be other images only.
_FACTOR = 10
# More pixels than this must lie far outside the training images' range: one column of a table
# that was nearly constant in training may, once scaled, hold anything.
_SHARE_OUTSIDE = 0.02


def pixel_range(X):
    """Lowest and highest pixel."""
    return float(X.min()), float(X.max())


def is_other_scale(X, fitted_range, standardization):
    """Whether pixels are ten or more times larger or smaller than in the training images.

    Parameters
    ----------
    X : ndarray of shape (n, ...)
        Raw images.
    fitted_range : tuple of 2 float
        Lowest and highest pixel of the training images.
    standardization : tuple (image_shape, scale, offset)
        That of the training images, see :func:`skfashion._images.standardize`.

    Returns
    -------
    differs : bool
        False where the images cannot tell: constant ones, and dark ones in whole numbers.
    """
    X = X[:: math.ceil(len(X) / _SAMPLE)].astype(np.float64)
    z_scores = standardize(X, *standardization)
    low, high = fitted_range
    span = high - low
    outside = np.mean((low - span > X) | (high + span < X))
    if outside > _SHARE_OUTSIDE:
        return bool(np.sqrt(np.mean(np.square(z_scores))) > _FACTOR)
    spread = z_scores.std()
    largest = np.abs(X).max()
    is_small = spread < 1 / _FACTOR and largest < max(abs(low), abs(high)) / _FACTOR
    if not is_small or X.min() == X.max():
        return False
    # A dark photo in bytes has small pixels too; a scaled one has fractions.
    return bool(largest <= 1 or (np.floor(X) != X).any())

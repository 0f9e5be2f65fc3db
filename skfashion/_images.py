"""The one gate for images: their shape, their pixels, and the check of X for every estimator."""

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from sklearn.utils.validation import check_array, check_is_fitted, check_X_y, validate_data

from skfashion._utils.warnings import warn
from skfashion.errors import PixelRangeWarning

__all__ = ["ImageInputMixin", "ImageShape", "PixelScaler", "channel_statistics", "check_images"]

# Images need not be flattened.
_CHECKS = {"dtype": "numeric", "ensure_2d": False, "allow_nd": True}

# Fewer features look like tabular data.
_MIN_IMAGE_FEATURES = 25

# Number of values held in double precision at once: 2 MB.
_CHUNK_VALUES = 2**18

# Single precision keeps four digits of pixels whose mean is this many standard deviations from 0.
_MAX_SINGLE_PRECISION_OFFSET = 2**10
# It holds numbers from 2**-126 to 2**128; pixels may be far smaller or larger than their deviation.
_MAX_SINGLE_PRECISION_EXPONENT = 100

# A wrong scale shows in any few images, but not in a few pixels.
_SAMPLE_IMAGES = 256
_MIN_PIXELS = 32
# Scales that differ by less (digits of 0-16 against 0-1 differ by 16) may be other images only.
_FACTOR = 10
# Outliers do not make a scale: broken pixels, or a column of a table that was nearly constant in
# training and, once scaled, holds anything.
_OUTLIERS_IN_TRAINING = 0.001
_OUTLIERS_IN_IMAGES = 0.02
_MIN_OUTLIERS = 2


class ImageShape(NamedTuple):
    """Height, width and channels of an image, in pixels: a plain tuple with names.

    Attributes
    ----------
    height, width, channels : int
    """

    height: int
    width: int
    channels: int = 1

    @classmethod
    def parse(cls, image_shape):
        """Return a user's ``(height, width)`` or ``(height, width, channels)`` as a shape.

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
                "image_shape must be (height, width) or (height, width, channels) in positive "
                f"whole pixels, got {image_shape!r}."
            )
        return cls(*sizes)

    @classmethod
    def infer(cls, shape, image_shape=None):
        """Return the shape of the images in an array.

        Parameters
        ----------
        shape : tuple of int
            Shape of the array: ``(n, n_features)``, ``(n, height, width)`` or
            ``(n, height, width, channels)``.
        image_shape : tuple of 2 or 3 int, default=None
            Shape that the images must have. None guesses the shape of flattened images: a perfect
            square is one grey image, three times a perfect square one colour image, anything else
            a strip of one row.

        Raises
        ------
        ValueError
            If the array cannot hold such images.
        """
        if image_shape is not None:
            image_shape = cls.parse(image_shape)
        _check_axes(shape)
        if len(shape) == 2:
            if image_shape is None:
                return cls._guess(shape[1])
            if image_shape.n_values != shape[1]:
                raise ValueError(
                    f"image_shape={image_shape} has {image_shape.n_values} values, but X has "
                    f"{shape[1]} features."
                )
            return image_shape
        found = cls(*shape[1:])
        if image_shape is None:
            found._check_channels_last(shape)
        elif image_shape != found:
            raise ValueError(f"image_shape={image_shape}, but X holds images of shape {found}.")
        return found

    @classmethod
    def _guess(cls, n_features):
        for channels in (1, 3):
            side = math.isqrt(n_features // channels)
            if side * side * channels == n_features:
                return cls(side, side, channels)
        return cls(1, n_features)

    @property
    def n_values(self):
        """Number of values in an image."""
        return math.prod(self)

    def check(self, X, name, estimator):
        """Raise ValueError if images, flattened or not, have another size than this."""
        estimator_name = type(estimator).__name__
        if X.ndim == 2:
            if X.shape[1] != self.n_values:
                advice = f" One image is {name}[None]." if X.shape == self[:2] else ""
                raise ValueError(
                    f"{name} has {X.shape[1]} features, but {estimator_name} is expecting "
                    f"{self.n_values} features as input (images of {self}).{advice}"
                )
        elif X.ndim not in (3, 4) or (*X.shape[1:], 1)[:3] != self:
            raise ValueError(
                f"{name} holds images of shape {ImageShape.infer(X.shape)}, but {estimator_name} "
                f"is expecting images of {self}."
            )

    def reshape(self, X):
        """Return images, flattened or not, as an array (n, height, width, channels)."""
        return X.reshape(-1, *self)

    def warn_of_strip(self, shape):
        """Warn if flattened images, of a shape that was guessed, are unlikely to be strips."""
        if len(shape) == 2 and self.height == 1 and shape[1] >= _MIN_IMAGE_FEATURES:
            warn(
                f"X has {shape[1]} features, no square, so its images are taken for strips one "
                "pixel high. Give image_shape=(height, width) or (height, width, channels); "
                f"image_shape=(1, {shape[1]}) if they are strips."
            )

    def _check_channels_last(self, shape):
        if self.height in (1, 3) and min(self[1:]) > 4:
            raise ValueError(
                f"X of shape {tuple(shape)} looks like channels-first images; the channels come "
                "last here: pass X.transpose(0, 2, 3, 1). If it really holds images of height "
                f"{self.height}, say so with image_shape={self}."
            )

    def __repr__(self):
        return repr(tuple(self))  # users know it as a tuple


def _check_axes(shape):
    """Refuse arrays that cannot hold images of any shape."""
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


def check_images(X, name="X", estimator=None):
    """Return X as a numeric array with any number of axes and finite values."""
    return check_array(X, input_name=name, estimator=estimator, **_CHECKS)


class ImageInputMixin:
    """Mixin for estimators of images: every X comes in through :meth:`_check_images`."""

    image_shape: Any  # the parameter, of estimators that have one

    def _check_images(self, X, y=None, *, name="X", image_shape=None, requires_y=False):
        """Return X as a numeric array of images, without changing the estimator.

        Parameters
        ----------
        X : array-like of shape (n, ...)
            Images in any of the accepted shapes.
        y : array-like of shape (n,), default=None
            Class labels.
        name : str, default="X"
            Name of X in messages.
        image_shape : ImageShape, default=None
            Shape that the images must have. None leaves that to the caller.
        requires_y : bool, default=False
            Whether y is checked, and returned too.

        Raises
        ------
        ValueError
            If X holds anything but finite real numbers, or images of another shape; if y is not
            one label for each image.
        """
        if requires_y:
            X, y = check_X_y(X, y, estimator=self, **_CHECKS)
        else:
            X = check_images(X, name, self)
        if image_shape is not None:
            image_shape.check(X, name, self)
        return (X, y) if requires_y else X

    def _check_fitted_images(self, X, y=None, *, requires_y=False):
        """Return X as images like those of the fit, by shape and by column names."""
        check_is_fitted(self)
        self._check_columns(X)
        shape = getattr(self, "image_shape_", None)
        return self._check_images(X, y, image_shape=shape, requires_y=requires_y)

    def _check_columns(self, X):
        """Raise ValueError if a data frame has other columns than that of the fit.

        Warn if only one of the two has column names.
        """
        validate_data(self, X, reset=False, skip_check_array=True, ensure_2d=False)

    def _infer_image_shape(self, X):
        """Return the shape of the training images; warn if it is a doubtful guess."""
        shape = ImageShape.infer(X.shape, self.image_shape)
        if self.image_shape is None:
            shape.warn_of_strip(X.shape)
        return shape

    def _note_features(self, X, n_features):
        """Note the column names of the training images, and their number of values."""
        validate_data(self, X, reset=True, skip_check_array=True, ensure_2d=False)
        self.n_features_in_ = n_features


@dataclass(frozen=True, eq=False)
class PixelScaler:
    """Standardisation of pixels, learned from the training images.

    Attributes
    ----------
    image_shape : ImageShape
        Shape of the images.
    scale, offset : ndarray of shape (n_channels,) of float64
        A pixel times ``scale`` plus ``offset`` is standardised.
    pixel_range : tuple of 2 float
        Lowest and highest pixel of the training images, outliers apart.
    """

    image_shape: ImageShape
    scale: np.ndarray
    offset: np.ndarray
    pixel_range: tuple[float, float]

    @classmethod
    def fit(cls, X, rows, image_shape):
        """Learn from some rows of X."""
        mean, std = channel_statistics(X, rows, image_shape)
        quantiles = [_OUTLIERS_IN_TRAINING, 1 - _OUTLIERS_IN_TRAINING]
        low, high = np.quantile(_sample(X), quantiles)
        return cls(image_shape, 1 / std, -mean / std, (float(low), float(high)))

    @property
    def dtype(self):
        """Precision of the computation; it does not depend on the dtype of X."""
        fits = (np.abs(self.offset) < _MAX_SINGLE_PRECISION_OFFSET).all()
        fits &= (np.abs(np.log2(self.scale)) < _MAX_SINGLE_PRECISION_EXPONENT).all()
        return np.dtype(np.float32 if fits else np.float64)

    def cast(self, X):
        """Return images as (n, height, width, channels) in the precision to compute with."""
        return self.image_shape.reshape(X).astype(self.dtype, copy=False)

    def transform(self, X, *, copy=True):
        """Standardise a batch of raw images.

        Parameters
        ----------
        X : ndarray of shape (n, ...)
            Images in any of the accepted shapes.
        copy : bool, default=True
            Whether X must stay as it is. False saves memory.

        Returns
        -------
        images : ndarray of shape (n, height, width, channels) of float32
        """
        images = self.image_shape.reshape(X).astype(self.dtype, copy=copy)
        images *= self.scale.astype(self.dtype)
        images += self.offset.astype(self.dtype)
        return images.astype(np.float32, copy=False)

    def rescaling(self):
        """Return the arguments of the ``keras.layers.Rescaling`` that does the same."""
        return {"scale": self.scale.tolist(), "offset": self.offset.tolist()}

    def warn_of_other_scale(self, X, name):
        """Warn if pixels are ten or more times larger or smaller than in the training images."""
        if self.is_other_scale(X):
            low, high = self.pixel_range
            warn(
                f"{name} has pixels from {X.min():g} to {X.max():g}, but the classifier was "
                f"fitted on pixels from {low:g} to {high:g}. "
                "Scale both alike, or the predictions are worthless.",
                PixelRangeWarning,
            )

    def is_other_scale(self, X):
        """Return whether pixels are on another scale than in the training images.

        False if the images cannot tell: constant ones, a few pixels, and dark ones in whole
        numbers.
        """
        X = _sample(X)
        low, high = self.pixel_range
        span = high - low
        if X.size < _MIN_PIXELS or span == 0 or X.min() == X.max():
            return False
        outliers = max(_MIN_OUTLIERS, _OUTLIERS_IN_IMAGES * X.size)
        if np.sum((low - span > X) | (high + span < X)) > outliers:
            relative = (X - (low + high) / 2) / (span / 2)
            return bool(np.sqrt(np.mean(np.square(relative))) > _FACTOR)
        largest = np.abs(X).max()
        if largest > max(abs(low), abs(high)) / _FACTOR:
            return False
        # A dark photo in bytes has small pixels too; a scaled one has fractions, or is black and
        # white.
        has_fractions = (np.floor(X) != X).any()
        return bool(has_fractions or (largest <= 1 and np.sum(X != 0) > outliers))


def _sample(X):
    return X[:: math.ceil(len(X) / _SAMPLE_IMAGES)].astype(np.float64)


def channel_statistics(X, rows, image_shape):
    """Return mean and standard deviation of each channel, without a float copy of X.

    Returns
    -------
    mean, std : ndarray of shape (n_channels,)
        The standard deviation of a constant channel is given as 1.
    """
    channels = image_shape[2]
    shift = sums = squares = np.zeros(channels)
    chunk = max(1, _CHUNK_VALUES // math.prod(image_shape))
    for start in range(0, len(rows), chunk):
        images = X[rows[start : start + chunk]].reshape(-1, channels)
        # The order of memory decides the order of sums, and so their last bits.
        pixels = np.array(images, dtype=np.float64, order="C")
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

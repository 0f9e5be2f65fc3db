"""Histograms of oriented gradients, as features for any classifier."""

from functools import partial
from numbers import Integral
from typing import ClassVar

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
)

from skfashion._images import ImageInputMixin
from skfashion._sklearn_compat import Interval, fit_context

__all__ = ["HOGTransformer"]


class HOGTransformer(
    ImageInputMixin, ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator
):
    """Histograms of the directions in which an image's brightness changes, cell by cell.

    :func:`skimage.feature.hog` of each image [1]_: what matters is where edges are and how they
    run, not how bright they are.

    Parameters
    ----------
    orientations : int, default=9
        Directions that a histogram counts, over half a turn.
    pixels_per_cell : int, default=4
        Height and width of a cell, which has one histogram. Pixels beyond the last whole cell are
        left out; an image smaller than a cell is one.
    cells_per_block : int, default=2
        Height and width in cells of the overlapping blocks in which histograms are normalised; an
        image smaller than a block is one.
    image_shape : tuple of 2 or 3 int, default=None
        Height, width and (1 if left out) channels of flattened images, in pixels. None means: a
        perfect square of features is one grey image, three times a perfect square one colour
        image, anything else a strip one pixel high.

    Attributes
    ----------
    image_shape_ : tuple of 3 int
        Height, width and channels of the images.
    n_features_in_ : int
        Values in an image: height times width times channels.
    feature_names_in_ : ndarray of shape (n_features,)
        Column names, if X was a data frame whose column names are all strings.

    Notes
    -----
    Of several channels, each pixel counts that which changes most. scikit-image describes one
    image at a time, 28x28 pixels in half a millisecond.

    References
    ----------
    .. [1] N. Dalal, B. Triggs, "Histograms of Oriented Gradients for Human Detection", CVPR 2005.

    Examples
    --------
    >>> from skfashion.datasets import load_fashion_sample
    >>> from skfashion.preprocessing import HOGTransformer
    >>> X, y = load_fashion_sample(return_X_y=True)
    >>> HOGTransformer().fit_transform(X[:10]).shape
    (10, 1296)
    """

    _parameter_constraints: ClassVar[dict] = {
        "orientations": [Interval(Integral, 1, None, closed="left")],
        "pixels_per_cell": [Interval(Integral, 1, None, closed="left")],
        "cells_per_block": [Interval(Integral, 1, None, closed="left")],
        "image_shape": ["array-like", None],
    }

    def __init__(self, *, orientations=9, pixels_per_cell=4, cells_per_block=2, image_shape=None):
        self.orientations = orientations
        self.pixels_per_cell = pixels_per_cell
        self.cells_per_block = cells_per_block
        self.image_shape = image_shape

    @fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None):
        """Note the shape of the images; nothing is learned.

        Parameters
        ----------
        X : array-like of shape (n, n_pixels), (n, height, width) or (n, height, width, channels)
            Images of any real type.
        y : None
            Ignored.

        Returns
        -------
        self : HOGTransformer
            The fitted transformer.

        Raises
        ------
        ValueError
            If X holds no images of one shape with finite pixels, or a parameter is out of its
            range.

        Warns
        -----
        UserWarning
            If flattened images are taken for strips.
        """
        image_shape = self._infer_image_shape(self._check_images(X))
        self._note_features(X, image_shape.n_values)
        self.image_shape_ = image_shape
        self._n_features_out = len(self._descriptor()(np.zeros(self.image_shape_)))
        return self

    def transform(self, X):
        """Describe images.

        Parameters
        ----------
        X : array-like of shape (n, n_pixels), (n, height, width) or (n, height, width, channels)
            Images of the size of those it was fitted on.

        Returns
        -------
        features : ndarray of shape (n, n_features_out)
            For each block, row by row, the histograms of its cells; of single precision if X is,
            otherwise of double precision.

        Raises
        ------
        NotFittedError
            If the transformer is not fitted.
        ValueError
            If X holds no images of the fitted size with finite pixels.
        """
        X = self._check_fitted_images(X)
        describe = self._descriptor()
        dtype = np.float32 if X.dtype == np.float32 else np.float64
        features = np.empty((len(X), self._n_features_out), dtype=dtype)
        for row, image in zip(features, self.image_shape_.reshape(X), strict=True):
            row[:] = describe(image)
        return features

    def _descriptor(self):
        """Return a function that describes one image; cells and blocks shrink to fit it."""
        from skimage.feature import hog

        sides = self.image_shape_[:2]
        cell = [min(self.pixels_per_cell, side) for side in sides]
        n_cells = [side // size for side, size in zip(sides, cell, strict=True)]
        return partial(
            hog,
            orientations=self.orientations,
            pixels_per_cell=cell,
            cells_per_block=[min(self.cells_per_block, n) for n in n_cells],
            channel_axis=-1,
        )

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

"""Predictions in batches, averaged over views of the images."""

from functools import partial
from typing import Any

import numpy as np

from skfashion._utils.randomness import Purpose, derive_seed
from skfashion.preprocessing._variants import draw_variants, make_variants

__all__ = ["choose_batch_size", "make_views", "predict_in_batches", "predict_probabilities"]

# Images times pixels times channels in one call of the prediction step: large enough to use the
# processor well, small enough for its memory whatever the image size.
_PREDICTION_PIXELS = 2**20
_PREDICTION_BATCH = 1024


def choose_batch_size(image_shape):
    """Return the number of images in one call of the prediction step."""
    return max(1, min(_PREDICTION_BATCH, _PREDICTION_PIXELS // image_shape.n_values))


def predict_in_batches(step, X, scaler, rows=None, view=None):
    """Return the output of a prediction step for images, as one array of single precision.

    ``view``, if given, changes raw images ``(n, height, width, channels)`` first.
    """
    n_images = len(X) if rows is None else len(rows)
    batch_size = choose_batch_size(scaler.image_shape)
    outputs = []
    for start in range(0, n_images, batch_size):
        batch = slice(start, start + batch_size)
        images = X[batch if rows is None else rows[batch]]
        if view is not None:
            images = view(scaler.cast(images))
        outputs.append(step(scaler.transform(images)))
    return np.concatenate(outputs)


def predict_probabilities(engine, X, scaler, rows=None, views=(None,)):
    """Return class probabilities of images, averaged over views of them.

    Returns
    -------
    probabilities : ndarray of shape (n, n_classes) of float64
        Rows sum to 1.
    """
    probabilities: Any = 0.0
    for view in views:
        output = predict_in_batches(engine.predict_step, X, scaler, rows, view)
        probabilities = probabilities + output.astype(np.float64)
    return probabilities / probabilities.sum(axis=1, keepdims=True)


def make_views(test_time_augmentation, augmentation, seed):
    """Return the views of an image whose predictions are averaged: itself, and changed versions.

    Parameters
    ----------
    test_time_augmentation : int, "flip" or None
        Number of variants, or the mirror image.
    augmentation : ImageAugmenter or None
        Makes the variants.
    seed : int

    Returns
    -------
    views : list of callable or None
        ``images -> images``, on arrays ``(n, height, width, channels)``; None leaves them. A
        variant changes all images alike, so that the prediction for one image does not depend on
        the images beside it.
    """
    views: list = [None]
    if test_time_augmentation == "flip":
        views.append(_mirror)
    elif test_time_augmentation is not None:
        for variant in range(test_time_augmentation):
            path = (Purpose.TEST_TIME_AUGMENTATION, variant)
            draws = draw_variants(1, np.random.default_rng(derive_seed(seed, *path)))
            views.append(partial(_vary_alike, draws=draws, augmenter=augmentation))
    return views


def _mirror(images):
    return images[:, :, ::-1]


def _vary_alike(images, draws, augmenter):
    return make_variants(images, np.repeat(draws, len(images), axis=0), augmenter)

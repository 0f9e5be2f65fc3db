"""Test-time augmentation: views of an image whose predictions are averaged."""

from functools import partial

import numpy as np

from skfashion._utils.randomness import Purpose, derive_seed
from skfashion.preprocessing._variants import draw_variants, make_variants

__all__ = ["make_views"]


def make_views(test_time_augmentation, augmentation, seed):
    """What is predicted instead of an image: itself, and changed versions of it.

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
        variant changes all images alike, so that what is predicted for one image does not depend
        on the images beside it.
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
    images = images.astype(np.float32)  # holds any fill
    return make_variants(images, np.repeat(draws, len(images), axis=0), augmenter)

"""Images and variants of them."""

from numbers import Integral

import numpy as np
from sklearn.pipeline import Pipeline
from sklearn.utils import check_scalar

from skfashion._classifier import FashionCNNClassifier
from skfashion.inspection._network_input import find_augmenter
from skfashion.inspection._pictures import as_images, as_pictures, draw_mosaic, mosaic_size
from skfashion.preprocessing import AugmentedClassifier, ImageAugmenter

__all__ = ["AugmentationDisplay"]


class AugmentationDisplay:
    """Images, and the variants of them that a classifier is trained on.

    It is recommended to use :meth:`from_augmenter` or :meth:`from_estimator` to make one.

    Parameters
    ----------
    images : ndarray of shape (n, height, width, channels)
        The images as they are.
    variants : ndarray of shape (n, n_variants, height, width, channels)
        Variants of each.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The picture.
    figure_ : matplotlib Figure
        The figure that holds it.

    See Also
    --------
    skfashion.preprocessing.ImageAugmenter : Makes the variants.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skfashion.datasets import load_fashion_sample
    >>> from skfashion.inspection import AugmentationDisplay
    >>> from skfashion.preprocessing import ImageAugmenter
    >>> X = load_fashion_sample().data
    >>> AugmentationDisplay.from_augmenter(ImageAugmenter(random_state=0), X[:3])
    <...AugmentationDisplay object at ...>
    >>> plt.close()
    """

    def __init__(self, images, variants):
        self.images = images
        self.variants = variants

    @classmethod
    def from_augmenter(
        cls, augmenter, X, *, n_variants=8, random_state=None, image_shape=None, ax=None
    ):
        """Make variants of images and plot both.

        Parameters
        ----------
        augmenter : ImageAugmenter
            What varies them.
        X : array-like of shape (n, n_pixels), (n, height, width) or (n, height, width, channels)
            A few images.
        n_variants : int, default=8
            Variants of each.
        random_state : int, RandomState instance or None, default=None
            Seed of the variants; None takes the augmenter's.
        image_shape : tuple of 2 or 3 int, default=None
            Height, width and channels of flattened images that are not square, in pixels. None
            takes the augmenter's.
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.

        Returns
        -------
        display : AugmentationDisplay

        Raises
        ------
        ValueError
            If X holds no images of one shape with finite pixels, or the augmenter cannot vary
            them.
        """
        check_scalar(n_variants, "n_variants", Integral, min_val=1)
        if image_shape is None:
            image_shape = augmenter.image_shape
        images = as_images(X, image_shape)
        variants = augmenter.augment(
            np.repeat(images, n_variants, axis=0), random_state=random_state
        )
        return cls(images, variants.reshape(len(images), n_variants, *images.shape[1:])).plot(ax=ax)

    @classmethod
    def from_estimator(cls, estimator, X, *, n_variants=8, random_state=None, ax=None):
        """Plot images, and variants as a network is trained on them.

        Parameters
        ----------
        estimator : estimator
            A :class:`skfashion.FashionCNNClassifier` or
            :class:`skfashion.preprocessing.AugmentedClassifier`, also at the end of a pipeline, a
            pipeline with an :class:`skfashion.preprocessing.ImageAugmenter`, or a search over one
            of these. Need not be fitted.
        X : array-like of shape (n, n_pixels), (n, height, width) or (n, height, width, channels)
            A few images.
        n_variants : int, default=8
            Variants of each.
        random_state : int, RandomState instance or None, default=None
            Seed of the variants.
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.

        Returns
        -------
        display : AugmentationDisplay

        Raises
        ------
        TypeError
            If the estimator is none of these.
        ValueError
            If the estimator does not vary such images, or X holds no images of one shape with
            finite pixels.
        """
        augmenter, images = _find_augmenter(estimator, X)
        return cls.from_augmenter(
            augmenter,
            images,
            n_variants=n_variants,
            random_state=random_state,
            image_shape=images.shape[1:],
            ax=ax,
        )

    def plot(self, ax=None):
        """Draw a row for each image: as it is, then its variants.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.

        Returns
        -------
        self : AugmentationDisplay
        """
        import matplotlib.pyplot as plt

        together = np.concatenate([self.images[:, None], self.variants], axis=1)
        pictures = as_pictures(together.reshape(-1, *self.images.shape[1:]))
        rows = np.split(pictures, len(self.images))
        no_labels = [""] * len(rows)
        if ax is None:
            size = mosaic_size(rows, no_labels, cell=0.8)
            _, ax = plt.subplots(figsize=size, layout="compressed")
        columns = draw_mosaic(ax, rows, no_labels)
        labels = {columns[0]: "image", columns[1:].mean(): "variants"}
        ax.set_xticks(list(labels), labels.values())
        ax.xaxis.tick_top()
        ax.tick_params(length=0)
        self.ax_ = ax
        self.figure_ = ax.get_figure(root=True)
        return self


def _find_augmenter(estimator, X, given=None):
    """Return the augmenter of an estimator's training, and its images."""
    if isinstance(estimator, Pipeline):
        augmenters = [step for _, step in estimator.steps if isinstance(step, ImageAugmenter)]
        return _find_augmenter((augmenters or [estimator.steps[-1][1]])[0], X)
    if isinstance(estimator, ImageAugmenter):
        return estimator, as_images(X, estimator.image_shape)
    if isinstance(estimator, AugmentedClassifier):
        return _find_augmenter(estimator._complete_augmentation(), X)
    if isinstance(estimator, FashionCNNClassifier):
        images = as_images(X, estimator.image_shape)
        augmenter = find_augmenter(estimator, images.shape[1:])
        if augmenter is None:
            raise ValueError(
                f"augmentation={estimator.augmentation!r} does not vary images of "
                f"{images.shape[1]}x{images.shape[2]} pixels."
            )
        return augmenter, images
    if hasattr(estimator, "estimator"):  # a search
        return _find_augmenter(estimator.estimator, X, given or estimator)
    raise TypeError(
        "estimator must be a FashionCNNClassifier, an AugmentedClassifier or a pipeline with an "
        f"ImageAugmenter, got {type(given or estimator).__name__}."
    )

"""Labelled images."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_scalar

from skfashion.inspection._labelled_predictions import check_labels, name_classes
from skfashion.inspection._pictures import as_images, as_pictures, draw_mosaic, mosaic_size

__all__ = ["ImageGridDisplay"]


class ImageGridDisplay:
    """Some images of each class, a row for each.

    It is recommended to use :meth:`from_images` to make one.

    Parameters
    ----------
    images : list of ndarray of shape (n, height, width, channels)
        For each class some of its images.
    class_names : list of str
        What the classes are called.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The picture.
    figure_ : matplotlib Figure
        The figure that holds it.

    See Also
    --------
    ClassDistributionDisplay : How many images each class has.
    PredictionsDisplay : Images with what a classifier makes of them.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skfashion.datasets import load_fashion_sample
    >>> from skfashion.inspection import ImageGridDisplay
    >>> sample = load_fashion_sample()
    >>> ImageGridDisplay.from_images(
    ...     sample.data, sample.target, target_names=sample.target_names
    ... )
    <...ImageGridDisplay object at ...>
    >>> plt.close()
    """

    def __init__(self, images, class_names):
        self.images = images
        self.class_names = class_names

    @classmethod
    def from_images(cls, X, y, *, n_per_class=10, target_names=None, image_shape=None, ax=None):
        """Plot the first images of each class.

        Parameters
        ----------
        X : array-like of shape (n, n_pixels), (n, height, width) or (n, height, width, channels)
            Images, grey or in colour.
        y : array-like of shape (n,)
            Class labels.
        n_per_class : int, default=10
            Images to show of each class, at most.
        target_names : sequence of str, default=None
            Names of the classes, in the order of their labels; or, as in the bunches that loaders
            return, a name for each integer from 0. None shows the labels.
        image_shape : tuple of 2 or 3 int, default=None
            Height, width and channels of flattened images that are not square, in pixels.
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.

        Returns
        -------
        display : ImageGridDisplay

        Raises
        ------
        ValueError
            If X holds no images of one shape with finite pixels, y is of another length, or
            ``target_names`` has another number of names than there are classes.
        """
        check_scalar(n_per_class, "n_per_class", Integral, min_val=1)
        images = as_images(X, image_shape)
        y = check_labels(y, len(images), "y")
        classes = np.unique(y)
        shown = [images[np.flatnonzero(y == label)[:n_per_class]] for label in classes]
        return cls(shown, name_classes(classes, target_names)).plot(ax=ax)

    def plot(self, ax=None):
        """Draw the images.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.

        Returns
        -------
        self : ImageGridDisplay
        """
        import matplotlib.pyplot as plt

        pictures = as_pictures(np.concatenate(self.images))
        rows = np.split(pictures, np.cumsum([len(images) for images in self.images])[:-1])
        if ax is None:
            size = mosaic_size(rows, self.class_names)
            _, ax = plt.subplots(figsize=size, layout="compressed")
        draw_mosaic(ax, rows, self.class_names)
        self.ax_ = ax
        self.figure_ = ax.get_figure(root=True)
        return self

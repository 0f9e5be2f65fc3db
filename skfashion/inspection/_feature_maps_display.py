"""Outputs of a network's layer for an image."""

import numpy as np

from skfashion.inspection._axes import make_axes
from skfashion.inspection._network_input import find_network
from skfashion.inspection._pictures import as_pictures, tile

__all__ = ["FeatureMapsDisplay"]


class FeatureMapsDisplay:
    """An image, and the maps that a layer of a network makes of it.

    It is recommended to use :meth:`from_estimator` to make one.

    Parameters
    ----------
    image : ndarray of shape (height, width, channels)
        The image.
    maps : ndarray of shape (map_height, map_width, n_maps)
        The layer's output for it.
    layer_name : str, default='layer'
        What the layer is called.

    Attributes
    ----------
    axes_ : ndarray of shape (2,) of matplotlib Axes
        The image, and the maps.
    figure_ : matplotlib Figure
        The figure that holds them.

    See Also
    --------
    skfashion.FashionCNNClassifier.feature_maps : The maps of many images, as an array.
    GradCAMDisplay : Where a network looked.

    Notes
    -----
    Each map is drawn from its own lowest value, dark, to its own highest, bright. A map of one
    value is dark altogether.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skfashion import FashionCNNClassifier
    >>> from skfashion.datasets import load_fashion_sample
    >>> from skfashion.inspection import FeatureMapsDisplay
    >>> X, y = load_fashion_sample(return_X_y=True)
    >>> network = FashionCNNClassifier("lenet", epochs=1, random_state=0).fit(X[:500], y[:500])
    >>> FeatureMapsDisplay.from_estimator(network, X[:1], "conv1")
    <...FeatureMapsDisplay object at ...>
    >>> plt.close()
    """

    def __init__(self, image, maps, *, layer_name="layer"):
        self.image = image
        self.maps = maps
        self.layer_name = layer_name

    @classmethod
    def from_estimator(cls, estimator, X, layer, *, ax=None):
        """Plot what a layer makes of an image.

        Parameters
        ----------
        estimator : classifier
            A fitted :class:`skfashion.FashionCNNClassifier`, or another whose ``model_`` is a Keras
            model, such as scikeras'; also at the end of a pipeline or in a search.
        X : array-like of shape (1, n_pixels), (1, height, width) or (1, height, width, channels)
            One image.
        layer : str or int
            Name of a layer, or its position; see
            :meth:`skfashion.FashionCNNClassifier.feature_maps`.
        ax : matplotlib Axes or array-like of 2 of them, default=None
            One axes, which is divided, or one for the image and one for the maps; None makes a new
            figure.

        Returns
        -------
        display : FeatureMapsDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If there is no Keras network in it.
        ValueError
            If X is not one image of the fitted size with finite pixels, there is no such layer (the
            message names the nearest), or its output has no height and width.
        """
        found = find_network(estimator, X)
        n_images = len(found.images)
        if n_images != 1:
            raise ValueError(f"X must hold one image, got {n_images}: pass X[:1] for the first.")
        position, maps = found.maps(layer)
        return cls(found.images[0], maps[0], layer_name=found.names[position]).plot(ax=ax)

    def plot(self, ax=None):
        """Draw the image, and beside it the maps.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of 2 of them, default=None
            One axes, which is divided, or one for the image and one for the maps; None makes a new
            figure.

        Returns
        -------
        self : FeatureMapsDisplay
        """
        height, width, n_maps = self.maps.shape
        n_columns = int(np.ceil(np.sqrt(2 * n_maps)))
        n_rows = -(-n_maps // n_columns)
        size = 9, 0.6 + 7 * n_rows * height / (n_columns * width)
        image_ax, maps_ax = make_axes(ax, 1, 2, size, width_ratios=(1, 4))[0]
        image_ax.imshow(as_pictures(self.image[None])[0], cmap="gray", vmin=0, vmax=1)
        image_ax.set_title("image", fontsize="medium")
        low, high = self.maps.min(axis=(0, 1)), self.maps.max(axis=(0, 1))
        spread = np.where(high > low, high - low, 1)
        scaled = np.moveaxis((self.maps - low) / spread, -1, 0)
        rows = [scaled[i : i + n_columns] for i in range(0, n_maps, n_columns)]
        maps_ax.imshow(tile(rows, fill=np.nan)[0], cmap="viridis", vmin=0, vmax=1)
        text = f"{n_maps} maps of {height}x{width} by layer {self.layer_name}"
        maps_ax.set_title(text, fontsize="medium")
        for axes in (image_ax, maps_ax):
            axes.set_axis_off()
        self.axes_ = np.array([image_ax, maps_ax])
        self.figure_ = image_ax.get_figure(root=True)
        return self

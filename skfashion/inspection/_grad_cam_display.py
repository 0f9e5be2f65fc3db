"""Grad-CAM: the places in an image that speak for a class."""

import numpy as np

from skfashion._utils.names import check_known_labels
from skfashion._utils.randomness import fixed_keras_seeds
from skfashion.inspection._axes import make_image_axes
from skfashion.inspection._labelled_predictions import check_labels, name_classes
from skfashion.inspection._network_input import find_network
from skfashion.inspection._pictures import as_pictures, as_text

__all__ = ["GradCAMDisplay"]

_N_COLUMNS = 6
# A picture of more images is too large to look at.
_MAX_IMAGES = 120


class GradCAMDisplay:
    """Images, and how much each place in them speaks for a class, by Grad-CAM.

    It is recommended to use :meth:`from_estimator` to make one.

    Parameters
    ----------
    images : ndarray of shape (n, height, width, channels)
        The images.
    heat : ndarray of shape (n, map_height, map_width)
        From 0 to 1, the maximum of each image.
    class_names : sequence of str of length n
        Names of the classes whose evidence is shown.
    probabilities : ndarray of shape (n,) or None
        Probabilities of these classes; None if ``predict_proba`` returns scores, as scikeras does
        for a network without a softmax.
    layer_name : str, default='layer'
        Name of the layer whose maps are weighted.

    Attributes
    ----------
    axes_ : ndarray of shape (2 * n_rows, n_columns) of matplotlib Axes
        Images, and under each the same image with its heat; more are invisible.
    figure_ : matplotlib Figure
        The figure that holds them.

    See Also
    --------
    FeatureMapsDisplay : Output of a layer for an image.
    PredictionsDisplay : Images with the predictions of any classifier.

    Notes
    -----
    The heat is the weighted sum of the maps of a layer. The weight of a map is the derivative of
    the class's score, before the softmax, averaged over the pixels of the map. Negative heat is set
    to 0 [1]_. The derivative is that of the network alone, without ``test_time_augmentation``.
    Compare places within an image, not images with each other: the heat of each image is drawn from
    0, transparent, to its own maximum, yellow. It has the resolution of the layer, 4x4 for the last
    convolution of "fast" with 28x28 pixels. An earlier layer shows finer places, but says less
    about the decision.

    References
    ----------
    .. [1] R. R. Selvaraju, M. Cogswell, A. Das, R. Vedantam, D. Parikh, D. Batra, "Grad-CAM: Visual
       Explanations from Deep Networks via Gradient-based Localization", arXiv:1610.02391, 2017.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skfashion import FashionCNNClassifier
    >>> from skfashion.datasets import load_fashion_sample
    >>> from skfashion.inspection import GradCAMDisplay
    >>> X, y = load_fashion_sample(return_X_y=True)
    >>> network = FashionCNNClassifier("small", epochs=1, random_state=0).fit(X[:500], y[:500])
    >>> GradCAMDisplay.from_estimator(network, X[:4])
    <...GradCAMDisplay object at ...>
    >>> plt.close()
    """

    def __init__(self, images, heat, class_names, probabilities, *, layer_name="layer"):
        self.images = images
        self.heat = heat
        self.class_names = class_names
        self.probabilities = probabilities
        self.layer_name = layer_name

    @classmethod
    def from_estimator(cls, estimator, X, *, layer=None, target=None, target_names=None, ax=None):
        """Compute Grad-CAM for images, and plot it.

        Parameters
        ----------
        estimator : classifier
            A fitted :class:`skfashion.FashionCNNClassifier`, or another whose ``model_`` is a Keras
            model, such as scikeras'; also at the end of a pipeline or in a search.
        X : array-like of shape (n, n_pixels), (n, height, width) or (n, height, width, channels)
            A few images, 120 at most.
        layer : str or int, default=None
            Name or position of a layer with maps, as for :class:`FeatureMapsDisplay`. None takes
            the last convolution, with the normalisation, activation and addition that follow it.
        target : label or array-like of shape (n,), default=None
            Label of the class whose evidence is shown, one for all images or one per image; None
            takes the predicted class of each image.
        target_names : sequence of str, default=None
            Names of the classes, in the order of ``classes_``; or, as in the bunches that loaders
            return, a name for each integer from 0. None takes those of a loaded
            :class:`skfashion.FashionCNNClassifier`, if it has any, and the labels otherwise.
        ax : matplotlib Axes or array-like of them, default=None
            One axes, which is divided, or a grid with two rows for each row of images; None makes
            a new figure, with six images in a row.

        Returns
        -------
        display : GradCAMDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If the estimator has no Keras network, or the network ends in neither softmax, sigmoid
            nor scores.
        ValueError
            If X holds no images of the fitted size with finite pixels or too many, there is no such
            layer (the message names the nearest), it has no maps or is used more than once, the
            classifier does not know a target, or ``ax`` is a grid without room for the images.
        """
        found = find_network(estimator, X)
        if len(found.images) > _MAX_IMAGES:
            raise ValueError(
                f"X must hold at most {_MAX_IMAGES} images, got {len(found.images)}: pass a few."
            )
        if layer is None:
            layer = _last_convolution(found.layers)
        position, maps = found.maps(layer)
        probabilities = np.asarray(found.classifier.predict_proba(found.X))
        classes = np.asarray(found.classifier.classes_)
        if target is None:
            asked = probabilities.argmax(axis=1)
        else:
            target = np.full(len(probabilities), target) if np.ndim(target) == 0 else target
            target = check_labels(target, len(probabilities), "target")
            check_known_labels(target, classes, "target", "the classifier")
            order = np.argsort(classes)
            asked = order[np.searchsorted(classes, target, sorter=order)]
        heat = _grad_cam(found, found.layers[position], maps, asked)
        class_names = np.asarray(name_classes(classes, target_names, found.classifier))[asked]
        chosen = probabilities[np.arange(len(asked)), asked]
        display = cls(
            found.images,
            heat,
            class_names.tolist(),
            chosen if (abs(probabilities.sum(axis=1) - 1) < 1e-3).all() else None,
            layer_name=found.names[position],
        )
        return display.plot(ax=ax)

    def plot(self, ax=None):
        """Draw the images, and below each the same image with its heat.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of them, default=None
            One axes, which is divided, or a grid with two rows for each row of images; None makes
            a new figure, with six images in a row.

        Returns
        -------
        self : GradCAMDisplay
        """
        n_images, height, width = self.images.shape[:3]
        n_columns = min(_N_COLUMNS, n_images)
        n_rows = -(-n_images // n_columns)
        size = max(1.4 * n_columns, 5.6), 0.3 + 3.1 * n_rows
        axes = make_image_axes(ax, n_images, n_rows, n_columns, size, n_panels=2)
        for cell in axes.flat:
            cell.set_axis_off()
        edges = (-0.5, width - 0.5, height - 0.5, -0.5)
        for i, picture in enumerate(as_pictures(self.images)):
            row, column = divmod(i, axes.shape[1])
            plain, heated = axes[2 * row : 2 * row + 2, column]
            for cell in (plain, heated):
                cell.imshow(picture, cmap="gray", vmin=0, vmax=1, extent=edges)
            heated.imshow(
                self.heat[i],
                cmap="inferno",
                vmin=0,
                vmax=1,
                alpha=0.8 * self.heat[i],
                extent=edges,
                interpolation="bilinear",
            )
            title = as_text(self.class_names[i], 16)
            if self.probabilities is not None:
                title += f" ({self.probabilities[i]:.0%})"
            plain.set_title(title, fontsize="small")
        self.axes_ = axes
        self.figure_ = axes[0, 0].get_figure(root=True)
        if ax is None:
            text = f"Bright: what speaks for the class (layer {self.layer_name})"
            self.figure_.suptitle(text, fontsize="medium")
        return self


def _grad_cam(found, layer, maps, target):
    """Return gradient-weighted class activation maps.

    Parameters
    ----------
    found : NetworkInput
        Its network ends in a softmax, in one sigmoid for two classes, or in logits.
    layer : keras.Layer
        Layer of the network.
    maps : ndarray of shape (n, map_height, map_width, n_maps)
        Output of the layer for the batch.
    target : ndarray of shape (n,) of int
        Position of the class of each image whose score is differentiated.

    Returns
    -------
    heat : ndarray of shape (n, map_height, map_width)
        From 0 to 1, the maximum of each image; all 0 if nothing speaks for the class.

    Raises
    ------
    ValueError
        If the layer is the input, or the network uses it more than once.
    TypeError
        If the network ends in another activation.
    """
    gradient = _differentiate(found.network, found.batch, layer, target)
    weights = gradient.mean(axis=(1, 2), keepdims=True)
    heat = np.maximum((weights * maps).sum(axis=-1), 0)
    highest = heat.max(axis=(1, 2), keepdims=True)
    return np.divide(heat, highest, out=np.zeros_like(heat), where=highest > 0)


def _differentiate(network, batch, layer, target):
    """Return the derivative of each image's score of its target by the output of a layer."""
    import keras

    from skfashion._training.steps import differentiate

    end = _without_activation(network)
    if isinstance(layer, keras.layers.InputLayer):
        raise ValueError(f"layer {layer.name!r} is the input; name another.")
    # Keras lists the places where a network uses a layer only here.
    uses = [node for nodes in network._nodes_by_depth.values() for node in nodes]
    if sum(node.operation is layer for node in uses) > 1:
        raise ValueError(f"layer {layer.name!r} is used more than once; name another.")
    part = keras.Model(network.input, [layer.output, network.layers[-1].input])
    n_outputs = network.output_shape[-1]
    # A single output, of two classes, scores the second.
    signs = np.eye(n_outputs)[target] if n_outputs > 1 else np.where(target == 1, 1, -1)[:, None]
    signs = signs.astype(np.float32)
    return differentiate(part, lambda features: end(features) * signs, batch)


def _without_activation(network):
    """Return a copy of the last layer that gives scores instead of probabilities."""
    import keras

    layer = network.layers[-1]
    config = layer.get_config()
    if layer.output is network.outputs[0]:
        if isinstance(layer, keras.layers.Softmax):
            return keras.layers.Identity()
        if config.get("activation") in ("softmax", "sigmoid", "linear"):
            with fixed_keras_seeds():
                copy = type(layer).from_config({**config, "activation": "linear"})
                copy.build(layer.input.shape)
            copy.set_weights(layer.get_weights())
            return copy
    raise TypeError(
        "The network must end in a layer whose activation is softmax, sigmoid or linear; its last "
        f"layer is {layer.name!r}, with activation {config.get('activation')!r}."
    )


def _last_convolution(layers):
    """Return the position of the last layer whose maps have the size of the last convolution's.

    Normalisation and activation, which belong to the convolution, often come after it.

    Raises
    ------
    ValueError
        If the network has no convolution, or the last is hidden in a network within.
    """
    sizes = [_map_size(layer) for layer in layers]
    convolutions = [i for i, layer in enumerate(layers) if _has_convolution(layer)]
    if not convolutions or not sizes[convolutions[-1]]:
        raise ValueError(
            "layer must be named, because the network has no convolution, or its last is hidden in "
            f"a network within. The layers are {', '.join(each.name for each in layers)}."
        )
    size = sizes[convolutions[-1]]
    return max(i for i, other in enumerate(sizes) if other == size)


def _has_convolution(layer):
    """Return whether a layer is a convolution, or a network with one."""
    if hasattr(layer, "layers"):
        return any(map(_has_convolution, layer.layers))
    return "conv" in type(layer).__name__.lower()


def _map_size(layer):
    """Return height and width of a layer's output, or None if it has none."""
    shape = getattr(layer.output, "shape", ())
    return shape[1:3] if len(shape) == 4 else None

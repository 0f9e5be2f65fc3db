"""Keras networks inside estimators."""

import math

import numpy as np
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_is_fitted

from skfashion._classifier import FashionCNNClassifier
from skfashion._utils.names import find_layer
from skfashion.inspection._pictures import as_images
from skfashion.preprocessing import AugmentedClassifier

__all__ = ["NetworkInput", "find_augmenter", "find_network", "known_image_shape", "unwrap"]


def unwrap(estimator, X=None):
    """Return the classifier inside pipelines, searches and ``AugmentedClassifier``, and its input.

    Parameters
    ----------
    estimator : estimator
        Fitted.
    X : array-like, default=None
        Images to predict, as for the estimator.

    Returns
    -------
    classifier : estimator
    X : array-like or None
        Output of the steps before the classifier.

    Raises
    ------
    NotFittedError
        If the estimator is not fitted, or is a search with ``refit=False``.
    """
    check_is_fitted(estimator)
    if hasattr(estimator, "cv_results_") and not hasattr(estimator, "best_estimator_"):
        raise NotFittedError(
            f"This {type(estimator).__name__} has refit=False, so it has no fitted classifier."
        )
    if isinstance(estimator, Pipeline):
        if X is not None and len(estimator) > 1:
            X = estimator[:-1].transform(X)
        return unwrap(estimator[-1], X)
    if isinstance(estimator, AugmentedClassifier):
        return unwrap(estimator.estimator_, X)
    if hasattr(estimator, "best_estimator_"):  # a search
        return unwrap(estimator.best_estimator_, X)
    return estimator, X


def known_image_shape(estimator, X):
    """Return the image shape of a fitted network if X has as many pixels; otherwise None."""
    image_shape = getattr(unwrap(estimator)[0], "image_shape_", None)
    if image_shape is None or math.prod(np.shape(X)[1:]) != math.prod(image_shape):
        return None
    return image_shape


class NetworkInput:
    """A fitted Keras network and the images that it looks at.

    Attributes
    ----------
    classifier : estimator
        The fitted classifier.
    X : array-like of shape (n, ...)
        Images as the classifier takes them.
    network : keras.Model
        A functional model.
    layers : list of keras.Layer
        Layers that a user knows by name or position.
    names : list of str
        Names by which the user knows them.
    batch : ndarray of shape (n, height, width, channels) of float32
        Images as the network takes them.
    images : ndarray of shape (n, height, width, channels)
        The images as the user gave them.
    """

    def __init__(self, classifier, X, network, layers, names, batch, images):
        self.classifier = classifier
        self.X = X
        self.network = network
        self.layers = layers
        self.names = names
        self.batch = batch
        self.images = images

    def maps(self, layer):
        """Return the position of a layer, given by name or position, and its output.

        Raises
        ------
        ValueError
            If there is no such layer, or its output has no height and width.
        """
        import keras

        position = find_layer(layer, self.names)
        layer = self.layers[position]
        maps = keras.Model(self.network.input, layer.output)(self.batch, training=False)
        if maps.ndim != 4:
            raise ValueError(
                f"layer {self.names[position]!r} makes no maps, but an array of shape "
                f"{tuple(maps.shape[1:])} of an image. Take a layer before the image is flattened "
                "or pooled."
            )
        return position, keras.ops.convert_to_numpy(maps)


def find_network(estimator, X):
    """Find the network in an estimator, and prepare images for it.

    Parameters
    ----------
    estimator : estimator
        A fitted :class:`skfashion.FashionCNNClassifier`, or another whose ``model_`` is a Keras
        model, such as scikeras'; also at the end of a pipeline or in a search.
    X : array-like of shape (n, ...)
        Images, as for the estimator's ``predict``.

    Returns
    -------
    found : NetworkInput

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it has no Keras network, or one without a graph of layers.
    ValueError
        If X holds no images of the fitted size with finite pixels.
    """
    classifier, given = unwrap(estimator, X)
    names = None
    if isinstance(classifier, FashionCNNClassifier):
        given, network, batch = _open_classifier(classifier, given)
        names = [layer.name for layer in classifier.model_.layers[-1].layers]
    else:
        network = getattr(classifier, "model_", None)
        shape = getattr(network, "input_shape", None)
        if not hasattr(network, "layers") or not isinstance(shape, tuple) or len(shape) != 4:
            raise TypeError(
                "estimator must be a FashionCNNClassifier, or another whose model_ is a Keras "
                "model of images and a graph of layers, alone or at the end of a pipeline or "
                f"search; got {type(classifier).__name__}."
            )
        batch = as_images(given, shape[1:]).astype(np.float32)
    import keras

    layers = network.layers  # those of a Sequential model, without the input that is added below
    names = names or [layer.name for layer in layers]
    if isinstance(network, keras.Sequential):
        network = keras.Model(network.inputs[0], network.outputs[0])
    images = as_images(X if np.size(X) == batch.size else given, batch.shape[1:])
    return NetworkInput(classifier, given, network, layers, names, batch, images)


def find_augmenter(classifier, image_shape):
    """Return the augmenter of a FashionCNNClassifier for images of this shape, or None."""
    return classifier._augmenter(image_shape)


def _open_classifier(classifier, X):
    """Return checked images, a copy of the fitted network, and the batch that goes into it.

    The network is a copy, because users may train ``model_``. This function and
    :func:`find_augmenter` are the only ones that use private attributes of the classifier.
    """
    from skfashion._training.engine import build_model

    X = classifier._check_predictable(X)
    state = classifier._state
    return X, build_model(state).layers[-1], state.scaler.transform(X)

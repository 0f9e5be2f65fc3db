"""Architectures that are functions of the user, and the checks of what they return."""

import inspect

import keras
import numpy as np

__all__ = ["call_custom", "check_custom"]


def call_custom(architecture, image_shape, n_classes, options):
    """Build a network with a user's function.

    Parameters
    ----------
    architecture : callable
        ``(image_shape, n_classes, **options) -> keras.Model``.
    image_shape : tuple of 3 int
        Height, width and channels.
    n_classes : int
        Number of classes.
    options : dict
        Options of the architecture.

    Returns
    -------
    network : keras.Model

    Raises
    ------
    TypeError
        If the architecture takes other arguments, or returns no Keras model.
    """
    _check_call(architecture, (image_shape, n_classes), options)
    network = architecture(image_shape, n_classes, **options)
    if not isinstance(network, keras.Model):
        raise TypeError(
            f"architecture={architecture!r} must return a keras.Model, got {network!r}."
        )
    return network


def check_custom(architecture, network, image_shape, n_classes):
    """Raise ValueError unless a classifier can train the network that a function returned.

    It must not be compiled, must have the right shapes and weights to train, and end in a softmax.
    """
    if network.compiled:
        raise ValueError(
            f"architecture={architecture!r} must return a network that is not compiled: "
            "optimizer, learning rate and loss are the classifier's parameters."
        )
    _check_shapes(architecture, network, ((None, *image_shape), (None, n_classes)))
    _check_outputs(architecture, network)


def _check_call(architecture, arguments, options):
    if isinstance(architecture, keras.Model):
        raise TypeError("architecture must be a function that returns a Keras model, not a model.")
    try:
        inspect.signature(architecture).bind(*arguments, **options)
    except TypeError as error:
        names = ", ".join(["image_shape", "n_classes", *options])
        raise TypeError(
            f"architecture={architecture!r} cannot be called with ({names}): {error}."
        ) from error


def _check_shapes(architecture, network, expected):
    try:
        shapes = (network.input_shape, network.output_shape)
    except (AttributeError, ValueError) as error:
        raise ValueError(
            f"architecture={architecture!r} must return a network of known shapes; let it "
            "begin with keras.Input(image_shape)."
        ) from error
    if shapes != expected:
        raise ValueError(
            f"architecture={architecture!r} must return a network from images "
            f"{expected[0]} to class probabilities {expected[1]}; its shapes are {shapes[0]} "
            f"to {shapes[1]}."
        )
    if not network.trainable_variables:
        raise ValueError(
            f"architecture={architecture!r} must return a network with weights to train."
        )


def _check_outputs(architecture, network):
    images = np.random.default_rng(0).normal(size=(2, *network.input_shape[1:])).astype(np.float32)
    outputs = keras.ops.convert_to_numpy(network(images, training=False))
    if outputs.min() < 0 or not np.allclose(outputs.sum(axis=1), 1, atol=1e-3):
        raise ValueError(
            f"architecture={architecture!r} must return a network that ends in a softmax; "
            f"its outputs for an image are {outputs[0]}, not probabilities."
        )

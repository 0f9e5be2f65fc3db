"""Shapes of a network, found without memory for its weights."""

import math
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import keras

from skfashion._utils.randomness import fixed_keras_seeds

__all__ = ["MAX_VALUES", "NetworkShapes", "get_shapes", "infer_shapes", "single_precision"]

# An image of a model file, and what a layer makes of one, have no more values than this.
MAX_VALUES = 2**24


@dataclass(frozen=True)
class NetworkShapes:
    """Shapes of a network.

    Attributes
    ----------
    weights : list of (tuple of int, str)
        Shape and type of each of the network's weights, in Keras' order.
    input_shape, output_shape : tuple of int or None
        Shapes of a batch of images and of their probabilities.
    n_features_out : int
        Number of values that enter the last layer with weights, for each image.
    """

    weights: list
    input_shape: tuple
    output_shape: tuple
    n_features_out: int


@contextmanager
def single_precision():
    """Build layers in single precision, whatever the dtype policy of the process is."""
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")  # of this thread alone
    try:
        yield
    finally:
        keras.config.set_dtype_policy(policy)


def get_shapes(network):
    """Return the shapes of a network."""
    features = [layer for layer in network.layers if layer.weights][-1].input
    return NetworkShapes(
        weights=[(tuple(w.shape), w.dtype) for w in network.weights],
        input_shape=network.input_shape,
        output_shape=network.output_shape,
        n_features_out=math.prod(features.shape[1:]),
    )


def infer_shapes(build):
    """Build a network whose weights have shapes but no values, and return its shapes.

    Parameters
    ----------
    build : callable
        ``() -> keras.Model``; it makes all its layers itself.

    Returns
    -------
    shapes : NetworkShapes
    """

    def build_without_values():
        with keras.StatelessScope(initialize_variables=False):
            return get_shapes(build())

    # Keras keeps the scope, the weights that wait for values and the counters of layer names for
    # each thread. They go with this one, and so nothing that the caller builds later is changed.
    with fixed_keras_seeds(), ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(build_without_values).result()

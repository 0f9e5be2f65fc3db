"""Where a network looked: gradients of its decision, on every Keras backend."""

import keras
import numpy as np

from skfashion._randomness import fixed_keras_seeds

__all__ = ["grad_cam", "last_convolution"]


class _Probe(keras.Layer):
    """Adds to each image's maps what it is trained to: at first nothing."""

    def __init__(self, n_images):
        super().__init__(name="skfashion_probe")
        self.n_images = n_images

    def build(self, input_shape):
        shape = (self.n_images, *input_shape[1:])
        self.added = self.add_weight(shape=shape, initializer="zeros")

    def call(self, maps):
        return maps + self.added


class _AtRest(keras.Model):
    """A network that is trained as it predicts: without dropout, normalisation as fitted."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def call(self, images):
        return self.network(images, training=False)


def grad_cam(network, batch, layer_name, maps, target):
    """Gradient-weighted class activation maps.

    Parameters
    ----------
    network : keras.Model
        Functional, ends in class probabilities.
    batch : ndarray of shape (n, height, width, channels)
        What goes into it.
    layer_name : str
        Name of a layer.
    maps : ndarray of shape (n, map_height, map_width, n_maps)
        What the layer makes of the batch.
    target : ndarray of shape (n,) of int
        Position of the class that each image is asked about.

    Returns
    -------
    heat : ndarray of shape (n, map_height, map_width)
        From 0 to 1, the highest of each image; all 0 where nothing speaks for the class.
    """
    gradient = _differentiate(network, batch, layer_name, target)
    weights = gradient.mean(axis=(1, 2), keepdims=True)
    heat = np.maximum((weights * maps).sum(axis=-1), 0)
    highest = heat.max(axis=(1, 2), keepdims=True)
    return np.divide(heat, highest, out=np.zeros_like(heat), where=highest > 0)


def _differentiate(network, batch, layer_name, target):
    """Derivative of each image's logit of its target by the layer's output.

    Keras has no gradient that its backends share, but all of them train. One step of plain
    gradient descent at rate 1 moves a variable, which was added to the layer's output, by just the
    gradient. Logits are those of ``decision_function``: probabilities' logarithms less their mean.
    """
    probe = _Probe(len(batch))

    def insert(layer, *args, **kwargs):
        output = layer(*args, **kwargs)
        return probe(output) if layer.name == layer_name else output

    with fixed_keras_seeds():
        copy = keras.models.clone_model(network, call_function=insert)
        model = _AtRest(copy)
    for layer in copy.layers:
        layer.trainable = layer is probe
    others = [variable for variable in copy.weights if variable is not probe.added]
    for variable, fitted in zip(others, network.weights, strict=True):
        variable.assign(fitted)

    def negative_logit(one_hot, probabilities):
        logits = keras.ops.log(keras.ops.maximum(probabilities, np.finfo(np.float32).tiny))
        logits -= keras.ops.mean(logits, axis=-1, keepdims=True)
        return -keras.ops.sum(one_hot * logits, axis=-1)

    # For one step, compiling takes longer than computing.
    model.compile(keras.optimizers.SGD(1.0), negative_logit, run_eagerly=True, jit_compile=False)
    model.train_on_batch(batch, np.eye(network.output_shape[-1], dtype=np.float32)[target])
    return keras.ops.convert_to_numpy(probe.added) * len(batch)  # the loss is their mean


def last_convolution(network):
    """Position of the last layer with maps of the size that the last convolution makes.

    Normalisation and activation, which belong to the convolution, often come after it.

    Raises
    ------
    ValueError
        If the network has no convolution.
    """
    sizes = [_map_size(layer) for layer in network.layers]
    convolutions = [
        i
        for i, layer in enumerate(network.layers)
        if sizes[i] and "conv" in type(layer).__name__.lower()
    ]
    if not convolutions:
        raise ValueError("The network has no convolution on its top level: name a layer.")
    size = sizes[convolutions[-1]]
    return max(i for i, other in enumerate(sizes) if other == size)


def _map_size(layer):
    """Height and width of what a layer makes of an image, or None."""
    shape = getattr(layer.output, "shape", ())
    return shape[1:3] if len(shape) == 4 else None

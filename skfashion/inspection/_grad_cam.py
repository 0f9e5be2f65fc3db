"""Where a network looked: gradients of its decision, on every Keras backend."""

import keras
import numpy as np

from skfashion._utils.randomness import fixed_keras_seeds

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
    """A network that is trained as it predicts, to raise the scores that it is asked about."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def call(self, images):
        return self.network(images, training=False)  # no dropout, normalisation as fitted

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        return -keras.ops.sum(y * y_pred)  # without the penalties that layers add


def grad_cam(network, batch, layer_name, maps, target):
    """Gradient-weighted class activation maps.

    Parameters
    ----------
    network : keras.Model
        Functional; ends in a softmax, in one sigmoid for two classes, or in logits.
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

    Raises
    ------
    ValueError
        If the layer is the input, or the network uses it more than once.
    TypeError
        If the network ends otherwise, or has layers that cannot be copied.
    """
    gradient = _differentiate(network, batch, layer_name, target)
    weights = gradient.mean(axis=(1, 2), keepdims=True)
    heat = np.maximum((weights * maps).sum(axis=-1), 0)
    highest = heat.max(axis=(1, 2), keepdims=True)
    return np.divide(heat, highest, out=np.zeros_like(heat), where=highest > 0)


def _differentiate(network, batch, layer_name, target):
    """Derivative of each image's score of its target, before the softmax, by the layer's output.

    Keras has no gradient that its backends share, but all of them train. One step of plain
    gradient descent at rate 1 moves a variable, which was added to the layer's output, by just the
    gradient.
    """
    probe, n_probed = _Probe(len(batch)), 0

    def insert(layer, *args, **kwargs):
        nonlocal n_probed
        if isinstance(end, keras.layers.Softmax) and layer is end:
            return args[0]
        output = layer(*args, **kwargs)
        if layer.name != layer_name:
            return output
        n_probed += 1
        return probe(output)

    def copy_layer(layer):
        if layer is network.layers[-1]:
            return end
        if isinstance(layer, keras.layers.Lambda):  # Keras refuses to make it anew; no weights
            return layer
        return type(layer).from_config(layer.get_config())

    with fixed_keras_seeds():
        end = _copy_end(network)
        try:
            copy = keras.models.clone_model(
                network, clone_function=copy_layer, call_function=insert
            )
        except (NotImplementedError, TypeError) as error:  # a layer of the user's own
            raise TypeError(
                f"The network cannot be copied, because a layer has no get_config: {error}"
            ) from error
        model = _AtRest(copy)
    if n_probed != 1:
        problem = "is the input" if n_probed == 0 else "is used more than once"
        raise ValueError(f"layer {layer_name!r} {problem}; name another.")
    for layer in network.layers:
        if layer.weights:
            copy.get_layer(layer.name).set_weights(layer.get_weights())
    for layer in copy.layers:
        layer.trainable = layer is probe

    n_outputs = network.output_shape[-1]
    # One output, of two classes, scores the second.
    signs = np.eye(n_outputs)[target] if n_outputs > 1 else np.where(target == 1, 1, -1)[:, None]
    # For one step, compiling takes longer than computing.
    model.compile(keras.optimizers.SGD(1.0), run_eagerly=True, jit_compile=False)
    model.train_on_batch(batch, signs.astype(np.float32))
    return keras.ops.convert_to_numpy(probe.added)


def _copy_end(network):
    """The last layer anew, to give scores instead of probabilities."""
    layer = network.layers[-1]
    config = layer.get_config()
    if layer.output is network.outputs[0]:
        if isinstance(layer, keras.layers.Softmax):
            return type(layer).from_config(config)  # it is left out
        if config.get("activation") in ("softmax", "sigmoid", "linear"):
            return type(layer).from_config({**config, "activation": "linear"})
    raise TypeError(
        "The network must end in a layer whose activation is softmax, sigmoid or linear; its last "
        f"layer is {layer.name!r}, with activation {config.get('activation')!r}."
    )


def last_convolution(layers):
    """Position of the last layer with maps of the size that the last convolution makes.

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
    """Whether it is one, or a network with one."""
    if hasattr(layer, "layers"):
        return any(map(_has_convolution, layer.layers))
    return "conv" in type(layer).__name__.lower()


def _map_size(layer):
    """Height and width of what a layer makes of an image, or None."""
    shape = getattr(layer.output, "shape", ())
    return shape[1:3] if len(shape) == 4 else None

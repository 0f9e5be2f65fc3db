"""Networks rebuilt from what Keras says of them."""

import json

import keras
import numpy as np
import pytest
from keras import layers

from skfashion.networks import _saved_architecture
from skfashion.networks._saved_architecture import SavedArchitecture

IMAGE = keras.Input((6, 8, 2))
SEQUENCE = layers.Reshape((6, 16))(IMAGE)


def rebuild(network):
    """Return a network that is rebuilt from JSON, with the weights of the original."""
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(network)))
    rebuilt = SavedArchitecture(config, {})((6, 8, 2), 3)
    configs = [json.dumps(layer.get_config()) for layer in rebuilt.layers]
    assert configs == [json.dumps(layer.get_config()) for layer in network.layers]
    rebuilt.set_weights(network.get_weights())
    return rebuilt


def check_predictions(network):
    images = np.random.default_rng(0).normal(size=(4, 6, 8, 2)).astype(np.float32)
    found, expected = (n(images, training=False) for n in (rebuild(network), network))
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    "output",
    [
        layers.Activation("swish")(IMAGE),
        layers.ActivityRegularization(l1=0.1)(IMAGE),
        layers.Add()([IMAGE, IMAGE]),
        layers.AlphaDropout(0.1)(IMAGE),
        layers.Average()([IMAGE, IMAGE]),
        layers.AveragePooling1D(2)(SEQUENCE),
        layers.AveragePooling2D((2, 1))(IMAGE),
        layers.BatchNormalization(momentum=0.7, scale=False)(IMAGE),
        layers.CenterCrop(4, 4)(IMAGE),
        layers.Concatenate(axis=1)([IMAGE, IMAGE]),
        layers.Conv1D(3, 2, activation="relu")(SEQUENCE),
        layers.Conv1DTranspose(3, 2)(SEQUENCE),
        layers.Conv2D(4, 3, groups=2, dilation_rate=2, padding="same", use_bias=False)(IMAGE),
        layers.Conv2DTranspose(3, 2, strides=2)(IMAGE),
        layers.Cropping1D(1)(SEQUENCE),
        layers.Cropping2D(((1, 0), (0, 2)))(IMAGE),
        layers.Dense(3, kernel_initializer="he_normal", bias_constraint="non_neg")(IMAGE),
        layers.Dense(3, kernel_regularizer=keras.regularizers.L1L2(0.1, 0.2), dtype="float16")(
            IMAGE
        ),
        layers.DepthwiseConv1D(2)(SEQUENCE),
        layers.DepthwiseConv2D(2, depth_multiplier=2)(IMAGE),
        layers.Dropout(0.2, noise_shape=(None, 1, 1, 2), seed=3)(IMAGE),
        layers.ELU()(IMAGE),
        layers.Flatten()(IMAGE),
        layers.GaussianDropout(0.1)(IMAGE),
        layers.GaussianNoise(0.1)(IMAGE),
        layers.GlobalAveragePooling1D()(SEQUENCE),
        layers.GlobalAveragePooling2D(keepdims=True)(IMAGE),
        layers.GlobalMaxPooling1D()(SEQUENCE),
        layers.GlobalMaxPooling2D()(IMAGE),
        layers.GroupNormalization(2)(IMAGE),
        layers.GRU(3)(SEQUENCE),
        layers.Identity()(IMAGE),
        layers.LayerNormalization(axis=[1, 2])(IMAGE),
        layers.LeakyReLU(0.1)(IMAGE),
        layers.LSTM(3, return_sequences=True, go_backwards=True)(SEQUENCE),
        layers.Maximum()([IMAGE, IMAGE]),
        layers.MaxPooling1D(2)(SEQUENCE),
        layers.MaxPooling2D(2, padding="same")(IMAGE),
        layers.Minimum()([IMAGE, IMAGE]),
        layers.Multiply()([IMAGE, IMAGE]),
        layers.Permute((2, 1, 3))(IMAGE),
        layers.PReLU(shared_axes=[1, 2])(IMAGE),
        layers.RandomBrightness(0.1)(IMAGE),
        layers.RandomFlip("horizontal", seed=1)(IMAGE),
        layers.RandomRotation((-0.1, 0.2))(IMAGE),
        layers.RandomTranslation(0.1, 0.2)(IMAGE),
        layers.RandomZoom(0.1)(IMAGE),
        layers.ReLU(max_value=6)(IMAGE),
        layers.RepeatVector(3)(layers.Flatten()(IMAGE)),
        layers.Rescaling([2, 3], offset=1)(IMAGE),
        layers.Reshape((-1, 2))(IMAGE),
        layers.Resizing(3, 4, interpolation="nearest")(IMAGE),
        layers.RMSNormalization()(IMAGE),
        layers.SeparableConv1D(3, 2)(SEQUENCE),
        layers.SeparableConv2D(3, 2)(IMAGE),
        layers.SimpleRNN(3, activation="tanh")(SEQUENCE),
        layers.Softmax(axis=[1, 2])(IMAGE),
        layers.SpatialDropout1D(0.1)(SEQUENCE),
        layers.SpatialDropout2D(0.1)(IMAGE),
        layers.Subtract()([IMAGE, IMAGE]),
        layers.UnitNormalization()(IMAGE),
        layers.UpSampling1D(2)(SEQUENCE),
        layers.UpSampling2D((1, 2), interpolation="bilinear")(IMAGE),
        layers.ZeroPadding1D(1)(SEQUENCE),
        layers.ZeroPadding2D((1, 2))(IMAGE),
        IMAGE + IMAGE * 2 - IMAGE / 3,
    ],
    ids=lambda output: output._keras_history.operation.name,
)
def test_layers(output):
    check_predictions(keras.Model(IMAGE, output))


def test_every_listed_layer_is_tested():
    (parameters,) = (mark.args[1] for mark in test_layers.pytestmark)
    tested = {type(output._keras_history.operation).__name__ for output in parameters}
    assert tested >= _saved_architecture.LAYERS - {"InputLayer"}


PARTS = [
    *(
        {"kernel_initializer": initializer}
        for initializer in (
            keras.initializers.Constant(0.5),
            keras.initializers.LecunNormal(seed=2),
            keras.initializers.Orthogonal(gain=2),
            keras.initializers.RandomUniform(-1, 1),
            keras.initializers.TruncatedNormal(stddev=0.1),
            keras.initializers.VarianceScaling(2, "fan_out", "uniform"),
        )
    ),
    {"bias_regularizer": "l2", "activity_regularizer": "l1"},
    {"kernel_constraint": keras.constraints.MaxNorm(2, axis=[0]), "bias_constraint": "unit_norm"},
    *({"activation": activation} for activation in sorted(_saved_architecture.ACTIVATIONS)),
]


@pytest.mark.parametrize("arguments", PARTS, ids=lambda arguments: str(arguments)[:40])
def test_arguments_of_layers(arguments):
    check_predictions(keras.Model(IMAGE, layers.Dense(3, **arguments)(IMAGE)))


def shared_and_nested():
    """Return a network with a shared layer, networks in networks, and a frozen layer."""
    inside = keras.Sequential([layers.Dense(3, trainable=False), layers.BatchNormalization()])
    inputs = keras.Input((6, 8, 2))
    two = keras.Model(inputs, [inside(inputs), layers.Dense(3)(inputs)], name="two")
    shared = layers.Dense(3, name="shared")
    first, second = two(IMAGE)
    again, _ = two(layers.ReLU()(IMAGE))
    x = layers.Concatenate()([shared(first), shared(second), again])
    return keras.Model(IMAGE, layers.GlobalMaxPooling2D()(x))


def test_connections():
    network = shared_and_nested()
    check_predictions(network)
    trainable = [v.path.split("/", 1)[1] for v in network.trainable_variables]
    found = [v.path.split("/", 1)[1] for v in rebuild(network).trainable_variables]
    assert len(found) == len(trainable) < len(network.weights) - 2


def test_sequential_without_input():
    network = keras.Sequential([layers.Flatten(), layers.Dense(3)])
    network.build((None, 6, 8, 2))
    check_predictions(network)


class OwnLayer(layers.Layer):
    """A layer that only its author has."""

    def call(self, inputs):
        return 2 * inputs


OwnRegistered = keras.saving.register_keras_serializable("tests")(type("Own", (OwnLayer,), {}))


class OwnModel(keras.Model):
    """A functional network of a class that only its author has."""


def softer(x):
    return keras.ops.softmax(x / 2)


def any_size(x):
    inputs = keras.Input((None, None, 2))
    return keras.Model(inputs, layers.ReLU()(inputs))(x)


DATA = np.zeros((6, 8, 2), np.float32)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: OwnLayer(name="mine")(IMAGE), "layer 'mine' is a 'OwnLayer', which is not"),
        (lambda: OwnRegistered(name="mine")(IMAGE), "layer 'mine' is a 'Own', which is not"),
        (lambda: layers.Lambda(softer, name="l")(IMAGE), "layer 'l' is a 'Lambda'"),
        (lambda: layers.TimeDistributed(layers.Dense(2))(IMAGE), "is a 'TimeDistributed'"),
        (lambda: layers.Dense(2, activation=softer)(IMAGE), "its activation is a 'function'"),
        (lambda: layers.Activation(softer)(IMAGE), "its activation is a 'function'"),
        (lambda: keras.ops.sqrt(IMAGE), "layer 'sqrt.*' is a 'Sqrt'"),
        (lambda: IMAGE[:, 1:], "is a 'GetItem'"),
        (lambda: IMAGE + DATA, "calls a layer with .__numpy__"),
        (lambda: layers.LSTM(2, unroll=True)(SEQUENCE), "is unrolled"),
        (lambda: layers.UpSampling2D(500)(IMAGE), "too many values"),
        (lambda: layers.UpSampling2D(2000)(IMAGE), "its size is 2000"),
        (lambda: keras.Sequential([layers.UpSampling2D(500)])(IMAGE), "too many values"),
        (lambda: layers.Add()([layers.UpSampling2D(300)(IMAGE) for _ in range(20)]), "too many"),
        (lambda: layers.MaxPooling2D(2**31 - 1, padding="same")(IMAGE), "its pool_size is"),
        (lambda: layers.SeparableConv2D(1, 1, depth_multiplier=20)(IMAGE), "depth_multiplier is"),
        (lambda: layers.Rescaling([[1.0]] * 4)(IMAGE), "its scale has too many values"),
        (lambda: layers.Rescaling([1.0] * 100)(IMAGE), "its scale has too many values"),
        (lambda: any_size(IMAGE), "of an unknown shape"),
        (lambda: OwnModel(IMAGE, layers.Dense(2)(IMAGE))(IMAGE), "is a 'OwnModel'"),
    ],
)
def test_what_is_not_listed_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        rebuild(keras.Model(IMAGE, make()))


def change_layer(**changes):
    """Return the configuration of a network whose dense layer has other arguments."""
    network = keras.Model(IMAGE, layers.Dense(3, name="dense")(layers.Flatten()(IMAGE)))
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(network)))
    config["config"]["layers"][-1]["config"].update(changes)
    return config


@pytest.mark.parametrize(
    "changes",
    [
        {"activation": "sparsemax"},
        {"activation": {"module": "os", "class_name": "system", "config": {"command": "true"}}},
        {"kernel_initializer": "os.system"},
        {"kernel_initializer": {"module": "keras.layers", "class_name": "Dense", "config": {}}},
        {"kernel_regularizer": {"module": "builtins", "class_name": "function", "config": "eval"}},
        {"dtype": "int8_from_float32"},
        {"dtype": {"module": "keras", "class_name": "DTypePolicyMap", "config": {"name": "map"}}},
        {"name": "a" * 101},
        {"name": "\x1b[2J"},
        {"units": 10**30},
        {"unknown": 1},
        {"quantization_config": {"module": "keras", "class_name": "Any", "config": {}}},
    ],
    ids=str,
)
def test_arguments_that_are_not_plain_are_refused(changes):
    with pytest.raises((ValueError, TypeError, OverflowError)):
        SavedArchitecture(change_layer(**changes), {})((6, 8, 2), 3)


def test_arguments_of_a_later_keras():
    """They are at their default if they are None, and wanted otherwise."""
    initializer = {"module": "keras.initializers", "class_name": "HeNormal"}
    config = change_layer(kernel_initializer={**initializer, "config": {"axes": None}}, later=None)
    SavedArchitecture(config, {})((6, 8, 2), 3)
    config = change_layer(kernel_initializer={**initializer, "config": {"axes": 1}})
    with pytest.raises(TypeError, match="axes"):
        SavedArchitecture(config, {})((6, 8, 2), 3)


def nest(depth):
    network = change_layer()
    for _ in range(depth):
        outer = json.loads(json.dumps(network))
        outer["config"] = {"name": "outer", "layers": [network]}
        outer |= {"class_name": "Sequential", "module": "keras"}
        network = outer
    return network


def test_limits():
    with pytest.raises(ValueError, match="more than 10 deep"):
        SavedArchitecture(nest(12), {})((6, 8, 2), 3)
    network = change_layer()
    *_, dense = network["config"]["layers"]
    dense["inbound_nodes"] *= 3000
    with pytest.raises(ValueError, match="called more than 1000 times"):
        SavedArchitecture(network, {})((6, 8, 2), 3)
    dense["inbound_nodes"] = dense["inbound_nodes"][:1]
    dense["inbound_nodes"][0]["args"] *= 100_000
    with pytest.raises(ValueError, match="connected too often"):
        SavedArchitecture(network, {})((6, 8, 2), 3)


def test_networks_called_in_networks():
    """Each level calls the one below five times: a million calls in ten levels."""
    network = None
    for _ in range(5):
        inputs = x = keras.Input((2,))
        network = network or layers.Dense(2)
        for _ in range(5):
            x = network(x)
        network = keras.Model(inputs, x)
    config = json.loads(json.dumps(keras.saving.serialize_keras_object(network)))
    with pytest.raises(ValueError, match="called more than 1000 times"):
        SavedArchitecture(config, {})((2,), 2)


def test_layers_that_are_not_connected():
    network = change_layer()
    for data in network["config"]["layers"][1:]:
        data["inbound_nodes"][0]["args"][0]["config"]["keras_history"] = ["dense", 0, 0]
    with pytest.raises(ValueError, match="not connected"):
        SavedArchitecture(network, {})((6, 8, 2), 3)

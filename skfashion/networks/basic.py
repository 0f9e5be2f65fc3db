"""Three plain convolutions: the network of the Keras and TensorFlow beginners' tutorials."""

import keras
from keras import layers

from skfashion.networks._shared import check_size

__all__ = ["build"]


def build(image_shape, n_classes, *, dropout=0.0):
    """Build ``basic``: Conv(32)-Pool-Conv(64)-Pool-Conv(64)-Flatten-Dense(64)-softmax.

    Convolutions are 3x3 with valid padding and ReLU. On 28x28 grey images with 10 classes it has
    93,322 parameters.

    Parameters
    ----------
    image_shape : tuple of 3 int
        Height and width (at least 18 pixels), and channels.
    n_classes : int
        Number of classes.
    dropout : float, default=0.0
        Fraction of the dense layer's features dropped in training.

    Returns
    -------
    network : keras.Model
    """
    check_size("basic", image_shape, smallest=18)

    def convolution(filters, name):
        return layers.Conv2D(filters, 3, activation="relu", name=name)

    inputs = keras.Input(image_shape, name="images")
    x = convolution(32, "conv1")(inputs)
    x = layers.MaxPooling2D(name="pool1")(x)
    x = convolution(64, "conv2")(x)
    x = layers.MaxPooling2D(name="pool2")(x)
    x = convolution(64, "conv3")(x)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(64, activation="relu", name="features")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    outputs = layers.Dense(n_classes, activation="softmax", name="probabilities")(x)
    return keras.Model(inputs, outputs, name="basic")

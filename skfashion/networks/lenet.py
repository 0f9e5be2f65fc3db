"""A LeNet with batch normalisation and dropout."""

import keras
from keras import layers

from skfashion.networks._shared import check_size

__all__ = ["build"]


def build(image_shape, n_classes, *, dropout=0.2):
    """Build ``lenet``: two 5x5 convolutions and two dense layers.

    Conv(6)-BatchNorm-Pool, Conv(16)-BatchNorm-Pool, Dense(128)-Dropout-Dense(32)-Dropout-softmax;
    padding "same", ReLU. On 28x28 grey images with 10 classes it has 107,598 parameters.

    Parameters
    ----------
    image_shape : tuple of 3 int
        Height and width (at least 4 pixels), and channels.
    n_classes : int
        Number of classes.
    dropout : float, default=0.2
        Fraction of each dense layer's features dropped in training.

    Returns
    -------
    network : keras.Model

    References
    ----------
    .. [1] Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document
       recognition", Proceedings of the IEEE 86(11), 1998.
    """
    check_size("lenet", image_shape, smallest=4)

    def convolution(x, filters, number):
        x = layers.Conv2D(filters, 5, padding="same", activation="relu", name=f"conv{number}")(x)
        x = layers.BatchNormalization(momentum=0.9, name=f"norm{number}")(x)
        return layers.MaxPooling2D(name=f"pool{number}")(x)

    def dense(x, units, name, dropout_name):
        x = layers.Dense(units, activation="relu", name=name)(x)
        return layers.Dropout(dropout, name=dropout_name)(x)

    inputs = keras.Input(image_shape, name="images")
    x = convolution(inputs, 6, 1)
    x = convolution(x, 16, 2)
    x = layers.Flatten(name="flatten")(x)
    x = dense(x, 128, "dense", "dropout1")
    x = dense(x, 32, "features", "dropout2")
    outputs = layers.Dense(n_classes, activation="softmax", name="probabilities")(x)
    return keras.Model(inputs, outputs, name="lenet")

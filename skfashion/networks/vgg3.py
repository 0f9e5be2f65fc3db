"""Three blocks of two convolutions, in the manner of VGG, and global average pooling."""

import keras
from keras import layers

from skfashion.networks._shared import check_size

__all__ = ["build"]

# Fractions dropped after each block, and after the dense layer.
_DROPOUT = (0.25, 0.3, 0.4, 0.4)


def build(image_shape, n_classes, *, dropout=None, width=64):
    """Build ``vgg3``: three blocks of two 3x3 convolutions, global average pooling, a dense layer.

    2 x Conv(64), Pool-Dropout(0.25), 2 x Conv(128), Pool-Dropout(0.3), 2 x Conv(256),
    GlobalAveragePool-Dropout(0.4), Dense(256)-Dropout(0.4)-softmax; batch normalisation and ReLU
    after each convolution and after the dense layer; padding "same". On 28x28 grey images with 10
    classes it has 1,216,074 parameters.

    Parameters
    ----------
    image_shape : tuple of 3 int
        Height and width (at least 4 pixels), and channels.
    n_classes : int
        Number of classes.
    dropout : float or None, default=None
        Fraction of features dropped in training in all four places. None means the fractions above.
    width : int, default=64
        Channels of the first block. Each later block has twice as many as the one before.

    Returns
    -------
    network : keras.Model

    References
    ----------
    .. [1] K. Simonyan, A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
       Recognition", arXiv:1409.1556, 2014.
    """
    check_size("vgg3", image_shape, smallest=4)
    rates = _DROPOUT if dropout is None else (dropout,) * len(_DROPOUT)

    def normalize(x, name):
        x = layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
        return layers.ReLU(name=f"{name}_relu")(x)

    def block(x, number):
        for part in "ab":
            name = f"conv{number}{part}"
            filters = width * 2 ** (number - 1)
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
            x = normalize(x, name)
        if number < 3:
            x = layers.MaxPooling2D(name=f"pool{number}")(x)
        else:
            x = layers.GlobalAveragePooling2D(name="pool3")(x)
        return layers.Dropout(rates[number - 1], name=f"dropout{number}")(x)

    inputs = keras.Input(image_shape, name="images")
    x = inputs
    for number in (1, 2, 3):
        x = block(x, number)
    x = layers.Dense(4 * width, use_bias=False, name="dense")(x)
    x = normalize(x, "dense")
    x = layers.Dropout(rates[3], name="dropout4")(x)
    outputs = layers.Dense(n_classes, activation="softmax", name="probabilities")(x)
    return keras.Model(inputs, outputs, name="vgg3")

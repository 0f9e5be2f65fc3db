"""Two blocks of two convolutions, in the manner of VGG."""

import keras
from keras import layers, regularizers

from skfashion.networks._shared import check_size

__all__ = ["build"]


def build(image_shape, n_classes, *, dropout=None, l2=0.0, width=32):
    """Build ``vgg2``: two blocks of two 3x3 convolutions, and a dense layer.

    2 x Conv(32)-BatchNorm, Pool-Dropout, 2 x Conv(64)-BatchNorm, Pool-Dropout,
    Dense(256)-Dropout-softmax; padding "same", ReLU. On 28x28 grey images with 10 classes it has
    871,402 parameters.

    Parameters
    ----------
    image_shape : tuple of 3 int
        Height and width (at least 4 pixels), and channels.
    n_classes : int
        Number of classes.
    dropout : float or None, default=None
        Fraction of features dropped in training after each block and after the dense layer. None
        means 0.25 after the blocks and 0.5 after the dense layer.
    l2 : float, default=0.0
        Strength of the L2 penalty on the kernels of the convolutions. The classifier's own ``l2``
        penalises all kernels.
    width : int, default=32
        Channels of the first block. The second has twice as many.

    Returns
    -------
    network : keras.Model

    References
    ----------
    .. [1] K. Simonyan, A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image
       Recognition", arXiv:1409.1556, 2014.
    """
    check_size("vgg2", image_shape, smallest=4)

    def drop(x, usual, number):
        rate = usual if dropout is None else dropout
        return layers.Dropout(rate, name=f"dropout{number}")(x)

    def block(x, filters, number):
        for part in "ab":
            name = f"conv{number}{part}"
            x = layers.Conv2D(
                filters,
                3,
                padding="same",
                activation="relu",
                kernel_regularizer=regularizers.L2(l2) if l2 else None,
                name=name,
            )(x)
            x = layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(x)
        x = layers.MaxPooling2D(name=f"pool{number}")(x)
        return drop(x, 0.25, number)

    inputs = keras.Input(image_shape, name="images")
    x = block(inputs, width, 1)
    x = block(x, 2 * width, 2)
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(256, activation="relu", name="features")(x)
    x = drop(x, 0.5, 3)
    outputs = layers.Dense(n_classes, activation="softmax", name="probabilities")(x)
    return keras.Model(inputs, outputs, name="vgg2")

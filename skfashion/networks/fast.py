"""A small residual network that learns much in little CPU time."""

import keras
from keras import layers

__all__ = ["build"]


def build(image_shape, n_classes, *, dropout=0.0, width=32):
    """Build ``fast``: a pooled stem and two residual stages, then global pooling.

    Pooling comes early, because convolutions with many channels at full resolution are what
    costs time on a CPU. Padding is "same" throughout, so images of any size will do.

    Parameters
    ----------
    image_shape : tuple of 3 int
        Height, width and channels.
    n_classes : int
        Number of classes.
    dropout : float, default=0.0
        Fraction of the pooled features dropped in training.
    width : int, default=32
        Channels of the first stage; the second has twice as many. Multiples of 16 use the
        processor's vector units best.

    Returns
    -------
    network : keras.Model
    """

    def convolution(x, filters, name):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
        # Keras' default momentum of 0.99 underfits in the few hundred steps of a short fit.
        x = layers.BatchNormalization(momentum=0.8, name=f"{name}_norm")(x)
        return layers.ReLU(name=f"{name}_relu")(x)

    def residual(x, filters, name):
        shortcut = x
        x = convolution(x, filters, f"{name}a")
        x = convolution(x, filters, f"{name}b")
        return layers.Add(name=f"{name}_add")([shortcut, x])

    def pool(x, name):
        return layers.MaxPooling2D(padding="same", name=name)(x)

    inputs = keras.Input(image_shape, name="images")
    x = pool(convolution(inputs, width, "stem"), "pool1")
    x = residual(x, width, "stage1")
    x = pool(convolution(x, 2 * width, "widen"), "pool2")
    x = residual(x, 2 * width, "stage2")
    x = layers.GlobalMaxPooling2D(name="features")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    outputs = layers.Dense(n_classes, activation="softmax", name="probabilities")(x)
    return keras.Model(inputs, outputs, name="fast")

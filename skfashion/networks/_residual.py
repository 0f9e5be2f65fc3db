"""Small residual networks: what ``fast`` and ``small`` share."""

import keras
from keras import layers

__all__ = ["build_residual"]


def build_residual(
    name, image_shape, n_classes, *, stem, stages, dropout, depth=2, pool_first=True
):
    """Build a network of a stem and residual stages, with pooling between them.

    Padding is "same" throughout, so images of any size will do.

    Parameters
    ----------
    name : str
        Of the network.
    image_shape : tuple of 3 int
        Height, width and channels.
    n_classes : int
        Number of classes.
    stem : int
        Channels of the convolutions before the first stage.
    stages : list of int
        Channels of each stage: a convolution, and others with a shortcut over them.
    dropout : float
        Fraction of the pooled features dropped in training.
    depth : int, default=2
        Convolutions of each stage; the stem has one fewer.
    pool_first : bool, default=True
        Whether the first stage is after pooling too. Convolutions with many channels at full
        resolution are what costs time on a CPU.

    Returns
    -------
    network : keras.Model

    Raises
    ------
    ValueError
        If ``depth`` is less than 2.
    """
    if depth < 2:
        raise ValueError(f"depth of architecture {name!r} must be at least 2, got {depth}.")

    def convolution(x, filters, name):
        x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=name)(x)
        # Keras' default momentum of 0.99 underfits in the few hundred steps of a short fit.
        x = layers.BatchNormalization(momentum=0.8, name=f"{name}_norm")(x)
        return layers.ReLU(name=f"{name}_relu")(x)

    inputs = keras.Input(image_shape, name="images")
    x = inputs
    for part in range(1, depth):
        x = convolution(x, stem, f"stem_{part}")
    for number, filters in enumerate(stages, start=1):
        if pool_first or number > 1:
            x = layers.MaxPooling2D(padding="same", name=f"pool{number}")(x)
        x = shortcut = convolution(x, filters, f"stage{number}_1")
        for part in range(2, depth + 1):
            x = convolution(x, filters, f"stage{number}_{part}")
        x = layers.Add(name=f"stage{number}_add")([shortcut, x])
    x = layers.GlobalMaxPooling2D(name="features")(x)
    x = layers.Dropout(dropout, name="dropout")(x)
    outputs = layers.Dense(n_classes, activation="softmax", name="probabilities")(x)
    return keras.Model(inputs, outputs, name=name)

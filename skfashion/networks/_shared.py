"""Parts that several architectures share."""

import keras
from keras import layers

__all__ = ["build_residual", "check_size"]


def check_size(architecture, image_shape, smallest):
    """Refuse images that are too small for the network's pooling.

    Parameters
    ----------
    architecture : str
        Name of the architecture, for the message.
    image_shape : tuple of 3 int
        Height, width and channels.
    smallest : int
        Smallest height and width, in pixels.

    Raises
    ------
    ValueError
        If height or width is smaller.
    """
    height, width, _ = image_shape
    if min(height, width) < smallest:
        advice = "Architecture 'fast' takes images of any size."
        if height == 1:
            advice = "Flattened images that are not square need image_shape=(height, width)."
        raise ValueError(
            f"Architecture {architecture!r} takes images of at least {smallest}x{smallest} pixels, "
            f"got {height}x{width}. {advice}"
        )


def build_residual(
    name, image_shape, n_classes, *, stem, stages, dropout, depth=2, pool_first=True
):
    """Build a network of a stem and residual stages, with pooling between them.

    Padding is "same" in every layer, so images can have any size.

    Parameters
    ----------
    name : str
        Name of the network.
    image_shape : tuple of 3 int
        Height, width and channels.
    n_classes : int
        Number of classes.
    stem : int
        Channels of the convolutions before the first stage.
    stages : list of int
        Channels of each stage. A stage is a convolution, and more with a shortcut over them.
    dropout : float
        Fraction of the pooled features dropped in training.
    depth : int, default=2
        Convolutions of each stage; the stem has one fewer.
    pool_first : bool, default=True
        Whether to pool before the first stage too. Convolutions with many channels at full
        resolution take most of the time on a CPU.

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

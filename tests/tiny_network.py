"""A network that compiles and trains five times faster than the smallest registered one.

It is in a module of its own, so that other processes can unpickle it by name.
"""


def tiny_network(image_shape, n_classes, dropout=0.0, width=8):
    """Build a convolution, batch normalisation, dropout and a dense layer."""
    import keras

    return keras.Sequential(
        [
            keras.Input(image_shape),
            keras.layers.Conv2D(width, 3, padding="same", use_bias=False),
            keras.layers.BatchNormalization(),
            keras.layers.Activation("relu"),
            keras.layers.Flatten(),
            keras.layers.Dropout(dropout),
            keras.layers.Dense(n_classes, activation="softmax"),
        ]
    )

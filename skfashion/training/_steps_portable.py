"""Steps for every other Keras backend, through Keras' public trainer."""

__all__ = ["make_steps"]


def make_steps(network, optimizer, decay_weights=None):
    """Compile a training and a prediction step; see :class:`skfashion.training.engine.Engine`.

    ``decay_weights``, if given, is called before each update.
    """
    network.compile(
        optimizer, loss="categorical_crossentropy", metrics=["accuracy"], jit_compile=False
    )

    def train_step(images, targets, weights):
        if decay_weights is not None:
            decay_weights()
        logs = network.train_on_batch(images, targets, weights, return_dict=True)
        return logs["loss"], logs["accuracy"] * len(images)

    return train_step, network.predict_on_batch

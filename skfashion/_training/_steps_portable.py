"""Steps for every other Keras backend, through Keras' public trainer."""

__all__ = ["make_prediction_step", "make_training_step"]


def make_training_step(network, optimizer, decay_weights=None):
    """Compile ``(images, targets, weights) -> (loss, n_correct)``.

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

    return train_step


def make_prediction_step(model):
    """Compile ``images -> output``."""
    return model.predict_on_batch

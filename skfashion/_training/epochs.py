"""Records of a training: the figures of an epoch, the history, the best epoch."""

import math

import numpy as np

from skfashion.errors import TrainingDivergedError

__all__ = ["EarlyStopping", "RunningFigures", "append_epoch", "check_finite"]


class RunningFigures:
    """Mean loss and accuracy over the batches of an epoch so far.

    They are training figures: of varied images, of weights that change from batch to batch, with
    label smoothing and penalties in the loss.
    """

    def __init__(self):
        self._loss_sum, self._n_correct, self._n_seen = 0.0, 0.0, 0

    def add(self, loss, n_correct, n_images):
        """Count a batch, and return the figures so far."""
        self._loss_sum += float(loss) * n_images
        self._n_correct += float(n_correct)
        self._n_seen += n_images
        return {
            "loss": self._loss_sum / self._n_seen,
            "accuracy": self._n_correct / self._n_seen,
        }


class EarlyStopping:
    """Keeps the weights of the epoch with the lowest loss, and says when to stop.

    Parameters
    ----------
    patience : int or None
        Number of epochs without a lower loss before it stops; None keeps nothing and never stops.

    Attributes
    ----------
    best_epoch : int or None
        Epoch whose weights are kept, counted from 1.
    """

    def __init__(self, patience):
        self._patience = patience
        self._best_loss = math.inf
        self._n_waited = 0
        self.best_epoch = None

    def observe(self, epoch, loss, engine):
        """Look at an epoch that is finished; the engine has the weights that were validated."""
        if self._patience is None:
            return
        if loss < self._best_loss:
            self._best_loss, self._n_waited = loss, 0
            self.best_epoch = epoch + 1
            self._weights, self._optimizer_state = engine.weights(), engine.optimizer_state()
        else:
            self._n_waited += 1

    @property
    def is_over(self):
        """bool: the training is to stop."""
        return self._patience is not None and self._n_waited >= self._patience

    def finish(self, engine):
        """Give the engine its final weights: those that were kept, otherwise the last."""
        engine.finish_training()  # callbacks may have changed the network since it was observed
        if self.best_epoch is not None:
            engine.load(self._weights)
            engine.load_optimizer_state(self._optimizer_state)


def append_epoch(history, logs):
    """Return a history with one more epoch, and NaN wherever an epoch lacks a figure."""
    n_epochs = max(map(len, history.values()), default=0)
    missing = [np.nan] * n_epochs
    return {
        name: [*history.get(name, missing), logs.get(name, np.nan)] for name in {**history, **logs}
    }


def check_finite(value, what, engine):
    """Raise TrainingDivergedError if a figure is infinite or NaN."""
    if not math.isfinite(value):
        rate = float(engine.optimizer.learning_rate)
        raise TrainingDivergedError(
            f"The {what} became {value} at a learning rate of {rate:g}. A lower one usually helps."
        )

"""Records of a training: the figures of an epoch, the history, when to stop."""

import math
from dataclasses import dataclass, replace

import keras
import numpy as np

from skfashion.errors import TrainingDivergedError

__all__ = [
    "Patience",
    "RunningFigures",
    "ValidationFigures",
    "append_epoch",
    "check_finite",
    "check_weights",
]


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


class ValidationFigures:
    """Weighted mean cross-entropy and accuracy over the batches of validation images so far."""

    def __init__(self):
        self._losses, self._hits, self._weights = [], [], []

    def add(self, probabilities, y, weights):
        """Count a batch."""
        # Keras' clipping, so that one hopeless image does not make the mean infinite.
        of_truth = np.maximum(probabilities[np.arange(len(y)), y], keras.config.epsilon())
        self._losses.append(-np.log(of_truth))
        self._hits.append(probabilities.argmax(axis=1) == y)
        self._weights.append(weights)

    def logs(self):
        """Return the figures so far."""
        losses, hits, weights = map(np.concatenate, (self._losses, self._hits, self._weights))
        loss = float(np.average(losses, weights=weights))
        return {"loss": loss, "accuracy": float(np.mean(hits))}


@dataclass(frozen=True)
class Patience:
    """Count of epochs without a lower loss.

    Attributes
    ----------
    limit : int or None
        Number of such epochs at which the training stops; None never stops it.
    lowest : float
        Lowest loss so far.
    n_waited : int
        Epochs since.
    """

    limit: int | None
    lowest: float = math.inf
    n_waited: int = 0

    def after(self, loss):
        """Return the count after another epoch."""
        if loss < self.lowest:
            return replace(self, lowest=loss, n_waited=0)
        return replace(self, n_waited=self.n_waited + 1)

    @property
    def is_over(self):
        """bool: the training is to stop."""
        return self.limit is not None and self.n_waited >= self.limit


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


def check_weights(weights, epoch, engine):
    """Raise TrainingDivergedError if a weight is infinite or NaN."""
    wrong = next((w[~np.isfinite(w)] for w in weights if not np.isfinite(w).all()), None)
    if wrong is not None:
        check_finite(wrong.flat[0], f"weights after epoch {epoch + 1}", engine)

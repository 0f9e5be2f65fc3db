"""State of a training between two epochs, as a value."""

import math
from dataclasses import dataclass, replace

import numpy as np

from skfashion._training.epochs import Patience
from skfashion._training.state import TrainedState

__all__ = ["TrainingProgress"]


@dataclass(frozen=True, eq=False)
class TrainingProgress:
    """Everything that a training needs to go on after an epoch, to the same bits.

    Attributes
    ----------
    state : TrainedState
        State after the last epoch that was finished.
    weights : tuple of ndarray
        Weights that the next step starts from. With ``use_ema`` they are not those of ``state``.
    best : TrainedState or None
        State after the epoch with the lowest validation loss, if early stopping keeps it.
    best_loss : float
        Its validation loss.
    is_warm : bool
        Whether the training began with an earlier fit.
    stage : int
        Position of the stage among those of the plan.
    first_epoch : int
        First epoch of the stage, counted from 0 over all fits that went on.
    patience : Patience
        Count of the stage.
    schedule : tuple of float
        State of the learning rate schedule.
    is_stage_over : bool
        Whether this was the last epoch of the stage.
    is_stopped : bool
        Whether this was the last epoch of the training, whatever its stage.
    """

    state: TrainedState
    weights: tuple[np.ndarray, ...]
    is_warm: bool
    stage: int
    first_epoch: int
    patience: Patience
    schedule: tuple[float, ...] = ()
    best: TrainedState | None = None
    best_loss: float = math.inf
    is_stage_over: bool = False
    is_stopped: bool = False

    @property
    def result(self):
        """State that the classifier has if the training ends here."""
        if self.best is None:
            return self.state
        return replace(self.best, history=self.state.history)

"""Learning rates from step to step and from epoch to epoch."""

import math

__all__ = ["make_schedule"]

# The one-cycle policy warms up for this share of the steps (Smith, "Super-Convergence",
# arXiv:1708.07120), starting from this share of the peak.
_WARM_UP = 0.25
_START = 0.1

# As in the published vgg3, with the smallest improvement of Keras' ReduceLROnPlateau.
_PLATEAU_FACTOR = 0.5
_PLATEAU_PATIENCE = 3
_PLATEAU_MIN_DELTA = 1e-4


def make_schedule(schedule, learning_rate, n_steps):
    """Make what says the learning rate of each step.

    Parameters
    ----------
    schedule : str, keras.optimizers.schedules.LearningRateSchedule or None
        As the classifier's parameter.
    learning_rate : float
        The highest.
    n_steps : int
        Steps in the whole training.

    Returns
    -------
    made : object or None
        With ``rate(step)``, to be called before each step of the training, and ``end_epoch(loss)``.
        None leaves the learning rate alone.
    """
    if schedule is None:
        return None
    if schedule == "plateau":
        return _Plateau(learning_rate)
    if isinstance(schedule, str):
        factor = _FACTORS[schedule]
        return _ByStep(lambda step: learning_rate * factor(step / n_steps))
    return _ByStep(lambda step: float(schedule(step)))


class _ByStep:
    """A learning rate that is a function of the step alone."""

    def __init__(self, rate):
        self.rate = rate

    def end_epoch(self, loss):
        pass


class _Plateau:
    """A learning rate that is halved when the loss has not fallen for some epochs."""

    def __init__(self, learning_rate):
        self._rate = learning_rate
        self._best = math.inf
        self._n_waited = 0

    def rate(self, step):
        return self._rate

    def end_epoch(self, loss):
        if loss < self._best - _PLATEAU_MIN_DELTA:
            self._best, self._n_waited = loss, 0
            return
        self._n_waited += 1
        if self._n_waited == _PLATEAU_PATIENCE:
            self._rate *= _PLATEAU_FACTOR
            self._n_waited = 0


def _one_cycle(progress):
    if progress < _WARM_UP:
        return _START + (1 - _START) * progress / _WARM_UP
    return (1 - progress) / (1 - _WARM_UP)


def _cosine(progress):
    """Half a cosine from 1 to 0 (Loshchilov and Hutter, "SGDR", arXiv:1608.03983)."""
    return (1 + math.cos(math.pi * progress)) / 2


# Each takes progress in [0, 1) and returns a factor for ``learning_rate``.
_FACTORS = {"cosine": _cosine, "one_cycle": _one_cycle}

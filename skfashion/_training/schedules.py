"""Learning rates from step to step and from epoch to epoch."""

import math

__all__ = ["LearningRate", "make_schedule"]

# The one-cycle policy warms up for this share of the steps (Smith, "Super-Convergence",
# arXiv:1708.07120), starting from this share of the peak.
_WARM_UP = 0.25
_START = 0.1

# As in the published vgg3, with the smallest improvement of Keras' ReduceLROnPlateau.
_PLATEAU_FACTOR = 0.5
_PLATEAU_PATIENCE = 3
_PLATEAU_MIN_DELTA = 1e-4


def make_schedule(schedule, learning_rate, n_steps):
    """Return an object that gives the learning rate of each step.

    Parameters
    ----------
    schedule : str, keras.optimizers.schedules.LearningRateSchedule or None
        The classifier's parameter.
    learning_rate : float
        Highest learning rate.
    n_steps : int
        Number of steps in the whole training.

    Returns
    -------
    made : object or None
        With ``rate(step)``, to be called before each step of the training, ``end_epoch(loss)``, and
        ``state``, a tuple of floats that may be assigned. None leaves the learning rate alone.
    """
    if schedule is None:
        return None
    if schedule == "plateau":
        return _Plateau(learning_rate)
    if isinstance(schedule, str):
        factor = _FACTORS[schedule]
        return _ByStep(lambda step: learning_rate * factor(step / n_steps))
    return _ByStep(lambda step: float(schedule(step)))


class LearningRate:
    """The learning rate of an optimizer, set before each step as a schedule says.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
        Has the learning rate to begin with.
    plan : TrainingPlan
        Has the schedule; None leaves the learning rate to callbacks.
    n_steps : int
        Number of steps in the whole training.
    is_watched : bool
        Whether callbacks are refused that change what the next step would change back.
    """

    def __init__(self, optimizer, plan, n_steps, *, is_watched):
        self._optimizer, self._name = optimizer, plan.schedule
        self._rate = float(optimizer.learning_rate)
        self._schedule = make_schedule(plan.schedule, plan.values.learning_rate, n_steps)
        self._is_watched = is_watched

    @property
    def state(self):
        """tuple of float: what the schedule has learned from the losses so far."""
        return () if self._schedule is None else self._schedule.state

    @state.setter
    def state(self, state):
        if self._schedule is not None:
            self._schedule.state = state

    def take_restored(self):
        """Go on from the learning rate that a callback restored from an earlier training."""
        self._rate = float(self._optimizer.learning_rate)
        if self._name == "plateau":
            self.state = self._rate, *self.state[1:]

    def start_step(self, step):
        """Set the learning rate of a step, counted over the whole training."""
        if self._schedule is None:
            return
        if self._is_watched:
            self._check_unchanged()
        self._rate = self._schedule.rate(step)
        self._optimizer.learning_rate = self._rate

    def end_epoch(self, loss):
        """Take note of the loss of an epoch, by which some schedules go."""
        if self._schedule is not None:
            self._schedule.end_epoch(loss)

    def _check_unchanged(self):
        if not math.isclose(float(self._optimizer.learning_rate), self._rate, rel_tol=1e-5):
            raise ValueError(
                f"A callback changed the learning rate, but schedule={self._name!r} sets it in "
                "every step. Use schedule=None with such callbacks."
            )


class _ByStep:
    """A learning rate that is a function of the step alone."""

    state: tuple = ()

    def __init__(self, rate):
        self.rate = rate

    def end_epoch(self, loss):
        pass


class _Plateau:
    """A learning rate that is halved when the loss has not fallen for some epochs."""

    def __init__(self, learning_rate):
        self.state = learning_rate, math.inf, 0  # rate, lowest loss, epochs since

    def rate(self, step):
        return self.state[0]

    def end_epoch(self, loss):
        rate, lowest, n_waited = self.state
        if loss < lowest - _PLATEAU_MIN_DELTA:
            lowest, n_waited = loss, 0
        else:
            n_waited += 1
        if n_waited == _PLATEAU_PATIENCE:
            rate, n_waited = rate * _PLATEAU_FACTOR, 0
        self.state = rate, lowest, n_waited


def _one_cycle(progress):
    if progress < _WARM_UP:
        return _START + (1 - _START) * progress / _WARM_UP
    return (1 - progress) / (1 - _WARM_UP)


def _cosine(progress):
    """Half a cosine from 1 to 0 (Loshchilov and Hutter, "SGDR", arXiv:1608.03983)."""
    return (1 + math.cos(math.pi * progress)) / 2


# Each takes progress in [0, 1) and returns a factor for ``learning_rate``.
_FACTORS = {"cosine": _cosine, "one_cycle": _one_cycle}

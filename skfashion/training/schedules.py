"""Learning rates as a function of the share of the training that is done."""

import math

__all__ = ["SCHEDULES"]

# The one-cycle policy warms up for this share of the steps (Smith, "Super-Convergence",
# arXiv:1708.07120), starting from this share of the peak.
_WARM_UP = 0.25
_START = 0.1


def _one_cycle(progress):
    if progress < _WARM_UP:
        return _START + (1 - _START) * progress / _WARM_UP
    return (1 - progress) / (1 - _WARM_UP)


def _cosine(progress):
    """Half a cosine from 1 to 0 (Loshchilov and Hutter, "SGDR", arXiv:1608.03983)."""
    return (1 + math.cos(math.pi * progress)) / 2


# Each takes progress in [0, 1) and returns a factor for ``learning_rate``.
SCHEDULES = {"cosine": _cosine, "one_cycle": _one_cycle}

"""Random numbers as a function of (seed, purpose, epoch), never of what was drawn before."""

import random
import threading
from contextlib import contextmanager
from enum import IntEnum
from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state

__all__ = ["Purpose", "derive_seed", "draw_seed", "fixed_keras_seeds"]


class Purpose(IntEnum):
    """Use of a derived seed. The numbers are part of the reproducibility promise."""

    INITIAL_WEIGHTS = 0
    VALIDATION_SPLIT = 1
    SHUFFLE = 2
    DROPOUT = 3
    AUGMENTATION = 4
    TEST_TIME_AUGMENTATION = 5


def draw_seed(random_state):
    """Return a base seed for one fit from scikit-learn's ``random_state``.

    ``None`` asks the operating system, so that no global random state moves.

    Raises
    ------
    ValueError
        If it is not a random state.
    """
    if random_state is None:
        return int(np.random.default_rng().integers(2**31))
    generator = check_random_state(random_state)
    if isinstance(random_state, Integral):
        return int(random_state)
    return int(generator.randint(2**31))


def derive_seed(seed, *path):
    """Return a 31-bit seed for one use, independent of every other path."""
    return int(np.random.SeedSequence([seed, *path]).generate_state(1)[0] >> 1)


# An architecture may itself build on a fitted model.
_build_lock = threading.RLock()


@contextmanager
def fixed_keras_seeds():
    """Give layers that are built inside the same default seeds every time.

    Keras draws the seeds of unseeded layers from Python's global generator. It is left as it was;
    what other threads draw from it meanwhile is lost.
    """
    with _build_lock:
        state = random.getstate()
        random.seed(0)
        try:
            yield
        finally:
            random.setstate(state)

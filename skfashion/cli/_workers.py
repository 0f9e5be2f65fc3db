"""Processes that fit side by side."""

from skfashion.cli._keras import start_keras
from skfashion.cli._messages import show_warnings_on_one_line

__all__ = ["quiet_workers"]


def quiet_workers(with_keras):
    """A context in which joblib's workers print no more than this process does."""
    from joblib import parallel_config

    return parallel_config("loky", initializer=_start, initargs=(with_keras,))


def _start(with_keras):
    show_warnings_on_one_line()
    if with_keras:
        start_keras()

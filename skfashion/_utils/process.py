"""Refusal of processes in which TensorFlow cannot be used.

A fork copies the state of a running TensorFlow but not its threads, so the first operation would
wait for ever. Keras with another backend would fail at its import, or in the first step.
"""

import os
import sys

__all__ = ["check_backend", "check_process"]

_tensorflow_ran = False


def check_backend(backend):
    """Raise RuntimeError unless a backend of Keras is TensorFlow."""
    if backend != "tensorflow":
        raise RuntimeError(
            "skfashion trains and predicts with TensorFlow, but the backend of Keras is "
            f"{backend!r}. Set the environment variable KERAS_BACKEND=tensorflow, or "
            '"backend": "tensorflow" in ~/.keras/keras.json, before Keras is imported.'
        )


def check_process():
    """Raise RuntimeError in a process in which TensorFlow cannot be used.

    To be called before Keras is imported.
    """
    if "keras" not in sys.modules:
        check_backend(os.environ.get("KERAS_BACKEND") or "tensorflow")
    if _tensorflow_ran:
        raise RuntimeError(
            "This process was forked from one in which TensorFlow was already running, and would "
            "hang. Use joblib's default backend 'loky' instead of 'multiprocessing', or "
            "multiprocessing.get_context('spawn')."
        )


def _note_fork():
    global _tensorflow_ran
    _tensorflow_ran = _tensorflow_ran or _is_tensorflow_running()


def _is_tensorflow_running():
    """Return whether TensorFlow has started its threads; until then their number can be set."""
    tensorflow = sys.modules.get("tensorflow")
    if tensorflow is None or not hasattr(tensorflow, "config"):  # not (wholly) imported
        return False
    threads = tensorflow.config.threading
    number = threads.get_intra_op_parallelism_threads()
    try:
        threads.set_intra_op_parallelism_threads(number + 1)
    except RuntimeError:
        return True
    threads.set_intra_op_parallelism_threads(number)
    return False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_note_fork)

"""Processes forked from one in which TensorFlow runs cannot use it: say so, where they would hang.

A fork copies TensorFlow's state but not its threads, so the first operation waits for ever.
"""

import os
import sys

__all__ = ["check_not_forked"]

_tensorflow_ran = False


def check_not_forked():
    """Raise RuntimeError in a process that was forked while TensorFlow was running."""
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

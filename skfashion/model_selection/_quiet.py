"""Optuna's notes held back for a moment, in one thread, its log level left alone."""

import logging
import threading
from contextlib import contextmanager

__all__ = ["quiet_optuna"]


@contextmanager
def quiet_optuna():
    """Show nothing below a warning of what Optuna logs in this thread."""
    thread = threading.get_ident()

    def shown(record):
        return record.thread != thread or record.levelno >= logging.WARNING

    handlers = list(logging.getLogger("optuna").handlers)
    for handler in handlers:
        handler.addFilter(shown)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(shown)

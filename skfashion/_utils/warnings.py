"""Warnings that point at the user's line."""

import inspect
import warnings

__all__ = ["warn"]


def warn(message, category=UserWarning):
    """Warn at the first line outside this package and scikit-learn."""
    frame, level = inspect.currentframe(), 0
    while frame and frame.f_globals.get("__name__", "").startswith(("skfashion.", "sklearn.")):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level + 1)

"""Values as strings that are the same in every process."""

import re
from types import CodeType

import joblib
import numpy as np
from sklearn.base import BaseEstimator

__all__ = ["describe", "strip_addresses"]

# Parameters of estimators that change no score.
_WITHOUT_EFFECT = ("n_jobs", "verbose")


def describe(value):
    """Nested lists of strings, without addresses in memory; of functions, what they do."""
    if isinstance(value, BaseEstimator):
        parameters = {
            name: parameter
            for name, parameter in sorted(value.get_params(deep=False).items())
            if name not in _WITHOUT_EFFECT
        }
        return [_name(type(value)), describe(parameters)]
    if isinstance(value, dict):
        return [[describe(key), describe(item)] for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [describe(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(str(describe(item)) for item in value)
    if isinstance(value, np.ndarray):
        return joblib.hash(value)
    if isinstance(value, CodeType):
        return [value.co_code.hex(), str(value.co_names), describe(value.co_consts)]
    if hasattr(value, "__code__"):
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        # What a function finds around it may be itself.
        around = [_name(cell) if hasattr(cell, "__code__") else describe(cell) for cell in cells]
        defaults = [value.__defaults__, value.__kwdefaults__]
        return [_name(value), describe(value.__code__), describe(defaults), around]
    if hasattr(value, "__qualname__"):
        return _name(value)
    return strip_addresses(repr(value))


def strip_addresses(text):
    """A representation without the addresses in memory that Python puts into some."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", text)


def _name(value):
    return f"{value.__module__}.{value.__qualname__}"

"""Values as strings that are the same in every process."""

import re
import sysconfig
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType

import joblib
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from skfashion._utils.functions import find_references

__all__ = ["describe", "strip_addresses"]

# Parameters of estimators that change no score.
_WITHOUT_EFFECT = ("n_jobs", "verbose")
# What is nested deeper is told apart by its class alone.
_DEEPEST = 50


def describe(value):
    """A string, the same for equal values in every process, and for others another.

    Functions are described by what they do, and by the functions and values that they refer to;
    classes, modules and functions of libraries by their names; other objects by their state.
    """
    return _Describer().describe(value)


def strip_addresses(text):
    """A representation without the addresses in memory that Python puts into some."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", text)


class _Describer:
    """Looks at each object once, however many others refer to it."""

    def __init__(self):
        self._known: dict = {}
        self._ancestors: list = []

    def describe(self, value):
        if value is None or isinstance(value, (str, bytes, int, float, complex)):
            return repr(value)
        if id(value) in self._known:
            return self._known[id(value)][1]
        for generation, ancestor in enumerate(reversed(self._ancestors)):
            if value is ancestor:
                return f"itself, {generation} above"
        if len(self._ancestors) == _DEEPEST:
            return _name(type(value))
        self._ancestors.append(value)
        description = joblib.hash(self._look_into(value))
        self._ancestors.pop()
        self._known[id(value)] = value, description  # while it lives, nothing else has its id
        return description

    def _look_into(self, value):
        """Descriptions of what it is made of."""
        if isinstance(value, dict):
            return [(self.describe(key), self.describe(item)) for key, item in value.items()]
        if isinstance(value, (list, tuple)):
            return [self.describe(item) for item in value]
        if isinstance(value, (set, frozenset)):
            return sorted(self.describe(item) for item in value)
        if isinstance(value, CodeType):
            return [value.co_code, value.co_names, self.describe(value.co_consts)]
        if isinstance(value, BaseEstimator):
            parameters = {
                name: parameter
                for name, parameter in sorted(value.get_params(deep=False).items())
                if name not in _WITHOUT_EFFECT
            }
            return [_name(type(value)), self.describe(parameters)]
        if isinstance(value, MethodType):
            return [self.describe(value.__self__), self.describe(value.__func__)]
        if isinstance(value, FunctionType):
            return self._look_into_function(value)
        if isinstance(value, ModuleType):
            return value.__name__
        if hasattr(value, "__qualname__") and hasattr(value, "__module__"):
            return _name(value)
        if value is check_random_state(None):
            return "NumPy's global random state"
        return [_name(type(value)), self.describe(_state(value))]

    def _look_into_function(self, function):
        is_library = _is_of_library(function)
        if is_library and "<" not in function.__qualname__:
            return _name(function)
        try:
            defaults, variables, closure = find_references(function)
        except ValueError:  # it is not yet ready to be called
            return _name(function)
        if is_library:  # which refer to themselves without end
            variables = {}
        parts = (function.__code__, defaults, closure, variables)
        return [_name(function), *map(self.describe, parts)]


def _is_of_library(function):
    file = function.__code__.co_filename
    is_installed = {"dist-packages", "site-packages"} & set(Path(file).parts)
    return is_installed or file.startswith((sysconfig.get_path("stdlib"), "<frozen "))


def _state(value):
    """What tells an object from others of its class."""
    try:
        if hasattr(value, "__array__"):
            return joblib.hash(value)
        # Keras' objects; their pickles hold the time of day.
        if hasattr(value, "get_config"):
            config = value.get_config()
            return {key: config[key] for key in config if key != "name"}  # a count
        reduced = value.__reduce_ex__(4)
    # What keeps an object from being pickled is up to it.
    except Exception:
        return strip_addresses(repr(value))
    if isinstance(reduced, str):
        return reduced
    return [list(part) if hasattr(part, "__next__") else part for part in reduced]


def _name(value):
    return f"{value.__module__}.{value.__qualname__}"

"""Values as strings that are the same in every process."""

import re
import sysconfig
from functools import partial
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType

import joblib
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

from skfashion._functions import find_references

__all__ = ["describe", "strip_addresses"]

# Parameters of estimators that change no score.
_WITHOUT_EFFECT = ("n_jobs", "verbose")


def describe(value, ancestors=()):
    """Nested lists of strings, the same for equal values in every process.

    Functions are described by what they do, and by the functions and values that they refer to;
    classes, modules and functions of libraries by their names; other objects by their state.
    """
    if value is None or isinstance(value, (str, bytes, int, float, complex)):
        return repr(value)
    for generation, ancestor in enumerate(reversed(ancestors)):
        if value is ancestor:
            return f"itself, {generation} above"
    inner = partial(describe, ancestors=(*ancestors, value))
    if isinstance(value, dict):
        return [[inner(key), inner(item)] for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [inner(item) for item in value]
    if isinstance(value, (set, frozenset)):
        return sorted(str(inner(item)) for item in value)
    if isinstance(value, CodeType):
        return [value.co_code.hex(), str(value.co_names), inner(value.co_consts)]
    if isinstance(value, BaseEstimator):
        parameters = {
            name: parameter
            for name, parameter in sorted(value.get_params(deep=False).items())
            if name not in _WITHOUT_EFFECT
        }
        return [_name(type(value)), inner(parameters)]
    if isinstance(value, MethodType):
        return [inner(value.__self__), inner(value.__func__)]
    if isinstance(value, FunctionType):
        return _describe_function(value, inner)
    if isinstance(value, ModuleType):
        return value.__name__
    if hasattr(value, "__qualname__") and hasattr(value, "__module__"):
        return _name(value)
    if value is check_random_state(None):
        return "NumPy's global random state"
    return [_name(type(value)), _describe_state(value, inner)]


def strip_addresses(text):
    """A representation without the addresses in memory that Python puts into some."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", text)


def _describe_function(function, inner):
    is_library = _is_of_library(function)
    if is_library and "<" not in function.__qualname__:
        return _name(function)
    try:
        defaults, variables, closure = find_references(function)
    except ValueError:
        return _name(function)
    described = [_name(function), inner(function.__code__), inner(defaults), inner(closure)]
    # Libraries refer to themselves without end.
    return described if is_library else [*described, inner(variables)]


def _is_of_library(function):
    file = function.__code__.co_filename
    is_installed = {"dist-packages", "site-packages"} & set(Path(file).parts)
    return is_installed or file.startswith((sysconfig.get_path("stdlib"), "<frozen "))


def _describe_state(value, inner):
    try:
        if hasattr(value, "__array__"):
            return joblib.hash(value)
        # Keras' objects; their pickles hold the time of day.
        if hasattr(value, "get_config"):
            config = value.get_config()
            return inner({key: config[key] for key in config if key != "name"})  # a count
        reduced = value.__reduce_ex__(4)
    # What keeps an object from being pickled is up to it.
    except Exception:
        return strip_addresses(repr(value))
    if isinstance(reduced, str):
        return reduced
    make, arguments, *state = reduced
    items = [list(part) if hasattr(part, "__next__") else part for part in state]
    return inner([make, arguments, *items])


def _name(value):
    return f"{value.__module__}.{value.__qualname__}"

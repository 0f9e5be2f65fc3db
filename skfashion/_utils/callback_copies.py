"""Copies of Keras callbacks, for fits that share nothing but what is the user's."""

import copy
from collections import deque
from functools import partial
from operator import is_
from types import BuiltinMethodType, MethodType

import numpy as np

__all__ = ["copy_callbacks", "is_callback"]

_CONTAINERS = (list, dict, set, deque, np.ndarray, bytearray)


def copy_callbacks(callbacks):
    """Copy callbacks and the containers in their attributes, and nothing else.

    A fit changes the counters and lists of its copies. An Optuna trial, a logger or an open file is
    the user's own, and stays the same object.

    Parameters
    ----------
    callbacks : keras.callbacks.Callback, subclass of it, list or tuple of these, or None

    Returns
    -------
    copies : same type
        Callbacks, lists, tuples, dicts, sets, deques and arrays are new, at every depth. What two
        callbacks have in common, their copies have in common. Classes are returned as they are.
    """
    return _copy(callbacks, {})


def is_callback(value):
    """Return whether a value is a Keras callback; this does not import Keras."""
    return hasattr(type(value), "set_model")


def _copy(value, known):
    if id(value) in known:
        return known[id(value)][0]
    # A callback may hold methods: its own, those of another, list.append.
    if isinstance(value, MethodType):
        owner = value.__self__
        return MethodType(value.__func__, _copy(owner, known)) if is_callback(owner) else value
    if isinstance(value, BuiltinMethodType) and isinstance(value.__self__, _CONTAINERS):
        return getattr(_copy(value.__self__, known), value.__name__)
    if isinstance(value, partial):
        return partial(*_copy((value.func, *value.args), known), **_copy(value.keywords, known))
    if isinstance(value, tuple):
        return _copy_tuple(value, known)
    is_container = isinstance(value, _CONTAINERS)
    if not is_container and not is_callback(value):
        return value
    copied = copy.copy(value)
    known[id(value)] = copied, value  # while the value lives, nothing else has its id
    if isinstance(value, dict):
        for key, item in value.items():  # Counter.update would add
            copied[key] = _copy(item, known)
    elif isinstance(value, (list, deque)):
        for i, item in enumerate(value):
            copied[i] = _copy(item, known)
    elif not is_container:
        vars(copied).update({name: _copy(item, known) for name, item in vars(value).items()})
    return copied


def _copy_tuple(value, known):
    items = [_copy(item, known) for item in value]
    if all(map(is_, items, value)):  # such as time.localtime(), which is no plain tuple
        return value
    return value._make(items) if hasattr(value, "_make") else tuple(items)

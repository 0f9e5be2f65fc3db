"""Copies of Keras callbacks, for fits that share nothing but what is the user's."""

import copy
from collections import deque
from operator import is_
from types import MethodType

import numpy as np

__all__ = ["copy_callbacks", "is_callback"]


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
    if isinstance(value, MethodType):  # a callback may hold a method of its own, or of another
        owner = value.__self__
        return MethodType(value.__func__, _copy(owner, known)) if is_callback(owner) else value
    if isinstance(value, tuple):
        return _copy_tuple(value, known)
    is_container = isinstance(value, (list, dict, set, deque, np.ndarray, bytearray))
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

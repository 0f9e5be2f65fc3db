"""When two functions, or two objects, are the same.

A function of a script or notebook is another object in every process, and after every unpickling.
It counts as the same if its code is the same and everything that the code refers to is.
:func:`function_key` compares functions within one process, :func:`describe` compares all kinds of
objects across processes. Both follow the references of functions in the same way; they differ in
how they take other values: a key holds them, so that their own ``==`` decides, and a description
holds their class and state.
"""

import re
import sys
import sysconfig
from abc import ABC, abstractmethod
from functools import cache
from pathlib import Path
from types import CodeType, FunctionType, MethodType, ModuleType

import joblib
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state

__all__ = ["describe", "function_key", "strip_addresses"]

# Parameters of estimators that change no score.
_WITHOUT_EFFECT = ("n_jobs", "verbose")
# Values that are nested deeper are not looked into.
_DEEPEST = 50


def function_key(function):
    """Return a hashable value that is equal for functions that do the same.

    Worker processes unpickle a function of a script or notebook for every task. With this key its
    network is compiled once.

    Parameters
    ----------
    function : callable

    Returns
    -------
    key : hashable
        The callable itself if it is no plain function, or refers to a value without a hash.
    """
    key = _Key().identify(function)
    try:
        hash(key)
    except TypeError:
        return function
    return key


def describe(value):
    """Return a string that is the same for equal values in every process, and differs for others.

    Functions are described by what they do, and by the functions and values that they refer to;
    classes, modules and functions of libraries by their names; other objects by their state.

    Parameters
    ----------
    value : object

    Returns
    -------
    description : str
    """
    return _Description().identify(value)


def strip_addresses(text):
    """Remove the addresses in memory that Python puts into some representations."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", text)


class _Identity(ABC):
    """Identities of an object and all that it refers to; each object is looked into once."""

    def __init__(self):
        self._known: dict = {}
        self._ancestors: list = []

    def identify(self, value):
        """Return the identity of a value."""
        if id(value) in self._known:
            return self._known[id(value)][1]
        for generation, ancestor in enumerate(reversed(self._ancestors)):
            if value is ancestor:
                return f"itself, {generation} above"
        if len(self._ancestors) == _DEEPEST:
            return self._by_name(value)
        self._ancestors.append(value)
        identity = self._look_into(value)
        self._ancestors.pop()
        self._known[id(value)] = value, identity  # while it lives, nothing else has its id
        return identity

    def _look_into_function(self, function):
        is_library_code = _is_library_file(function.__code__.co_filename)
        # The code of a decorated function is the decorator's, its module that of the user.
        is_library = is_library_code and _is_library_module(function.__module__)
        if is_library and "<" not in function.__qualname__:
            return self._by_name(function)
        try:
            closure = [cell.cell_contents for cell in function.__closure__ or ()]
        except ValueError:  # it is not yet ready to be called
            return self._by_name(function)
        defaults = (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).items())
        # Libraries' modules refer to each other without end.
        variables = {} if is_library_code else _global_variables(function)
        return self._combine(function, defaults, closure, variables)

    @abstractmethod
    def _look_into(self, value):
        """Return the identity of a value that is seen for the first time."""

    @abstractmethod
    def _by_name(self, value):
        """Return the identity of a value that is not looked into."""

    @abstractmethod
    def _combine(self, function, defaults, closure, variables):
        """Return the identity of a function that is made of these parts."""


class _Key(_Identity):
    """Functions as tuples of their parts, and all other values as they are."""

    def identify(self, value):
        return super().identify(value) if isinstance(value, FunctionType) else value

    def _look_into(self, function):
        return self._look_into_function(function)

    def _by_name(self, function):
        return function

    def _combine(self, function, defaults, closure, variables):
        return (
            _name(function),
            function.__code__,
            defaults,
            tuple(map(self.identify, closure)),
            tuple((name, self.identify(value)) for name, value in variables.items()),
        )


class _Description(_Identity):
    """Strings: short values as they are, and hashes of what the others are made of."""

    def identify(self, value):
        if value is None or isinstance(value, (str, bytes, int, float, complex)):
            return repr(value)
        return super().identify(value)

    def _look_into(self, value):
        return joblib.hash(self._parts(value))

    def _by_name(self, value):
        return _name(value if _has_name(value) else type(value))

    def _combine(self, function, defaults, closure, variables):
        parts = (function.__code__, defaults, closure, variables)
        return [_name(function), *map(self.identify, parts)]

    def _parts(self, value):
        """Return descriptions of what a value is made of."""
        if isinstance(value, dict):
            return [(self.identify(key), self.identify(item)) for key, item in value.items()]
        if isinstance(value, (list, tuple)):
            return [self.identify(item) for item in value]
        if isinstance(value, (set, frozenset)):
            return sorted(self.identify(item) for item in value)
        if isinstance(value, CodeType):
            return [value.co_code, value.co_names, self.identify(value.co_consts)]
        if isinstance(value, MethodType):
            return [self.identify(value.__self__), self.identify(value.__func__)]
        if isinstance(value, FunctionType):
            return self._look_into_function(value)
        if isinstance(value, ModuleType):
            return value.__name__
        if isinstance(value, BaseEstimator):
            parameters = {
                name: parameter
                for name, parameter in sorted(value.get_params(deep=False).items())
                if name not in _WITHOUT_EFFECT
            }
            return [_name(type(value)), self.identify(parameters)]
        if _has_name(value):
            return _name(value)
        if value is check_random_state(None):
            return "NumPy's global random state"
        return [_name(type(value)), self.identify(_state(value))]


def _global_variables(function):
    """Return the global variables that a function, or one defined inside it, may look up."""
    names = sorted(_names(function.__code__) & function.__globals__.keys())
    return {name: function.__globals__[name] for name in names}


def _names(code):
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return set(code.co_names).union(*map(_names, inner))


def _is_library_module(name):
    # The main module's file may be pytest's or Jupyter's.
    file = getattr(sys.modules.get(name), "__file__", None)
    return name != "__main__" and file is not None and _is_library_file(file)


@cache
def _is_library_file(file):
    is_installed = {"dist-packages", "site-packages"} & set(Path(file).parts)
    return bool(is_installed) or file.startswith((sysconfig.get_path("stdlib"), "<frozen "))


def _state(value):
    """Return what tells an object from others of its class."""
    try:
        if hasattr(value, "__array__"):
            return joblib.hash(value)
        # Keras' objects; their pickles hold the time of day.
        if hasattr(value, "get_config"):
            config = value.get_config()
            return {key: config[key] for key in config if key != "name"}  # a count
        reduced = value.__reduce_ex__(4)
    # Any error may keep an object from being pickled.
    except Exception:
        return strip_addresses(repr(value))
    if isinstance(reduced, str):
        return reduced
    return [list(part) if hasattr(part, "__next__") else part for part in reduced]


def _has_name(value):
    return hasattr(value, "__qualname__") and hasattr(value, "__module__")


def _name(value):
    return f"{value.__module__}.{value.__qualname__}"

"""When two functions are the same, although they are not one object.

Worker processes unpickle a function of a script or notebook anew for every task, and its network
would be compiled anew each time.
"""

from types import FunctionType, ModuleType

from skfashion._utils.functions import find_references

__all__ = ["function_key"]


def function_key(function):
    """A hashable value, equal for functions that were defined alike and refer to equal values.

    Parameters
    ----------
    function : callable

    Returns
    -------
    key : hashable
        The callable itself if it is no plain function, or refers to what cannot be hashed.
    """
    if not isinstance(function, FunctionType):
        return function
    try:
        key = _describe(function, ())
        hash(key)
    except (TypeError, ValueError):  # not hashable; a variable of the closure that is not yet set
        return function
    return key


def _describe(value, ancestors):
    if isinstance(value, ModuleType):
        return value.__name__
    if not isinstance(value, FunctionType):
        return value
    if value in ancestors:  # it calls itself
        return ancestors.index(value)
    ancestors = (*ancestors, value)
    defaults, variables, closure = find_references(value)
    return (
        value.__module__,
        value.__code__,
        defaults,
        tuple((name, _describe(content, ancestors)) for name, content in variables.items()),
        tuple(_describe(content, ancestors) for content in closure),
    )

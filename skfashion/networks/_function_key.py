"""When two functions are the same, although they are not one object.

Worker processes unpickle a function of a script or notebook anew for every task, and its network
would be compiled anew each time.
"""

from types import CodeType, FunctionType, ModuleType

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
    names = sorted(_names(value.__code__) & value.__globals__.keys())
    closure = [cell.cell_contents for cell in value.__closure__ or ()]
    defaults = [*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).items()]
    return (
        value.__module__,
        value.__code__,
        tuple(defaults),
        tuple((name, _describe(value.__globals__[name], ancestors)) for name in names),
        tuple(_describe(content, ancestors) for content in closure),
    )


def _names(code):
    """Names that the code, or a function defined inside it, may look up outside."""
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return set(code.co_names).union(*map(_names, inner))

"""What functions refer to."""

from types import CodeType
from typing import Any, NamedTuple

__all__ = ["References", "find_references"]


class References(NamedTuple):
    """Values that a function takes from elsewhere."""

    defaults: tuple[Any, ...]
    variables: dict[str, Any]  # global ones, by name
    closure: list[Any]


def find_references(function):
    """What a function, or one defined inside it, takes from elsewhere.

    Raises
    ------
    ValueError
        If a variable of the closure is not yet set.
    """
    names = sorted(_names(function.__code__) & function.__globals__.keys())
    return References(
        (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).items()),
        {name: function.__globals__[name] for name in names},
        [cell.cell_contents for cell in function.__closure__ or ()],
    )


def _names(code):
    """Names that the code, or a function defined inside it, may look up outside."""
    inner = (constant for constant in code.co_consts if isinstance(constant, CodeType))
    return set(code.co_names).union(*map(_names, inner))

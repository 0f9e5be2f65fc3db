"""Refusal of dependencies that are too old."""

import re
from importlib import metadata

__all__ = ["check_versions"]

# Packages that people update one by one, and whose names change most. Looking up every dependency
# takes four times as long.
_CHECKED = ("keras", "numpy", "optuna", "scikit-learn", "tensorflow")


def check_versions():
    """Raise ImportError if a package is installed in a version that is too old.

    An installer sees to that, but a later installation or a second folder on the path may undo it,
    and then the error is an unknown name somewhere inside. The bounds are those of the package's
    metadata. Packages that are missing, or installed under another name, are left to their import.
    """
    try:
        requirements = metadata.requires("skfashion") or ()
    except metadata.PackageNotFoundError:  # a copy of the sources that was never installed
        return
    for requirement in requirements:
        name, _, lowest = requirement.partition(">=")
        if name not in _CHECKED:
            continue
        try:
            installed = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
        if _release(installed) < _release(lowest):
            raise ImportError(
                f"skfashion needs {name} {lowest} or later, but {name} {installed} is installed. "
                f'Run: pip install --upgrade "{name}>={lowest}"'
            )


def _release(version):
    """Return the numbers that a version begins with, without zeros at their end."""
    release = re.findall(r"\d+(?:\.\d+)*", version)[0]
    return tuple(map(int, re.sub(r"(?:\.0+)+$", "", release).split(".")))

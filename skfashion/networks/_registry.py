"""Architectures by name. Their modules import Keras, so they are imported when they are used."""

import inspect
import pkgutil
from functools import cache
from importlib import import_module

from skfashion._utils.names import check_name

__all__ = [
    "build_network",
    "build_version",
    "current_version",
    "default_options",
    "get_architecture",
    "list_networks",
]

_PACKAGE = "skfashion.networks"


def list_networks():
    """Return the names of the architectures that :func:`build_network` knows.

    Returns
    -------
    names : list of str
        Sorted names. Each is a module of this package, whose documentation lists the options.

    Examples
    --------
    >>> from skfashion.networks import list_networks
    >>> {"fast", "small"} <= set(list_networks())
    True
    """
    return list(_find_public_modules(*import_module(_PACKAGE).__path__))


@cache  # every prediction looks its architecture up
def _find_public_modules(*folders):
    names = [module.name for module in pkgutil.iter_modules(folders)]
    return sorted(name for name in names if not name.startswith("_"))


def get_architecture(name, version=None):
    """Return the builder function of a registered architecture.

    Parameters
    ----------
    name : str
        One of :func:`list_networks`.
    version : int, default=None
        Version of its definition, from 1 to :func:`current_version`; None is the current one.

    Returns
    -------
    build : callable
        ``(image_shape, n_classes, *, **options) -> keras.Model``.

    Raises
    ------
    ValueError
        If no architecture has this name, and then the message names the nearest, or if it has no
        such version.
    """
    current = current_version(name)
    if version is None or version == current:
        return _import_module(name).build
    if version not in range(1, current):
        raise ValueError(f"Architecture {name!r} has versions 1 to {current}, not {version}.")
    return _earlier_builds(name)[version - 1]


def current_version(name):
    """Return the version of an architecture's definition, counted from 1.

    A module whose ``build`` no longer computes the same keeps the earlier functions, oldest first,
    in ``EARLIER_BUILDS``: model files and pickles go on with them.
    """
    check_name("architecture", name, list_networks())
    return len(_earlier_builds(name)) + 1


def _earlier_builds(name):
    return getattr(_import_module(name), "EARLIER_BUILDS", ())


def _import_module(name):
    return import_module(f"{_PACKAGE}.{name}")


def default_options(name, version=None):
    """Return the options of a registered architecture with their defaults, as a dict."""
    build = get_architecture(name, version)
    _, _, *options = inspect.signature(build).parameters.values()
    return {option.name: option.default for option in options}


def build_network(name, image_shape, n_classes, **options):
    """Build an untrained network.

    Parameters
    ----------
    name : str
        One of :func:`list_networks`.
    image_shape : tuple of 3 int
        Height and width in pixels, and number of channels.
    n_classes : int
        Number of classes, the length of the network's output.
    **options
        Options of the architecture, such as ``dropout`` (a fraction) or ``width`` (channels of the
        first stage or block).

    Returns
    -------
    network : keras.Model
        Takes standardised images ``(n, height, width, channels)`` and returns class probabilities
        ``(n, n_classes)``. It is not compiled.

    Raises
    ------
    ValueError
        If the name is unknown, the images are too small for the architecture, or an option is out
        of its range.
    TypeError
        If the architecture has no such option.
    OSError
        If pretrained weights are not on this machine and cannot be downloaded.

    Examples
    --------
    >>> from skfashion.networks import build_network
    >>> build_network("basic", (28, 28, 1), 10).count_params()
    93322
    """
    return build_version(name, None, image_shape, n_classes, options)


def build_version(name, version, image_shape, n_classes, options):
    """Build a network like :func:`build_network`, by a version of the architecture's definition."""
    known = default_options(name, version)
    for option in options:
        if option not in known:
            raise TypeError(
                f"Architecture {name!r} has no option {option!r}; it has: {', '.join(known)}."
            )
    return get_architecture(name, version)(tuple(image_shape), n_classes, **options)

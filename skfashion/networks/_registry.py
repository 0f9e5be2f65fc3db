"""Architectures by name, imported when they are built."""

import inspect
from importlib import import_module

from skfashion._utils.names import check_name

__all__ = ["build_network", "default_options", "get_architecture", "list_networks"]

# Each name is a module of this package with a function ``build``.
_NAMES = ("basic", "fast", "lenet", "mobilenetv2", "resnet50v2", "small", "vgg2", "vgg3")


def list_networks():
    """Names of the architectures that :func:`build_network` knows.

    Returns
    -------
    names : list of str
        Sorted names.

    Examples
    --------
    >>> from skfashion.networks import list_networks
    >>> list_networks()
    ['basic', 'fast', 'lenet', 'mobilenetv2', 'resnet50v2', 'small', 'vgg2', 'vgg3']
    """
    return sorted(_NAMES)


def get_architecture(name):
    """The builder function of a registered architecture.

    Parameters
    ----------
    name : str
        One of :func:`list_networks`.

    Returns
    -------
    build : callable
        ``(image_shape, n_classes, **options) -> keras.Model``.

    Raises
    ------
    ValueError
        If no architecture has this name; the message names the nearest.
    """
    check_name("architecture", name, _NAMES)
    return import_module(f"skfashion.networks.{name}").build


def default_options(name):
    """The options that a registered architecture has, with their defaults."""
    _, _, *options = inspect.signature(get_architecture(name)).parameters.values()
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
        Takes standardised images ``(n, height, width, channels)``, gives class probabilities
        ``(n, n_classes)``. It is not compiled.

    Raises
    ------
    ValueError
        If the name is unknown, the images are smaller than the architecture can take, or an option
        is out of its range.
    TypeError
        If the architecture has no such option.
    OSError
        If pretrained weights are not there and cannot be downloaded.

    Examples
    --------
    >>> from skfashion.networks import build_network
    >>> build_network("basic", (28, 28, 1), 10).count_params()
    93322
    """
    build = get_architecture(name)
    known = default_options(name)
    for option in options:
        if option not in known:
            raise TypeError(
                f"Architecture {name!r} has no option {option!r}; it has: {', '.join(known)}."
            )
    return build(tuple(image_shape), n_classes, **options)

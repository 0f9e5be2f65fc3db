"""Users' Keras callbacks: fresh ones for every fit."""

import copy
import inspect

import keras

from skfashion._utils.names import check_name

__all__ = ["make_callbacks"]


def make_callbacks(callbacks, options):
    """Callbacks that no other fit shares.

    Parameters
    ----------
    callbacks : keras.callbacks.Callback, subclass of it, list of these, or None
        Instances are copied, classes instantiated.
    options : dict
        Arguments for the classes. ``patience`` goes to every class that takes it, ``0__patience``
        to the first callback.

    Returns
    -------
    made : list of keras.callbacks.Callback

    Raises
    ------
    TypeError
        If one is no callback.
    ValueError
        If no class takes an option.
    """
    if callbacks is None:
        callbacks = []
    elif not isinstance(callbacks, (list, tuple)):
        callbacks = [callbacks]
    made, known = [], set()
    for position, callback in enumerate(callbacks):
        is_class = isinstance(callback, type)
        if not issubclass(callback if is_class else type(callback), keras.callbacks.Callback):
            raise TypeError(f"callbacks must be Keras callbacks, got {callback!r}.")
        if not is_class:
            made.append(copy.deepcopy(callback))
            continue
        arguments = {}
        for name, parameter in inspect.signature(callback).parameters.items():
            if parameter.kind is parameter.VAR_KEYWORD:
                continue
            for option in (name, f"{position}__{name}"):
                known.add(option)
                if option in options:
                    arguments[name] = options[option]
        made.append(callback(**arguments))
    if options and not known:
        raise ValueError(
            f"callbacks__{next(iter(options))} is for callbacks that are given as classes, and "
            "there is none."
        )
    for option in options:
        check_name("parameter of the classes in callbacks", option, known)
    return made

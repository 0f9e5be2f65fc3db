"""Users' Keras callbacks: new ones for every fit, run as Keras runs them."""

import copy
import inspect
from functools import partial

import keras

from skfashion._training.engine import compose_model
from skfashion._utils.names import check_name

__all__ = ["RunningCallbacks", "callback_factories", "start_callbacks"]


def callback_factories(callbacks, options):
    """Return functions that make callbacks which no other fit shares.

    Parameters
    ----------
    callbacks : keras.callbacks.Callback, subclass of it, list of these, or None
        Instances are copied, classes instantiated.
    options : dict
        Arguments for the classes. ``patience`` goes to every class that takes it, ``0__patience``
        to the first callback.

    Returns
    -------
    factories : list of callable
        Each returns a new ``keras.callbacks.Callback``.

    Raises
    ------
    TypeError
        If one is not a callback.
    ValueError
        If no class takes an option.
    """
    if callbacks is None:
        callbacks = []
    elif not isinstance(callbacks, (list, tuple)):
        callbacks = [callbacks]
    factories, known = [], set()
    for position, callback in enumerate(callbacks):
        is_class = isinstance(callback, type)
        if not issubclass(callback if is_class else type(callback), keras.callbacks.Callback):
            raise TypeError(f"callbacks must be Keras callbacks, got {callback!r}.")
        if not is_class:
            factories.append(partial(copy.deepcopy, callback))
            continue
        arguments = {}
        for name, parameter in inspect.signature(callback).parameters.items():
            if parameter.kind is parameter.VAR_KEYWORD:
                continue
            for option in (name, f"{position}__{name}"):
                known.add(option)
                if option in options:
                    arguments[name] = options[option]
        factories.append(partial(callback, **arguments))
    if options and not known:
        raise ValueError(
            f"callbacks__{next(iter(options))} is for callbacks that are given as classes, and "
            "there is none."
        )
    for option in options:
        check_name("parameter of the classes in callbacks", option, known)
    return factories


class RunningCallbacks(keras.callbacks.CallbackList):
    """Callbacks as Keras runs them during one training."""

    @property
    def is_live(self):
        """bool: there are callbacks, which may change the model or stop the training."""
        return bool(self.callbacks)

    @property
    def is_stopped(self):
        """bool: one of them has asked to stop."""
        return self.is_live and self.model.stop_training


def start_callbacks(plan, engine, scaler, n_steps):
    """Return new copies of the plan's callbacks, on a live model that takes raw pixels.

    Parameters
    ----------
    plan : TrainingPlan
    engine : Engine
    scaler : PixelScaler
    n_steps : int
        Number of steps per epoch.

    Returns
    -------
    callbacks : RunningCallbacks
    """
    callbacks = [make() for make in plan.callbacks]
    if not callbacks:
        return RunningCallbacks()
    model = compose_model(engine.network, scaler)
    model.compile(optimizer=engine.optimizer, loss="categorical_crossentropy")
    model.stop_training = False
    return RunningCallbacks(
        callbacks, model=model, epochs=plan.epochs, steps=n_steps, verbose=plan.verbose
    )

"""Users' Keras callbacks: copied for every fit, run on a live model as Keras runs them."""

import inspect
from numbers import Real

import keras
import numpy as np

from skfashion._training.engine import compose_model
from skfashion._utils.callback_copies import copy_callbacks
from skfashion._utils.names import check_name
from skfashion._utils.warnings import warn

__all__ = [
    "RunningCallbacks",
    "check_callbacks",
    "detach_callbacks",
    "make_callbacks",
    "start_callbacks",
]

_SETS_LEARNING_RATE = (
    keras.callbacks.LearningRateScheduler,
    keras.callbacks.ReduceLROnPlateau,
)

_ORBAX_CHECKPOINT = getattr(keras.callbacks, "OrbaxCheckpoint", ())  # not in Keras 3.13


def make_callbacks(callbacks, options):
    """Return callbacks for one fit.

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
        If one is not a callback.
    ValueError
        If no class takes an option.
    """
    if callbacks is None:
        callbacks = []
    elif isinstance(callbacks, keras.callbacks.CallbackList):
        callbacks = callbacks.callbacks
    elif not isinstance(callbacks, (list, tuple)):
        callbacks = [callbacks]
    made, known = list(copy_callbacks(callbacks)), set()
    for position, callback in enumerate(callbacks):
        is_class = isinstance(callback, type)
        if not issubclass(callback if is_class else type(callback), keras.callbacks.Callback):
            raise TypeError(f"callbacks must be Keras callbacks, got {callback!r}.")
        if not is_class:
            continue
        arguments = {}
        for name, parameter in inspect.signature(callback).parameters.items():
            if parameter.kind is parameter.VAR_KEYWORD:
                continue
            for option in (name, f"{position}__{name}"):
                known.add(option)
                if option in options:
                    arguments[name] = options[option]
        made[position] = callback(**arguments)
    if options and not known:
        raise ValueError(
            f"callbacks__{next(iter(options))} is for callbacks that are given as classes, and "
            "there is none."
        )
    for option in options:
        check_name("parameter of the classes in callbacks", option, known)
    return made


def check_callbacks(callbacks, schedule, freeze_epochs):
    """Refuse callbacks that contradict the classifier.

    Parameters
    ----------
    callbacks : list of keras.callbacks.Callback
    schedule : str, keras.optimizers.schedules.LearningRateSchedule or None
        Schedule of the learning rate.
    freeze_epochs : int

    Raises
    ------
    ValueError
        If one does.
    """
    schedule_name = schedule if isinstance(schedule, str) else type(schedule).__name__
    for callback in callbacks:
        name = type(callback).__name__
        if isinstance(callback, _SETS_LEARNING_RATE) and schedule is not None:
            raise ValueError(
                f"callbacks={name} sets the learning rate, and so does schedule={schedule_name!r}, "
                "in every step. Set schedule=None, and learning_rate to the rate to start from."
            )
        if isinstance(callback, keras.callbacks.SwapEMAWeights):
            raise ValueError(
                f"callbacks={name} is not needed: with optimizer__use_ema=True the averaged "
                "weights are validated, given to callbacks at the end of an epoch, and kept. "
                "Remove it."
            )
        if isinstance(callback, _ORBAX_CHECKPOINT):
            raise ValueError(
                f"callbacks={name} writes checkpoints of JAX, which nothing here reads. Set "
                "checkpoint, or use keras.callbacks.ModelCheckpoint."
            )
        if isinstance(callback, keras.callbacks.BackupAndRestore) and freeze_epochs:
            raise ValueError(
                f"callbacks={name} cannot tell which of the two stages of freeze_epochs="
                f"{freeze_epochs} it backed up. Set checkpoint and resume=True instead."
            )


class _EpochRecorder(keras.callbacks.History):
    """Keeps the logs of the last epoch, with what other callbacks have added to them.

    It is ``model.history``, as in Keras.
    """

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        self.logs = logs


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

    @property
    def restored_epoch(self):
        """int or None: epoch that the training goes on with, if a callback restored one."""
        return getattr(self.model, "_initial_epoch", None) if self.is_live else None

    def end_epoch(self, epoch, logs):
        """Call ``on_epoch_end``, and return the logs with the numbers that were added to them."""
        if not self.is_live:
            return logs
        self.on_epoch_end(epoch, logs)
        recorded = {**logs, **self.callbacks[-1].logs}
        numbers = {name: _to_number(value) for name, value in recorded.items()}
        for name in [name for name, number in numbers.items() if number is None]:
            del numbers[name]
            warn(
                f"A callback added {name!r} to the logs, which history_ cannot hold: it is "
                f"of type {type(recorded[name]).__name__}, not a number."
            )
        return {**logs, **numbers}


def _to_number(value):
    """Return a float, or None if the value is no number."""
    if not isinstance(value, Real) and getattr(value, "shape", None) != ():
        return None
    try:
        return float(value)  # which knows tensors of bfloat16, as NumPy does not
    except (OverflowError, TypeError, ValueError):
        return None


def start_callbacks(callbacks, engine, scaler, **params):
    """Return callbacks on a live model that takes raw pixels.

    The model is compiled as a Keras script would: with a loss of integer labels, the positions of
    the classes among ``classes_``, and the metric "accuracy", so that callbacks know its direction.

    Parameters
    ----------
    callbacks : list of keras.callbacks.Callback
    engine : Engine
    scaler : PixelScaler
    **params
        What callbacks find in their ``params``.

    Returns
    -------
    running : RunningCallbacks
    """
    if not callbacks:
        return RunningCallbacks()
    model = compose_model(engine.network, scaler)
    model.compile(engine.optimizer, loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    # Keras builds metrics on the first batch, and looks for their direction among those built.
    model.compute_metrics(None, np.zeros(1), np.zeros((1, *model.output_shape[1:]), np.float32))
    model.reset_metrics()
    model.stop_training = False
    return RunningCallbacks([*callbacks, _EpochRecorder()], model=model, **params)


def detach_callbacks(callbacks):
    """Take the live model, whose weights another fit will change, from callbacks and theirs."""
    waiting, detached = list(callbacks), set()
    while waiting:
        callback = waiting.pop()
        if id(callback) in detached:
            continue
        detached.add(id(callback))
        keras.callbacks.Callback.set_model(callback, None)
        for value in vars(callback).values():
            items = value if isinstance(value, (list, tuple)) else [value]
            waiting += [item for item in items if isinstance(item, keras.callbacks.Callback)]

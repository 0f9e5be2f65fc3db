"""Which optimizer a classifier's parameters ask for."""

import inspect
import json
from dataclasses import dataclass
from functools import cache
from numbers import Real

import keras
import numpy as np

from skfashion._names import check_name

__all__ = ["OptimizerSpecification", "specify_optimizer"]

# The classifier's own parameters, which its training steps read.
_GIVEN_APART = ("learning_rate", "weight_decay")


@dataclass(frozen=True)
class OptimizerSpecification:
    """All that determines an optimizer but its learning rate, weight decay and state.

    Attributes
    ----------
    kind : type
        A subclass of ``keras.optimizers.Optimizer``.
    config : dict
        Arguments of its constructor.
    """

    kind: type
    config: dict

    def key(self):
        """A string, equal for equal optimizers."""
        config = json.dumps(self.config, sort_keys=True, default=str)
        return f"{self.kind.__module__}.{self.kind.__qualname__} {config}"

    def build(self):
        """A new optimizer, of whatever learning rate.

        Raises
        ------
        ValueError or TypeError
            If its constructor refuses the arguments.
        """
        config = {**self.config, "learning_rate": 1e-3}
        return self.kind.from_config(config)  # type: ignore[attr-defined]


def specify_optimizer(optimizer, options, **given_apart):
    """The optimizer that the parameters of a classifier describe.

    Parameters
    ----------
    optimizer : str, keras.optimizers.Optimizer or subclass of it
    options : dict
        Arguments for its constructor, over those of an instance.
    **given_apart
        The classifier's ``learning_rate`` and ``weight_decay``.

    Returns
    -------
    specification : OptimizerSpecification
        Equal whether the optimizer was named, or given as a class or an instance.

    Raises
    ------
    ValueError
        If the name is unknown, the optimizer has no such option, or an instance was made with
        another learning rate or weight decay than the classifier.
    TypeError
        If it is no optimizer.
    """
    kind, config = optimizer, {}
    if isinstance(optimizer, str):
        kind = _find_optimizer(optimizer)
    elif not isinstance(optimizer, type):
        kind, config = type(optimizer), optimizer.get_config()
    if not issubclass(kind, keras.optimizers.Optimizer):
        raise TypeError(f"optimizer must be a Keras optimizer, got {optimizer!r}.")
    defaults = _defaults(kind)
    for name, value in given_apart.items():
        if name in config:
            _check_agreement(optimizer, name, config[name], value, defaults.get(name))
    for option in options:
        known = defaults.keys() - set(_GIVEN_APART)
        check_name(f"parameter of optimizer {kind.__name__}", option, known)
    config = {
        name: value
        for name, value in {**config, **options}.items()
        if name not in (*_GIVEN_APART, "name") and value != defaults.get(name, inspect.Parameter)
    }
    return OptimizerSpecification(kind, config)


def _defaults(kind):
    """Default of each argument of an optimizer's constructor, its bases' included."""
    defaults: dict = {}
    for base in reversed(kind.__mro__):
        if "__init__" in vars(base):
            _, *parameters = inspect.signature(base.__init__).parameters.values()
            if not any(p.kind is p.VAR_KEYWORD for p in parameters):
                defaults = {}  # it hands nothing on
            variadic = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
            defaults.update({p.name: p.default for p in parameters if p.kind not in variadic})
    return defaults


@cache
def _find_optimizer(name):
    try:
        return type(keras.optimizers.get(name))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            "optimizer must be a Keras optimizer or the name of one, such as 'adam', 'adamw' or "
            f"'sgd', got {name!r}."
        ) from error


def _check_agreement(optimizer, name, of_instance, of_classifier, default):
    """Refuse an instance that says otherwise than the classifier, unless it says nothing."""
    if of_instance is None or of_instance == default:
        return
    if isinstance(of_instance, dict):  # a serialised keras.optimizers.schedules.*
        raise ValueError(
            f"optimizer={type(optimizer).__name__} has a learning rate schedule of its own; use "
            "the classifier's learning_rate and schedule instead."
        )
    expected = [float(value) for value in (default, of_classifier) if isinstance(value, Real)]
    if not np.isclose(of_instance, expected, rtol=1e-6).any():  # Keras rounds to single precision
        raise ValueError(
            f"optimizer={type(optimizer).__name__}({name}={of_instance:g}) and the classifier's "
            f"{name}={of_classifier:g} disagree. The classifier's is used: give it "
            f"{name}={of_instance:g}."
        )

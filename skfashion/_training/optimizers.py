"""Optimizers by name, class or instance."""

import inspect
import json
from dataclasses import dataclass
from functools import cache

import keras

from skfashion._training.muon import Muon
from skfashion._utils.names import check_name

__all__ = ["OptimizerSpecification", "specify_optimizer"]

# The classifier's own parameters, which its training steps read, and Muon's second weight decay.
_GIVEN_APART = ("learning_rate", "weight_decay", "adam_weight_decay")

_LEARNING_RATE = 5e-3
_MUON_LEARNING_RATE = 0.02


@dataclass(frozen=True)
class OptimizerSpecification:
    """Everything that determines an optimizer, except learning rate, weight decay and state.

    Attributes
    ----------
    kind : type
        A subclass of ``keras.optimizers.Optimizer``.
    config : dict
        Arguments of its constructor.
    learning_rate, weight_decay : float
        Defaults of the classifier's parameters: those of an instance, otherwise the usual ones.
    """

    kind: type
    config: dict
    learning_rate: float
    weight_decay: float

    def key(self):
        """Return a string that is equal for equal optimizers."""
        config = json.dumps(self.config, sort_keys=True, default=str)
        name = keras.saving.get_registered_name(self.kind)
        if name == self.kind.__name__:  # not registered
            name = f"{self.kind.__module__}.{self.kind.__qualname__}"
        return f"{name} {config}"

    def build(self):
        """Return a new optimizer; its learning rate is set later.

        Raises
        ------
        ValueError or TypeError
            If its constructor refuses the arguments.
        """
        config = {**self.config, "learning_rate": 1e-3}
        return self.kind.from_config(config)  # type: ignore[attr-defined]


def specify_optimizer(optimizer, options):
    """Return the optimizer that the parameters of a classifier describe.

    Parameters
    ----------
    optimizer : str, keras.optimizers.Optimizer or subclass of it
    options : dict
        Arguments for its constructor, over those of an instance.

    Returns
    -------
    specification : OptimizerSpecification
        Of equal keys whether the optimizer was named, or given as a class or an instance. Only
        "muon" is another than Keras' class of this name.

    Raises
    ------
    ValueError
        If the name is unknown, the optimizer has no such option, or an instance was made with a
        learning rate schedule.
    TypeError
        If it is not an optimizer.
    """
    kind, config = optimizer, {}
    if isinstance(optimizer, str):
        kind = _find_optimizer(optimizer)
    elif not isinstance(optimizer, type):
        kind, config = type(optimizer), optimizer.get_config()
    if not issubclass(kind, keras.optimizers.Optimizer):
        raise TypeError(f"optimizer must be a Keras optimizer, got {optimizer!r}.")
    defaults = _defaults(kind)
    learning_rate, weight_decay = config.get("learning_rate"), config.get("weight_decay")
    if isinstance(learning_rate, dict):  # a serialised keras.optimizers.schedules.*
        raise ValueError(
            f"optimizer={kind.__name__} has a learning rate schedule of its own; use the "
            "classifier's learning_rate and schedule instead."
        )
    for option in options:
        known = defaults.keys() - set(_GIVEN_APART)
        check_name(f"parameter of optimizer {kind.__name__}", option, known)
    config = {
        name: value
        for name, value in {**config, **options}.items()
        if name not in (*_GIVEN_APART, "name") and value != defaults.get(name, inspect.Parameter)
    }
    usual_rate = _MUON_LEARNING_RATE if issubclass(kind, Muon) else _LEARNING_RATE
    return OptimizerSpecification(
        kind,
        config,
        learning_rate=usual_rate if learning_rate is None else learning_rate,
        weight_decay=weight_decay or 0.0,
    )


def _defaults(kind):
    """Return the default of each argument of an optimizer's constructor and its bases'."""
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
    if name.lower() == "muon":  # Keras takes names in any case
        return Muon
    try:
        return type(keras.optimizers.get(name))
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(
            "optimizer must be a Keras optimizer or the name of one, such as 'adam', 'adamw' or "
            f"'sgd', got {name!r}."
        ) from error

"""Parameters of a classifier as JSON, and back."""

import json
from types import NoneType

import keras
import numpy as np

from skfashion._persistence.description import to_json, to_tuples
from skfashion._training.muon import Muon
from skfashion._utils.names import check_name
from skfashion.networks import list_networks
from skfashion.networks._saved_architecture import read_object, read_value
from skfashion.preprocessing import ImageAugmenter

__all__ = [
    "OBJECTS",
    "NotRebuiltError",
    "describe_architecture",
    "describe_parameters",
    "restore_parameters",
]

# Objects of Keras that are rebuilt, by parameter: the module and the classes.
# fmt: off
OBJECTS = {
    "optimizer": ("optimizers", frozenset([
        "SGD", "RMSprop", "Adam", "AdamW", "Adadelta", "Adagrad", "Adamax", "Adafactor", "Nadam",
        "Ftrl", "Lion", "Lamb", "Muon",
    ])),
    "schedule": ("optimizers.schedules", frozenset([
        "CosineDecay", "CosineDecayRestarts", "ExponentialDecay", "InverseTimeDecay",
        "PiecewiseConstantDecay", "PolynomialDecay",
    ])),
}
# fmt: on
_OUR_MUON = "skfashion>Muon"
# A file does not decide what a later fit calls, writes or reads.
_NOT_STORED = ("callbacks", "checkpoint", "resume")
# A fit asks for another file of weights then.
_LEFT_OUT = "left out by load"
# Predictions by more variants than this take too long to be meant.
_MAX_VIEWS = 1024


class NotRebuiltError(ValueError):
    """Something of the caller's own that a file cannot hold.

    Parameters
    ----------
    reason : str
        Description of what it is.
    argument : str
        Argument of ``load`` that takes it.
    """

    def __init__(self, reason, argument):
        super().__init__(reason)
        self.argument = argument


def describe_parameters(classifier):
    """Return the parameters in a form that JSON can hold.

    Raises
    ------
    ValueError
        If there is none for a parameter.
    """
    parameters = {
        name: value
        for name, value in classifier.get_params(deep=False).items()
        if name.partition("__")[0] not in _NOT_STORED
    }
    parameters["architecture"] = describe_architecture(parameters["architecture"])
    parameters["random_state"] = _describe_random_state(parameters["random_state"])
    if isinstance(parameters["class_weight"], dict):
        # JSON has no keys but strings.
        parameters["class_weight"] = list(parameters["class_weight"].items())
    if not isinstance(parameters["augmentation"], (str, NoneType)):
        parameters["augmentation"] = _describe_augmentation(parameters["augmentation"])
    for name, (_, names) in OBJECTS.items():
        if not isinstance(parameters[name], (str, NoneType)):
            parameters[name] = _describe_object(parameters[name], names)
    return {name: to_json(name, value) for name, value in parameters.items()}


def describe_architecture(architecture):
    """Return the name of an architecture, or None for a function: the file holds its network."""
    return None if callable(architecture) else architecture


def _describe_random_state(random_state):
    return random_state if isinstance(random_state, (int, np.integer)) else None


def _describe_augmentation(augmentation):
    if type(augmentation) is not ImageAugmenter:
        raise ValueError(f"A .keras file cannot hold augmentation={augmentation!r}.")
    parameters = augmentation.get_params()
    parameters["random_state"] = _describe_random_state(parameters["random_state"])
    return {name: to_json(f"augmentation__{name}", value) for name, value in parameters.items()}


def _describe_object(value, names):
    """Return Keras' description of an object, keyed by "instance" or "class"."""
    kind = value if isinstance(value, type) else type(value)
    is_listed = kind is Muon or (kind.__name__ in names and _is_of_keras(kind))
    if kind is not value:
        return {"instance": keras.saving.serialize_keras_object(value)}
    if is_listed:
        return {"class": keras.saving.serialize_keras_object(kind(learning_rate=1e-3))}
    return {"class": {"class_name": kind.__name__, "module": kind.__module__, "config": {}}}


def _is_of_keras(kind):
    return kind.__module__.startswith("keras.")


def restore_parameters(cls, parameters, saved_architecture, replacements):
    """Return an unfitted classifier with the parameters of a file.

    Parameters
    ----------
    cls : type
        The classifier's class.
    parameters : dict
        As :func:`describe_parameters` returns them.
    saved_architecture : callable
        Architecture of a classifier whose own was a function.
    replacements : dict
        Parameters of the caller's own, instead of those in the file.

    Raises
    ------
    ValueError or TypeError
        If a parameter is unknown or not one that :func:`describe_parameters` writes.
    """
    parameters = {
        name: to_tuples(read_value(key, value) if owner == "optimizer" and key else value)
        for name, value in parameters.items()
        for owner, _, key in [name.partition("__")]
        if owner not in _NOT_STORED  # version 2 has the checkpoint
    }
    if parameters["architecture"] is None:
        parameters["architecture"] = saved_architecture
    else:
        check_name("architecture", parameters["architecture"], list_networks())
        if parameters.get("architecture__weights") not in (None, "imagenet"):
            parameters["architecture__weights"] = _LEFT_OUT
    if isinstance(parameters.get("augmentation"), dict):
        parameters["augmentation"] = _restore_augmenter(parameters["augmentation"])
    if isinstance(parameters.get("class_weight"), tuple):
        parameters["class_weight"] = dict(parameters["class_weight"])
    for name in OBJECTS:
        if name in replacements:
            _check_replacement(name, parameters[name], replacements[name])
        else:
            parameters[name] = _restore_object(name, parameters[name])
    views = parameters.get("test_time_augmentation")
    if isinstance(views, int) and views > _MAX_VIEWS:
        raise ValueError(f"its test_time_augmentation is {views}, above {_MAX_VIEWS}")
    classifier = cls().set_params(**{**parameters, **replacements})
    classifier._validate_params()
    return classifier


def _restore_augmenter(parameters):
    augmenter = ImageAugmenter(**{name: to_tuples(value) for name, value in parameters.items()})
    augmenter._validate_params()
    return augmenter


def _restore_object(name, stored):
    """Return an optimizer or a schedule, if it is a name or an object of a listed class."""
    module, names = OBJECTS[name]
    if not isinstance(stored, dict):
        if name == "optimizer" and stored.lower() not in map(str.lower, names):
            reason = f"its optimizer is {stored!r:.100}, which is not rebuilt from a file"
            raise NotRebuiltError(reason, name)
        return stored
    ((form, data),) = stored.items()
    if data.get("registered_name") == _OUR_MUON:
        value = Muon(**{key: read_value(key, member) for key, member in data["config"].items()})
    else:
        try:
            value = read_object(data, name, module, names)
        except ValueError as error:
            raise NotRebuiltError(str(error), name) from None
    return type(value) if form == "class" else value


def _check_replacement(name, stored, given):
    """Refuse an object of the caller's that is not the one the classifier was saved with."""
    described = given
    if not isinstance(given, (str, NoneType)):
        described = json.loads(json.dumps(_describe_object(given, OBJECTS[name][1])))
    if _essence(described) != _essence(stored):
        raise ValueError(
            f"{name}={given!r} is not what it was saved with: that is {_essence(stored)!r:.300}. "
            f"To change it, load the file as it was saved, then call set_params({name}=...)"
        )


def _essence(described):
    """Return what must agree: the name of the class, which may have moved, and its arguments."""
    if not isinstance(described, dict):
        return described
    ((form, data),) = described.items()
    arguments = {key: value for key, value in data["config"].items() if key != "name"}
    return form, data["class_name"], arguments if form == "instance" else None

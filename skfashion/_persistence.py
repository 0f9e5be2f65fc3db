"""Fitted classifiers as ``.keras`` files, with the estimator's side as JSON inside.

Importing this module imports Keras.
"""

import copy
import io
import json
import os
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path
from types import NoneType

import keras
import numpy as np

from skfashion._images import ImageShape, PixelScaler
from skfashion._training import muon  # noqa: F401  (Keras finds it by its registration)
from skfashion._training.engine import build_model
from skfashion._training.state import TrainedState
from skfashion._utils.randomness import fixed_keras_seeds
from skfashion.errors import ModelFileError
from skfashion.networks._specification import NetworkSpecification
from skfashion.preprocessing import ImageAugmenter

__all__ = ["Checkpoint", "SavedArchitecture", "load_classifier", "save_classifier"]

_MEMBER = "skfashion.json"
_OPTIMIZER_MEMBER = "skfashion-optimizer.npz"
_FORMAT_VERSION = 2
# Files of skfashion 0.1.0 name the default optimizer by its module.
_RENAMED_OPTIMIZER = ("skfashion.training.muon.Muon", "skfashion>Muon")


class SavedArchitecture:
    """The architecture of a loaded classifier whose own was a function.

    Parameters
    ----------
    config : dict
        The network as Keras serialises it.
    options : dict
        Options that it was built with; no others are possible.
    """

    def __init__(self, config, options):
        self.config = config
        self.options = options

    def __call__(self, image_shape, n_classes, **options):
        if options != self.options:
            raise ValueError(
                "The architecture was loaded from a file, without the function that built it: its "
                "options, dropout and trainable (for freeze_epochs) among them, stay "
                f"{self.options}; got {options}."
            )
        config = copy.deepcopy(self.config)  # Keras empties what it reads
        return keras.saving.deserialize_keras_object(config, safe_mode=True)

    def __eq__(self, other):
        return isinstance(other, SavedArchitecture) and vars(self) == vars(other)

    def __repr__(self):
        return f"SavedArchitecture({self.config['config'].get('name')!r})"

    def __hash__(self):
        return hash(json.dumps(self.config, sort_keys=True))


class Checkpoint:
    """A model file that is written during the training, after its best epochs.

    Parameters
    ----------
    classifier : FashionCNNClassifier
        Has the parameters and the path, ``checkpoint``.
    """

    def __init__(self, classifier):
        self._path = _check_path(classifier.checkpoint, "checkpoint")
        # With a checkpoint, each fit of a cross-validation of the loaded model would write it.
        self._parameters = {**_storable_parameters(classifier), "checkpoint": None}
        self._model = None

    def check_goes_on(self, state):
        """Refuse to go on without validation images from a best epoch that was chosen by them.

        Raises
        ------
        ValueError
            If there is a file, and the earlier epochs have validation losses.
        """
        if np.isfinite(state.history.get("val_loss", [])).any() and self._path.exists():
            raise ValueError(
                f"checkpoint={str(self._path)!r} holds the epoch with the lowest validation "
                "loss, which this fit would not have. Give X_val and y_val, set "
                "early_stopping=True, or name another checkpoint."
            )

    def is_due(self, losses):
        """Return whether to write: the last epoch has the lowest loss, or there is no file.

        Parameters
        ----------
        losses : list of float
            One value per epoch of all fits, NaN for epochs without this loss.
        """
        *earlier, last = losses
        return last < np.nanmin([np.inf, *earlier]) or not self._path.exists()

    def write(self, state):
        """Write a state, all of it or nothing."""
        if self._model is None:  # built once for all epochs
            self._model = build_model(state)
        self._model.layers[-1].set_weights(state.weights)
        _write(self._path, self._parameters, state, self._model)


def _check_path(path, name):
    path = Path(path)
    if path.suffix != ".keras":
        raise ValueError(f"{name} must end in .keras, got {str(path)!r}.")
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"{name}={str(path)!r}: there is no folder {str(path.parent)!r} to write in."
        )
    if path.is_dir():
        raise IsADirectoryError(f"{name}={str(path)!r} is a folder.")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise type(error)(
            f"{name}={str(path)!r} cannot be written: {error.strerror or error}."
        ) from error
    return path


def save_classifier(classifier, state, path, *, target_names=None):
    """Write a fitted classifier; see :meth:`skfashion.FashionCNNClassifier.save`."""
    path = _check_path(path, "path")
    if target_names is not None:
        if len(target_names) != len(state.classes):
            raise ValueError(
                f"target_names must name {len(state.classes)} classes, got {len(target_names)}."
            )
        state = replace(state, target_names=[str(name) for name in target_names])
    _write(path, _storable_parameters(classifier), state, build_model(state))


def _write(path, parameters, state, model):
    """Write parameters and a state to a file that appears whole or not at all."""
    side = {
        "format_version": _FORMAT_VERSION,
        "parameters": parameters,
        **_describe_state(state),
    }
    side_text = json.dumps(side, indent=1)
    optimizer_state = io.BytesIO()
    np.savez(optimizer_state, *state.optimizer_state)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as directory:
        temporary = Path(directory, path.name)
        model.save(temporary)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(_MEMBER, side_text)
            archive.writestr(_OPTIMIZER_MEMBER, optimizer_state.getvalue())
        os.replace(temporary, path)


def _describe_state(state):
    """Return a state as JSON can hold it, without its weights and the optimizer's state."""
    network, scaler = state.network, state.scaler
    options = {name: _to_json(name, value) for name, value in network.options.items()}
    feature_names = [] if state.feature_names is None else state.feature_names.tolist()
    return {
        # The classifier's parameters may have changed since the fit.
        "network": {
            "architecture": _storable_architecture(network.architecture),
            "options": options,
        },
        "classes": {"dtype": state.classes.dtype.str, "values": state.classes.tolist()},
        "target_names": state.target_names,
        "image_shape": scaler.image_shape,
        "feature_names": feature_names,
        "pixel_scale": scaler.scale.tolist(),
        "pixel_offset": scaler.offset.tolist(),
        "pixel_range": scaler.pixel_range,
        "history": state.history,
        "best_epoch": state.best_epoch,
        "seed": state.seed,
        "n_features_out": state.n_features_out,
        "optimizer": state.optimizer_key,
    }


def _read_state(side, saved, weights, optimizer_state):
    """Return the state that a file describes; ``saved`` stands for a function as architecture."""
    image_shape = ImageShape(*side["image_shape"])
    classes = np.array(side["classes"]["values"], dtype=side["classes"]["dtype"])
    architecture = side["network"]["architecture"] or saved
    return TrainedState(
        network=NetworkSpecification(architecture, image_shape, len(classes), saved.options),
        weights=tuple(weights),
        n_features_out=side["n_features_out"],
        scaler=PixelScaler(
            image_shape,
            np.array(side["pixel_scale"]),
            np.array(side["pixel_offset"]),
            tuple(side["pixel_range"]),
        ),
        classes=classes,
        target_names=side["target_names"],
        feature_names=np.array(side["feature_names"], dtype=object)
        if side["feature_names"]
        else None,
        history=side["history"],
        best_epoch=side["best_epoch"],
        seed=side["seed"],
        optimizer_key=side["optimizer"].replace(*_RENAMED_OPTIMIZER),
        optimizer_state=optimizer_state,
    )


def load_classifier(cls, path):
    """Read a fitted classifier; see :meth:`skfashion.FashionCNNClassifier.load`."""
    side, optimizer_arrays = _read_members(path)
    try:
        with fixed_keras_seeds():
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
        with np.load(io.BytesIO(optimizer_arrays)) as arrays:
            optimizer_state = list(arrays.values())
        return _restore(cls, side, model.layers[-1], optimizer_state)
    except Exception as error:  # Keras raises many kinds on a file that was tampered with
        raise ModelFileError(f"{path} cannot be restored: {error}") from error


def _read_members(path):
    """Return the JSON and the optimizer's arrays, as bytes, of a model file."""
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()
            side = json.loads(archive.read(_MEMBER))
            optimizer_state = archive.read(_OPTIMIZER_MEMBER)
    except KeyError as error:
        raise ModelFileError(
            f"{path} holds no {_MEMBER} or no {_OPTIMIZER_MEMBER}: it was not written by "
            "FashionCNNClassifier.save. Open it with keras.saving.load_model instead."
        ) from error
    except ValueError as error:
        raise ModelFileError(f"{_MEMBER} in {path} is damaged: {error}.") from error
    except Exception as error:  # zipfile and zlib raise many kinds on a damaged archive
        raise ModelFileError(f"{path} is not a .keras file, or is damaged: {error}.") from error
    if damaged is not None:
        raise ModelFileError(f"{damaged} in {path} is damaged.")
    if not isinstance(side, dict) or side.get("format_version") != _FORMAT_VERSION:
        raise ModelFileError(
            f"{path} is not of format version {_FORMAT_VERSION}, the one this skfashion reads."
        )
    return side, optimizer_state


def _storable_parameters(classifier):
    """Return the parameters in a form that JSON can hold."""
    parameters = {
        name: value
        for name, value in classifier.get_params(deep=False).items()
        if name.partition("__")[0] != "callbacks"
    }
    parameters["architecture"] = _storable_architecture(parameters["architecture"])
    parameters["random_state"] = _storable_random_state(parameters["random_state"])
    if isinstance(parameters["class_weight"], dict):
        # JSON has no keys but strings.
        parameters["class_weight"] = list(parameters["class_weight"].items())
    if not isinstance(parameters["augmentation"], (str, NoneType)):
        parameters["augmentation"] = _storable_augmentation(parameters["augmentation"])
    for name in ("optimizer", "schedule"):
        if not isinstance(parameters[name], (str, NoneType)):
            parameters[name] = _serialize(name, parameters[name])
    return {name: _to_json(name, value) for name, value in parameters.items()}


def _storable_architecture(architecture):
    """Return the name of an architecture, or None for a function: the file holds its network."""
    return None if callable(architecture) else architecture


def _storable_random_state(random_state):
    return random_state if isinstance(random_state, (int, np.integer)) else None


def _storable_augmentation(augmentation):
    if type(augmentation) is not ImageAugmenter:
        raise ValueError(f"A .keras file cannot hold augmentation={augmentation!r}.")
    parameters = augmentation.get_params()
    parameters["random_state"] = _storable_random_state(parameters["random_state"])
    return {name: _to_json(f"augmentation__{name}", value) for name, value in parameters.items()}


def _to_json(name, value):
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, (list, tuple)):
        return [_to_json(name, member) for member in value]
    try:
        json.dumps(value)
    except TypeError as error:
        raise ValueError(f"A .keras file cannot hold {name}={value!r}.") from error
    return value


def _to_tuples(value):
    return tuple(map(_to_tuples, value)) if isinstance(value, list) else value


def _serialize(name, value):
    """Return Keras' configuration, keyed by "instance" or "class"."""
    if isinstance(value, type):
        return {"class": _serialize(name, value(learning_rate=1e-3))["instance"]}
    config = keras.saving.serialize_keras_object(value)
    try:
        keras.saving.deserialize_keras_object(config, safe_mode=True)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Keras cannot store {name}={value!r}; decorate its class with "
            "keras.saving.register_keras_serializable."
        ) from error
    return {"instance": config}


def _deserialize(serialized):
    ((form, config),) = serialized.items()
    value = keras.saving.deserialize_keras_object(config, safe_mode=True)
    return type(value) if form == "class" else value


def _restore(cls, side, network, optimizer_state):
    """Return the classifier that a file describes."""
    parameters = {name: _to_tuples(value) for name, value in side["parameters"].items()}
    options = {name: _to_tuples(value) for name, value in side["network"]["options"].items()}
    saved = SavedArchitecture(keras.saving.serialize_keras_object(network), options)
    if parameters["architecture"] is None:
        parameters["architecture"] = saved
    augmentation = parameters.get("augmentation")
    if isinstance(augmentation, dict):
        strengths = {name: _to_tuples(value) for name, value in augmentation.items()}
        parameters["augmentation"] = ImageAugmenter(**strengths)
    if isinstance(parameters["class_weight"], tuple):
        parameters["class_weight"] = dict(parameters["class_weight"])
    for name in ("optimizer", "schedule"):
        if isinstance(parameters[name], dict):
            parameters[name] = _deserialize(parameters[name])
    classifier = cls().set_params(**parameters)
    classifier._validate_params()
    state = _read_state(side, saved, network.get_weights(), optimizer_state)
    _check_predicts_as(network, state)
    classifier._adopt(state)
    return classifier


def _check_predicts_as(network, state):
    """Refuse a named architecture that has changed since the file was written."""
    shape = (8, *state.scaler.image_shape)
    images = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    try:
        rebuilt = build_model(state).layers[-1]
        found = keras.ops.convert_to_numpy(rebuilt(images))
        expected = keras.ops.convert_to_numpy(network(images))
        equal = np.allclose(found, expected, atol=1e-4)
    except ValueError:  # weights of other shapes
        equal = False
    if not equal:
        raise ValueError(
            f"architecture {state.network.architecture!r} of this skfashion is not the "
            "network in the file. keras.saving.load_model opens it."
        )

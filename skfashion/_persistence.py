"""Fitted classifiers as ``.keras`` files, with the estimator's side as JSON inside."""

import copy
import io
import json
import os
import tempfile
import zipfile
from pathlib import Path
from types import NoneType

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skfashion._utils.forks import check_not_forked
from skfashion.errors import ModelFileError
from skfashion.networks._specification import NetworkSpecification
from skfashion.preprocessing import ImageAugmenter

__all__ = ["SavedArchitecture", "check_savable", "load_classifier", "save_classifier"]

_MEMBER = "skfashion.json"
_OPTIMIZER_MEMBER = "skfashion-optimizer.npz"
_FORMAT_VERSION = 2


class SavedArchitecture:
    """The architecture of a loaded classifier whose own was a function.

    Parameters
    ----------
    config : dict
        The network as Keras serialises it.
    options : dict
        What it was built with; no others are possible.
    """

    def __init__(self, config, options):
        self.config = config
        self.options = options

    def __call__(self, image_shape, n_classes, **options):
        import keras

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


def check_savable(classifier, path, name):
    """Refuse what :func:`save_classifier` would refuse, while there is time to mend it.

    Parameters
    ----------
    classifier : FashionCNNClassifier
        Not necessarily fitted.
    path : str or path-like
        File to be written.
    name : str
        The parameter that gave the path.

    Raises
    ------
    ValueError
        If the file name has another ending, or a parameter cannot be stored.
    OSError
        If no file can be written there.
    """
    _check_path(path, name)
    _storable_parameters(classifier)


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


def save_classifier(classifier, path, *, target_names=None, model=None):
    """Write a fitted classifier; see :meth:`skfashion.FashionCNNClassifier.save`.

    ``model`` is the Keras model to write, if there is one of the fitted weights already.
    """
    check_is_fitted(classifier)
    path = _check_path(path, "path")
    if target_names is None:
        target_names = getattr(classifier, "target_names_", None)
    elif len(target_names) != len(classifier.classes_):
        raise ValueError(
            f"target_names must name {len(classifier.classes_)} classes, got {len(target_names)}."
        )
    classes = classifier.classes_
    side = {
        "format_version": _FORMAT_VERSION,
        "parameters": _storable_parameters(classifier),
        "network": {  # the parameters may have changed since
            "architecture": _storable_architecture(classifier._network.architecture),
            "options": {
                name: _to_json(name, value) for name, value in classifier._network.options.items()
            },
        },
        "classes": {"dtype": classes.dtype.str, "values": classes.tolist()},
        "target_names": None if target_names is None else [str(name) for name in target_names],
        "image_shape": classifier.image_shape_,
        "feature_names": getattr(classifier, "feature_names_in_", np.empty(0)).tolist(),
        "pixel_scale": classifier._pixel_scale.tolist(),
        "pixel_offset": classifier._pixel_offset.tolist(),
        "pixel_range": classifier._pixel_range,
        "history": classifier.history_,
        "best_epoch": classifier.best_epoch_,
        "seed": classifier._seed,
        "n_features_out": classifier._n_features_out,
        "optimizer": classifier._optimizer_key,
    }
    side_text = json.dumps(side, indent=1)
    optimizer_state = io.BytesIO()
    np.savez(optimizer_state, *classifier._optimizer_state)
    if model is None:
        model = classifier._compose_model()
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as directory:
        temporary = Path(directory, path.name)
        model.save(temporary)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(_MEMBER, side_text)
            archive.writestr(_OPTIMIZER_MEMBER, optimizer_state.getvalue())
        os.replace(temporary, path)


def load_classifier(cls, path):
    """Read a fitted classifier; see :meth:`skfashion.FashionCNNClassifier.load`."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No model file {str(path)!r}.")
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

    check_not_forked()
    import keras

    from skfashion._utils.randomness import fixed_keras_seeds

    try:
        with fixed_keras_seeds():
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
        network = model.layers[-1]
        classifier = _restore(cls, side, network)
        with np.load(io.BytesIO(optimizer_state)) as arrays:
            classifier._optimizer_state = list(arrays.values())
    except Exception as error:  # Keras raises many kinds on a file that was tampered with
        raise ModelFileError(f"{path} cannot be restored: {error}") from error
    return classifier


def _storable_parameters(classifier):
    """The parameters as JSON can hold them."""
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
    """None stands for a function; the file holds the network that it built."""
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
    """Keras' configuration of an object or class, under what it is that it describes."""
    import keras

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
    import keras

    import skfashion._training.muon  # noqa: F401  Keras finds it by its registration

    ((form, config),) = serialized.items()
    value = keras.saving.deserialize_keras_object(config, safe_mode=True)
    return type(value) if form == "class" else value


def _restore(cls, side, network):
    import keras

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
    classes = side["classes"]
    classifier.classes_ = np.array(classes["values"], dtype=classes["dtype"])
    classifier.image_shape_ = tuple(side["image_shape"])
    classifier.n_features_in_ = int(np.prod(classifier.image_shape_))
    if side["feature_names"]:
        classifier.feature_names_in_ = np.array(side["feature_names"], dtype=object)
    classifier.target_names_ = side["target_names"]
    classifier._pixel_scale = np.array(side["pixel_scale"])
    classifier._pixel_offset = np.array(side["pixel_offset"])
    classifier._pixel_range = tuple(side["pixel_range"])
    classifier._network = NetworkSpecification(
        side["network"]["architecture"] or saved,
        classifier.image_shape_,
        len(classifier.classes_),
        options,
    )
    classifier._model = None
    classifier.history_ = side["history"]
    classifier.best_epoch_ = side["best_epoch"]
    classifier._seed = side["seed"]
    classifier._optimizer_key = side["optimizer"]
    classifier.n_epochs_ = len(classifier.history_["loss"])
    classifier.weights_ = tuple(network.get_weights())
    classifier._n_features_out = side["n_features_out"]
    _check_predicts_as(network, classifier)
    return classifier


def _check_predicts_as(network, classifier):
    """A named architecture is built anew, and may not be what it was when the file was written."""
    import keras

    images = np.random.default_rng(0).normal(size=(8, *classifier.image_shape_)).astype(np.float32)
    try:
        rebuilt = classifier._compose_model().layers[-1]
        found = keras.ops.convert_to_numpy(rebuilt(images))
        expected = keras.ops.convert_to_numpy(network(images))
        equal = np.allclose(found, expected, atol=1e-4)
    except ValueError:  # weights of other shapes
        equal = False
    if not equal:
        raise ValueError(
            f"architecture {classifier._network.architecture!r} of this skfashion is not the "
            "network in the file. keras.saving.load_model opens it."
        )

"""Fitted classifiers as ``.keras`` files, with the estimator's side as JSON inside."""

import copy
import json
import os
import tempfile
import zipfile
from pathlib import Path

import numpy as np
from sklearn.utils.validation import check_is_fitted

from skfashion.errors import ModelFileError

__all__ = ["SavedArchitecture", "load_classifier", "save_classifier"]

_MEMBER = "skfashion.json"
_FORMAT_VERSION = 1


class SavedArchitecture:
    """The architecture of a loaded classifier whose own was a function.

    Parameters
    ----------
    config : dict
        The network as Keras serialises it.
    """

    def __init__(self, config):
        self.config = config

    def __call__(self, image_shape, n_classes, **options):
        # The options are part of what was saved.
        import keras

        config = copy.deepcopy(self.config)  # Keras empties what it reads
        return keras.saving.deserialize_keras_object(config, safe_mode=True)

    def __eq__(self, other):
        return isinstance(other, SavedArchitecture) and self.config == other.config

    def __hash__(self):
        return hash(json.dumps(self.config, sort_keys=True))


def save_classifier(classifier, path, *, target_names=None):
    """Write a fitted classifier; see :meth:`skfashion.FashionCNNClassifier.save`."""
    path = Path(path)
    if path.suffix != ".keras":
        raise ValueError(f"path must end in .keras, got {str(path)!r}.")
    check_is_fitted(classifier)
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
        "classes": {"dtype": classes.dtype.str, "values": classes.tolist()},
        "target_names": None if target_names is None else [str(name) for name in target_names],
        "image_shape": classifier.image_shape_,
        "feature_names": getattr(classifier, "feature_names_in_", np.empty(0)).tolist(),
        "pixel_scale": classifier._pixel_scale.tolist(),
        "pixel_offset": classifier._pixel_offset.tolist(),
        "pixel_range": classifier._pixel_range,
        "history": classifier.history_,
        "best_epoch": classifier.best_epoch_,
    }
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as directory:
        temporary = Path(directory, path.name)
        classifier._compose_model().save(temporary)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(_MEMBER, json.dumps(side, indent=1))
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
    except KeyError as error:
        raise ModelFileError(
            f"{path} holds no {_MEMBER}: it was not written by FashionCNNClassifier.save. Open it "
            "with keras.saving.load_model instead."
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

    import keras

    from skfashion.training.randomness import fixed_keras_seeds

    try:
        with fixed_keras_seeds():
            model = keras.saving.load_model(path, compile=False, safe_mode=True)
        network = model.layers[-1]
        classifier = _restore(cls, side, network)
    except Exception as error:  # Keras raises many kinds on a file that was tampered with
        raise ModelFileError(f"{path} cannot be restored: {error}") from error
    return classifier


def _storable_parameters(classifier):
    parameters = classifier.get_params(deep=False)
    if callable(parameters["architecture"]):
        parameters["architecture"] = None
    if parameters["random_state"] is not None:
        is_int = isinstance(parameters["random_state"], (int, np.integer))
        parameters["random_state"] = int(parameters["random_state"]) if is_int else None
    if parameters["image_shape"] is not None:
        parameters["image_shape"] = [int(size) for size in parameters["image_shape"]]
    if isinstance(parameters["class_weight"], dict):
        # JSON has no keys but strings.
        parameters["class_weight"] = [
            [getattr(label, "item", lambda label=label: label)(), float(weight)]
            for label, weight in parameters["class_weight"].items()
        ]
    del parameters["callbacks"]
    return {
        name: value.item() if isinstance(value, np.generic) else value
        for name, value in parameters.items()
    }


def _restore(cls, side, network):
    import keras

    parameters = dict(side["parameters"])
    if parameters["architecture"] is None:
        parameters["architecture"] = SavedArchitecture(keras.saving.serialize_keras_object(network))
    if isinstance(parameters["class_weight"], list):
        parameters["class_weight"] = dict(parameters["class_weight"])
    if parameters["image_shape"] is not None:
        parameters["image_shape"] = tuple(parameters["image_shape"])
    classifier = cls(**parameters)
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
    classifier._network = classifier._specify_network()
    classifier._model = None
    classifier.history_ = side["history"]
    classifier.best_epoch_ = side["best_epoch"]
    classifier.n_epochs_ = len(classifier.history_["loss"])
    classifier.weights_ = network.get_weights()
    for weight in classifier.weights_:
        weight.setflags(write=False)
    classifier._compose_model()  # raises if the weights are not the architecture's
    return classifier

"""Writing and reading of model files."""

import io
import math
import os
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from skfashion import __version__
from skfashion._persistence.archive import (
    CHECKSUM,
    open_archive,
    read_all,
    read_json,
    write_archive,
)
from skfashion._persistence.description import describe, read_description, to_tuples
from skfashion._persistence.stored_arrays import locate_weights, read_array, read_hdf5, read_npz
from skfashion._persistence.stored_parameters import (
    describe_architecture,
    describe_parameters,
    restore_parameters,
)
from skfashion._training.engine import build_model, compose_model
from skfashion._utils.randomness import fixed_keras_seeds
from skfashion._utils.warnings import warn
from skfashion.errors import ModelFileError
from skfashion.networks._saved_architecture import SavedArchitecture, check_classes

__all__ = ["ModelFile", "check_path", "load_classifier", "save_classifier"]

_DESCRIPTION = "skfashion.json"
_OPTIMIZER = "skfashion-optimizer.npz"
# What Keras writes, and reads.
_CONFIG, _WEIGHTS, _METADATA = "config.json", "model.weights.h5", "metadata.json"
_MEMBERS = {_METADATA, _CONFIG, _WEIGHTS, _DESCRIPTION, _OPTIMIZER}
# An archive of a later format version may have more members.
_MAX_MEMBERS = 32
# What HDF5 and NumPy's archives need besides numbers: less than this for each array, and for each
# layer less than this many times its part of config.json.
_OVERHEAD, _OVERHEAD_OF_LAYERS = 2**14, 2**3
# Options of named architectures: the convolutions of each stage if the file does not show how many
# weights there are, and all others, such as the size that images are brought to.
_LARGEST_DEPTH, _LARGEST_OPTION = 2**6, 2**14
# Optimizers have up to five values for each weight.
_MAX_OPTIMIZER_VALUES = 8


def check_path(path, name):
    """Return a path, if a model file can be written there."""
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


def save_classifier(classifier, state, path, *, target_names=None, allow_custom_objects=False):
    """Write a fitted classifier; see :meth:`skfashion.FashionCNNClassifier.save`."""
    path = check_path(path, "path")
    if target_names is not None:
        if len(target_names) != len(state.classes):
            raise ValueError(
                f"target_names must name {len(state.classes)} classes, got {len(target_names)}."
            )
        state = replace(state, target_names=[str(name) for name in target_names])
    ModelFile(classifier, allow_custom_objects).write(path, state)


class ModelFile:
    """Writes states of a classifier to files that appear whole or not at all.

    Parameters
    ----------
    classifier : FashionCNNClassifier
        Has the parameters.
    allow_custom_objects : bool
        Whether a network, an optimizer and a schedule are stored that :func:`load_classifier` needs
        to be given.
    """

    def __init__(self, classifier, allow_custom_objects):
        self._class = type(classifier)
        self._parameters = describe_parameters(classifier)
        names = ("architecture", "optimizer", "schedule")
        self._own = {name: getattr(classifier, name) for name in names}
        self._allow_custom_objects = allow_custom_objects
        self._model: Any = None

    def write(self, path, state):
        """Write a state; read the first file before it takes the place of an older one.

        Raises
        ------
        ValueError
            If :func:`load_classifier` would refuse the file, or the architecture is not the
            function that built the network.
        """
        architecture = self._own["architecture"]
        if callable(architecture) and architecture != state.network.architecture:
            raise ValueError(
                f"The classifier cannot be saved: architecture={architecture!r} was set after the "
                "fit, and only the network of the fit can be stored. Call fit first."
            )
        is_first = self._model is None
        if is_first:  # built once for all states
            self._model = build_model(state)
        self._model.layers[-1].set_weights(state.weights)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}-") as directory:
            contents = self._describe(state, directory)
            temporary = Path(directory, path.name)
            with open(temporary, "wb") as file:
                write_archive(file, contents)
            if is_first:
                self._check(temporary, state)
            os.replace(temporary, path)

    def _describe(self, state, directory):
        """Return the members of the archive by name."""
        contents = _write_with_keras(self._model, directory)
        optimizer_state = io.BytesIO()
        np.savez(optimizer_state, *state.optimizer_state)
        contents[_OPTIMIZER] = optimizer_state.getvalue()
        contents[_DESCRIPTION] = describe(
            state,
            self._parameters,
            describe_architecture(state.network.architecture),
            locate_weights(contents[_WEIGHTS], state.weights),
            __version__,
        )
        return contents

    def _check(self, path, state):
        """Raise ValueError if :func:`load_classifier` would refuse the file."""
        given = {}
        if self._allow_custom_objects:
            given = {**self._own, "architecture": state.network.architecture}
        try:
            with open(path, "rb") as file:
                _Reader(self._class, given).read(file)
        except Exception as error:
            raise ValueError(f"The classifier cannot be saved: {_sentence(error)}") from None


def _write_with_keras(model, directory):
    """Return the members of the archive that Keras writes; it wants a path."""
    path = Path(directory, "keras.keras")
    model.save(path)
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    path.unlink()
    return contents


def load_classifier(cls, path, given):
    """Read a fitted classifier; see :meth:`skfashion.FashionCNNClassifier.load`."""
    reader = _Reader(cls, given)
    with open(path, "rb") as file:
        try:
            classifier = reader.read(file)
        except Exception as error:  # Keras, h5py and zipfile raise many kinds on a hostile file
            cause = error if "architecture" in given else None  # it may be the caller's own
            raise ModelFileError(f"{path} cannot be loaded: {_sentence(error)}") from cause
    if reader.weights_file is not None:
        warn(
            f"The classifier was fitted with architecture__weights={reader.weights_file!r}, a file "
            "that load does not take over. Before another fit, set architecture__weights."
        )
    return classifier


def _sentence(error):
    """Return an error's message as one sentence."""
    message = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
    lines = message.strip().splitlines() or [type(error).__name__]
    return lines[0][:500].rstrip(".") + "."


class _Reader:
    """Reads a file that is not trusted.

    Parameters
    ----------
    cls : type
        The classifier's class.
    given : dict
        Parameters of the caller's own, instead of those in the file.

    Attributes
    ----------
    weights_file : str or None
        Path to initial weights that the classifier had, and has no longer.
    """

    def __init__(self, cls, given):
        self._class, self._given = cls, given
        self.weights_file = None

    def read(self, file):
        """Return the fitted classifier.

        Nothing is allocated for what the file declares before it was compared with the file's size,
        and with the network that its architecture builds.
        """
        with open_archive(file, _MAX_MEMBERS) as archive:
            if not {_DESCRIPTION, _OPTIMIZER} <= set(archive.namelist()):
                raise ValueError(
                    "it was not written by FashionCNNClassifier.save. Open it with "
                    "keras.saving.load_model instead"
                )
            fields = read_json(archive, _DESCRIPTION)
            description = read_description(fields, _DESCRIPTION, __version__)
            _check_members(archive, description)
            config = read_json(archive, _CONFIG)
            saved = _read_saved_architecture(config, description)
            parameters = dict(description.parameters)
            if parameters.get("architecture__weights") not in (None, "imagenet"):
                self.weights_file = parameters.pop("architecture__weights")
            classifier = restore_parameters(self._class, parameters, saved, self._given)
            architecture = self._given.get("architecture", description.network.architecture)
            network = description.specify_network(architecture or saved)
            _check_options(network, description)
            shapes = _infer_shapes(network)
            if "architecture" not in self._given:
                check_classes(config)
            _check_shapes(shapes, archive, description)
            contents = read_all(archive, has_checksum=description.format_version >= 3)
        optimizer_state = read_npz(contents[_OPTIMIZER])
        content = contents[_WEIGHTS]
        if description.weights is not None:
            weights = [read_array(content, a.dtype, a.shape, a.offset) for a in description.weights]
        else:
            weights = _arrange(read_hdf5(content), network, description.scaler, shapes)
        classifier._adopt(description.to_state(network, tuple(weights), optimizer_state))
        return classifier


def _read_saved_architecture(config, description):
    """Return the network of the file as an architecture; nothing is built yet."""
    pixels, standardize, _ = (part["config"] for part in config["config"]["layers"])
    for name, value, other in (
        ("image_shape", list(description.image_shape), pixels["batch_shape"][1:]),
        ("pixel_scale", list(description.pixel_scale), standardize["scale"]),
        ("pixel_offset", list(description.pixel_offset), standardize["offset"]),
    ):
        if value != other:
            raise ValueError(f"its {name} is {value!r:.100}, but in {_CONFIG} {other!r:.100}")
    options = {name: to_tuples(value) for name, value in description.network.options.items()}
    return SavedArchitecture(config["config"]["layers"][2], options)


def _infer_shapes(network):
    """Return the network's shapes; say what to do if it cannot be rebuilt from the file."""
    try:
        return network.infer_shapes()
    except Exception as error:
        if not isinstance(network.architecture, SavedArchitecture):
            raise
        raise ValueError(
            f"{_sentence(error)[:-1]}; load(path, architecture=...) takes the function that built "
            "the network, and reads the weights alone"
        ) from None


def _check_members(archive, description):
    """Raise ValueError if an archive has other members than ``save`` writes."""
    expected = set(_MEMBERS)
    if description.format_version >= 3:
        expected.add(CHECKSUM)
    others = expected ^ set(archive.namelist())
    if others:
        raise ValueError(f"its members are not those of a model file: {sorted(others)!r:.100}")


def _check_options(network, description):
    """Raise ValueError if the options of a named architecture would take long to build.

    Networks take no memory before their weights are compared with the file's.
    """
    if not isinstance(network.architecture, str):
        return
    depth = _LARGEST_DEPTH if description.weights is None else len(description.weights)
    limits = {"depth": depth}
    for name, value in network.options.items():
        if isinstance(value, int) and value > limits.get(name, _LARGEST_OPTION):
            raise ValueError(f"option {name}={value} of its architecture is too large")


def _check_shapes(shapes, archive, description):
    """Raise ValueError unless the file can hold the weights of such a network, and no more."""
    if shapes.input_shape[1:] != description.image_shape:
        raise ValueError(
            f"its network takes {shapes.input_shape[1:]}, not images of {description.image_shape}"
        )
    if shapes.output_shape != (None, len(description.classes.values)):
        raise ValueError(f"its network gives {shapes.output_shape}, not a value for each class")
    if description.weights is not None:
        stored = [(array.shape, np.dtype(array.dtype).name) for array in description.weights]
        if stored != shapes.weights:
            raise ValueError(_describe_difference(stored, shapes.weights))
    if shapes.n_features_out != description.n_features_out:
        raise ValueError(f"its network has {shapes.n_features_out} features")
    n_values = sum(math.prod(shape) for shape, _ in shapes.weights)
    sizes = {member.filename: member.file_size for member in archive.infolist()}
    n_bytes = 8 * n_values + _OVERHEAD * (len(shapes.weights) + 64)
    n_bytes += _OVERHEAD_OF_LAYERS * sizes[_CONFIG]
    limits = {_WEIGHTS: n_bytes, _OPTIMIZER: _MAX_OPTIMIZER_VALUES * n_bytes, _METADATA: _OVERHEAD}
    for name, limit in limits.items():
        if sizes[name] > limit:
            raise ValueError(f"its member {name!r} is too large for its network")


def _describe_difference(stored, built):
    """Return how the weights of a file differ from those of a network."""
    if len(stored) != len(built):
        return f"it has {len(stored)} weights, and its network {len(built)}"
    i = next(i for i, pair in enumerate(zip(stored, built, strict=True)) if pair[0] != pair[1])
    return f"its weight {i} is {stored[i]!r:.100}, and that of its network {built[i]}"


def _arrange(stored, network, scaler, shapes):
    """Return the weights of a file of version 2, which does not say which is which, in order.

    Keras tells: it writes the same network with the number of each weight as its values.
    """
    with fixed_keras_seeds():
        built = network.build()
    built.set_weights([np.full(shape, i + 1) for i, (shape, _) in enumerate(shapes.weights)])
    with tempfile.TemporaryDirectory() as directory:
        contents = _write_with_keras(compose_model(built, scaler), directory)
    numbered = read_hdf5(contents[_WEIGHTS])
    weights = []
    for i, (shape, dtype) in enumerate(shapes.weights):
        path = next(p for p, a in numbered.items() if a.shape == shape and (a == i + 1).all())
        weight = stored.get(path)
        if weight is None or (weight.shape, weight.dtype.name) != (shape, dtype):
            raise ValueError(f"it lacks {path!r}, or has it in another shape")
        weights.append(weight)
    return weights

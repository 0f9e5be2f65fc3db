"""Writing and reading of model files."""

import io
import math
import os
import tempfile
import uuid
import zipfile
from collections import Counter
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
from skfashion._persistence.description import describe, read_description
from skfashion._persistence.stored_arrays import (
    locate_weights,
    open_hdf5,
    read_array,
    read_hdf5,
    read_npz,
)
from skfashion._persistence.stored_parameters import (
    NotRebuiltError,
    describe_architecture,
    describe_parameters,
    restore_parameters,
)
from skfashion._training.engine import compose_model
from skfashion._utils.names import make_visible
from skfashion._utils.randomness import fixed_keras_seeds
from skfashion.errors import ModelFileError
from skfashion.networks._saved_architecture import SavedArchitecture, check_classes

__all__ = [
    "MAX_MEMBERS",
    "TRAINING_MEMBERS",
    "ModelFileReader",
    "ModelFileWriter",
    "check_path",
    "load_classifier",
    "save_classifier",
    "sentence",
]

_DESCRIPTION = "skfashion.json"
_OPTIMIZER = "skfashion-optimizer.npz"
# What Keras writes, and reads.
_CONFIG, _WEIGHTS, _METADATA = "config.json", "model.weights.h5", "metadata.json"
_MEMBERS = {_METADATA, _CONFIG, _WEIGHTS, _DESCRIPTION, _OPTIMIZER}
# What a checkpoint holds besides: the training it is of, which `load` leaves alone.
TRAINING_MEMBERS = ("skfashion-training.json", "skfashion-training.npz")
# An archive of a later format version may have more members.
MAX_MEMBERS = 32
# Upper bounds for what HDF5 and npz files need besides the numbers: bytes per array, and bytes per
# byte of config.json.
_OVERHEAD, _OVERHEAD_OF_LAYERS = 2**14, 2**3
# Limits for integer options of registered architectures.
_LARGEST_OPTIONS = {"depth": 2**6, "size": 2**10, "width": 2**14}
# Optimizers keep up to five values per weight; 8 leaves room.
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
    # Others may save to the same path at the same time.
    temporary = path.with_name(f".{path.stem}.{uuid.uuid4().hex[:8]}.partial.keras")
    writer = ModelFileWriter(classifier, allow_custom_objects, temporary)
    writer.write(path, writer.describe(state))


class ModelFileWriter:
    """Writes states of a classifier to files that appear whole or not at all.

    Parameters
    ----------
    classifier : FashionCNNClassifier
        Has the parameters.
    allow_custom_objects : bool
        Whether a network, an optimizer and a schedule are stored that :func:`load_classifier` needs
        to be given.
    temporary : pathlib.Path
        File that is written first. It ends in ``.keras``, and is in the folder of the final one.
    """

    def __init__(self, classifier, allow_custom_objects, temporary):
        self._class = type(classifier)
        self._parameters = describe_parameters(classifier)
        names = ("architecture", "optimizer", "schedule")
        self._custom_objects = {name: getattr(classifier, name) for name in names}
        self._allow_custom_objects = allow_custom_objects
        self._temporary = temporary
        self._layout: Any = None

    def describe(self, state):
        """Return the members of a file that holds a state, by name.

        Raises
        ------
        ValueError
            If :func:`load_classifier` would refuse the file, or the architecture is not the
            function that built the network.
        """
        architecture = self._custom_objects["architecture"]
        if callable(architecture) and architecture != state.network.architecture:
            raise ValueError(
                f"The classifier cannot be saved: architecture={architecture!r} was set after the "
                "fit, and only the network of the fit can be stored. Call fit first."
            )
        is_first = self._layout is None
        if is_first or not self._layout.can_be_filled_again:
            self._layout = _KerasLayout(state, self._temporary)
        optimizer_state = io.BytesIO()
        np.savez(optimizer_state, *state.optimizer_state)
        members = {
            **self._layout.fill(state.weights),
            _OPTIMIZER: optimizer_state.getvalue(),
            _DESCRIPTION: describe(
                state,
                self._parameters,
                describe_architecture(state.network.architecture),
                self._layout.places,
                __version__,
            ),
        }
        if is_first:
            self._check(members, state)
        return members

    def write(self, path, members):
        """Write a file of these members."""
        try:
            with open(self._temporary, "wb") as file:
                write_archive(file, members)
                file.flush()
                os.fsync(file.fileno())
            os.replace(self._temporary, path)
        except BaseException:
            self._temporary.unlink(missing_ok=True)
            raise

    def _check(self, members, state):
        """Raise ValueError if :func:`load_classifier` would refuse a file of these members."""
        given = {}
        if self._allow_custom_objects:
            given = {**self._custom_objects, "architecture": state.network.architecture}
        file = io.BytesIO()
        write_archive(file, members)
        try:
            ModelFileReader(self._class, given).read(file)
        except NotRebuiltError as error:
            raise ValueError(
                f"The classifier cannot be saved: {sentence(error)} To save it all the same, call "
                "save with allow_custom_objects=True; it is loaded with "
                f"load(path, {error.argument}=...)."
            ) from None
        except Exception as error:
            raise ValueError(f"The classifier cannot be saved: {sentence(error)}") from None


class _KerasLayout:
    """Members that Keras writes of a network, in which its weights can be replaced.

    Parameters
    ----------
    state : TrainedState
        Has the network.
    path : pathlib.Path
        File that Keras may write meanwhile.

    Attributes
    ----------
    places : list of dict
        Types, shapes and offsets of the weights.
    can_be_filled_again : bool
        Whether the places are those of other weights too.
    """

    def __init__(self, state, path):
        with fixed_keras_seeds():
            network = state.network.build()
        # Each weight has other values, by which it is found. Small types have too few of them: such
        # weights are found by their own values, which several may have in common.
        can_be_numbered = [weight.dtype.itemsize >= 4 for weight in state.weights]
        numbered = [
            np.full(weight.shape, i + 1, weight.dtype) if can_be else weight
            for i, (weight, can_be) in enumerate(zip(state.weights, can_be_numbered, strict=True))
        ]
        self.can_be_filled_again = all(can_be_numbered)
        # A function may share layers with the network that is being trained.
        weights = network.get_weights()
        try:
            network.set_weights(numbered)
            self._members = _write_with_keras(compose_model(network, state.scaler), path)
        finally:
            network.set_weights(weights)
        self.places = locate_weights(self._members[_WEIGHTS], numbered)

    def fill(self, weights):
        """Return the members with these weights."""
        content = bytearray(self._members[_WEIGHTS])
        for place, weight in zip(self.places, weights, strict=True):
            content[place["offset"] : place["offset"] + weight.nbytes] = weight.tobytes()
        return {**self._members, _WEIGHTS: bytes(content)}


def _write_with_keras(model, path):
    """Return the members of the archive that Keras writes; it wants a path."""
    try:
        model.save(path)
        with zipfile.ZipFile(path) as archive:
            return {name: archive.read(name) for name in archive.namelist()}
    finally:
        path.unlink(missing_ok=True)


def load_classifier(cls, path, given):
    """Read a fitted classifier; see :meth:`skfashion.FashionCNNClassifier.load`."""
    if not callable(given.get("architecture", callable)):
        raise TypeError(f"architecture must be a function, got {given['architecture']!r}.")
    cls().set_params(**given)._validate_params()
    with open(path, "rb") as file:
        try:
            return ModelFileReader(cls, given).read(file)
        except Exception as error:  # Keras and zipfile raise many kinds on a hostile file
            reason = sentence(error)
            if isinstance(error, NotRebuiltError):
                reason = f"{reason[:-1]}; load(path, {error.argument}=...) takes it from you."
            cause = error if given else None  # it may be the caller's own
            raise ModelFileError(f"{path} cannot be loaded: {reason}") from cause


def sentence(error):
    """Return an error's message as one sentence that is safe to show."""
    message = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
    line = (message.strip().splitlines() or [type(error).__name__])[0]
    return make_visible(line[:500].rstrip(".")) + "."


class ModelFileReader:
    """Reads a file that is not trusted.

    Parameters
    ----------
    cls : type
        The classifier's class.
    given : dict
        Parameters of the caller's own, instead of those in the file.
    """

    def __init__(self, cls, given):
        self._class, self._given = cls, given

    def read(self, file):
        """Return the fitted classifier.

        Nothing is allocated for what the file declares before it was compared with the file's size,
        and with the network that its architecture builds.
        """
        with open_archive(file, ".keras file", MAX_MEMBERS) as archive:
            description, config, saved = self._read_description(archive)
            classifier = restore_parameters(self._class, description.parameters, saved, self._given)
            state, _ = self._read_state(archive, description, config, saved)
        classifier._adopt(state)
        return classifier

    def read_state(self, file):
        """Return the state of the classifier, without its parameters, and all members by name."""
        with open_archive(file, ".keras file", MAX_MEMBERS) as archive:
            return self._read_state(archive, *self._read_description(archive))

    def _read_description(self, archive):
        """Return what the file says of itself, Keras' description, and the network in that."""
        if not {_DESCRIPTION, _OPTIMIZER} <= set(archive.namelist()):
            raise ValueError(
                "it was not written by FashionCNNClassifier.save. If you trust who wrote it, "
                "keras.saving.load_model may open it"
            )
        fields = read_json(archive, _DESCRIPTION)
        description = read_description(fields, _DESCRIPTION, __version__)
        _check_members(archive, description)
        config = read_json(archive, _CONFIG)
        return description, config, _read_saved_architecture(config, description)

    def _read_state(self, archive, description, config, saved):
        architecture = self._given.get("architecture", description.network.architecture)
        network = description.specify_network(architecture or saved)
        _check_options(network)
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
        return description.to_state(network, tuple(weights), optimizer_state), contents


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
    return SavedArchitecture(config["config"]["layers"][2], description.options)


def _infer_shapes(network):
    """Return the network's shapes; say what to do if it cannot be rebuilt from the file."""
    try:
        return network.infer_shapes()
    except Exception as error:
        if not isinstance(network.architecture, SavedArchitecture):
            raise
        raise NotRebuiltError(sentence(error), "architecture") from None


def _check_members(archive, description):
    """Raise ValueError if an archive has other members than ``save`` writes."""
    expected, found = set(_MEMBERS), set(archive.namelist())
    if description.format_version >= 3:
        expected.add(CHECKSUM)
        expected.update(found.intersection(TRAINING_MEMBERS))
    for problem, names in (("lacks", expected - found), ("has also", found - expected)):
        if names:
            raise ValueError(f"it {problem} {', '.join(sorted(names))!r:.100}")


def _check_options(network):
    """Raise ValueError if the options of a named architecture would take long to build.

    Networks take no memory before their weights are compared with the file's.
    """
    if not isinstance(network.architecture, str):
        return
    for name, value in network.options.items():
        if isinstance(value, int) and value > _LARGEST_OPTIONS.get(name, 1):
            raise ValueError(f"option {name}={value} of its architecture is too large")


def _check_shapes(shapes, archive, description):
    """Raise ValueError unless the file can hold the weights of such a network, and no more."""
    if shapes.input_shape[1:] != description.image_shape:
        raise ValueError(
            f"the network takes {shapes.input_shape[1:]}, not images of {description.image_shape}"
        )
    if shapes.output_shape != (None, len(description.classes.values)):
        raise ValueError(f"the network gives {shapes.output_shape}, not a value for each class")
    arrays = description.weights
    if arrays is not None:
        stored = [(array.shape, np.dtype(array.dtype).name) for array in arrays]
        if stored != shapes.weights:
            raise ValueError(_describe_difference(stored, shapes.weights))
        n_bytes = sum(math.prod(array.shape) * np.dtype(array.dtype).itemsize for array in arrays)
        if n_bytes > archive.getinfo(_WEIGHTS).file_size:  # some have the same place
            raise ValueError("its weights are larger than the file")
    if shapes.n_features_out != description.n_features_out:
        raise ValueError(
            f"the network has {shapes.n_features_out} features, not {description.n_features_out}"
        )
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
        return f"it has {len(stored)} weights, but the network has {len(built)}"
    i = next(i for i, pair in enumerate(zip(stored, built, strict=True)) if pair[0] != pair[1])
    return f"its weight {i} is {stored[i]!r:.100}, but that of the network is {built[i]}"


def _arrange(stored, network, scaler, shapes):
    """Return the weights of a file of version 2, which does not say which is which, in order.

    Keras tells: it writes the same network with the number of each weight as its values.
    """
    found = Counter((array.shape, array.dtype.name) for array in stored.values())
    if Counter(shapes.weights) - found:  # before memory is taken
        raise ValueError("its weights are not those of its network")
    with fixed_keras_seeds():
        model = compose_model(network.create(), scaler)
    model.set_weights([np.full(shape, i + 1) for i, (shape, _) in enumerate(shapes.weights)])
    with tempfile.TemporaryDirectory() as directory:
        contents = _write_with_keras(model, Path(directory, "numbered.keras"))
    paths = {
        (array.flat[0], array.shape): path
        for path, (array, _) in open_hdf5(contents[_WEIGHTS]).items()
        if array.size
    }
    arrays = [stored.get(paths[i + 1, shape]) for i, (shape, _) in enumerate(shapes.weights)]
    for array, shape in zip(arrays, shapes.weights, strict=True):
        if array is None or (array.shape, array.dtype.name) != shape:
            raise ValueError("its weights are not where Keras writes those of its network")
    return arrays

"""The JSON of a model file: its fields, and the checks of what they say.

``docs/model_files.rst`` describes the fields to users.
"""

import json
import math
import os
from typing import Annotated, Any

import msgspec
import numpy as np

from skfashion._images import ImageShape, PixelScaler
from skfashion._training.state import TrainedState
from skfashion.networks._shapes import MAX_VALUES
from skfashion.networks._specification import NetworkSpecification

__all__ = ["Description", "describe", "read_description", "to_json", "to_tuples"]

FORMAT_VERSION = 3
_OLDEST_VERSION = 2
# Files of skfashion 0.1.0 name the default optimizer by its module.
_RENAMED_OPTIMIZER = ("skfashion.training.muon.Muon", "skfashion>Muon")
_MAX_CLASSES_BYTES = 2**26
# Networks of Keras' applications have up to 2,000.
_MAX_WEIGHTS = 10_000
# Python finds whole numbers from here on in dictionaries as slowly as a file wants.
_FIRST_SLOW_KEY = 2**60

_Count = Annotated[int, msgspec.Meta(ge=1, le=2**31)]
_Numbers = tuple[float, ...]


class _Classes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    dtype: Annotated[str, msgspec.Meta(pattern=r"^[<>|]?([biuf][1248]|O|U[1-9]\d{0,5})$")]
    values: list[str | int | float | bool]


class _Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    architecture: str | None
    options: dict[str, Any]
    version: _Count | None = None


class _StoredArray(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the numbers of a weight are in the HDF5 file: type, shape and offset in bytes."""

    dtype: Annotated[str, msgspec.Meta(pattern=r"^[<|][biuf][1248]$")]
    shape: Annotated[tuple[_Count, ...], msgspec.Meta(max_length=8)]
    offset: Annotated[int, msgspec.Meta(ge=0)]


class Description(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fields of ``skfashion.json``."""

    format_version: int
    parameters: dict[str, Any]
    network: _Network
    classes: _Classes
    target_names: list[str] | None
    image_shape: tuple[_Count, _Count, _Count]
    feature_names: list[str]
    pixel_scale: _Numbers
    pixel_offset: _Numbers
    pixel_range: tuple[float, float]
    history: dict[str, list[float]]
    best_epoch: _Count
    seed: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
    n_features_out: _Count
    optimizer: str
    # Since format version 3.
    skfashion_version: str = "0.1.0"
    weights: Annotated[list[_StoredArray], msgspec.Meta(max_length=_MAX_WEIGHTS)] | None = None

    @property
    def scaler(self):
        """Standardisation of the images."""
        scale, offset = np.array(self.pixel_scale), np.array(self.pixel_offset)
        return PixelScaler(ImageShape(*self.image_shape), scale, offset, self.pixel_range)

    @property
    def options(self):
        """Options of the network."""
        return {name: to_tuples(value) for name, value in self.network.options.items()}

    def to_state(self, network, weights, optimizer_state):
        """Return the trained state that the file holds."""
        return TrainedState(
            network=network,
            weights=weights,
            n_features_out=self.n_features_out,
            scaler=self.scaler,
            classes=_read_classes(self.classes),
            target_names=self.target_names,
            feature_names=np.array(self.feature_names, object) if self.feature_names else None,
            history=self.history,
            best_epoch=self.best_epoch,
            seed=self.seed,
            optimizer_key=self.optimizer.replace(*_RENAMED_OPTIMIZER),
            optimizer_state=optimizer_state,
        )

    def specify_network(self, architecture):
        """Return the network, by an architecture's name or function."""
        version = (self.network.version or 1) if isinstance(architecture, str) else None
        n_classes = len(self.classes.values)
        return NetworkSpecification(
            architecture, ImageShape(*self.image_shape), n_classes, self.options, version
        ).without_pretraining()


def describe(state, parameters, architecture, weights, skfashion_version):
    """Return the JSON of a state and of parameters, as bytes."""
    network, scaler = state.network, state.scaler
    feature_names = [] if state.feature_names is None else state.feature_names.tolist()
    fields = {
        "format_version": FORMAT_VERSION,
        "skfashion_version": skfashion_version,
        "parameters": parameters,
        # The classifier's parameters may have changed since the fit.
        "network": {
            "architecture": architecture,
            "version": network.version,
            "options": {name: to_json(name, value) for name, value in network.options.items()},
        },
        "classes": {
            "dtype": state.classes.dtype.str,
            "values": to_json("classes", state.classes.tolist()),
        },
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
        "weights": weights,
    }
    return json.dumps(fields, indent=1).encode()


def read_description(fields, name, skfashion_version):
    """Return the checked fields of a model file's JSON, which is named ``name``.

    Raises
    ------
    ValueError
        If a newer skfashion wrote it, a field is missing, unknown, of another type or out of its
        range, or fields contradict each other.
    """
    version = fields.get("format_version") if isinstance(fields, dict) else None
    if not isinstance(version, int):
        raise ValueError(f"its {name} names no format version")
    if version > FORMAT_VERSION:
        raise ValueError(
            f"its format version is {version}, and skfashion {skfashion_version} reads versions "
            f"{_OLDEST_VERSION} to {FORMAT_VERSION}; load it with skfashion "
            f"{fields.get('skfashion_version', 'of the version')!s:.20} or later, which wrote it"
        )
    if version < _OLDEST_VERSION:
        raise ValueError(f"its format version is {version}, which no skfashion wrote")
    try:
        description = msgspec.convert(fields, Description)
    except msgspec.ValidationError as error:
        raise ValueError(f"its {name} is not valid: {error}") from None
    _check(description)
    return description


def _check(description):
    """Raise ValueError if fields are out of range or contradict each other."""
    shape, history = description.image_shape, description.history
    n_channels, n_classes = shape[2], len(description.classes.values)
    scale, offset = description.pixel_scale, description.pixel_offset
    low, high = description.pixel_range
    n_epochs = len(history.get("loss", ()))
    names, feature_names = description.target_names, description.feature_names
    has_weights = description.weights is not None
    checks = {
        "image_shape": math.prod(shape) <= MAX_VALUES,
        "pixel_scale": len(scale) == n_channels and all(0 < s < math.inf for s in scale),
        "pixel_offset": len(offset) == n_channels and all(map(math.isfinite, offset)),
        "pixel_range": -math.inf < low <= high < math.inf,
        "target_names": names is None or len(names) == n_classes,
        "feature_names": len(feature_names) in (0, math.prod(shape)),
        "history": n_epochs > 0 and all(len(values) == n_epochs for values in history.values()),
        "best_epoch": description.best_epoch <= n_epochs,
        "weights": has_weights == (description.format_version >= 3),
        "parameters": _has_quick_keys(description.parameters.get("class_weight")),
    }
    for name, is_right in checks.items():
        if not is_right:
            raise ValueError(f"its {name} is not valid: {getattr(description, name)!r:.100}")
    _read_classes(description.classes)


def _has_quick_keys(class_weight):
    """Return whether class weights, which are stored as pairs, can be looked up quickly."""
    if not isinstance(class_weight, list):
        return True
    labels = [pair[0] for pair in class_weight if isinstance(pair, list) and pair]
    return all(abs(x) < _FIRST_SLOW_KEY for x in labels if isinstance(x, (int, float)))


def _read_classes(stored):
    """Return the classes as an array, if they are sorted and nothing else than was stored."""
    try:
        dtype = np.dtype(stored.dtype)
        kinds = {str} if dtype.kind in "OU" else {bool, int, float}
        is_right = dtype.itemsize * len(stored.values) <= _MAX_CLASSES_BYTES
        is_right = is_right and {type(value) for value in stored.values} <= kinds
        classes = np.array(stored.values if is_right else [], dtype)
        is_right = len(classes) > 1 and classes.tolist() == stored.values
        is_right = is_right and bool(np.all(classes[:-1] < classes[1:]))
    except (TypeError, ValueError, OverflowError):
        is_right = False
    if not is_right:
        raise ValueError(f"its classes are not valid: {stored.values!r:.100}")
    return classes


def to_json(name, value):
    """Return a parameter in a form that JSON can hold.

    Raises
    ------
    ValueError
        If there is none.
    """
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, (list, tuple)):
        return [to_json(name, member) for member in value]
    try:
        json.dumps(value)
    except TypeError as error:
        raise ValueError(f"A .keras file cannot hold {name}={value!r}.") from error
    return value


def to_tuples(value):
    """Return a list of JSON, and those in it, as tuples."""
    return tuple(map(to_tuples, value)) if isinstance(value, list) else value

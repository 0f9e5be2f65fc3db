"""What a checkpoint holds of its training: where it is, and what it was begun with.

``docs/model_files.rst`` describes the fields to users.
"""

import io
import json
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any

import joblib
import msgspec
import numpy as np

from skfashion import __version__
from skfashion._persistence.archive import read_json
from skfashion._persistence.model_file import TRAINING_MEMBERS
from skfashion._persistence.stored_arrays import read_npz
from skfashion._persistence.stored_parameters import describe_parameters
from skfashion._training.epochs import Patience
from skfashion._training.training_progress import TrainingProgress
from skfashion._utils.identity import describe
from skfashion._utils.names import make_visible

__all__ = ["TrainingOrigin", "TrainingRecord", "digest_state", "read_record", "record_members"]

_FIELDS, _ARRAYS = TRAINING_MEMBERS
# Parameters that change nothing in a training; of the others, `data` has the image shape, and
# `start` stands for warm_start.
_NOT_COMPARED = ("image_shape", "test_time_augmentation", "verbose", "warm_start")
# They decide the bits.
_PACKAGES = ("keras", "numpy", "opencv-python-headless", "scikit-learn", "tensorflow")
_MAX_SHOWN = 5

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**31)]
_Word = Annotated[str, msgspec.Meta(max_length=100)]


@dataclass(frozen=True)
class TrainingOrigin:
    """Everything that decides the bits of a training, as strings and plain values.

    Attributes
    ----------
    parameters : dict of str to object
        Parameters of the classifier.
    data : dict of str to str
        Digest of each array.
    start : str
        Digest of the state that the training began with; empty if it began from scratch.
    versions : dict of str to str
        Versions of the packages that computed.
    """

    parameters: dict[str, Any]
    data: dict[str, str]
    start: str
    versions: dict[str, str]

    @classmethod
    def of(cls, classifier, data, start):
        """Return the origin of a training of this classifier.

        Parameters
        ----------
        classifier : FashionCNNClassifier
        data : dict of str to str
            Digests of the images, labels and weights.
        start : TrainedState or None
        """
        parameters = _comparable_parameters(classifier)
        versions = {"skfashion": __version__, **{name: _version(name) for name in _PACKAGES}}
        return cls(parameters, data, digest_state(start), versions)

    def differences(self, other, defaults):
        """Return sentences that say what differs in another origin, leaving versions aside.

        Parameters
        ----------
        other : TrainingOrigin
            Origin of the earlier call.
        defaults : FashionCNNClassifier
            Has the parameters that the earlier version of skfashion did not know.
        """
        before = {**_comparable_parameters(defaults), **other.parameters}
        found = [
            f"{name} was {_show(name, before)} and is {_show(name, self.parameters)}."
            for name in sorted(self.parameters.keys() | other.parameters.keys())
            if self.parameters.get(name) != before.get(name)
        ]
        for name in sorted(self.data.keys() | other.data.keys()):
            if name not in self.data:
                found.append(f"{name} was given, and is not now.")
            elif name not in other.data:
                found.append(f"{name} was not given, and is now.")
            elif self.data[name] != other.data[name]:
                found.append(f"{name} differs from that of the earlier call.")
        n_more = len(found) - _MAX_SHOWN
        more = [f"{n_more} more differences."] if n_more > 0 else []
        return [make_visible(sentence[:300]) for sentence in found[:_MAX_SHOWN]] + more

    def changed_versions(self, other):
        """Return the packages whose versions differ in another origin, as texts."""
        before, now = other.versions, self.versions
        return [
            make_visible(f"{name} {before.get(name)} (now {now[name]})")
            for name in now
            if before.get(name) != now[name]
        ]


def digest_state(state):
    """Return the digest of a state; an empty string for None."""
    return "" if state is None else joblib.hash((state.weights, state.history, state.seed))


def _comparable_parameters(classifier):
    """Return the parameters that decide a training, in a form that is equal for equal ones."""
    parameters = describe_parameters(classifier)
    if callable(classifier.architecture):
        parameters["architecture"] = f"a function, {describe(classifier.architecture)}"
    if isinstance(parameters["class_weight"], list):
        parameters["class_weight"].sort(key=repr)
    compared = {k: v for k, v in parameters.items() if k not in _NOT_COMPARED}
    return _without_names(json.loads(json.dumps(compared)))


def _without_names(value):
    """Remove the names of Keras' objects, which count them in this process."""
    if isinstance(value, list):
        return [_without_names(item) for item in value]
    if not isinstance(value, dict):
        return value
    without = {key: _without_names(item) for key, item in value.items()}
    if isinstance(without.get("config"), dict):
        without["config"].pop("name", None)
    return without


def _show(name, parameters):
    return f"{parameters.get(name)!r:.100}"


def _version(package):
    try:
        return version(package)
    except PackageNotFoundError:  # it was installed under another name
        return "unknown"


class _Fields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fields of ``skfashion-training.json``."""

    parameters: dict[str, Any]
    data: Annotated[dict[_Word, _Word], msgspec.Meta(max_length=16)]
    start: _Word
    versions: Annotated[dict[_Word, _Word], msgspec.Meta(max_length=16)]
    history: dict[str, list[float]]
    best_epoch: _Count
    optimizer: str
    seed: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
    stage: Annotated[int, msgspec.Meta(ge=0, le=1)]
    first_epoch: _Count
    lowest_loss: float
    n_waited: _Count
    schedule: list[float]
    is_stage_over: bool
    is_stopped: bool
    # Of the epoch that early stopping keeps, if it keeps one.
    kept_epoch: _Count | None
    kept_optimizer: str
    kept_loss: float
    # Numbers of weights and of values of the optimizer; weights of the next step; the kept epoch's.
    n_arrays: tuple[_Count, _Count, _Count, _Count, _Count]


class TrainingRecord:
    """The training that a checkpoint holds.

    Parameters
    ----------
    fields : _Fields
    """

    def __init__(self, fields):
        self._fields = fields

    @property
    def origin(self):
        """TrainingOrigin: what the training was begun with."""
        fields = self._fields
        return TrainingOrigin(fields.parameters, fields.data, fields.start, fields.versions)

    def to_progress(self, members, state, limit):
        """Return where the training is.

        Parameters
        ----------
        members : dict of str to bytes
            Members of the checkpoint.
        state : TrainedState
            Any state of the same network and data.
        limit : int or None
            Number of epochs without a lower loss after which early stopping stops.

        Raises
        ------
        ValueError
            If the fields contradict each other, the arrays or the network.
        """
        fields, arrays = self._fields, read_npz(members[_ARRAYS])
        if len(arrays) != sum(fields.n_arrays):
            raise ValueError(f"it has {len(arrays)} arrays, not {sum(fields.n_arrays)}")
        ends = np.cumsum(fields.n_arrays)
        weights, optimizer_state, next_weights, kept_weights, kept_optimizer_state = (
            arrays[end - n : end] for end, n in zip(ends, fields.n_arrays, strict=True)
        )
        self._check(state, weights, next_weights, kept_weights)

        def make_state(weights, optimizer, optimizer_state, best_epoch):
            return replace(
                state,
                weights=tuple(weights),
                optimizer_key=optimizer,
                optimizer_state=optimizer_state,
                best_epoch=best_epoch,
                history=fields.history,
                seed=fields.seed,
            )

        last = make_state(weights, fields.optimizer, optimizer_state, fields.best_epoch)
        best = None
        if fields.kept_epoch is not None:
            best = make_state(
                kept_weights, fields.kept_optimizer, kept_optimizer_state, fields.kept_epoch
            )
        return TrainingProgress(
            last,
            tuple(next_weights) or last.weights,
            bool(fields.start),
            fields.stage,
            fields.first_epoch,
            Patience(limit, fields.lowest_loss, fields.n_waited),
            tuple(fields.schedule),
            best,
            fields.kept_loss,
            fields.is_stage_over,
            fields.is_stopped,
        )

    def _check(self, state, weights, next_weights, kept_weights):
        """Raise ValueError if fields contradict each other or the network."""
        fields = self._fields
        n_epochs = len(fields.history.get("loss", ()))
        kept_epoch = fields.kept_epoch
        checks = {
            "history": n_epochs and all(len(v) == n_epochs for v in fields.history.values()),
            "best_epoch": 1 <= fields.best_epoch <= n_epochs,
            "first_epoch": fields.first_epoch < n_epochs,
            "kept_epoch": kept_epoch is None or 1 <= kept_epoch <= n_epochs,
            "schedule": len(fields.schedule) in (0, 3),
        }
        for name, is_right in checks.items():
            if not is_right:
                raise ValueError(f"its {name} is not valid: {getattr(fields, name)!r:.100}")
        expected = [(array.shape, array.dtype) for array in state.weights]
        for group in (weights, next_weights, kept_weights):
            may_be_absent = group is next_weights or (group is kept_weights and kept_epoch is None)
            if may_be_absent and not group:
                continue
            if [(array.shape, array.dtype) for array in group] != expected:
                raise ValueError("the weights of its training are not those of its network")


def record_members(origin, progress):
    """Return the members of a checkpoint that hold a training, by name."""
    state, best, patience = progress.state, progress.best, progress.patience
    groups = [
        state.weights,
        state.optimizer_state,
        () if progress.weights is state.weights else progress.weights,
        () if best is None else best.weights,
        () if best is None else best.optimizer_state,
    ]
    fields = {
        **asdict(origin),
        "history": state.history,
        "best_epoch": state.best_epoch,
        "optimizer": state.optimizer_key,
        "seed": state.seed,
        "stage": progress.stage,
        "first_epoch": progress.first_epoch,
        "lowest_loss": float(patience.lowest),
        "n_waited": patience.n_waited,
        "schedule": progress.schedule,
        "is_stage_over": bool(progress.is_stage_over),
        "is_stopped": bool(progress.is_stopped),
        "kept_epoch": None if best is None else best.best_epoch,
        "kept_optimizer": "" if best is None else best.optimizer_key,
        "kept_loss": float(progress.best_loss),
        "n_arrays": [len(group) for group in groups],
    }
    arrays = io.BytesIO()
    np.savez(arrays, *(array for group in groups for array in group))
    return {_FIELDS: json.dumps(fields, indent=1).encode(), _ARRAYS: arrays.getvalue()}


def read_record(archive):
    """Return the training that a checkpoint holds; its arrays are not read yet.

    Raises
    ------
    ValueError
        If it holds none, or fields that :func:`record_members` does not write.
    """
    if _FIELDS not in archive.namelist():
        raise ValueError(
            "it holds a classifier, but no training that could go on: save or an earlier version "
            "of skfashion wrote it"
        )
    try:
        return TrainingRecord(msgspec.convert(read_json(archive, _FIELDS), _Fields))
    except msgspec.ValidationError as error:
        raise ValueError(f"its {_FIELDS} is not valid: {error}") from None

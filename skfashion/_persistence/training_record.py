"""What a checkpoint holds of its training: where it is, and what it was begun with.

``docs/model_files.rst`` describes the fields to users.
"""

import io
import json
from dataclasses import asdict, dataclass, replace
from importlib.metadata import version
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

__all__ = ["TrainingOrigin", "TrainingRecord", "read_record", "record_members"]

_FIELDS, _ARRAYS = TRAINING_MEMBERS
# Parameters that change nothing in a training. `start` stands for warm_start.
_WITHOUT_EFFECT = ("test_time_augmentation", "verbose", "warm_start")
_PACKAGES = ("keras", "numpy", "tensorflow")

_Count = Annotated[int, msgspec.Meta(ge=0, le=2**31)]


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
        parameters = describe_parameters(classifier)
        if callable(classifier.architecture):
            parameters["architecture"] = describe(classifier.architecture)
        effective = {k: v for k, v in parameters.items() if k not in _WITHOUT_EFFECT}
        versions = {"skfashion": __version__, **{name: version(name) for name in _PACKAGES}}
        digest = "" if start is None else joblib.hash((start.weights, start.history, start.seed))
        return cls(json.loads(json.dumps(effective)), data, digest, versions)

    def differences(self, other):
        """Return sentences that say what differs from another origin, leaving versions aside."""
        found = [
            f"{name} was {other.parameters.get(name)!r:.100} and is "
            f"{self.parameters.get(name)!r:.100}."
            for name in sorted(self.parameters.keys() | other.parameters.keys())
            if self.parameters.get(name) != other.parameters.get(name)
        ]
        found += [
            f"{name} differs from that of the earlier call."
            for name, digest in self.data.items()
            if digest != other.data.get(name)
        ]
        if self.start != other.start:
            found.append("The fit that warm_start goes on from is another.")
        return found


class _Fields(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fields of ``skfashion-training.json``."""

    parameters: dict[str, Any]
    data: dict[str, str]
    start: str
    versions: dict[str, str]
    history: dict[str, list[float]]
    best_epoch: _Count
    optimizer: str
    seed: Annotated[int, msgspec.Meta(ge=0, lt=2**32)]
    stage: _Count
    first_epoch: _Count
    lowest_loss: float
    n_waited: _Count
    schedule: Annotated[list[float], msgspec.Meta(max_length=8)]
    is_stage_over: bool
    # Of the epoch that early stopping keeps, if it keeps one.
    kept_epoch: _Count | None
    kept_optimizer: str | None
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

    def to_progress(self, content, state, limit):
        """Return where the training is.

        Parameters
        ----------
        content : bytes
            The npz file of its arrays.
        state : TrainedState
            Any state of the same network and data.
        limit : int or None
            Number of epochs without a lower loss after which early stopping stops.

        Raises
        ------
        ValueError
            If there are other arrays than the fields say.
        """
        fields, arrays = self._fields, read_npz(content)
        if len(arrays) != sum(fields.n_arrays):
            raise ValueError(f"it has {len(arrays)} arrays, not {sum(fields.n_arrays)}")
        ends = np.cumsum(fields.n_arrays)
        weights, optimizer_state, next_weights, kept, kept_state = (
            arrays[end - n : end] for end, n in zip(ends, fields.n_arrays, strict=True)
        )
        common = {"history": fields.history, "seed": fields.seed}
        last = replace(
            state,
            weights=tuple(weights),
            optimizer_state=optimizer_state,
            optimizer_key=fields.optimizer,
            best_epoch=fields.best_epoch,
            **common,
        )
        best = None
        if fields.kept_epoch is not None:
            best = replace(
                state,
                weights=tuple(kept),
                optimizer_state=kept_state,
                optimizer_key=fields.kept_optimizer,
                best_epoch=fields.kept_epoch,
                **common,
            )
        return TrainingProgress(
            last,
            tuple(next_weights) or last.weights,
            fields.stage,
            fields.first_epoch,
            Patience(limit, fields.lowest_loss, fields.n_waited),
            tuple(fields.schedule),
            best,
            fields.kept_loss,
            fields.is_stage_over,
        )


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
        "kept_epoch": None if best is None else best.best_epoch,
        "kept_optimizer": None if best is None else best.optimizer_key,
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

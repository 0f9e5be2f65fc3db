"""Model files that are written during a training, and that it can be resumed from."""

from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
from filelock import FileLock, Timeout

from skfashion._persistence.archive import CHECKSUM, open_archive
from skfashion._persistence.model_file import (
    MAX_MEMBERS,
    TRAINING_MEMBERS,
    ModelFileReader,
    ModelFileWriter,
    check_path,
    sentence,
)
from skfashion._persistence.training_record import (
    TrainingOrigin,
    digest_state,
    read_record,
    record_members,
)
from skfashion._utils.warnings import warn
from skfashion.errors import ModelFileError

__all__ = ["Checkpoint"]


class Checkpoint:
    """A model file of the best epoch so far, and of the training where it is now.

    Parameters
    ----------
    classifier : FashionCNNClassifier
        Has the parameters and the path, ``checkpoint``.
    """

    def __init__(self, classifier):
        self._classifier = classifier
        self._path = path = check_path(classifier.checkpoint, "checkpoint")
        # One name for all trainings, so that the next one clears what a killed one left.
        self._partial = path.with_name(f".{path.stem}.partial.keras")
        self._writer = ModelFileWriter(classifier, True, self._partial)
        self._lock = FileLock(path.with_name(f".{path.name}.lock"), timeout=0)
        self._origin: TrainingOrigin
        # The best epoch, and the members of the file that hold it once it was written.
        self._best = None
        self._members: dict | None = None

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

    @contextmanager
    def locked(self):
        """Keep other trainings from the file, and leave nothing but it behind.

        Raises
        ------
        BlockingIOError
            If another training is using it.
        """
        try:
            self._lock.acquire()
        except Timeout:
            raise BlockingIOError(
                f"checkpoint={str(self._path)!r} belongs to another training, which is running "
                "now. Wait for it, or name another checkpoint; parallel fits cannot share one."
            ) from None
        try:
            self._partial.unlink(missing_ok=True)
            yield
        finally:
            with suppress(OSError):  # the folder may be gone, or be read-only now
                Path(self._lock.lock_file).unlink()
            self._lock.release()

    def begin(self, data, start):
        """Begin a training, or find out where an earlier one is.

        Parameters
        ----------
        data : dict of str to str
            Digests of the images, labels and weights.
        start : TrainedState or None
            State that the training begins with.

        Returns
        -------
        progress : TrainingProgress or None
            Where the training in the file is, if it is to be resumed and there is one.

        Raises
        ------
        ValueError
            If it is a training of other parameters or other data.
        ModelFileError
            If there is a file, and it holds no training or is damaged.
        """
        self._origin = TrainingOrigin.of(self._classifier, data, start)
        if self._classifier.resume and self._path.exists():
            return self._resume()
        if start is not None:
            self._members = self._read_best_of(start.history)
        return None

    def _resume(self):
        classifier = self._classifier
        with open(self._path, "rb") as file:
            with self._damage_named(), open_archive(file, ".keras file", MAX_MEMBERS) as archive:
                record = read_record(archive)
            earlier = record.origin
            self._refuse_if(self._origin.differences(earlier, type(classifier)()))
            limit = classifier.patience if classifier.early_stopping else None
            with self._damage_named():
                state, members = self._read(file)
                progress = record.to_progress(members, state, limit)
        # After Ctrl-C in the same session, a warm start begins with what was interrupted.
        if self._origin.start not in (earlier.start, digest_state(progress.result)):
            self._refuse_if(["It began with another fit than warm_start goes on from."])
        self._origin = replace(self._origin, start=earlier.start)
        self._members = _without_training(members)
        changed = self._origin.changed_versions(earlier)
        if changed:
            warn(
                f"The training in checkpoint={str(self._path)!r} was begun with "
                f"{', '.join(changed)}. It goes on, but its result may differ in the last bits."
            )
        return progress

    def _read(self, file):
        """Return a state of the network in the file, and all members."""
        architecture = self._classifier.architecture
        given = {"architecture": architecture} if callable(architecture) else {}
        return ModelFileReader(type(self._classifier), given).read_state(file)

    @contextmanager
    def _damage_named(self):
        """Say which file is damaged; Keras and zipfile raise many kinds of errors."""
        try:
            yield
        except Exception as error:
            raise ModelFileError(
                f"checkpoint={str(self._path)!r} cannot be resumed: {sentence(error)} "
                "Start again without resume=True, or name another checkpoint."
            ) from None

    def _refuse_if(self, differences):
        if differences:
            raise ValueError(
                f"checkpoint={str(self._path)!r} holds another training. "
                f"{' '.join(differences)} Give what was given then, or start again without "
                "resume=True."
            )

    def _read_best_of(self, history):
        """Return the members of an earlier file whose best epoch is one of this history."""
        try:
            with open(self._path, "rb") as file:
                state, members = self._read(file)
        except Exception:  # it is no such file, and will be replaced
            return None
        for name, losses in state.history.items():
            earlier = history.get(name, [])[: len(losses)]
            if not np.array_equal(losses, earlier, equal_nan=True):
                return None
        return _without_training(members)

    def observe(self, state, figure):
        """Take note of an epoch: keep it if none before has a lower loss.

        Parameters
        ----------
        state : TrainedState
        figure : str
            Name of the loss in its history, whose values are NaN for epochs without it.
        """
        *earlier, last = state.history[figure]
        is_first = self._best is None and self._members is None
        if np.isfinite(last) and (is_first or last < np.nanmin([np.inf, *earlier])):
            self._best = state

    def write(self, progress):
        """Write where the training is, all of it or nothing.

        A training goes on if the file cannot be written: hours of work are worth more than the
        file, and there may be room again after the next epoch.

        Warns
        -----
        UserWarning
            If it cannot be written.
        """
        if not _is_readable(progress) or (self._best is None and self._members is None):
            return
        try:
            if self._best is not None:
                self._members = self._writer.describe(self._best)
                self._best = None
            training = record_members(self._origin, progress)
            self._writer.write(self._path, {**(self._members or {}), **training})
        except OSError as error:
            warn(
                f"checkpoint={str(self._path)!r} could not be written after epoch "
                f"{progress.state.n_epochs}: {error.strerror or error}. The training goes on, and "
                "writes it again after the next epoch."
            )


def _is_readable(progress):
    """Return whether all numbers are finite: others mark a file as damaged."""
    state = progress.state
    return all(np.isfinite(array).all() for array in (*state.weights, *state.optimizer_state))


def _without_training(members):
    return {k: v for k, v in members.items() if k not in (CHECKSUM, *TRAINING_MEMBERS)}

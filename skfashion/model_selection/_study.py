"""Studies that several processes share and that outlive each of them."""

import logging
import os
import platform
import threading
import uuid
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path

import optuna
import psutil
from optuna.exceptions import DuplicatedStudyError, UpdateFinishedTrialError
from optuna.samplers import GridSampler
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial

from skfashion.errors import StudyMismatchError

__all__ = ["SharedStudy", "copy_into_memory", "quiet_optuna"]

_FINGERPRINT = "skfashion:fingerprint"
_FOLDS = "skfashion:folds"
_OWNER = "skfashion:owner"
_ATTEMPT = "skfashion:attempt"
_DIED = "skfashion:died"
_OWN_ATTRS = {_FOLDS, _OWNER, _ATTEMPT, _DIED}
# A trial whose process died is tried so often in all.
_MAX_ATTEMPTS = 3
# A trial that was taken and not signed for so long never will be.
_SIGNED_WITHIN = timedelta(seconds=60)
# Seconds; clocks are set now and then.
_CLOCK_TOLERANCE = 60
# Signatures of the studies that this process works on.
_at_work: set = set()


@contextmanager
def quiet_optuna():
    """Hold back what Optuna logs in this thread below a warning; leave its log level alone."""
    thread = threading.get_ident()

    def is_shown(record):
        return record.thread != thread or record.levelno >= logging.WARNING

    handlers = list(logging.getLogger("optuna").handlers)
    for handler in handlers:
        handler.addFilter(is_shown)
    try:
        yield
    finally:
        for handler in handlers:
            handler.removeFilter(is_shown)


def copy_into_memory(study):
    """Return a copy of Optuna's study that needs no storage."""
    with quiet_optuna():
        copied = optuna.create_study(
            study_name=study.study_name,
            direction="maximize",
            sampler=study.sampler,
            pruner=study.pruner,
        )
    for key, value in study.user_attrs.items():
        copied.set_user_attr(key, value)
    copied.add_trials(study.trials)
    return copied


class SharedStudy:
    """A study whose trials are shared out, to this process and others, until there are enough.

    Which trials count follows from their numbers, which the storage gives out one by one: the
    first ``n_trials`` of those that did not die. So the total is exact without a lock, however many
    processes ask at the same moment.

    Parameters
    ----------
    storage : optuna.storages.BaseStorage
        Where the study is, or shall be.
    name : str
        Its name.
    fingerprint : dict of str to str
        What all its trials have in common.

    Raises
    ------
    StudyMismatchError
        If a study of this name began with something else.
    """

    def __init__(self, storage, name, fingerprint):
        self.storage, self.name = storage, name
        self.is_new, self.is_exhausted = True, False
        self._claimed, self._signature = set(), uuid.uuid4().hex
        try:
            with quiet_optuna():
                storage.create_new_study([StudyDirection.MAXIMIZE], name)
        except DuplicatedStudyError:
            self.is_new = False
        self._id = storage.get_study_id_from_name(name)
        _check_same(self.load(), fingerprint)

    def load(self, sampler=None, pruner=None):
        """Optuna's study."""
        return optuna.load_study(
            study_name=self.name, storage=self.storage, sampler=sampler, pruner=pruner
        )

    def trials(self):
        """All trials, by number; not to be changed."""
        return self.storage.get_all_trials(self._id, deepcopy=False)

    def finished(self):
        """Trials with results, by number, each with the results of its folds."""
        return [
            (trial, trial.user_attrs[_FOLDS])
            for trial in self.trials()
            if trial.state.is_finished() and _counts(trial)
        ]

    def claim(self, n_trials, make_sampler):
        """A trial for this process to run, or None if no more are wanted.

        Its sampler is ``make_sampler(number)``.
        """
        while not self.is_exhausted:
            self._revive_dead_trials()
            trials = self.trials()
            counted = [trial for trial in trials if _counts(trial)]
            for trial in counted[:n_trials]:
                if trial.state == TrialState.WAITING and self._take(trial._trial_id):
                    # A study of its own: what others found is read afresh, in whatever thread.
                    study = self.load(make_sampler(trial.number))
                    return optuna.trial.Trial(study, trial._trial_id)
            sampler = make_sampler(len(trials))
            if len(counted) >= n_trials or (
                isinstance(sampler, GridSampler) and sampler.is_exhausted(self.load())
            ):
                return None
            self.load().add_trial(create_trial(state=TrialState.WAITING))

    def finish(self, trial, folds, state, value=None, intermediate_values=()):
        """Write a trial's results, unless somebody took this process for dead."""
        try:
            trial.set_user_attr(_FOLDS, folds)
            for step, intermediate_value in enumerate(intermediate_values):
                trial.report(intermediate_value, step)
            trial.study.tell(trial, value, state, skip_if_finished=True)
        except UpdateFinishedTrialError:
            pass
        except RuntimeError as error:
            # How samplers that have tried everything end Optuna's own loop.
            if "Study.stop" not in str(error):
                raise
            self.is_exhausted = True
        self._claimed.discard(trial._trial_id)

    def is_shared_now(self, n_trials):
        """Return whether another process, alive or not yet known to be dead, works on a trial."""
        counted = [trial for trial in self.trials() if _counts(trial)][:n_trials]
        return any(
            trial.state == TrialState.RUNNING
            and trial._trial_id not in self._claimed
            and _may_be_alive(trial)
            for trial in counted
        )

    @contextmanager
    def at_work(self):
        """While trials are run: others see that this process is alive.

        Those that are not finished in the end are to be tried anew.
        """
        stop = threading.Event()
        thread = threading.Thread(target=self._beat, args=(stop,), daemon=True)
        _at_work.add(self._signature)
        thread.start()
        is_interrupted = False
        try:
            yield
        except KeyboardInterrupt:
            is_interrupted = True
            raise
        finally:
            stop.set()
            thread.join()
            _at_work.discard(self._signature)
            for trial_id in self._claimed:
                self._replace(self.storage.get_trial(trial_id), counts=not is_interrupted)
            self._claimed.clear()

    def _beat(self, stop):
        interval = self._heartbeat_interval()
        while interval and not stop.wait(interval):
            for trial_id in list(self._claimed):
                # The server may be back at the next beat.
                with suppress(Exception):
                    self.storage.record_heartbeat(trial_id)

    def _heartbeat_interval(self):
        get_interval = getattr(self.storage, "get_heartbeat_interval", None)
        return get_interval() if get_interval else None

    def _take(self, trial_id):
        try:
            if not self.storage.set_trial_state_values(trial_id, TrialState.RUNNING):
                return False
        except UpdateFinishedTrialError:
            return False
        self._claimed.add(trial_id)
        has_heartbeat = bool(self._heartbeat_interval())
        if has_heartbeat:
            self.storage.record_heartbeat(trial_id)
        owner = [*_this_process(), self._signature, has_heartbeat]
        self.storage.set_trial_user_attr(trial_id, _OWNER, owner)
        return True

    def _revive_dead_trials(self):
        # Optuna's own fail_stale_trials knows nothing of processes that died on this machine.
        stale = self.storage._get_stale_trial_ids(self._id) if self._heartbeat_interval() else ()
        for trial in self.trials():
            if trial.state != TrialState.RUNNING or trial._trial_id in self._claimed:
                continue
            if trial._trial_id in stale or _has_died(trial):
                self._replace(trial)

    def _replace(self, trial, *, counts=True):
        """Mark a trial as dead, and add another of the same setting, unless too many died.

        Parameters
        ----------
        trial : FrozenTrial
        counts : bool, default=True
            Whether this was one of the attempts that it has.
        """
        try:
            self.storage.set_trial_user_attr(trial._trial_id, _DIED, True)
            is_dead = self.storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)
        except UpdateFinishedTrialError:
            return
        attempt = trial.user_attrs.get(_ATTEMPT, 1) + counts
        if not is_dead or attempt > _MAX_ATTEMPTS:
            return
        kept = {key: value for key, value in trial.user_attrs.items() if key not in _OWN_ATTRS}
        self.load().add_trial(
            create_trial(
                state=TrialState.WAITING,
                params=trial.params,
                distributions=trial.distributions,
                user_attrs={**kept, _ATTEMPT: attempt},
                # Where the sampler notes what it gave to the trial.
                system_attrs=trial.system_attrs,
            )
        )


def _counts(trial):
    """Return whether a trial counts as one of n_trials; those whose process died do not."""
    if trial.state == TrialState.FAIL:
        return _FOLDS in trial.user_attrs and _DIED not in trial.user_attrs
    return _FOLDS in trial.user_attrs or not trial.state.is_finished()


def _check_same(study, fingerprint):
    advice = "Take another study_name, or leave it out: then it follows from all of these."
    if study.directions != [StudyDirection.MAXIMIZE]:
        directions = ", ".join(direction.name.lower() for direction in study.directions)
        raise StudyMismatchError(
            f"Study {study.study_name!r} has the direction {directions}, but scores are to be "
            f"maximized. {advice}"
        )
    began_with = study.user_attrs.get(_FINGERPRINT)
    if began_with is None:
        if any(trial.state.is_finished() for trial in study.get_trials(deepcopy=False)):
            raise StudyMismatchError(
                f"Study {study.study_name!r} holds trials of something else than this search. "
                f"{advice}"
            )
        study.set_user_attr(_FINGERPRINT, fingerprint)
        return
    differing = [what for what in fingerprint if began_with.get(what) != fingerprint[what]]
    if differing:
        raise StudyMismatchError(
            f"Study {study.study_name!r} began with other {', '.join(differing)}; its scores "
            f"cannot be compared with new ones. {advice}"
        )


def _this_process():
    process = psutil.Process()
    return [_machine(), process.pid, process.create_time()]


def _machine():
    """Return a name for this machine, or for a container with its own process numbers."""
    identity = [platform.node()]
    with suppress(OSError):  # Linux alone has these
        identity.append(Path("/etc/machine-id").read_text().strip())
    with suppress(OSError):
        identity.append(os.readlink("/proc/self/ns/pid"))
    return " ".join(identity)


def _is_here(trial):
    owner = trial.user_attrs.get(_OWNER)
    return owner is not None and owner[0] == _machine()


def _may_be_alive(trial):
    """Return whether the trial's process may be alive, and its death would be noticed."""
    owner = trial.user_attrs.get(_OWNER)
    return owner is None or _is_here(trial) or owner[-1]


def _has_died(trial):
    """Return whether the trial's process is known to have ended, or to have given it up."""
    if _OWNER not in trial.user_attrs:
        return datetime.now() - trial.datetime_start > _SIGNED_WITHIN
    if not _is_here(trial):
        return False
    _, number, created, signature, _ = trial.user_attrs[_OWNER]
    try:
        process = psutil.Process(number)
        if abs(process.create_time() - created) > _CLOCK_TOLERANCE:  # the number is used again
            return True
        # Ended processes that nobody waited for keep their numbers.
        if process.status() == psutil.STATUS_ZOMBIE:
            return True
    except psutil.NoSuchProcess:
        return True
    return number == os.getpid() and signature not in _at_work

"""Studies that several processes share, and that outlive any of them."""

import os
import platform
import threading
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

import optuna
import psutil
from optuna.exceptions import DuplicatedStudyError, UpdateFinishedTrialError
from optuna.study import StudyDirection
from optuna.trial import TrialState, create_trial

from skfashion.errors import StudyMismatchError
from skfashion.model_selection._quiet import quiet_optuna

__all__ = ["SharedStudy"]

_FINGERPRINT = "skfashion:fingerprint"
_FOLDS = "skfashion:folds"
_OWNER = "skfashion:owner"
_ATTEMPT = "skfashion:attempt"
_DIED = "skfashion:died"
# A trial whose process died is tried so often in all.
_MAX_ATTEMPTS = 3
# A process is killed between taking a trial and signing it at most once in a blue moon.
_SIGNED_WITHIN = timedelta(seconds=60)


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
        try:
            with quiet_optuna():
                storage.create_new_study([StudyDirection.MAXIMIZE], name)
        except DuplicatedStudyError:
            self.is_new = False
        self._id = storage.get_study_id_from_name(name)
        self._claimed = set()
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
            counted = [trial for trial in self.trials() if _counts(trial)]
            for trial in counted[:n_trials]:
                if trial.state == TrialState.WAITING and self._take(trial._trial_id):
                    # A study of its own: what others found is read afresh, in whatever thread.
                    study = self.load(make_sampler(trial.number))
                    return optuna.trial.Trial(study, trial._trial_id)
            if len(counted) >= n_trials:
                return None
            self.load().add_trial(create_trial(state=TrialState.WAITING))

    def finish(self, trial, folds, state, value=None, intermediate_values=()):
        """Write a trial's results, unless somebody took this process for dead."""
        try:
            trial.set_user_attr(_FOLDS, folds)
            for step, intermediate_value in enumerate(intermediate_values):
                trial.report(intermediate_value, step)
            trial.study.tell(trial, value, state)
        except UpdateFinishedTrialError:
            pass
        except RuntimeError as error:
            # How samplers that have tried everything end Optuna's own loop.
            if "Study.stop" not in str(error):
                raise
            self.is_exhausted = True
        self._claimed.discard(trial._trial_id)

    def abandon(self, trial):
        """Give a trial up; another takes its place."""
        self._claimed.discard(trial._trial_id)
        self._mark_as_dead(trial._trial_id)

    def is_shared_now(self, n_trials):
        """Whether another process, known to be alive, is working on a trial that counts."""
        counted = [trial for trial in self.trials() if _counts(trial)][:n_trials]
        return any(
            trial.state == TrialState.RUNNING
            and trial._trial_id not in self._claimed
            and (self._heartbeat_interval() or _is_here(trial))
            for trial in counted
        )

    @contextmanager
    def heartbeat(self):
        """Tell other machines that the trials of this process are being worked on."""
        if not self._heartbeat_interval():
            yield
            return
        stop = threading.Event()

        def beat():
            while not stop.wait(self._heartbeat_interval()):
                for trial_id in list(self._claimed):
                    # The server may be back at the next beat.
                    with suppress(Exception):
                        self.storage.record_heartbeat(trial_id)
            self.storage.remove_session()

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _heartbeat_interval(self):
        get_interval = getattr(self.storage, "get_heartbeat_interval", None)
        return get_interval() if get_interval else None

    def _take(self, trial_id):
        try:
            if not self.storage.set_trial_state_values(trial_id, TrialState.RUNNING):
                return False
        except UpdateFinishedTrialError:
            return False
        self.storage.set_trial_user_attr(trial_id, _OWNER, _this_process())
        if self._heartbeat_interval():
            self.storage.record_heartbeat(trial_id)
        self._claimed.add(trial_id)
        return True

    def _revive_dead_trials(self):
        # Optuna's own fail_stale_trials knows nothing of processes that died on this machine.
        stale = self.storage._get_stale_trial_ids(self._id) if self._heartbeat_interval() else ()
        for trial in self.trials():
            if trial.state != TrialState.RUNNING or trial._trial_id in self._claimed:
                continue
            if (trial._trial_id in stale or _has_died(trial)) and self._mark_as_dead(
                trial._trial_id
            ):
                attempt = trial.user_attrs.get(_ATTEMPT, 1)
                if attempt < _MAX_ATTEMPTS:
                    self.load().add_trial(
                        create_trial(
                            state=TrialState.WAITING,
                            params=trial.params,
                            distributions=trial.distributions,
                            user_attrs={_ATTEMPT: attempt + 1},
                        )
                    )

    def _mark_as_dead(self, trial_id):
        try:
            self.storage.set_trial_user_attr(trial_id, _DIED, True)
            return self.storage.set_trial_state_values(trial_id, TrialState.FAIL)
        except UpdateFinishedTrialError:
            return False


def _counts(trial):
    """Whether it is one of the trials asked for; those whose process died are tried again."""
    if trial.state.is_finished():
        return _FOLDS in trial.user_attrs and _DIED not in trial.user_attrs
    return True


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
    """Name of the machine, or of the container on it that has process numbers of its own."""
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:  # not Linux
        namespace = ""
    return f"{platform.node()} {namespace}"


def _is_here(trial):
    owner = trial.user_attrs.get(_OWNER)
    return owner is not None and owner[0] == _machine()


def _has_died(trial):
    """Whether the process that took the trial is known to have ended."""
    if _OWNER not in trial.user_attrs:
        return datetime.now() - trial.datetime_start > _SIGNED_WITHIN
    if not _is_here(trial):
        return False
    _, number, created = trial.user_attrs[_OWNER]
    try:
        process = psutil.Process(number)
        # Numbers are used again; ended processes that nobody waited for keep theirs.
        return abs(process.create_time() - created) > 1 or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True

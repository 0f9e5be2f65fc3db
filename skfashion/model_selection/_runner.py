"""Running the trials of a study in worker processes until there are enough."""

import math
import threading
import time

import numpy as np
from optuna.trial import TrialState
from sklearn.utils.parallel import delayed

from skfashion.model_selection._outcomes import outcomes_of
from skfashion.model_selection._space import check_parameters
from skfashion.model_selection._trial import (
    evaluate,
    fold_scores,
    intermediate_values,
    repeat,
)

__all__ = ["TrialRunner"]

# Seconds between looks at what other processes do.
_POLL_INTERVAL = 0.5


class TrialRunner:
    """Loop that claims trials, evaluates them in parallel, and writes down their results.

    Parameters
    ----------
    study : SharedStudy
        Gives out the trials.
    space : space of make_space
        Settings to choose from.
    make_sampler : callable
        Gives the sampler of the trial with this number.
    plan : TrialPlan
        All that is the same for every trial.
    n_trials : int
        Trials of the study, in all.
    timeout : float or None
        Seconds after which no more trials are claimed.
    n_jobs : int or None
        Worker processes, as joblib counts them.
    report : callable
        Function that ``show_progress`` yields; called after each trial.
    """

    def __init__(self, study, space, make_sampler, plan, *, n_trials, timeout, n_jobs, report):
        self._study, self._space = study, space
        self._make_sampler, self._plan = make_sampler, plan
        self._n_trials, self._n_jobs, self._report = n_trials, n_jobs, report
        self._deadline = math.inf if timeout is None else time.monotonic() + timeout
        self._running: dict = {}
        self._lock, self._is_stopped = threading.Lock(), False

    def run(self, X, y):
        """Run trials on these data until there are enough, time is up, or somebody interrupts."""
        with self._study.at_work():
            try:
                while True:
                    trial = self._claim()
                    if trial is not None:
                        self._run_from(trial, X, y)
                    elif self._study.is_shared_now(self._n_trials):
                        time.sleep(_POLL_INTERVAL)
                    else:
                        break
                    if self._is_late():
                        break
            finally:
                with self._lock:
                    self._is_stopped = True

    def _run_from(self, trial, X, y):
        """Run this trial, and others as long as workers are free."""
        tasks = self._tasks(trial, X, y)
        with outcomes_of(
            tasks, n_jobs=self._n_jobs, batch_size=1, pre_dispatch="n_jobs"
        ) as outcomes:
            for outcome in outcomes:
                self._finish(*outcome)

    def _tasks(self, trial, X, y):
        while trial is not None:
            yield self._task(trial, X, y)
            trial = None if self._is_late() else self._claim()

    def _task(self, trial, X, y):
        parameters = self._space.suggest(trial)
        check_parameters(self._plan.estimator, parameters)
        metric = self._plan.metric
        complete = {}
        for other, folds in self._study.finished():
            if other.params == trial.params:
                is_pruned = other.state == TrialState.PRUNED
                return delayed(repeat)(trial.number, folds, metric, is_pruned)
            if other.state == TrialState.COMPLETE:
                # Each setting once, however often it was chosen.
                complete[frozenset(other.params.items())] = fold_scores(folds, metric)
        return delayed(evaluate)(
            self._plan, X, y, trial.number, parameters, list(complete.values())
        )

    def _claim(self):
        # joblib asks for tasks in a thread of its own, where it may go on after an interruption.
        with self._lock:
            if self._is_stopped:
                return None
            trial = self._study.claim(self._n_trials, self._make_sampler)
            if trial is not None:
                self._running[trial.number] = trial
            return trial

    def _finish(self, number, folds, scores, is_pruned):
        mean = float(np.mean(scores))
        if is_pruned:
            state, value = TrialState.PRUNED, None
        elif math.isnan(mean):
            state, value = TrialState.FAIL, None
        else:
            state, value = TrialState.COMPLETE, mean
        values = [] if math.isnan(mean) else intermediate_values(self._plan.pruner, scores)
        self._study.finish(self._running[number], folds, state, value, values)
        del self._running[number]
        self._report_trial(number, mean, f"pruned at fold {len(scores)}" if is_pruned else "")

    def _report_trial(self, number, mean, note):
        finished = [trial for trial, _ in self._study.finished()]
        values = [trial.value for trial in finished if trial.state == TrialState.COMPLETE]
        best = f"best {max(values):.4f}" if values else ""
        count = f"({len(finished)} of {self._n_trials})"
        words = [f"Trial {number} {count} ", f"{mean:.4f}", note, "", best]
        self._report(len(finished), best, " ".join(words))

    def _is_late(self):
        return time.monotonic() > self._deadline

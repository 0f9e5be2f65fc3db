"""Trials of a study, run by worker processes until there are enough."""

import math
import time

import numpy as np
from optuna.trial import TrialState
from sklearn.utils.parallel import Parallel, delayed

from skfashion.model_selection._evaluation import (
    FoldPruner,
    evaluate,
    fold_scores,
    intermediate_values,
)
from skfashion.model_selection._space import check_parameters

__all__ = ["TrialRunner"]

# Seconds between looks at what other processes do.
_POLL_INTERVAL = 0.5


class TrialRunner:
    """Claims trials, has them evaluated in parallel, and writes down what came of them.

    Parameters
    ----------
    study : SharedStudy
        Gives out the trials.
    space : space of make_space
        What trials choose from.
    make_sampler : callable
        Gives the sampler of the trial with this number.
    pruner : optuna.pruners.BasePruner
        Gives up settings after some of the folds.
    n_trials : int
        Trials of the study, in all.
    timeout : float or None
        Seconds after which no more trials begin.
    n_jobs : int or None
        Worker processes, as joblib counts them.
    report : callable
        ``report(n_done, text, best_score)``, called after each trial.
    **evaluation
        Arguments of ``evaluate`` that are the same for all trials.
    """

    def __init__(
        self, study, space, make_sampler, pruner, *, n_trials, timeout, n_jobs, report, **evaluation
    ):
        self._study, self._space = study, space
        self._make_sampler, self._pruner = make_sampler, pruner
        self._n_trials, self._n_jobs, self._report = n_trials, n_jobs, report
        self._deadline = math.inf if timeout is None else time.monotonic() + timeout
        self._evaluation = evaluation
        self._running, self._failure = {}, None
        self.fit_errors = []

    def run(self):
        """Run trials until there are enough, time is up, or somebody interrupts."""
        try:
            with self._study.heartbeat():
                while True:
                    trial = self._claim()
                    if trial is not None:
                        self._run_from(trial)
                    elif self._study.is_shared_now(self._n_trials):
                        time.sleep(_POLL_INTERVAL)
                    else:
                        break
                    if self._is_late():
                        break
        finally:
            for trial in self._running.values():
                self._study.abandon(trial)

    def _run_from(self, trial):
        """Run this trial, and others as long as workers are free."""
        parallel = Parallel(
            n_jobs=self._n_jobs,
            batch_size=1,
            pre_dispatch="n_jobs",
            return_as="generator_unordered",
        )
        for outcome in parallel(self._tasks(trial)):
            self._finish(*outcome)
        if self._failure is not None:
            raise self._failure

    def _tasks(self, trial):
        try:
            while trial is not None:
                yield self._task(trial)
                trial = None if self._is_late() else self._claim()
        # joblib asks for tasks in a thread of its own, where nobody would see an error.
        except Exception as error:
            self._failure = error

    def _task(self, trial):
        parameters = self._space.suggest(trial)
        check_parameters(self._evaluation["estimator"], parameters)
        finished = self._study.finished()
        for other, folds in finished:
            if other.params == trial.params:
                scores = fold_scores(folds, self._evaluation["metric"])
                is_pruned = other.state == TrialState.PRUNED
                return delayed(tuple)((trial.number, folds, [], scores, is_pruned))
        return delayed(evaluate)(
            trial.number,
            parameters=parameters,
            fold_pruner=FoldPruner(self._pruner, [other for other, _ in finished]),
            **self._evaluation,
        )

    def _claim(self):
        trial = self._study.claim(self._n_trials, self._make_sampler)
        if trial is not None:
            self._running[trial.number] = trial
        return trial

    def _finish(self, number, folds, fit_errors, scores, is_pruned):
        mean = float(np.mean(scores))
        if is_pruned:
            state, value = TrialState.PRUNED, None
        elif math.isnan(mean):
            state, value = TrialState.FAIL, None
        else:
            state, value = TrialState.COMPLETE, mean
        values = [] if math.isnan(mean) else intermediate_values(self._pruner, scores)
        self._study.finish(self._running.pop(number), folds, state, value, values)
        self.fit_errors += fit_errors
        finished = [trial for trial, _ in self._study.finished()]
        complete = [trial.value for trial in finished if trial.state == TrialState.COMPLETE]
        endings = {TrialState.PRUNED: f" pruned at fold {len(scores)}"}
        self._report(
            len(finished), f"{mean:.4f}{endings.get(state, '')}", max(complete, default=None)
        )

    def _is_late(self):
        return time.monotonic() > self._deadline

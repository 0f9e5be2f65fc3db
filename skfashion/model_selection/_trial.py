"""Fitting and scoring one setting on its folds, as scikit-learn's searches do."""

import math
from dataclasses import dataclass
from typing import Any

import optuna
from optuna.pruners import (
    BasePruner,
    HyperbandPruner,
    NopPruner,
    PercentilePruner,
    SuccessiveHalvingPruner,
    WilcoxonPruner,
)
from optuna.trial import create_trial
from sklearn.base import clone

# cross_validate gives no sample weights to scorers, as searches do.
from skfashion._sklearn_compat import fit_and_score
from skfashion.model_selection._study import quiet_optuna

__all__ = [
    "FOLD_KEYS",
    "FoldPruner",
    "TrialPlan",
    "check_pruner",
    "evaluate",
    "fold_scores",
    "intermediate_values",
    "repeat",
]

# Results of a fold that are kept.
FOLD_KEYS = ("test_scores", "train_scores", "fit_time", "score_time", "fit_error")
# Characters of a traceback, from its end; databases keep short texts.
_MAX_ERROR = 2000


@dataclass(frozen=True)
class TrialPlan:
    """All that is the same for every trial of a search, apart from the data.

    Attributes
    ----------
    estimator : estimator
        It is cloned for each fold.
    folds : list of (train, test)
        Indices.
    metric : str or None
        Name of the metric to optimize; None takes the first.
    pruner : optuna.pruners.BasePruner
        Gives up settings after some of the folds.
    scoring : dict
        Further arguments of scikit-learn's function for one fold.
    """

    estimator: Any
    folds: list
    metric: str | None
    pruner: BasePruner
    scoring: dict


def evaluate(plan, X, y, number, parameters, complete):
    """Fit and score a setting fold by fold, until it is hopeless.

    Parameters
    ----------
    plan : TrialPlan
    X, y : array-like
        Data of all folds. They are no part of the plan because dask sends large arguments once to
        each worker.
    number : int
        The trial's number; results come back in any order.
    parameters : dict
        The setting.
    complete : list of list of float
        Scores in all folds of the settings to compare with.

    Returns
    -------
    number : int
    folds : list of dict
        Scores, times and errors of the folds that were fitted.
    scores : list of float
        Their scores by the metric to optimize.
    is_pruned : bool
        Whether it stopped early.
    """
    fold_pruner = FoldPruner(plan.pruner, complete)
    results, is_pruned = [], False
    for train, test in plan.folds:
        result = fit_and_score(
            clone(plan.estimator),
            X,
            y,
            train=train,
            test=test,
            parameters=parameters,
            **plan.scoring,
        )
        result = {key: result[key] for key in FOLD_KEYS if key in result}
        result["fit_error"] = result["fit_error"] and result["fit_error"][-_MAX_ERROR:]
        results.append(result)
        scores = fold_scores(results, plan.metric)
        if len(results) < len(plan.folds) and fold_pruner.is_hopeless(scores):
            is_pruned = True
            break
    return number, results, scores, is_pruned


def repeat(number, folds, metric, is_pruned):
    """Return again what :func:`evaluate` returned for the same setting."""
    return number, folds, fold_scores(folds, metric), is_pruned


def fold_scores(folds, metric):
    """Return the score of each fold by the metric to optimize; None takes the first of several."""
    return [_score_to_optimize(fold["test_scores"], metric) for fold in folds]


def _score_to_optimize(scores, metric):
    if not isinstance(scores, dict):
        return scores
    if metric is None:
        return next(iter(scores.values()))
    if metric not in scores:
        names = ", ".join(scores)
        raise ValueError(f"refit must name a metric of scoring ({names}), got {metric!r}.")
    return scores[metric]


class FoldPruner:
    """A pruner of Optuna's, used to compare folds.

    Parameters
    ----------
    pruner : optuna.pruners.BasePruner
        Most compare the mean over the folds so far, WilcoxonPruner fold with fold.
    complete : list of list of float
        Scores in all folds of the settings to compare with.
    """

    def __init__(self, pruner, complete):
        self._pruner, self._complete = pruner, complete
        self._study = None

    def is_hopeless(self, scores):
        """Return whether to give up a setting with these scores in the first folds."""
        if isinstance(self._pruner, NopPruner) or not all(map(math.isfinite, scores)):
            return False
        with quiet_optuna():
            if self._study is None:
                self._study = self._make_study()
            trial = self._study.ask()
        values = intermediate_values(self._pruner, scores)
        if isinstance(self._pruner, PercentilePruner):
            # It takes the best of the values, which would be a lucky first fold.
            values = values[-1:] * len(values)
        for step, value in enumerate(values):
            trial.report(value, step)
        return trial.should_prune()

    def _make_study(self):
        study = optuna.create_study(direction="maximize", pruner=self._pruner)
        study.add_trials(
            create_trial(
                value=sum(scores) / len(scores),
                intermediate_values=dict(enumerate(intermediate_values(self._pruner, scores))),
            )
            for scores in self._complete
        )
        return study


def check_pruner(pruner):
    """Raise ValueError for pruners that give some settings more folds than others."""
    if isinstance(pruner, (HyperbandPruner, SuccessiveHalvingPruner)):
        raise ValueError(
            f"pruner={type(pruner).__name__} spends a budget that grows from rung to rung; folds "
            "have none. Take MedianPruner, PercentilePruner, ThresholdPruner or WilcoxonPruner."
        )


def intermediate_values(pruner, scores):
    """Return the values to tell a pruner after each fold."""
    if isinstance(pruner, WilcoxonPruner):
        return scores
    return [sum(scores[:n]) / n for n in range(1, len(scores) + 1)]

"""Search for the best parameters with Optuna, as one more search of scikit-learn's."""

import copy
import os
import time
import warnings
from collections.abc import Mapping
from numbers import Integral, Real
from typing import ClassVar

import joblib
import numpy as np
from optuna.pruners import BasePruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, TPESampler
from optuna.storages import BaseStorage
from optuna.trial import TrialState
from sklearn.base import clone, is_classifier
from sklearn.model_selection import check_cv
from sklearn.utils import ClassifierTags, indexable

from skfashion._sklearn_compat import (
    BaseSearchCV,
    Interval,
    MultimetricScorer,
    callback_context_of,
    check_method_params,
    fit_context,
    warn_or_raise_about_fit_failures,
)
from skfashion._utils.identity import describe
from skfashion._utils.progress import show_progress
from skfashion._utils.randomness import derive_seed, draw_seed
from skfashion._utils.warnings import warn
from skfashion.model_selection._compare_classifiers import is_any_classifier
from skfashion.model_selection._runner import TrialRunner
from skfashion.model_selection._space import make_space, restore_parameters
from skfashion.model_selection._storage import open_storage
from skfashion.model_selection._study import SharedStudy, copy_into_memory
from skfashion.model_selection._trial import FOLD_KEYS, TrialPlan, check_pruner

__all__ = ["OptunaSearchCV"]


class OptunaSearchCV(BaseSearchCV):
    """Search for the best parameters with Optuna, over cross-validation folds.

    It is used as :class:`sklearn.model_selection.RandomizedSearchCV` is, and gives the same
    scores for the same settings. It differs in which settings it tries: each follows from the
    scores of those before, and a setting that does badly on its first folds is not fitted on the
    others. A search with a ``storage`` goes on where an earlier one stopped, and several processes
    or machines can work on it at once.

    Parameters
    ----------
    estimator : estimator
        What is to be tuned; clones of it are fitted.
    param_distributions : dict or callable
        What to choose from. A dict of parameter names, such as ``model__augmentation__rotation``,
        to Optuna distributions, frozen scipy distributions or lists of choices; or a function that
        gets an :class:`optuna.trial.Trial` and returns a dict of parameters. The function must
        return the same for the same choices.
    n_trials : int, default=20
        Settings to try, those that a stored study holds already included. Failed and pruned ones
        count.
    timeout : float, default=None
        Seconds after which no more settings are chosen; those chosen are finished. At least one
        is tried.
    sampler : optuna.samplers.BaseSampler, default=None
        Chooses the settings; a copy is used. None means :class:`optuna.samplers.TPESampler`, seeded
        by ``random_state`` and the number of each trial. Its first ten choices are random.
    pruner : optuna.pruners.BasePruner, default=None
        Says after each fold whether to go on with a setting. Most pruners compare its mean over
        the folds so far with those of other settings after as many folds,
        :class:`optuna.pruners.WilcoxonPruner` compares fold with fold. None means
        :class:`optuna.pruners.MedianPruner`, or none if ``refit`` is callable, which may want
        all scores; ``optuna.pruners.NopPruner()`` prunes nothing.
    storage : str, path-like or optuna.storages.BaseStorage, default=None
        Where the study is kept: the URL of a database, such as ``"sqlite:///study.db"`` or
        ``"postgresql://user@host/name"``, or a file, in SQLite's format if its name ends in
        ``.db``, ``.sqlite`` or ``.sqlite3``, otherwise in Optuna's journal format. None keeps it in
        memory.
    study_name : str, default=None
        Name of the study in ``storage``. If it exists, the search goes on with it. None makes a
        name out of all that the trials must have in common, so that the same search finds its
        study again, and another search, or another outer fold, never does. Functions count by
        what they do, classes by name.
    scoring : str, callable, list, tuple or dict, default=None
        As in :class:`sklearn.model_selection.GridSearchCV`. Of several metrics, the one that
        ``refit`` names is optimized, otherwise the first. Greater is better.
    n_jobs : int, default=None
        Settings that are tried at the same time, each in a process of its own, as in joblib, whose
        backend "dask" will do as well. One setting's folds are fitted one after the other. As
        joblib hands work out, up to ``n_jobs`` settings are chosen before a process is free. Which
        settings are tried depends on which finish first, so only ``n_jobs=1`` is reproducible.
    refit : bool, str or callable, default=True
        As in :class:`sklearn.model_selection.GridSearchCV`; what a callable chooses must be
        complete.
    cv : int, cross-validation generator or iterable, default=None
        As in :class:`sklearn.model_selection.GridSearchCV`; folds are made once, for the whole
        search.
    random_state : int, RandomState instance or None, default=None
        Seed of the choices, if there is no ``sampler``.
    error_score : "raise" or float, default=np.nan
        Score of a fold whose fit fails. NaN makes it a failed trial.
    return_train_score : bool, default=False
        Whether ``cv_results_`` has scores on training folds too.
    verbose : int, default=0
        0 is silent, 1 shows one live line (a line a trial where there is no terminal), 2 a line a
        trial; both say first what a stored study holds.

    Attributes
    ----------
    cv_results_ : dict of str to ndarray
        As in :class:`sklearn.model_selection.GridSearchCV`, a row for each setting tried, with
        ``trial_number``, ``trial_state`` ("complete", "pruned" or "fail") and ``trial_n_folds``,
        the folds it was fitted on, besides. A pruned setting has NaN for the folds it was spared,
        and for its mean, and so ranks last.
    best_estimator_ : estimator
        Fitted on all data with the best setting, if ``refit``.
    best_score_ : float
        Mean score of the best setting over the folds.
    best_params_ : dict
        The best setting.
    best_index_ : int
        Its row in ``cv_results_``.
    best_trial_ : optuna.trial.FrozenTrial
        Its trial.
    study_ : optuna.study.Study
        Optuna's study with all trials, for its plots and its dashboard. A pickle holds a copy that
        needs no storage.
    scorer_ : callable or dict of str to callable
        What scores.
    n_splits_ : int
        Number of folds.
    refit_time_ : float
        Seconds that the last fit on all data took.
    multimetric_ : bool
        Whether there are several metrics.
    interrupted_ : bool
        Whether Ctrl-C ended the search.
    classes_ : ndarray of shape (n_classes,)
        Class labels of the refitted classifier.
    feature_names_in_ : ndarray of shape (n_features,)
        Their names, if the refitted estimator knows them.

    See Also
    --------
    default_space : What is worth searching for a recipe.
    compare_classifiers : Holds classifiers against each other.
    sklearn.model_selection.GridSearchCV : Tries all of a few settings.

    Notes
    -----
    Once fitted, ``predict``, ``predict_proba``, ``score`` and so on are those of the refitted
    estimator.

    A setting that is chosen again once it is finished, as happens where there are few, is not
    fitted again: its trial has the scores of the first. It counts as a trial all the same; to try
    each of a few settings once, give :class:`optuna.samplers.GridSampler`.

    Trials whose process died are tried anew, up to twice, by the same search made again or by
    another process that shares the study. A process on the same machine is known to be dead at
    once, one on another machine after a minute without a heartbeat; journal files have none, so
    there it is known on the same machine alone.

    Ctrl-C ends the search, not the program: what was tried is kept, a warning says how much, and
    the best of it is refitted. A second one ends that too, and so does the first before any trial
    is complete. ``study_`` then also holds trials that will be tried again. ``interrupted_`` tells
    such a search from a complete one.

    References
    ----------
    .. [1] T. Akiba, S. Sano, T. Yanase, T. Ohta, M. Koyama, "Optuna: A Next-generation
       Hyperparameter Optimization Framework", KDD 2019.
    .. [2] J. Bergstra, R. Bardenet, Y. Bengio, B. Kégl, "Algorithms for Hyper-Parameter
       Optimization", NIPS 2011.

    Examples
    --------
    >>> from scipy.stats import loguniform
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.svm import SVC
    >>> from skfashion.model_selection import OptunaSearchCV
    >>> X, y = load_iris(return_X_y=True)
    >>> space = {"C": loguniform(1e-2, 1e3), "kernel": ["linear", "rbf"]}
    >>> search = OptunaSearchCV(SVC(), space, n_trials=15, random_state=0).fit(X, y)
    >>> bool(search.best_score_ > 0.97)
    True
    >>> sorted(search.best_params_)
    ['C', 'kernel']
    """

    _parameter_constraints: ClassVar[dict] = {
        **{
            name: constraint
            for name, constraint in BaseSearchCV._parameter_constraints.items()
            if name != "pre_dispatch"
        },
        "param_distributions": [Mapping, callable],
        "n_trials": [Interval(Integral, 1, None, closed="left")],
        "timeout": [Interval(Real, 0, None, closed="neither"), None],
        "sampler": [BaseSampler, None],
        "pruner": [BasePruner, None],
        "storage": [str, os.PathLike, BaseStorage, None],
        "study_name": [str, None],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        estimator,
        param_distributions,
        *,
        n_trials=20,
        timeout=None,
        sampler=None,
        pruner=None,
        storage=None,
        study_name=None,
        scoring=None,
        n_jobs=None,
        refit=True,
        cv=None,
        random_state=None,
        error_score=np.nan,
        return_train_score=False,
        verbose=0,
    ):
        self.estimator = estimator
        self.param_distributions = param_distributions
        self.n_trials = n_trials
        self.timeout = timeout
        self.sampler = sampler
        self.pruner = pruner
        self.storage = storage
        self.study_name = study_name
        self.scoring = scoring
        self.n_jobs = n_jobs
        self.refit = refit
        self.cv = cv
        self.random_state = random_state
        self.error_score = error_score
        self.return_train_score = return_train_score
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        if is_any_classifier(self.estimator):
            tags.estimator_type = "classifier"
            tags.classifier_tags = tags.classifier_tags or ClassifierTags()
        return tags

    def __getstate__(self):
        state = super().__getstate__()
        if "study_" in state:
            # Keep pickles independent of the database.
            state = {**state, "study_": copy_into_memory(self.study_)}
        return state

    @fit_context(prefer_skip_nested_validation=False)
    def fit(self, X, y=None, **params):
        """Try settings, and refit the best.

        Parameters
        ----------
        X : array-like of shape (n_samples, ...)
            Training data, as the estimator takes it.
        y : array-like of shape (n_samples,), default=None
            Targets.
        **params : dict
            Parameters of the estimator's ``fit``, of the scorer and of the splitter, routed as in
            :class:`sklearn.model_selection.GridSearchCV`; those with a value for each sample are
            split as X is.

        Returns
        -------
        self : OptunaSearchCV
            The fitted search.

        Raises
        ------
        ValueError
            If the estimator has no parameter of a given name (the message names the nearest),
            nothing is to be chosen, the pruner compares no folds, or no trial is completed.
        StudyMismatchError
            If the study began with another estimator, other data, folds, metric or space.
        StudyStorageError
            If the storage cannot be reached.

        Warns
        -----
        FitFailedWarning
            If some fits fail.
        UserWarning
            If the search was interrupted.
        """
        space = make_space(self.param_distributions)
        space.check(self.estimator)
        pruner = self.pruner or (NopPruner() if callable(self.refit) else MedianPruner())
        check_pruner(pruner)
        scorers, _ = self._get_scorers()
        metric = self.refit if isinstance(self.refit, str) else None

        X, y = indexable(X, y)
        params = check_method_params(X, params=params)
        routed_params = self._get_routed_params_for_fit(params)
        cv = check_cv(self.cv, y, classifier=is_classifier(self))
        folds = list(cv.split(X, y, **routed_params.splitter.split))
        callback_data = {"estimator": self, "X": X, "y": y, "metadata": None}
        if params.get("sample_weight") is not None:
            callback_data["metadata"] = {"sample_weight": params["sample_weight"]}
        callback_context = callback_context_of(self, max_subtasks=int(bool(self.refit)))
        callback_context.call_on_fit_task_begin(**callback_data)

        fingerprint = {
            **self._fingerprint(space, metric),
            "data": joblib.hash((X, y, describe(params))),
            "folds": joblib.hash([tuple(map(np.asarray, fold)) for fold in folds]),
        }
        name = self.study_name or f"skfashion-{joblib.hash(fingerprint)[:16]}"
        study = SharedStudy(open_storage(self.storage), name, fingerprint)
        plan = TrialPlan(
            estimator=clone(self.estimator),
            folds=folds,
            metric=metric,
            pruner=pruner,
            scoring={
                "scorer": scorers,
                "fit_params": routed_params.estimator.fit,
                "score_params": routed_params.scorer.score,
                "return_train_score": self.return_train_score,
                "return_times": True,
                "error_score": self.error_score,
                "verbose": 0,
            },
        )
        self.interrupted_ = self._run_trials(study, space, plan, X, y)
        self.n_splits_ = len(folds)
        self.scorer_ = scorers._scorers if isinstance(scorers, MultimetricScorer) else scorers
        self.study_ = study.load(self.sampler, pruner)
        self._collect_results(study.finished(), space)
        if self.refit or not self.multimetric_:
            self._find_best()
        if self.refit:
            refit_context = callback_context.subcontext(task_name="refit-with-best-params")
            self._refit(X, y, routed_params.estimator.fit, refit_context, callback_data)
        callback_context.call_on_fit_task_end(**callback_data)
        return self

    def _fingerprint(self, space, metric):
        """Return strings, by the names that users know, that identify the search without its data.

        They are the same in every process that makes the same search.
        """
        if self.scoring is None or isinstance(self.scoring, str):
            metric = None
        return {
            "estimator": describe(self.estimator),
            "scoring": describe([self.scoring, metric]),
            "param_distributions": describe(space.description),
            "return_train_score": str(self.return_train_score),
        }

    def _run_trials(self, study, space, plan, X, y):
        """Run trials until there are enough, and return whether Ctrl-C ended it before."""
        if self.verbose and self.storage is not None:
            print(f"Study {study.name} holds {len(study.finished())} of {self.n_trials} trials.")
        with show_progress(self.verbose, "Trial", self.n_trials) as report:
            runner = TrialRunner(
                study,
                space,
                self._sampler_maker(study),
                plan,
                n_trials=self.n_trials,
                timeout=self.timeout,
                n_jobs=self.n_jobs,
                report=report,
            )
            is_interrupted = False
            try:
                runner.run(X, y)
            except KeyboardInterrupt:
                # The error may hold an open transaction, which would lock the database below.
                is_interrupted = True
            if is_interrupted:
                finished = study.finished()
                if not any(trial.state == TrialState.COMPLETE for trial, _ in finished):
                    raise KeyboardInterrupt
                warn(f"The search was interrupted after {len(finished)} of {self.n_trials} trials.")
            return is_interrupted

    def _sampler_maker(self, study):
        """A function that gives the sampler for the trial of a number."""
        if self.sampler is None:
            seed = draw_seed(self.random_state)
            return lambda number: TPESampler(seed=derive_seed(seed, number))
        sampler = copy.deepcopy(self.sampler)
        if not study.is_new:
            sampler.reseed_rng()  # otherwise it would choose the same again
        return lambda number: sampler

    def _collect_results(self, finished, space):
        """Make cv_results_ of the folds of all trials."""
        all_folds = [fold for _, folds in finished for fold in folds]
        warn_or_raise_about_fit_failures(all_folds, self.error_score)
        states = [trial.state.name.lower() for trial, _ in finished]
        if "complete" not in states:
            n_failed = states.count("fail")
            advice = " error_score='raise' shows why." if n_failed else ""
            raise ValueError(
                f"No trial was completed, so there is no best: {states.count('pruned')} were "
                f"pruned, {n_failed} failed.{advice}"
            )
        all_scores = [fold["test_scores"] for fold in all_folds]
        # A fit that failed has one score, whatever the number of metrics.
        metrics = next((list(scores) for scores in all_scores if isinstance(scores, dict)), [])
        self.multimetric_ = bool(metrics)
        if self.multimetric_:
            self._check_refit_for_multimetric(metrics)
        unfitted = dict.fromkeys(FOLD_KEYS, np.nan)
        rows = [
            {**unfitted, **(folds[i] if i < len(folds) else {})}
            for _, folds in finished
            for i in range(self.n_splits_)
        ]
        if self.multimetric_:
            for row in rows:
                for key in ("test_scores", "train_scores"):
                    if not isinstance(row[key], dict):
                        row[key] = dict.fromkeys(metrics, row[key])
        with warnings.catch_warnings():
            # Failed fits have had their warning, and pruned settings need none.
            warnings.filterwarnings("ignore", "One or more of the .* scores are non-finite")
            self.cv_results_ = self._format_results(
                [restore_parameters(space, trial) for trial, _ in finished],
                self.n_splits_,
                rows,
                {
                    "trial_number": [trial.number for trial, _ in finished],
                    "trial_state": states,
                    "trial_n_folds": [len(folds) for _, folds in finished],
                },
            )

    def _find_best(self):
        refit_metric = self.refit if self.multimetric_ else "score"
        self.best_index_ = self._select_best_index(self.refit, refit_metric, self.cv_results_)
        state = self.cv_results_["trial_state"][self.best_index_]
        if state != "complete":
            raise ValueError(
                f"refit must choose a trial that is complete, got row {self.best_index_} of "
                f"cv_results_, whose trial_state is {state!r}. Scores of others hold NaN."
            )
        if not callable(self.refit):
            self.best_score_ = self.cv_results_[f"mean_test_{refit_metric}"][self.best_index_]
        self.best_params_ = self.cv_results_["params"][self.best_index_]
        number = self.cv_results_["trial_number"][self.best_index_]
        self.best_trial_ = self.study_.trials[number]

    def _refit(self, X, y, fit_params, callback_context, callback_data):
        self.best_estimator_ = clone(self.estimator).set_params(
            **clone(self.best_params_, safe=False)
        )
        targets = () if y is None else (y,)
        with callback_context.propagate_callback_context(self.best_estimator_):
            callback_context.call_on_fit_task_begin(**callback_data)
            started = time.perf_counter()
            self.best_estimator_.fit(X, *targets, **fit_params)
            self.refit_time_ = time.perf_counter() - started
        callback_context.call_on_fit_task_end(**callback_data)
        if hasattr(self.best_estimator_, "feature_names_in_"):
            self.feature_names_in_ = self.best_estimator_.feature_names_in_

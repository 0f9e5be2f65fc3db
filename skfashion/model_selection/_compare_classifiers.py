"""Comparison of classifiers on the same folds."""

import pickle
import traceback
import warnings
from collections import Counter
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from sklearn.base import ClassifierMixin, clone, is_classifier, is_regressor
from sklearn.metrics import check_scoring, get_scorer_names
from sklearn.model_selection import check_cv, cross_validate
from sklearn.pipeline import Pipeline
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.parallel import delayed

from skfashion._utils.names import check_name
from skfashion._utils.progress import show_progress
from skfashion._utils.randomness import derive_seed, draw_seed
from skfashion._utils.warnings import warn
from skfashion.errors import ComparisonInterrupted
from skfashion.model_selection._outcomes import outcomes_of

__all__ = ["compare_classifiers", "is_any_classifier"]

# scikit-learn's MLPClassifier takes Ctrl-C as the end of its training, and warns.
_MLP_INTERRUPTED = "Training interrupted by user."


def compare_classifiers(
    estimators,
    X,
    y,
    *,
    cv=5,
    scoring="accuracy",
    n_jobs=None,
    random_state=None,
    verbose=0,
):
    """Cross-validate classifiers on the same folds, and say which differences may be chance.

    Parameters
    ----------
    estimators : dict of str to classifier, or list of (str, classifier) or of classifier
        The contenders. Those without a name are called as their class, in lower case. Clones of
        them are fitted.
    X : array-like of shape (n_samples, ...)
        Anything that all of them take: an array of two to four dimensions, a pandas or polars
        data frame.
    y : array-like of shape (n_samples,)
        Class labels.
    cv : int, splitter or iterable of (train, test), default=5
        Folds, made once, for all contenders. An int means so many stratified folds, as of
        ``StratifiedKFold(cv)``, or ``StratifiedKFold(cv, shuffle=True, random_state=random_state)``
        if ``random_state`` is given.
    scoring : str or callable, default='accuracy'
        A name of :func:`sklearn.metrics.get_scorer_names`, or ``scorer(estimator, X, y)`` that
        returns a number. The greatest is the best.
    n_jobs : int, default=None
        Fits at a time; None means 1, unless a :class:`joblib.parallel_config` says otherwise, and
        -1 one on each processor. Scores do not depend on it, seconds do.
    random_state : int, RandomState instance or None, default=None
        Shuffles the folds of an int ``cv``, and seeds each contender whose ``random_state``, or
        that of a part of it, is None.
    verbose : int, default=0
        0 shows nothing, 1 a live line of progress (a line for each finished contender where there
        is no terminal).

    Returns
    -------
    table : DataFrame of shape (n_classifiers, 5), or 6 columns if any failed
        Best first; the index holds the names. Columns are

        * ``mean_score`` and ``std_score``, over the folds; the standard deviation is that of the
          population, as in ``GridSearchCV.cv_results_``;
        * ``fit_seconds``, for one fit, the mean of the folds;
        * ``predict_ms``, milliseconds to predict and score one sample, which are seconds for a
          thousand of them;
        * ``p_value``, how probable a difference to the best at least this large would be between
          equals: two-sided corrected resampled t-test [1]_; NaN for the best itself, and with a
          single fold;
        * ``error``, only if a contender failed: what it raised, or "".

        ``table.attrs`` holds what the folds gave, for a
        :class:`skfashion.inspection.ComparisonDisplay`: ``fold_scores`` and ``fold_fit_seconds``,
        each a dict of names to lists, and ``scoring``.

    Raises
    ------
    TypeError
        If a contender is no classifier, a name no string, or ``scoring`` neither name nor scorer.
    ValueError
        If there is nothing to compare, names are not unique, ``scoring`` is unknown, ``cv`` gives
        no folds of these data, y holds no classes, or every contender failed.
    ComparisonInterrupted
        If Ctrl-C ends the comparison and at least one contender has a score. Its attribute
        ``comparison`` is the table of the contenders whose folds are all done, with p-values among
        these. It is a KeyboardInterrupt. If no contender has a score, a KeyboardInterrupt without
        a table is raised.

    Warns
    -----
    UserWarning
        For each contender that failed in some fold. Its row is among the last, with NaN.

    See Also
    --------
    skfashion.inspection.ComparisonDisplay : Draws the table.

    Notes
    -----
    With differences ``d`` in ``k`` folds, the statistic of the test is ``mean(d) / sqrt((1 / k +
    n_test / n_train) * var(d))``, Student's t with ``k - 1`` degrees of freedom. The second
    fraction accounts for training sets that overlap; without it differences seem far surer than
    they are. Repeated folds make the test sharper. Each p-value stands for itself, and the best was
    chosen by the same scores: of twenty equals, one or more will seem worse than the best with p
    below 0.05.

    Seconds are those of the clock. To compare them, leave ``n_jobs`` at 1 and the machine alone.
    The first fit of a network in a process includes its compilation.

    A worker process that is killed, for want of memory for instance, ends the comparison.

    ``random_state`` is given to scikeras' estimators too, which then leave TensorFlow
    deterministic: unseeded fits in the same process raise.

    ``print(table.round(3).to_string())`` shows all columns, however narrow the terminal.

    References
    ----------
    .. [1] C. Nadeau, Y. Bengio, "Inference for the Generalization Error", Machine Learning 52,
       2003, pp. 239-281.

    Examples
    --------
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skfashion.datasets import load_fashion_sample
    >>> from skfashion.model_selection import compare_classifiers
    >>> X, y = load_fashion_sample(return_X_y=True)
    >>> contenders = {"knn": KNeighborsClassifier(), "bayes": GaussianNB()}
    >>> table = compare_classifiers(contenders, X[:500], y[:500], random_state=0)
    >>> table[["mean_score", "std_score", "p_value"]].round(3)
                mean_score  std_score  p_value
    classifier
    knn              0.742      0.045      NaN
    bayes            0.516      0.038    0.002
    """
    classifiers = _check_classifiers(estimators)
    scorer = _check_scorer(scoring)
    y = column_or_1d(y)
    check_consistent_length(X, y)
    check_classification_targets(y)
    seed = draw_seed(random_state)
    folds = _make_folds(cv, X, y, None if random_state is None else seed)
    if random_state is not None:
        for classifier in classifiers.values():
            _seed_unseeded(classifier, seed)

    jobs = (
        delayed(_score_fold)(name, number, classifier, X, y, scorer, fold)
        for name, classifier in classifiers.items()
        for number, fold in enumerate(folds)
    )
    results: dict = {name: {} for name in classifiers}
    score_name = scoring if isinstance(scoring, str) else "score"
    try:
        with (
            show_progress(verbose, "Fit", len(classifiers) * len(folds)) as report,
            outcomes_of(jobs, n_jobs=n_jobs) as outcomes,
        ):
            for n_done, (name, number, result) in enumerate(outcomes, start=1):
                results[name][number] = result
                is_complete = len(results[name]) == len(folds)
                summary = f"{name}: {_summarize(results[name].values())}" if is_complete else None
                report(n_done, name, summary)
    except KeyboardInterrupt:
        complete = _select_complete(results, len(folds))
        if all(map(_first_error, complete.values())):  # also if there are none
            raise
        missing = [name for name in classifiers if name not in complete]
        raise ComparisonInterrupted(_tabulate(complete, folds, score_name), missing) from None
    return _tabulate(_select_complete(results, len(folds)), folds, score_name)


def is_any_classifier(estimator):
    """Return whether this is a classifier, or a pipeline or search around one.

    scikeras' classifier lacks the tag that scikit-learn looks for, and so does what is around it.
    """
    if isinstance(estimator, ClassifierMixin) or is_classifier(estimator):
        return True
    if is_regressor(estimator):
        return False
    if isinstance(estimator, Pipeline):
        return is_any_classifier(estimator.steps[-1][1])
    is_around_another = hasattr(estimator, "estimator") and hasattr(estimator, "predict")
    return is_around_another and is_any_classifier(estimator.estimator)


class _FoldResult(NamedTuple):
    score: float
    fit_seconds: float
    score_seconds: float


def _check_classifiers(estimators):
    """Return clones by name."""
    if isinstance(estimators, Mapping):
        pairs = list(estimators.items())
    elif isinstance(estimators, list | tuple):
        pairs = [
            entry if isinstance(entry, tuple) and len(entry) == 2 else _named_by_class(entry)
            for entry in estimators
        ]
    else:
        raise TypeError(
            "estimators must be a dict of names to classifiers, or a list of classifiers or of "
            f"(name, classifier) pairs, got {estimators!r}."
        )
    if not pairs:
        raise ValueError(f"estimators must hold at least one classifier, got {estimators!r}.")
    for name, estimator in pairs:
        _check_classifier(name, estimator)
    (name, n_of_that_name), *_ = Counter(name for name, _ in pairs).most_common()
    if n_of_that_name > 1:
        raise ValueError(
            f"estimators must have different names, got {name!r} {n_of_that_name} times. Give "
            "names: a dict of names to classifiers."
        )
    return {name: clone(estimator) for name, estimator in pairs}


def _named_by_class(estimator):
    named = estimator if isinstance(estimator, type) else type(estimator)
    return named.__name__.lower(), estimator


def _check_classifier(name, estimator):
    if not isinstance(name, str):
        raise TypeError(f"Names of estimators must be strings, got {name!r}.")
    if isinstance(estimator, type):
        raise TypeError(
            f"Estimator {name!r} must be a classifier, got the class {estimator.__name__}: write "
            f"{estimator.__name__}()."
        )
    if isinstance(estimator, str):
        raise TypeError(
            f"Estimator {name!r} must be a classifier, got the name {estimator!r}: see make_recipe "
            "and make_baseline."
        )
    for method in ("fit", "predict", "get_params", "__sklearn_tags__"):
        if not hasattr(estimator, method):
            raise TypeError(
                f"Estimator {name!r} must be a classifier, got {estimator!r}, without {method}."
            )
    if not is_any_classifier(estimator):
        raise TypeError(f"Estimator {name!r} must be a classifier, got {estimator!r}.")


def _check_scorer(scoring):
    if isinstance(scoring, str):
        check_name("scoring", scoring, get_scorer_names())
    elif not callable(scoring):
        raise TypeError(
            f"scoring must be the name of one score, or scorer(estimator, X, y), got {scoring!r}."
        )
    return check_scoring(scoring=scoring)


def _make_folds(cv, X, y, seed):
    """Return the indices to train and to test with."""
    samples = np.arange(len(y))
    try:
        splitter = check_cv(cv, y, classifier=True, shuffle=seed is not None, random_state=seed)
        folds = [(samples[train], samples[test]) for train, test in splitter.split(X, y)]
    except (IndexError, TypeError, ValueError) as error:
        raise ValueError(f"cv={cv!r} gives no folds of {len(y)} samples: {error}") from error
    if not folds:
        raise ValueError(f"cv must give at least one fold, got {cv!r}.")
    return folds


def _seed_unseeded(classifier, seed):
    """Give seeds to a classifier and its parts if they have none."""
    unseeded = sorted(
        name
        for name, value in classifier.get_params().items()
        if name.rpartition("__")[2] == "random_state" and value is None
    )
    classifier.set_params(
        **{name: derive_seed(seed, number) for number, name in enumerate(unseeded)}
    )


def _score_fold(name, number, classifier, X, y, scorer, fold):
    """Return the result of one fit, or the error that ended it."""
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("error", _MLP_INTERRUPTED)
            scored = cross_validate(
                classifier, X, y, cv=[fold], scoring=scorer, error_score="raise"
            )
        result = _FoldResult(
            *(float(scored[key][0]) for key in ("test_score", "fit_time", "score_time"))
        )
        if not np.isfinite(result.score):
            raise ValueError(f"The score is {result.score}.")
    except Exception as error:
        if str(error) == _MLP_INTERRUPTED:
            raise KeyboardInterrupt from error
        return name, number, _portable(error)
    return name, number, result


def _portable(error):
    """Return an error as it reaches another process, without frames that keep a model alive."""
    trace = "".join(traceback.format_exception(error))
    try:
        error = pickle.loads(pickle.dumps(error))
    except Exception:  # not every error can be pickled, and some not be unpickled
        error = RuntimeError(_describe(error))
    error.add_note(trace)
    return error


def _describe(error):
    return " ".join(f"{type(error).__name__}: {error}".split())


def _select_complete(results, n_folds):
    """Return the results of contenders whose folds are all done, in the order of the folds."""
    return {
        name: [by_number[number] for number in range(n_folds)]
        for name, by_number in results.items()
        if len(by_number) == n_folds
    }


def _first_error(results):
    return next((result for result in results if isinstance(result, Exception)), None)


def _tabulate(results, folds, score_name):
    """Return the table, from each contender's results in the order of the folds."""
    import pandas as pd

    errors = {name: error for name in results if (error := _first_error(results[name]))}
    if len(errors) == len(results):
        name, error = next(iter(errors.items()))
        raise ValueError(f"Every classifier failed, {name!r} first: {_describe(error)}") from error
    scores = {
        name: [result.score for result in results[name]] for name in results if name not in errors
    }
    ranked = sorted(scores, key=lambda name: -np.mean(scores[name]))
    n_train, n_test = (sum(map(len, indices)) for indices in zip(*folds, strict=True))
    rows = []
    for name in ranked:
        _, fit_seconds, score_seconds = zip(*results[name], strict=True)
        rows.append(
            {
                "mean_score": np.mean(scores[name]),
                "std_score": np.std(scores[name]),
                "fit_seconds": np.mean(fit_seconds),
                "predict_ms": 1000 * sum(score_seconds) / n_test,
                "p_value": np.nan
                if name == ranked[0]
                else _p_value(scores[ranked[0]], scores[name], n_test / n_train),
            }
        )
    table = pd.DataFrame(rows, index=pd.Index(ranked, name="classifier"))
    if errors:
        table = table.reindex(pd.Index([*ranked, *errors], name="classifier"))
        table["error"] = [_describe(errors[n]) if n in errors else "" for n in table.index]
    table.attrs = {
        "scoring": score_name,
        "fold_scores": {name: scores[name] for name in ranked},
        "fold_fit_seconds": {
            name: [result.fit_seconds for result in results[name]] for name in ranked
        },
    }
    for name, error in errors.items():
        warn(f"{name!r} failed and has no score: {_describe(error)}")
    return table


def _p_value(best, other, test_to_train):
    """Return the two-sided p-value of the corrected resampled t-test."""
    from scipy.stats import t

    difference = np.subtract(best, other)
    n_folds = len(difference)
    if n_folds == 1:
        return np.nan
    if np.allclose(difference, difference[0], rtol=1e-9, atol=0):
        return float(difference[0] == 0)
    variance = (1 / n_folds + test_to_train) * difference.var(ddof=1)
    return 2 * t.sf(abs(difference.mean()) / np.sqrt(variance), n_folds - 1)


def _summarize(results):
    """Return the results of a contender in one line."""
    error = _first_error(results)
    if error:
        return _describe(error)
    scores, fit_seconds, _ = zip(*results, strict=True)
    return f"{np.mean(scores):.4f} ({np.std(scores):.4f}), {np.mean(fit_seconds):.3g} s a fit"

"""What the trials of a study must have in common for their scores to be compared."""

import re

import joblib
import numpy as np
from sklearn.base import BaseEstimator

__all__ = ["describe_search"]

# These change neither scores nor what is stored.
_WITHOUT_EFFECT = ("n_jobs", "verbose")


def describe_search(*, estimator, X, y, fit_params, folds, scoring, space, return_train_score):
    """Strings that are the same in every process that makes the same search.

    Returns
    -------
    fingerprint : dict of str to str
        By the names that users know.
    """
    return {
        "estimator": joblib.hash(_describe(estimator)),
        "data": joblib.hash((X, y, fit_params)),
        "folds": joblib.hash([tuple(map(np.asarray, fold)) for fold in folds]),
        "scoring": str(_describe(scoring)),
        "param_distributions": joblib.hash(space.description),
        "return_train_score": str(return_train_score),
    }


def _describe(value):
    """Nested lists and strings, without addresses in memory."""
    if isinstance(value, BaseEstimator):
        parameters = [
            (name, _describe(parameter))
            for name, parameter in sorted(value.get_params(deep=False).items())
            if name not in _WITHOUT_EFFECT
        ]
        return [_qualified_name(type(value)), parameters]
    if isinstance(value, dict):
        return [(str(key), _describe(item)) for key, item in value.items()]
    if isinstance(value, (list, tuple)):
        return [_describe(item) for item in value]
    if isinstance(value, np.ndarray):
        return joblib.hash(value)
    if hasattr(value, "__qualname__"):
        return _qualified_name(value)
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(value))


def _qualified_name(value):
    return f"{value.__module__}.{value.__qualname__}"

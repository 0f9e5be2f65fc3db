"""What the trials of a study must have in common for their scores to be compared."""

import joblib
import numpy as np

from skfashion.model_selection._describe import describe

__all__ = ["make_fingerprint"]


def make_fingerprint(
    *, estimator, X, y, fit_params, folds, scoring, metric, space, return_train_score
):
    """Strings that are the same in every process that makes the same search.

    Returns
    -------
    fingerprint : dict of str to str
        By the names that users know.
    """
    return {
        "estimator": describe(estimator),
        "data": joblib.hash((X, y, describe(fit_params))),
        "folds": joblib.hash([tuple(map(np.asarray, fold)) for fold in folds]),
        "scoring": describe([scoring, metric]),
        "param_distributions": describe(space.description),
        "return_train_score": str(return_train_score),
    }

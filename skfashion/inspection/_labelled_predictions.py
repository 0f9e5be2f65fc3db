"""What a classifier makes of images whose classes are known."""

import time
from typing import Any, NamedTuple

import numpy as np

from skfashion._sklearn_compat import column_or_1d
from skfashion._utils.labels import check_known_labels
from skfashion.inspection._labels import check_labels, name_classes
from skfashion.inspection._networks import unwrap

__all__ = ["LabelledPredictions", "predict_labelled"]


class LabelledPredictions(NamedTuple):
    """True and predicted classes.

    Attributes
    ----------
    y_true, y_pred : ndarray of shape (n,)
        Class labels.
    probabilities : ndarray of shape (n, n_classes) or None
        Columns are in the order of ``classes``.
    classes : ndarray of shape (n_classes,)
        The labels that the classifier knows.
    class_names : list of str
        What the classes are called.
    seconds : float
        What ``predict`` took.
    """

    y_true: Any
    y_pred: Any
    probabilities: Any
    classes: Any
    class_names: list
    seconds: float

    def confidence(self):
        """Probability of each predicted class, or None."""
        if self.probabilities is None:
            return None
        columns = np.searchsorted(self.classes, self.y_pred)
        return np.take_along_axis(self.probabilities, columns[:, None], axis=1)[:, 0]


def predict_labelled(estimator, X, y, target_names, *, with_probabilities=True):
    """Predict images whose classes are known.

    Parameters
    ----------
    estimator : classifier
        Fitted.
    X : array-like of shape (n, ...)
        Images, as for the estimator's ``predict``.
    y : array-like of shape (n,)
        Class labels.
    target_names : sequence of str or None
        As for :func:`name_classes`.
    with_probabilities : bool, default=True
        Whether to ask for them too, where the classifier has any.

    Returns
    -------
    predictions : LabelledPredictions

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it is no classifier.
    ValueError
        If y is of another length than X or has labels that the classifier does not know, it
        predicts others than it says to know, or the number of names is not that of the classes.
    """
    classifier, _ = unwrap(estimator)
    if not hasattr(estimator, "classes_"):
        raise TypeError(f"estimator must be a classifier, got {type(estimator).__name__}.")
    classes = np.asarray(estimator.classes_)
    y = check_labels(y, X.shape[0] if hasattr(X, "shape") else len(X), "y")
    check_known_labels(y, classes, "y", "the classifier")
    class_names = name_classes(classes, target_names, classifier)
    estimator.predict(X[:1])  # what is set up at the first call is not of the images
    started = time.perf_counter()
    y_pred = estimator.predict(X)
    seconds = time.perf_counter() - started
    y_pred = column_or_1d(y_pred, input_name="predictions")
    check_known_labels(y_pred, classes, "predictions", "classes_ of the classifier")
    probabilities = None
    if with_probabilities and hasattr(estimator, "predict_proba"):
        probabilities = np.asarray(estimator.predict_proba(X))
    order = np.argsort(classes)  # scikit-learn's classifiers have sorted ones
    return LabelledPredictions(
        y,
        y_pred,
        None if probabilities is None else probabilities[:, order],
        classes[order],
        [class_names[i] for i in order],
        seconds,
    )

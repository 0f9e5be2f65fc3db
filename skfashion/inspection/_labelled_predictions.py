"""Class labels, the names of classes, and predictions of images whose classes are known."""

import time
from dataclasses import dataclass

import numpy as np

from skfashion._sklearn_compat import column_or_1d
from skfashion._utils.names import check_known_labels
from skfashion.inspection._network_input import unwrap

__all__ = ["LabelledPredictions", "check_labels", "name_classes", "predict_labelled"]


@dataclass(frozen=True, eq=False)
class LabelledPredictions:
    """True and predicted classes of images.

    Attributes
    ----------
    y_true, y_pred : ndarray of shape (n,)
        Class labels.
    probabilities : ndarray of shape (n, n_classes) or None
        Columns are in the order of ``classes``.
    classes : ndarray of shape (n_classes,)
        The labels that the classifier knows, sorted.
    class_names : list of str
        Names of the classes.
    seconds : float
        Time that ``predict`` took.
    """

    y_true: np.ndarray
    y_pred: np.ndarray
    probabilities: np.ndarray | None
    classes: np.ndarray
    class_names: list[str]
    seconds: float

    def confidence(self):
        """Return the probability of each predicted class, or None."""
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
        Names of the classes, as for :func:`name_classes`.
    with_probabilities : bool, default=True
        Whether to predict probabilities too, if the classifier has ``predict_proba``.

    Returns
    -------
    predictions : LabelledPredictions

    Raises
    ------
    NotFittedError
        If the estimator is not fitted.
    TypeError
        If it is not a classifier.
    ValueError
        If y is of another length than X or has labels that the classifier does not know, the
        classifier predicts labels that are not in its ``classes_``, or the number of names is not
        that of the classes.
    """
    classifier, _ = unwrap(estimator)
    if not hasattr(estimator, "classes_"):
        raise TypeError(f"estimator must be a classifier, got {type(estimator).__name__}.")
    classes = np.asarray(estimator.classes_)
    y = check_labels(y, X.shape[0] if hasattr(X, "shape") else len(X), "y")
    check_known_labels(y, classes, "y", "the classifier")
    class_names = name_classes(classes, target_names, classifier)
    estimator.predict(X[:1])  # the first call may compile something: do not time it
    started = time.perf_counter()
    y_pred = estimator.predict(X)
    seconds = time.perf_counter() - started
    y_pred = column_or_1d(y_pred, input_name="predictions")
    check_known_labels(y_pred, classes, "predictions", "classes_ of the classifier")
    probabilities = None
    if with_probabilities and hasattr(estimator, "predict_proba"):
        probabilities = np.asarray(estimator.predict_proba(X))
    order = np.argsort(classes)  # only scikit-learn promises sorted classes
    return LabelledPredictions(
        y_true=y,
        y_pred=y_pred,
        probabilities=None if probabilities is None else probabilities[:, order],
        classes=classes[order],
        class_names=[class_names[i] for i in order],
        seconds=seconds,
    )


def check_labels(labels, n_images, name):
    """Return labels as an array of shape (n_images,).

    Raises
    ------
    ValueError
        If they are of another shape.
    """
    labels = column_or_1d(labels, input_name=name)
    if len(labels) != n_images:
        raise ValueError(f"X has {n_images} images, but {name} {len(labels)} labels.")
    return labels


def name_classes(labels, target_names, classifier=None):
    """Return a name for each label.

    Parameters
    ----------
    labels : ndarray of shape (n_labels,)
        Sorted class labels.
    target_names : sequence of str or None
        One name per label, in their order; or a name for each integer from 0, if ``labels`` are
        such integers, as in the bunches of data loaders. None takes the names that the classifier
        was loaded with, if any, and the labels themselves otherwise.
    classifier : classifier, default=None
        Fitted classifier of these labels.

    Returns
    -------
    names : list of str

    Raises
    ------
    ValueError
        If the names fit in neither way, or a name is repeated.
    """
    if target_names is None:
        target_names = getattr(classifier, "target_names_", None)
    if target_names is None:
        return [str(label) for label in labels]
    names = [str(name) for name in target_names]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise ValueError(f"target_names must differ, got {sorted(repeated)} more than once.")
    if len(names) == len(labels):
        return names
    if (
        len(labels)
        and np.issubdtype(labels.dtype, np.integer)
        and 0 <= labels.min() <= labels.max() < len(names)
    ):
        return [names[label] for label in labels]
    raise ValueError(
        f"target_names must have a name for each of the {len(labels)} classes "
        f"{labels.tolist()}, got {len(names)} names."
    )

"""The metrics of an evaluation, one table: to add a metric, add an entry to ``METRICS``.

Every entry becomes an attribute of :class:`ClassifierEvaluation`, a key of ``metrics.json`` and a
figure at the top of ``report.html``. The accuracy, its interval and the prediction time are not in
the table, because the report shows each of them in its own way.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from sklearn import metrics

from skfashion.inspection._labelled_predictions import LabelledPredictions

__all__ = ["METRICS", "Metric"]

_N_CALIBRATION_BINS = 15


@dataclass(frozen=True)
class Metric:
    """One number that says how good predictions are.

    Attributes
    ----------
    name : str
        Attribute of :class:`ClassifierEvaluation` and key of ``metrics.json``.
    label : str
        Caption in the report.
    function : callable
        Takes :class:`LabelledPredictions` and returns a float.
    note : str
        Small print below the number in the report.
    needs_probabilities : bool
        Whether the metric is None for a classifier without ``predict_proba``.
    """

    name: str
    label: str
    function: Callable[[LabelledPredictions], float]
    note: str
    needs_probabilities: bool = False

    def compute(self, predictions):
        """Return the metric of labelled predictions, or None if they lack probabilities."""
        if self.needs_probabilities and predictions.probabilities is None:
            return None
        return float(self.function(predictions))


def _log_loss(predictions):
    return metrics.log_loss(
        predictions.y_true, predictions.probabilities, labels=predictions.classes
    )


def _brier_score(predictions):
    return metrics.brier_score_loss(
        predictions.y_true, predictions.probabilities, labels=predictions.classes
    )


def _expected_calibration_error(predictions):
    confidence = predictions.confidence()
    is_right = predictions.y_true == predictions.y_pred
    bins = np.minimum((confidence * _N_CALIBRATION_BINS).astype(int), _N_CALIBRATION_BINS - 1)
    gaps = np.bincount(bins, weights=confidence - is_right, minlength=_N_CALIBRATION_BINS)
    return np.abs(gaps).sum() / len(confidence)


METRICS = (
    Metric("log_loss", "Log loss", _log_loss, "0 is best", needs_probabilities=True),
    Metric("brier_score", "Brier score", _brier_score, "0 is best", needs_probabilities=True),
    Metric(
        "expected_calibration_error",
        "Expected calibration error",
        _expected_calibration_error,
        "0 is best",
        needs_probabilities=True,
    ),
)

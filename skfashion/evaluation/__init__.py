"""Metrics of a classifier on labelled images, and the report made from them.

``_metrics.py`` is the table of metrics, and the one place to add a metric.
"""

from skfashion.evaluation._classifier_evaluation import ClassifierEvaluation, evaluate_classifier

__all__ = ["ClassifierEvaluation", "evaluate_classifier"]

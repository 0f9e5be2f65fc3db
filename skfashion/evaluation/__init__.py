"""Figures of a classifier on labelled images, and the report made from them."""

from skfashion.evaluation._classifier_evaluation import ClassifierEvaluation, evaluate_classifier

__all__ = ["ClassifierEvaluation", "evaluate_classifier"]

"""Every private name of scikit-learn that the package uses, under one roof.

A private name may move or change in any release, so the rest of the package imports it from here.
"""

from sklearn.base import _fit_context as fit_context
from sklearn.metrics._scorer import _MultimetricScorer as MultimetricScorer
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._validation import _fit_and_score as fit_and_score
from sklearn.model_selection._validation import (
    _warn_or_raise_about_fit_failures as warn_or_raise_about_fit_failures,
)
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import _check_method_params as check_method_params
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

__all__ = [
    "BaseSearchCV",
    "HasMethods",
    "Interval",
    "MultimetricScorer",
    "StrOptions",
    "check_method_params",
    "check_sample_weight",
    "fit_and_score",
    "fit_context",
    "warn_or_raise_about_fit_failures",
]

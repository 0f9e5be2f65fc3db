"""Searching for parameters, and comparing classifiers."""

from skfashion.model_selection._compare_classifiers import compare_classifiers
from skfashion.model_selection._default_space import default_space
from skfashion.model_selection._optuna_search import OptunaSearchCV

__all__ = ["OptunaSearchCV", "compare_classifiers", "default_space"]

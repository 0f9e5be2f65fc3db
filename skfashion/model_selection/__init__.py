"""Searching for parameters, and comparing classifiers."""

from skfashion.model_selection._default_space import default_space
from skfashion.model_selection._optuna_search import OptunaSearchCV

__all__ = ["OptunaSearchCV", "default_space"]

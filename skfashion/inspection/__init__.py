"""Seeing what a model learned."""

from skfashion.inspection._comparison import ComparisonDisplay
from skfashion.inspection._training_history import TrainingHistoryDisplay

__all__ = ["ComparisonDisplay", "TrainingHistoryDisplay"]

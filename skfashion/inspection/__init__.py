"""Displays of images, classifiers and what classifiers predict."""

from skfashion.inspection._augmentation_display import AugmentationDisplay
from skfashion.inspection._class_distribution_display import ClassDistributionDisplay
from skfashion.inspection._comparison_display import ComparisonDisplay
from skfashion.inspection._feature_maps_display import FeatureMapsDisplay
from skfashion.inspection._grad_cam_display import GradCAMDisplay
from skfashion.inspection._image_grid_display import ImageGridDisplay
from skfashion.inspection._predictions_display import PredictionsDisplay
from skfashion.inspection._training_history_display import TrainingHistoryDisplay

__all__ = [
    "AugmentationDisplay",
    "ClassDistributionDisplay",
    "ComparisonDisplay",
    "FeatureMapsDisplay",
    "GradCAMDisplay",
    "ImageGridDisplay",
    "PredictionsDisplay",
    "TrainingHistoryDisplay",
]


def __getattr__(name):
    if name in ("ClassifierEvaluation", "evaluate_classifier"):  # they were here before
        from skfashion import evaluation

        return getattr(evaluation, name)
    raise AttributeError(f"module 'skfashion.inspection' has no attribute {name!r}")

"""Seeing what data and classifiers are like, and what a classifier makes of test images."""

from skfashion.inspection._augmentation import AugmentationDisplay
from skfashion.inspection._class_distribution import ClassDistributionDisplay
from skfashion.inspection._comparison import ComparisonDisplay
from skfashion.inspection._evaluation import ClassifierEvaluation, evaluate_classifier
from skfashion.inspection._feature_maps import FeatureMapsDisplay
from skfashion.inspection._grad_cam_display import GradCAMDisplay
from skfashion.inspection._image_grid import ImageGridDisplay
from skfashion.inspection._predictions import PredictionsDisplay
from skfashion.inspection._training_history import TrainingHistoryDisplay

__all__ = [
    "AugmentationDisplay",
    "ClassDistributionDisplay",
    "ClassifierEvaluation",
    "ComparisonDisplay",
    "FeatureMapsDisplay",
    "GradCAMDisplay",
    "ImageGridDisplay",
    "PredictionsDisplay",
    "TrainingHistoryDisplay",
    "evaluate_classifier",
]

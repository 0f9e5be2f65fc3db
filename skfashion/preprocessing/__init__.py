"""Augmentation and features of images."""

from skfashion.preprocessing._augmented_classifier import AugmentedClassifier
from skfashion.preprocessing._hog import HOGTransformer
from skfashion.preprocessing._image_augmenter import ImageAugmenter

__all__ = ["AugmentedClassifier", "HOGTransformer", "ImageAugmenter"]

"""Fitted classifiers as ``.keras`` files. Importing this package imports Keras.

A file is not trusted. Everything it says is checked before it is used, and Keras gets only arrays
and arguments for listed classes.
"""

from skfashion._persistence.checkpoint import Checkpoint
from skfashion._persistence.model_file import load_classifier, save_classifier

__all__ = ["Checkpoint", "load_classifier", "save_classifier"]

"""Fitted classifiers as ``.keras`` files. Importing this package imports Keras.

A file is not trusted: nothing that it says is done before it was checked, and Keras gets nothing
of it but the arguments of known classes, and arrays.
"""

from skfashion._persistence.checkpoint import Checkpoint
from skfashion._persistence.model_file import load_classifier, save_classifier

__all__ = ["Checkpoint", "load_classifier", "save_classifier"]

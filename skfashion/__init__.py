"""Keras convolutional networks as scikit-learn classifiers, at home on Fashion-MNIST.

Public names are loaded on first use, so that ``import skfashion`` is fast and imports
neither Keras nor TensorFlow.
"""

from importlib import import_module

from skfashion._utils import process as _process  # noqa: F401  (notes forks from now on)
from skfashion._utils.versions import check_versions as _check_versions

_check_versions()

__version__ = "0.2.0.dev0"

__all__ = [
    "FashionCNNClassifier",
    "baselines",
    "datasets",
    "errors",
    "evaluation",
    "inspection",
    "model_selection",
    "networks",
    "preprocessing",
    "recipes",
]


def __getattr__(name):
    if name == "FashionCNNClassifier":
        return import_module("skfashion._classifier").FashionCNNClassifier
    if name in __all__:
        return import_module(f"skfashion.{name}")
    raise AttributeError(f"module 'skfashion' has no attribute {name!r}")


def __dir__():
    return sorted([*__all__, "__version__"])

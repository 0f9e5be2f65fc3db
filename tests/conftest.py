"""Data that several tests share."""

from functools import partial

import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits
from tiny_network import tiny_network

from skfashion import FashionCNNClassifier


@pytest.hookimpl(tryfirst=True)  # before slow tests are left out
def pytest_collection_modifyitems(items):
    """Mark the slow estimator checks, which scikit-learn parametrizes."""
    for item in items:
        if "[FashionCNNClassifier()-check_classifiers_train(readonly_memmap" in item.name:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(autouse=True)
def no_window_system(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "agg")


@pytest.fixture(scope="session")
def digits():
    """300 images of 8x8 pixels, flattened, with labels 0 to 9."""
    X, y = load_digits(return_X_y=True)
    return X[:300], y[:300]


@pytest.fixture(scope="session")
def make_small():
    """Makes classifiers with the registered network "small"; compiling it takes two seconds."""

    def make(**parameters):
        defaults = {
            "architecture": "small",
            "optimizer": "adamw",
            "epochs": 2,
            "batch_size": 50,
            "random_state": 0,
        }
        return FashionCNNClassifier(**{**defaults, **parameters})

    return make


@pytest.fixture(scope="session")
def make_tiny(make_small):
    """Makes classifiers with a network of the tests; compiling it takes half a second."""
    return partial(make_small, architecture=tiny_network)


@pytest.fixture(scope="session")
def fitted(make_small, digits):
    """A classifier fitted on the digits for long enough to be right mostly."""
    return make_small(epochs=5).fit(*digits)


class Recorder(ClassifierMixin, BaseEstimator):
    """A classifier that keeps what it is trained on, and the images that it predicts."""

    def fit(self, X, y, sample_weight=None):
        self.X_, self.y_, self.sample_weight_ = X, y, sample_weight
        self.predicted_X_ = []
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        self.predicted_X_.append(X)
        return np.full(len(X), self.classes_[0])


@pytest.fixture
def recorder():
    return Recorder()

"""Data that several tests share."""

import pytest
from sklearn.datasets import load_digits

from skfashion import FashionCNNClassifier


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
    """Makes classifiers that train in well under a second."""

    def make(**parameters):
        defaults = {"architecture": "fast", "epochs": 2, "batch_size": 50, "random_state": 0}
        return FashionCNNClassifier(**{**defaults, **parameters})

    return make


@pytest.fixture(scope="session")
def fitted(make_small, digits):
    """A classifier fitted on the digits for long enough to be right mostly."""
    return make_small(epochs=5).fit(*digits)

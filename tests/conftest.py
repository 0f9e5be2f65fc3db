"""Data that several tests share."""

from functools import partial
from types import SimpleNamespace

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


DESELECTED = pytest.StashKey[int]()


def pytest_deselected(items):
    if items:
        stash = items[0].config.stash
        stash[DESELECTED] = stash.get(DESELECTED, 0) + len(items)


def pytest_sessionfinish(session):
    """Tell the main process, which pytest-xdist leaves without the number of deselected tests."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["deselected"] = session.config.stash.get(DESELECTED, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    """Count in the summary what one worker deselected: all workers deselect the same."""
    n_deselected = getattr(node, "workeroutput", {}).get("deselected", 0)
    if n_deselected:
        reporter = node.config.pluginmanager.get_plugin("terminalreporter")
        reporter.stats["deselected"] = [SimpleNamespace()] * n_deselected


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

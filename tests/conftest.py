"""Data that several tests share."""

from functools import partial
from types import SimpleNamespace

import limit_threads  # noqa: F401  (before the libraries that read its variables)
import numpy as np
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tiny_network import tiny_network

from skfashion import FashionCNNClassifier

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


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


@pytest.fixture(scope="session")
def unseen():
    """100 further digits."""
    X, y = load_digits(return_X_y=True)
    return X[300:400], y[300:400]


@pytest.fixture(scope="session")
def words():
    """Names of the digits, which are not in alphabetical order."""
    return np.array(WORDS)


@pytest.fixture(scope="session")
def forest(digits):
    return RandomForestClassifier(20, random_state=0).fit(*digits)


@pytest.fixture(scope="session")
def verbal(make_small, digits, words):
    """A network whose labels are words."""
    X, y = digits
    return make_small(epochs=5).fit(X, words[y])


@pytest.fixture(scope="session")
def oblong(make_small, digits):
    """A network that takes the pixels as images of 4x16."""
    return make_small(image_shape=(4, 16), epochs=3).fit(*digits)


@pytest.fixture(scope="session")
def coloured(digits):
    """The digits in three colours, of 8 bits."""
    X, y = digits
    grey = X.reshape(-1, 8, 8)
    return np.stack([grey * 15, grey * 5, 240 - grey * 10], axis=-1).astype(np.uint8), y


@pytest.fixture(scope="session")
def of_colours(make_small, coloured):
    """A network of images in colour."""
    return make_small(epochs=3).fit(*coloured)


@pytest.fixture(scope="session")
def pipeline(make_small, digits):
    return make_pipeline(StandardScaler(), make_small(epochs=5)).fit(*digits)


@pytest.fixture(scope="session")
def searched(make_small, digits):
    return GridSearchCV(make_small(), {"epochs": [3]}, cv=2).fit(*digits)


@pytest.fixture
def manners(monkeypatch):
    """Check that drawing opens no window and changes no setting; close all figures."""
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure

    plt.switch_backend("agg")
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("plt.show was called"))
    monkeypatch.setattr(Figure, "show", lambda *_, **__: pytest.fail("a figure was shown"))
    settings = dict(plt.rcParams)
    yield
    changed = [name for name, value in plt.rcParams.items() if settings[name] != value]
    plt.close("all")
    assert not changed


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

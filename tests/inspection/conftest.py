"""What tests of pictures share."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


@pytest.fixture(autouse=True)
def manners(monkeypatch):
    """Whatever is drawn, no window opens and no setting changes."""
    plt.switch_backend("agg")
    monkeypatch.setattr(plt, "show", lambda *_, **__: pytest.fail("plt.show was called"))
    monkeypatch.setattr(Figure, "show", lambda *_, **__: pytest.fail("a figure was shown"))
    settings = dict(plt.rcParams)
    yield
    changed = [name for name, value in plt.rcParams.items() if settings[name] != value]
    plt.close("all")
    assert not changed


@pytest.fixture
def drawn(monkeypatch):
    """Figures that were saved, by the bytes of their PNG."""
    figures = {}
    savefig = Figure.savefig

    def record(figure, file, *args, **kwargs):
        savefig(figure, file, *args, **kwargs)
        figures[file.getvalue()] = figure

    monkeypatch.setattr(Figure, "savefig", record)
    return figures


@pytest.fixture(scope="session")
def unseen():
    """100 further digits."""
    X, y = load_digits(return_X_y=True)
    return X[300:400], y[300:400]


@pytest.fixture(scope="session")
def words():
    """Names of the digits; sorted, they are in another order."""
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
    """A network that takes the pixels for images of 4x16."""
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

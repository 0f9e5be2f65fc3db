"""Training curves."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from skfashion.inspection import TrainingHistoryDisplay


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_curves(make_small, digits):
    X, y = digits
    classifier = make_small(early_stopping=True, patience=1).fit(X, y, X_val=X[:50], y_val=y[:50])
    display = TrainingHistoryDisplay.from_estimator(classifier)
    loss, accuracy = display.axes_
    assert display.figure_ is loss.figure
    assert [loss.get_ylabel(), accuracy.get_ylabel()] == ["Loss", "Accuracy"]
    assert [line.get_label() for line in loss.lines] == [
        "training",
        "validation",
        f"best: {classifier.best_epoch_}",
    ]
    np.testing.assert_array_equal(loss.lines[0].get_xdata(), [1, 2])
    np.testing.assert_array_equal(
        accuracy.lines[1].get_ydata(), classifier.history_["val_accuracy"]
    )


def test_axes_of_the_caller(fitted):
    figure, axes = plt.subplots(1, 2)
    display = TrainingHistoryDisplay.from_estimator(fitted, axes=axes)
    assert display.figure_ is figure
    assert [line.get_label() for line in axes[0].lines] == ["training"]
    assert plt.get_fignums() == [figure.number]


def test_not_fitted(make_small):
    with pytest.raises(NotFittedError):
        TrainingHistoryDisplay.from_estimator(make_small())

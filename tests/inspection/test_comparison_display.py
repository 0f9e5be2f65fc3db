"""Pictures of comparisons."""

from io import StringIO
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.dummy import DummyClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from skfashion.inspection import ComparisonDisplay
from skfashion.model_selection import compare_classifiers

OVER = "Means (large dots) and ranges over"


class Fails(GaussianNB):
    def fit(self, X, y):
        raise RuntimeError("no")


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def table():
    contenders = {"bayes": GaussianNB(), "knn": KNeighborsClassifier(), "dummy": DummyClassifier()}
    return compare_classifiers(contenders, *load_iris(return_X_y=True), cv=3)


def labels_of(display):
    return [text for text in display.ax_.texts if text.get_text()]


def overlaps(texts):
    boxes = [text.get_window_extent() for text in texts]
    return [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]


def test_picture(table):
    display = ComparisonDisplay.from_comparison(table)
    ax = display.ax_
    assert display.figure_ is ax.figure
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "linear")
    assert ax.get_ylabel() == "accuracy"
    assert [label.get_text() for label in labels_of(display)] == list(table.index)
    means, folds = ax.lines[::2], ax.lines[1::2]
    for name, mean, dots in zip(table.index, means, folds, strict=True):
        expected = table.loc[name, ["fit_seconds", "mean_score"]].to_numpy(float)
        np.testing.assert_allclose(mean.get_xydata()[0], expected)
        np.testing.assert_array_equal(dots.get_ydata(), table.attrs["fold_scores"][name])
        np.testing.assert_array_equal(dots.get_xdata(), table.attrs["fold_fit_seconds"][name])
    display.figure_.canvas.draw()
    assert not overlaps(labels_of(display))


def test_axes_of_the_caller(table):
    figure, (_, ax) = plt.subplots(1, 2)
    display = ComparisonDisplay.from_comparison(table, ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]


def test_from_estimators():
    X, y = load_iris(return_X_y=True)
    contenders = {"dummy": DummyClassifier(), "bayes": GaussianNB()}
    parameters = {"cv": 3, "scoring": "neg_log_loss", "random_state": 0}
    display = ComparisonDisplay.from_estimators(contenders, X, y, **parameters)
    expected = compare_classifiers(contenders, X, y, **parameters)
    assert display.fold_scores == expected.attrs["fold_scores"]
    assert display.ax_.get_ylabel() == "neg_log_loss"


def test_twelve_names_do_not_overlap():
    """Scores and seconds as of common classifiers on 6,000 images."""
    contenders = {
        "fast": (0.902, 45),
        "small": (0.895, 38),
        "hog_svm": (0.889, 6.5),
        "svm_rbf": (0.884, 3.1),
        "pca_svm": (0.879, 1.3),
        "hist_gradient_boosting": (0.878, 28),
        "mlp": (0.868, 9.5),
        "random_forest": (0.863, 4.8),
        "extra_trees": (0.861, 3.2),
        "logistic": (0.842, 1.1),
        "linear_svm": (0.836, 2.6),
        "knn": (0.824, 0.012),
    }
    spread = np.linspace(-0.01, 0.01, 5)
    display = ComparisonDisplay(
        {name: score + spread for name, (score, _) in contenders.items()},
        {name: seconds * (1 - 5 * spread) for name, (_, seconds) in contenders.items()},
    ).plot()
    display.figure_.canvas.draw()
    labels = labels_of(display)
    assert [label.get_text() for label in labels] == list(contenders)
    assert not overlaps(labels)
    for label in labels:
        box = label.get_window_extent()
        assert display.ax_.bbox.contains(*box.min)
        assert display.ax_.bbox.contains(*box.max)
        dots = [dot for line in display.ax_.lines for dot in line.get_xydata()]
        assert box.count_contains(display.ax_.transData.transform(dots)) == 0


def test_failed_are_left_out():
    with pytest.warns(UserWarning, match="'broken' failed"):
        display = ComparisonDisplay.from_estimators(
            {"broken": Fails(), "bayes": GaussianNB()}, *load_iris(return_X_y=True), cv=2
        )
    assert [label.get_text() for label in labels_of(display)] == ["bayes"]
    assert display.ax_.get_title() == f"{OVER} 2 folds\nFailed: broken"


def test_some_rows(table):
    display = ComparisonDisplay.from_comparison(table.drop("dummy"))
    assert [label.get_text() for label in labels_of(display)] == ["knn", "bayes"]
    assert display.ax_.get_title() == f"{OVER} 3 folds"


def test_seconds_too_short_for_the_clock():
    display = ComparisonDisplay({"a": [0.5, 0.6]}, {"a": [0.0, 0.0]}).plot()
    display.figure_.canvas.draw()
    assert display.ax_.lines[0].get_xdata()[0] > 0


def test_similar_seconds_have_ticks():
    seconds = {"a": [0.21, 0.22], "b": [0.45, 0.46]}
    display = ComparisonDisplay({"a": [0.5, 0.6], "b": [0.6, 0.7]}, seconds).plot()
    display.figure_.canvas.draw()
    ticks = [tick.get_text() for tick in display.ax_.get_xticklabels(which="minor")]
    assert {"0.2", "0.3", "0.4"} <= set(ticks)


def test_table_without_fold_scores(table):
    read = pd.read_csv(StringIO(table.to_csv()), index_col="classifier")
    message = "without the scores of the folds of knn, bayes, dummy"
    with pytest.raises(ValueError, match=message):
        ComparisonDisplay.from_comparison(read)
    with pytest.raises(TypeError, match=r"table must be what compare_classifiers returned, got \{"):
        ComparisonDisplay.from_comparison({"dummy": DummyClassifier()})
    with pytest.raises(ValueError, match="without the scores of the folds of neighbours"):
        ComparisonDisplay.from_comparison(table.rename(index={"knn": "neighbours"}))


@pytest.mark.parametrize("factor", [1.1, 2, 5, 10, 30, 90, 1000])
def test_ticks_of_seconds(factor):
    """There are some, and none lies over another."""
    display = ComparisonDisplay(
        {"one": [0.5, 0.6], "other": [0.7, 0.8]},
        {"one": [0.013] * 2, "other": [0.013 * factor] * 2},
    ).plot()
    display.figure_.set_size_inches(5, 4)
    display.figure_.canvas.draw()
    axis = display.ax_.xaxis
    low, high = display.ax_.get_xlim()
    ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
    labels = [t.label1 for t in ticks if t.label1.get_text() and low <= t.get_loc() <= high]
    assert len(labels) > 1
    assert not overlaps(labels)

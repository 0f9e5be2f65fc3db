"""Images with what a classifier makes of them."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from sklearn.base import clone
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

from skfashion import FashionCNNClassifier
from skfashion.inspection import PredictionsDisplay

ESTIMATORS = ["forest", "fitted", "pipeline", "searched"]


def titles(display):
    return [panel.get_title() for panel in display.axes_.flat if panel.images]


def pictures(display):
    return [panel.images[0].get_array() for panel in display.axes_.flat if panel.images]


def heading(display):
    return display.figure_.get_suptitle()


@pytest.mark.parametrize("name", ESTIMATORS)
def test_first_images(request, name, unseen):
    estimator, (X, y) = request.getfixturevalue(name), unseen
    display = PredictionsDisplay.from_estimator(estimator, X, y, n_images=7)
    y_pred, probabilities = estimator.predict(X), estimator.predict_proba(X).max(axis=1)
    assert titles(display) == [
        f"{y_pred[i]} ({100 * probabilities[i]:.0f}%)\ntrue: {y[i]}" for i in range(7)
    ]
    for picture, image in zip(pictures(display), X, strict=False):
        np.testing.assert_allclose(picture, image.reshape(8, 8) / 16)
    assert heading(display) == "The first 7 of 100 images"
    assert display.axes_.shape == (2, 5)
    assert not any(panel.axison for panel in display.axes_.flat)
    assert not any(panel.has_data() for panel in display.axes_[1, 2:])


@pytest.mark.parametrize("name", ESTIMATORS)
def test_errors_most_confident_first(request, name, unseen):
    estimator, (X, y) = request.getfixturevalue(name), unseen
    display = PredictionsDisplay.from_estimator(estimator, X, y, only_errors=True, n_images=2)
    y_pred, probabilities = estimator.predict(X), estimator.predict_proba(X).max(axis=1)
    wrong = [i for i in range(len(y)) if y_pred[i] != y[i]]
    assert len(wrong) > 2
    worst = sorted(wrong, key=lambda i: -probabilities[i])[:2]
    assert titles(display) == [
        f"{y_pred[i]} ({100 * probabilities[i]:.0f}%)\ntrue: {y[i]}" for i in worst
    ]
    np.testing.assert_allclose(pictures(display), X[worst].reshape(-1, 8, 8) / X[worst].max())
    expected = f"2 of the {len(wrong)} errors in 100 images, the most confident first"
    assert heading(display) == expected


def test_without_probabilities(digits, unseen):
    X, y = unseen
    classifier = LinearSVC(random_state=0).fit(*digits)
    y_pred = classifier.predict(X)
    display = PredictionsDisplay.from_estimator(classifier, X, y, n_images=4)
    assert titles(display) == [f"{y_pred[i]}\ntrue: {y[i]}" for i in range(4)]
    display = PredictionsDisplay.from_estimator(classifier, X, y, only_errors=True, n_images=100)
    wrong = np.flatnonzero(y_pred != y)
    assert titles(display) == [f"{y_pred[i]}\ntrue: {y[i]}" for i in wrong]
    assert heading(display) == f"All of the {len(wrong)} errors in 100 images"


def test_errors_have_another_colour(digits):
    X, _ = digits
    display = PredictionsDisplay.from_predictions(X[:3], [0, 1, 2], [0, 7, 2])
    colours = [to_hex(panel.title.get_color()) for panel in display.axes_.flat]
    assert colours == ["#000000", "#d55e00", "#000000"]


def test_dark_background(digits):
    """Titles of what is right are in the colour of the user's text."""
    with plt.style.context("dark_background"):
        display = PredictionsDisplay.from_predictions(digits[0][:2], [0, 1], [0, 7])
    colours = [to_hex(panel.title.get_color()) for panel in display.axes_.flat]
    assert colours == ["#ffffff", "#d55e00"]


def test_no_errors(digits):
    X, y = digits
    perfect = KNeighborsClassifier(1).fit(X, y)
    display = PredictionsDisplay.from_estimator(perfect, X, y, only_errors=True)
    assert heading(display) == "No errors in 300 images"
    assert [text.get_text() for text in display.axes_[0, 0].texts] == ["None"]
    assert not titles(display)


@pytest.mark.parametrize("form", ["of the predicted", "of all"])
def test_predictions(fitted, unseen, form):
    X, y = unseen
    y_pred, probabilities = fitted.predict(X), fitted.predict_proba(X)
    expected = PredictionsDisplay.from_estimator(fitted, X, y, only_errors=True)
    display = PredictionsDisplay.from_predictions(
        X,
        y,
        y_pred,
        probabilities=probabilities if form == "of all" else probabilities.max(axis=1).tolist(),
        only_errors=True,
    )
    assert titles(display) == titles(expected)
    assert heading(display) == heading(expected)
    np.testing.assert_array_equal(pictures(display), pictures(expected))


def test_predictions_without_probabilities(digits):
    X, _ = digits
    display = PredictionsDisplay.from_predictions(
        X[:3], pd.Series(["coat", "bag", "bag"]), ["bag", "bag", "coat"], only_errors=True
    )
    assert titles(display) == ["bag\ntrue: coat", "coat\ntrue: bag"]
    assert heading(display) == "All of the 2 errors in 3 images"


@pytest.mark.parametrize(
    ("y_true", "y_pred", "names"),
    [
        ([4, 7, 7], [7, 7, 9], ["bag", "coat", "hat"]),
        ([0, 1, 1], [1, 1, 3], ["bag", "coat", "shoe", "hat"]),
        (["x", "y", "y"], ["y", "y", "z"], ("bag", "coat", "hat")),
    ],
)
def test_names_of_the_classes(digits, y_true, y_pred, names):
    display = PredictionsDisplay.from_predictions(digits[0][:3], y_true, y_pred, target_names=names)
    assert titles(display) == ["coat\ntrue: bag", "coat\ntrue: coat", "hat\ntrue: coat"]


def test_names_of_an_estimators_classes(fitted, verbal, unseen, words, tmp_path):
    X, y = unseen[0][:5], unseen[1][:5]
    fitted.save(tmp_path / "model.keras", target_names=words.tolist())
    loaded = FashionCNNClassifier.load(tmp_path / "model.keras")
    expected = [f"true: {words[i]}" for i in y]
    for estimator, labels, names in (
        (fitted, y, words),
        (loaded, y, None),
        (verbal, words[y], None),
    ):
        display = PredictionsDisplay.from_estimator(estimator, X, labels, target_names=names)
        assert [title.split("\n")[1] for title in titles(display)] == expected
    other = [f"class {word}" for word in sorted(words)]
    display = PredictionsDisplay.from_estimator(verbal, X, words[y], target_names=other)
    assert [title.split("\n")[1] for title in titles(display)] == [
        f"true: class {words[i]}" for i in y
    ]


def test_wrong_number_of_names(digits):
    with pytest.raises(ValueError, match=r"target_names .* 2 classes \['x', 'y'\], got 3 names"):
        PredictionsDisplay.from_predictions(
            digits[0][:2], ["x", "y"], ["x", "x"], target_names=["bag", "coat", "hat"]
        )


def test_colours(of_colours, coloured):
    X, y = coloured
    display = PredictionsDisplay.from_estimator(of_colours, X, y, n_images=5)
    np.testing.assert_allclose(pictures(display), X[:5] / 255)


def test_images_that_are_not_square(oblong, forest, unseen):
    """A network knows its images' shape; for other classifiers it must be given."""
    X, y = unseen
    expected = X[:4].reshape(-1, 4, 16) / X[:4].max()
    display = PredictionsDisplay.from_estimator(oblong, X, y, n_images=4)
    np.testing.assert_allclose(pictures(display), expected)
    display = PredictionsDisplay.from_estimator(forest, X, y, n_images=4, image_shape=(4, 16))
    np.testing.assert_allclose(pictures(display), expected)
    display = PredictionsDisplay.from_predictions(X[:4], y[:4], y[:4], image_shape=(4, 16, 1))
    np.testing.assert_allclose(pictures(display), expected)


@pytest.mark.parametrize("name", ["forest", "fitted"])
def test_data_frames(request, name, digits, unseen):
    frames = [pd.DataFrame(X).add_prefix("pixel") for X in (digits[0], unseen[0][:5])]
    classes = [pd.Series(y, name="digit") for y in (digits[1], unseen[1][:5])]
    estimator = request.getfixturevalue(name)
    expected = PredictionsDisplay.from_estimator(estimator, unseen[0][:5], unseen[1][:5])
    framed = clone(estimator).fit(frames[0], classes[0])
    display = PredictionsDisplay.from_estimator(framed, frames[1], classes[1])
    assert titles(display) == titles(expected)
    np.testing.assert_array_equal(pictures(display), pictures(expected))


def test_wrong_lengths(digits):
    X, _ = digits
    with pytest.raises(ValueError, match="X has 4 images, but y_true 3 labels"):
        PredictionsDisplay.from_predictions(X[:4], [0] * 3, [0] * 4)
    with pytest.raises(ValueError, match="X has 4 images, but y_pred 5 labels"):
        PredictionsDisplay.from_predictions(X[:4], [0] * 4, [0] * 5)
    with pytest.raises(ValueError, match=r"probabilities must have shape \(4,\) or .*; got \(2,\)"):
        PredictionsDisplay.from_predictions(X[:4], [0] * 4, [0] * 4, probabilities=[0.5, 0.5])

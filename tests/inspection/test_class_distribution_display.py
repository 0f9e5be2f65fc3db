"""How many images each class has."""

import numpy as np
import pandas as pd
import pytest

from skfashion import FashionCNNClassifier
from skfashion.inspection import ClassDistributionDisplay


def bars(display):
    """Lengths of the bars by set and class, the class as written beside them."""
    names = [label.get_text() for label in display.ax_.get_yticklabels()]
    found = {}
    for container in display.ax_.containers:
        at = [bar.get_y() + bar.get_height() / 2 for bar in container]
        nearest = [int(np.abs(display.ax_.get_yticks() - y).argmin()) for y in at]
        lengths = zip(nearest, (bar.get_width() for bar in container), strict=True)
        found[container.get_label()] = {names[i]: length for i, length in lengths}
    return found


def numbers(display):
    return [text.get_text() for text in display.ax_.texts]


def legend(display):
    shown = display.ax_.get_legend()
    return shown and [text.get_text() for text in shown.get_texts()]


def test_labels():
    display = ClassDistributionDisplay.from_labels(["bag"] * 3 + ["coat"] * 1200 + ["bag"] * 4)
    assert bars(display) == {"images": {"bag": 7, "coat": 1200}}
    assert numbers(display) == ["7", "1,200"]
    assert legend(display) is None
    assert display.ax_.get_xlabel() == "Images"
    assert display.ax_.yaxis_inverted()  # the first class is on top


def test_predictions():
    """A class that is only predicted, or only there, has a bar too."""
    y_true, y_pred = [3, 3, 5, 5, 9], [3, 5, 5, 5, 7]
    display = ClassDistributionDisplay.from_predictions(y_true, y_pred)
    assert bars(display) == {
        "true": {"3": 2, "5": 2, "7": 0, "9": 1},
        "predicted": {"3": 1, "5": 3, "7": 1, "9": 0},
    }
    assert numbers(display) == ["2", "2", "0", "1", "1", "3", "1", "0"]
    assert legend(display) == ["true", "predicted"]
    colours = {container[0].get_facecolor() for container in display.ax_.containers}
    assert len(colours) == 2


@pytest.mark.parametrize("name", ["forest", "fitted", "pipeline", "searched"])
def test_estimator(request, unseen, name):
    """Classes without test images have a bar of length 0."""
    estimator, (X, y) = request.getfixturevalue(name), unseen
    X, y = X[y < 8], y[y < 8]
    display = ClassDistributionDisplay.from_estimator(estimator, X, y)
    y_pred = estimator.predict(X).tolist()
    assert bars(display) == {
        "true": {str(digit): y.tolist().count(digit) for digit in range(10)},
        "predicted": {str(digit): y_pred.count(digit) for digit in range(10)},
    }


@pytest.mark.parametrize(
    ("labels", "names", "expected"),
    [
        ([4, 7, 7], ["bag", "coat"], {"bag": 1, "coat": 2}),
        ([0, 3, 3], ["bag", "coat", "shoe", "hat"], {"bag": 1, "hat": 2}),
        (["b", "x", "x"], ("bag", "coat"), {"bag": 1, "coat": 2}),
        (pd.Series([0, 1, 1], name="class"), pd.Series(["bag", "coat"]), {"bag": 1, "coat": 2}),
        (pd.Categorical(["bag", "coat", "coat"]), None, {"bag": 1, "coat": 2}),
        ([True, False, True], ["no", "yes"], {"no": 1, "yes": 2}),
    ],
)
def test_names_of_the_classes(labels, names, expected):
    one = ClassDistributionDisplay.from_labels(labels, target_names=names)
    assert bars(one) == {"images": expected}
    both = ClassDistributionDisplay.from_predictions(labels, labels, target_names=names)
    assert bars(both) == {"true": expected, "predicted": expected}


def test_names_of_an_estimators_classes(forest, verbal, unseen, words):
    """In the order of the labels, of which not all need be there."""
    X, y = unseen
    X, y = X[y > 2], y[y > 2]
    shown = bars(ClassDistributionDisplay.from_estimator(forest, X, y, target_names=words))
    assert shown["true"] == {word: (y == i).sum() for i, word in enumerate(words)}
    shown = bars(ClassDistributionDisplay.from_estimator(verbal, X, words[y]))
    assert list(shown["true"]) == sorted(words)
    assert shown["true"]["seven"] == (y == 7).sum()


def test_names_of_a_loaded_network(fitted, unseen, words, tmp_path):
    fitted.save(tmp_path / "model.keras", target_names=words.tolist())
    loaded = FashionCNNClassifier.load(tmp_path / "model.keras")
    shown = bars(ClassDistributionDisplay.from_estimator(loaded, *unseen))
    assert list(shown["true"]) == list(words)
    shown = bars(
        ClassDistributionDisplay.from_estimator(loaded, *unseen, target_names="abcdefghij")
    )
    assert list(shown["true"]) == list("abcdefghij")


@pytest.mark.parametrize(
    ("labels", "names"), [([0, 1, 2], ["a", "b"]), ([1, 3], list("abc")), (["x", "y"], list("abc"))]
)
def test_wrong_number_of_names(labels, names):
    message = rf"target_names must have a name for each of the {len(labels)} classes \["
    with pytest.raises(ValueError, match=message):
        ClassDistributionDisplay.from_labels(labels, target_names=names)
    with pytest.raises(ValueError, match=message):
        ClassDistributionDisplay.from_predictions(labels, labels, target_names=names)


def test_labels_of_different_lengths():
    with pytest.raises(ValueError, match="y_true has 3 labels, but y_pred 2"):
        ClassDistributionDisplay.from_predictions([0, 1, 1], [0, 1])


def test_numbers_fit_beside_the_bars(unseen, forest):
    display = ClassDistributionDisplay.from_estimator(forest, *unseen)
    display.figure_.canvas.draw()
    within = display.figure_.bbox.padded(1)
    for text in display.ax_.texts:
        box = text.get_window_extent()
        assert box.x1 <= display.ax_.get_window_extent().x1
        assert within.contains(*box.min)
        assert within.contains(*box.max)

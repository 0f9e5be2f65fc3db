"""Names of classes are text, whatever is in them."""

from itertools import combinations

import pytest

from skfashion.inspection import (
    ClassDistributionDisplay,
    GradCAMDisplay,
    ImageGridDisplay,
    PredictionsDisplay,
)

NAMES = ["$", "$$", "$x^2$", "$\\sum", "a_b", "{0}", "50 %", "<b>", "\\alpha", "%s"]


@pytest.mark.parametrize("name", ["grid", "distribution", "predictions", "grad-cam"])
def test_nothing_is_a_formula(name, fitted, unseen):
    """What is written is as wide as its characters, and can be drawn at all."""
    X, y = unseen
    if name == "grid":
        display = ImageGridDisplay.from_images(X, y, target_names=NAMES, n_per_class=1)
        texts = display.ax_.get_yticklabels()
        expected = NAMES
    elif name == "distribution":
        display = ClassDistributionDisplay.from_labels(y, target_names=NAMES)
        texts = display.ax_.get_yticklabels()
        expected = NAMES
    elif name == "predictions":
        display = PredictionsDisplay.from_predictions(X[:10], y[:10], y[:10], target_names=NAMES)
        texts = [panel.title for panel in display.axes_.flat]
        expected = [f"{NAMES[label]}\ntrue: {NAMES[label]}" for label in y[:10]]
    else:
        display = GradCAMDisplay.from_estimator(fitted, X[:4], target=2, target_names=NAMES)
        texts = [panel.title for panel in display.axes_[0]]
        expected = [f"$x^2$ ({p:.0%})" for p in fitted.predict_proba(X[:4])[:, 2]]
    display.figure_.draw_without_rendering()
    for text, characters in zip(texts, expected, strict=False):
        plain = display.figure_.text(
            0, 0, characters, parse_math=False, fontproperties=text.get_fontproperties()
        )
        width = text.get_window_extent().width
        assert width == pytest.approx(plain.get_window_extent().width, rel=0.02)


def test_control_characters_are_visible(unseen):
    X, y = unseen
    names = ["\x1b[31m", "a\nb", "\u202ec", *map(str, range(3, 10))]
    display = ImageGridDisplay.from_images(X, y, target_names=names, n_per_class=1)
    assert display.class_names == names
    shown = [label.get_text() for label in display.ax_.get_yticklabels()]
    assert shown[:4] == [r"\x1b[31m", r"a\nb", r"\u202ec", "3"]


@pytest.mark.parametrize("name", ["predictions", "grad-cam"])
def test_long_names_do_not_overlap(name, fitted, unseen):
    X, y = unseen
    names = [f"{i} is the digit whose name is rather long" for i in range(10)]
    if name == "predictions":
        display = PredictionsDisplay.from_predictions(X[:5], y[:5], y[:5], target_names=names)
    else:
        display = GradCAMDisplay.from_estimator(fitted, X[:6], target_names=names)
    display.figure_.draw_without_rendering()
    titles = [panel.title for panel in display.axes_[0]]
    assert all(title.get_text()[0].isdigit() for title in titles)
    boxes = [title.get_window_extent().shrunk(0.99, 0.99) for title in titles]
    assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]

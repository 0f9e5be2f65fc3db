"""Where displays are drawn: in axes of the caller, or in one new figure."""

import copy
import re

import matplotlib.pyplot as plt
import numpy as np
import pytest

from skfashion.inspection import (
    AugmentationDisplay,
    ClassDistributionDisplay,
    FeatureMapsDisplay,
    GradCAMDisplay,
    ImageGridDisplay,
    PredictionsDisplay,
    TrainingHistoryDisplay,
)
from skfashion.preprocessing import ImageAugmenter

# Those of several panels, with their rows and columns.
PANELS = {"history": (1, 3), "predictions": (2, 5), "maps": (1, 2), "grad-cam": (2, 2)}
IN_ONE = ["grid", "distribution", "augmentation"]


@pytest.fixture(scope="module")
def draw_from_data(fitted, forest, unseen):
    """Draw the display of this name as users do, from an estimator or images."""
    X, y = unseen

    def draw(name, **where):
        match name:
            case "grid":
                return ImageGridDisplay.from_images(X, y, **where)
            case "distribution":
                return ClassDistributionDisplay.from_estimator(forest, X, y, **where)
            case "augmentation":
                return AugmentationDisplay.from_augmenter(ImageAugmenter(), X[:2], **where)
            case "history":
                return TrainingHistoryDisplay.from_estimator(fitted, **where)
            case "predictions":
                return PredictionsDisplay.from_estimator(forest, X, y, n_images=6, **where)
            case "maps":
                return FeatureMapsDisplay.from_estimator(fitted, X[:1], "stage1_add", **where)
            case "grad-cam":
                return GradCAMDisplay.from_estimator(fitted, X[:2], **where)

    return draw


@pytest.fixture(scope="module")
def draw(draw_from_data):
    """Draw a display that was computed once."""
    computed = {}

    def draw(name, **where):
        if name not in computed:
            computed[name] = draw_from_data(name)
            plt.close(computed[name].figure_)
        return copy.copy(computed[name]).plot(**where)

    return draw


def within(inner, outer, tolerance=1):
    """Whether a box is in another, to a pixel."""
    (x0, y0), (x1, y1) = outer.min - tolerance, outer.max + tolerance
    return x0 <= inner.x0 and y0 <= inner.y0 and inner.x1 <= x1 and inner.y1 <= y1


def overlaps(axes):
    """Pairs of axes of which one's writing is on another's picture."""
    axes = [ax for ax in axes if ax.has_data()]
    renderer = axes[0].get_figure(root=True).canvas.get_renderer()
    written = [ax.get_tightbbox(renderer) for ax in axes]
    return [
        (i, j)
        for i, box in enumerate(written)
        for j, other in enumerate(axes)
        if i != j and box.shrunk(0.99, 0.99).overlaps(other.get_window_extent().shrunk(0.98, 0.98))
    ]


@pytest.mark.parametrize("name", IN_ONE)
def test_one_axes_is_drawn_into(draw_from_data, name):
    figure, (left, right) = plt.subplots(1, 2)
    display = draw_from_data(name, ax=right)
    assert display.ax_ is right
    assert display.figure_ is figure
    assert right.has_data()
    assert not left.has_data()
    assert figure.axes == [left, right]
    assert plt.get_fignums() == [figure.number]


@pytest.mark.parametrize("name", PANELS)
def test_one_axes_is_divided(draw_from_data, name):
    figure, (left, right) = plt.subplots(1, 2, figsize=(16, 8))
    place = right.get_window_extent()
    display = draw_from_data(name, ax=right)
    assert display.figure_ is figure
    assert display.axes_.size == np.prod(PANELS[name])
    assert display.axes_[(0,) * display.axes_.ndim].has_data()
    assert not left.has_data()
    figure.canvas.draw()
    for panel in display.axes_.flat:
        assert panel.get_figure() is figure
        assert within(panel.get_window_extent(), place)
    assert not right.axison
    assert not right.has_data()
    assert plt.get_fignums() == [figure.number]


@pytest.mark.parametrize("name", PANELS)
@pytest.mark.parametrize("layout", [None, "constrained"])
def test_divided_panels_do_not_overlap(draw, name, layout):
    """Where one axes is as large as the display's own figure."""
    size = draw(name).figure_.get_size_inches()
    figure, ax = plt.subplots(figsize=size, layout=layout)
    display = draw(name, ax=ax)
    figure.canvas.draw()
    assert not overlaps(display.axes_.flat)


@pytest.mark.parametrize("name", [*PANELS, *IN_ONE])
def test_one_axes_of_a_subfigure(draw, name):
    figure = plt.figure(layout="constrained")
    left, right = figure.subfigures(1, 2)
    ax = left.subplots()
    display = draw(name, ax=ax)
    assert display.figure_ is figure
    assert set(left.axes) == {ax, *(display.axes_.flat if name in PANELS else [])}
    assert not right.axes


@pytest.mark.parametrize("name", PANELS)
@pytest.mark.parametrize("form", [np.asarray, lambda axes: axes.ravel().tolist()])
def test_array_of_axes(draw_from_data, name, form):
    figure, axes = plt.subplots(*PANELS[name], squeeze=False)
    display = draw_from_data(name, ax=form(axes))
    assert display.figure_ is figure
    assert display.axes_.ravel().tolist() == axes.ravel().tolist()
    assert axes[0, 0].has_data()
    assert figure.axes == axes.ravel().tolist()
    assert plt.get_fignums() == [figure.number]


@pytest.mark.parametrize("name", ["history", "maps"])
def test_wrong_number_of_axes(draw_from_data, name):
    n_panels = np.prod(PANELS[name])
    _, axes = plt.subplots(1, n_panels + 1)
    message = f"ax must be one axes or as many as there are panels, {n_panels}, got {n_panels + 1}"
    with pytest.raises(ValueError, match=message):
        draw_from_data(name, ax=axes)


@pytest.mark.parametrize("shape", [(3, 2), (1, 7), (4, 4), (6, 1)])
def test_grid_of_any_shape_for_predictions(draw, shape):
    """Six images, row by row; what is left over is invisible."""
    _, axes = plt.subplots(*shape, squeeze=False)
    display = draw("predictions", ax=axes)
    assert display.axes_.shape == shape
    assert [ax.has_data() for ax in axes.flat] == [i < 6 for i in range(axes.size)]
    assert not any(ax.axison for ax in axes.flat)
    titles = [ax.get_title() for ax in axes.flat[:6]]
    assert titles == [ax.get_title() for ax in draw("predictions").axes_.flat[:6]]


@pytest.mark.parametrize("shape", [(4, 1), (2, 3), (6, 2)])
def test_grid_of_any_shape_for_grad_cam(draw, shape):
    """Two images, each above its heat."""
    _, axes = plt.subplots(*shape, squeeze=False)
    display = draw("grad-cam", ax=axes)
    plain, heated = display.axes_[::2].ravel(), display.axes_[1::2].ravel()
    usual = draw("grad-cam").axes_
    for i in range(2):
        assert plain[i].get_title() == usual[0, i].get_title() != ""
        (image,) = plain[i].images
        np.testing.assert_array_equal(image.get_array(), usual[0, i].images[0].get_array())
        _, heat = heated[i].images
        np.testing.assert_array_equal(heat.get_array(), usual[1, i].images[1].get_array())
    assert not any(ax.has_data() for ax in [*plain[2:], *heated[2:]])


@pytest.mark.parametrize(
    ("name", "shape", "rows"),
    [
        ("predictions", (1, 5), ""),
        ("grad-cam", (2, 1), ", 2 rows for each row of images"),
        ("grad-cam", (3, 2), ", 2 rows for each row of images"),
        ("grad-cam", (1, 5), ", 2 rows for each row of images"),
    ],
)
def test_grid_without_room(draw, name, shape, rows):
    _, axes = plt.subplots(*shape, squeeze=False)
    n_images = {"predictions": 6, "grad-cam": 2}[name]
    message = f"ax must be one axes or a grid with room for {n_images} images{rows}, got one of"
    with pytest.raises(ValueError, match=rf"{message} shape {re.escape(str(shape))}\. Show fewer"):
        draw(name, ax=axes)


@pytest.mark.parametrize("name", PANELS)
def test_axes_that_cannot_be_divided(draw, name):
    ax = plt.figure().add_axes((0, 0, 1, 1))
    with pytest.raises(ValueError, match=r"ax can be divided only if .* plt.subplots"):
        draw(name, ax=ax)


@pytest.mark.parametrize("name", [*PANELS, *IN_ONE])
def test_one_new_figure(draw_from_data, name):
    other = plt.figure()
    display = draw_from_data(name)
    assert plt.get_fignums() == [other.number, display.figure_.number]
    axes = [display.ax_] if name in IN_ONE else display.axes_.ravel().tolist()
    assert display.figure_.axes == axes
    assert not other.axes


@pytest.mark.parametrize("name", PANELS)
def test_panels_of_a_new_figure_do_not_overlap(draw, name):
    display = draw(name)
    display.figure_.canvas.draw()
    assert not overlaps(display.axes_.flat)


@pytest.mark.parametrize("name", [*PANELS, *IN_ONE])
def test_drawn_again(draw, name):
    display = draw(name)
    first = display.figure_
    assert display.plot() is display
    assert display.figure_ is not first
    pictures = [
        [image.get_array() for ax in figure.axes for image in ax.images]
        for figure in (first, display.figure_)
    ]
    for one, other in zip(*pictures, strict=True):
        np.testing.assert_array_equal(one, other)

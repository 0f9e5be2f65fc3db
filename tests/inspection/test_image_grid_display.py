"""Images of each class."""

import numpy as np
import pandas as pd
import pytest

from skfashion.inspection import ImageGridDisplay


def cells(display, height, width):
    """The pictures that are drawn, by row and column; those beside them are one colour."""
    (image,) = display.ax_.images
    mosaic = np.asarray(image.get_array())
    tops = [round(tick - (height - 1) / 2) for tick in display.ax_.get_yticks()]
    n_columns = max(len(images) for images in display.images)
    lefts = np.linspace(0, mosaic.shape[1] - width, n_columns).astype(int)
    return [[mosaic[y : y + height, x : x + width] for x in lefts] for y in tops]


def rows_of(display):
    return [label.get_text() for label in display.ax_.get_yticklabels()]


def test_first_images_of_each_class(digits):
    X, y = digits
    display = ImageGridDisplay.from_images(X, y, n_per_class=4)
    assert rows_of(display) == [str(digit) for digit in range(10)]
    for digit, row in enumerate(cells(display, 8, 8)):
        assert len(row) == 4
        for cell, image in zip(row, X[y == digit], strict=False):
            np.testing.assert_allclose(cell, image.reshape(8, 8) / 16)
    low, high = display.ax_.get_ylim()
    assert low > high  # the first class is on top
    assert not display.ax_.get_xticks().size
    (image,) = display.ax_.images
    assert (image.get_clim(), image.get_cmap().name) == ((0, 1), "gray")


def test_classes_with_few_images(digits):
    X, y = digits
    rows = np.r_[np.flatnonzero(y == 3)[:5], np.flatnonzero(y == 7)[:2]]
    display = ImageGridDisplay.from_images(X[rows], y[rows])
    first, second = cells(display, 8, 8)
    assert len(first) == 5
    np.testing.assert_allclose(second[1], X[rows[6]].reshape(8, 8) / 16)
    background = display.ax_.images[0].get_array()[0, 8]  # between two images
    assert all((cell == background).all() for cell in second[2:])


@pytest.mark.parametrize("dark", [True, False])
def test_images_stand_out(digits, dark):
    """On black between light images, and on white between dark ones."""
    X, y = digits
    X = X / 16 if dark else 1 - X / 16
    mosaic = ImageGridDisplay.from_images(X, y).ax_.images[0].get_array()
    assert (mosaic[:, 8] == dark).all()


@pytest.mark.parametrize(
    ("labels", "names", "expected"),
    [
        ([0, 1, 2], ["circle", "bar", "swan"], ["circle", "bar", "swan"]),
        ([4, 7, 9], np.array(["circle", "bar", "swan"]), ["circle", "bar", "swan"]),
        ([0, 2, 3], ["circle", "bar", "swan", "ear"], ["circle", "swan", "ear"]),
        (["b", "a"], ("circle", "bar"), ["circle", "bar"]),
        (["circle", "bar"], None, ["bar", "circle"]),
    ],
)
def test_names_of_the_classes(digits, labels, names, expected):
    """As many as there are, or one for each integer from 0; otherwise the labels."""
    X, y = digits
    y = np.array(labels)[y % len(labels)]
    display = ImageGridDisplay.from_images(X, y, n_per_class=1, target_names=names)
    assert rows_of(display) == expected
    for label, (cell,) in zip(sorted(labels), cells(display, 8, 8), strict=True):
        np.testing.assert_allclose(cell, X[y == label][0].reshape(8, 8) / X[:20].max())


@pytest.mark.parametrize("labels", [[0, 1, 2, 3], ["a", "b", "c", "d"]])
def test_wrong_number_of_names(digits, labels):
    X, y = digits
    y = np.array(labels)[y % 4]
    with pytest.raises(ValueError, match="target_names must have a name for each of the 4 classes"):
        ImageGridDisplay.from_images(X, y, target_names=["circle", "bar", "swan"])


def test_colours(coloured):
    X, y = coloured
    display = ImageGridDisplay.from_images(X, y, n_per_class=2)
    np.testing.assert_allclose(cells(display, 8, 8)[3][1], X[y == 3][1] / 255)
    flat = ImageGridDisplay.from_images(X.reshape(len(X), -1), y, n_per_class=2)
    np.testing.assert_array_equal(cells(flat, 8, 8), cells(display, 8, 8))


def test_images_that_are_not_square(digits):
    X, y = digits
    display = ImageGridDisplay.from_images(X, y, n_per_class=3, image_shape=(4, 16))
    np.testing.assert_allclose(cells(display, 4, 16)[5][2], X[y == 5][2].reshape(4, 16) / 16)
    left, right = display.ax_.get_xlim()
    bottom, top = display.ax_.get_ylim()
    display.figure_.canvas.draw()
    drawn = display.ax_.get_window_extent()
    assert drawn.width / drawn.height == pytest.approx((right - left) / (bottom - top), rel=0.02)


@pytest.mark.parametrize(
    "form",
    [
        lambda X: X.reshape(-1, 8, 8),
        lambda X: X.reshape(-1, 8, 8, 1),
        lambda X: pd.DataFrame(X).add_prefix("pixel"),
        lambda X: X.astype(int).tolist(),
    ],
)
def test_forms_of_images(digits, form):
    X, y = digits
    expected = ImageGridDisplay.from_images(X, y).ax_.images[0].get_array()
    display = ImageGridDisplay.from_images(form(X), pd.Series(y, name="digit"))
    np.testing.assert_array_equal(display.ax_.images[0].get_array(), expected)


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        (lambda X: (X * 10).astype(np.uint8), 10 / 255),  # all images are dark, and stay so
        (lambda X: X / 32, 1 / 32),
        (lambda X: X * 100, 1 / 16),
        (lambda X: X > 8, None),
        (lambda X: X - 8, 1 / 16),
    ],
)
def test_brightness(digits, scale, expected):
    """Black is 0 or the lowest, white what is customary for such pixels or the highest."""
    X, y = digits
    cell = cells(ImageGridDisplay.from_images(scale(X), y, n_per_class=1), 8, 8)[3][0]
    image = X[y == 3][0].reshape(8, 8)
    np.testing.assert_allclose(cell, image > 8 if expected is None else image * expected)


def test_blank_images():
    display = ImageGridDisplay.from_images(np.zeros((4, 8, 8)), [0, 0, 1, 1])
    assert (np.asarray(cells(display, 8, 8)) == 0).all()


def test_wrong_input(digits):
    X, y = digits
    with pytest.raises(ValueError, match="X has 300 images, but y 299 labels"):
        ImageGridDisplay.from_images(X, y[1:])
    with pytest.raises(ValueError, match=r"image_shape=\(5, 5, 1\) has 25 values, but X has 64"):
        ImageGridDisplay.from_images(X, y, image_shape=(5, 5))
    with pytest.raises(ValueError, match="NaN"):
        ImageGridDisplay.from_images(np.full((2, 8, 8), np.nan), [0, 1])

"""Image shapes and standardisation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from skfashion._images import ImageShape, PixelScaler, channel_statistics


@pytest.mark.parametrize(
    ("shape", "given_shape", "expected"),
    [
        ((5, 784), None, (28, 28, 1)),
        ((5, 3072), None, (32, 32, 3)),
        ((5, 3), None, (1, 1, 3)),
        ((5, 10), None, (1, 10, 1)),
        ((5, 12), (3, 4), (3, 4, 1)),
        ((5, 12), (2, 2, 3), (2, 2, 3)),
        ((5, 28, 20), None, (28, 20, 1)),
        ((5, 28, 20), (28, 20, 1), (28, 20, 1)),
        ((5, 28, 20, 3), None, (28, 20, 3)),
        ((5, 3, 32, 32), (3, 32, 32), (3, 32, 32)),
    ],
)
def test_image_shape(shape, given_shape, expected):
    assert ImageShape.infer(shape, given_shape) == expected


@pytest.mark.parametrize(
    ("shape", "given_shape", "message"),
    [
        ((784,), None, "Expected 2D array, got 1D array instead"),
        ((5, 1, 2, 3, 4), None, "X must be"),
        ((5, 0), None, "0 feature"),
        ((5, 784), (28, 27), r"image_shape=\(28, 27, 1\) has 756 values, but X has 784"),
        ((5, 28, 28), (14, 56), r"X holds images of shape \(28, 28, 1\)"),
        ((5, 784), (28,), r"image_shape must be \(height, width\)"),
        ((5, 784), (28, 28, 0), "image_shape must be"),
        ((5, 784), (28.5, 28), "image_shape must be"),
        ((5, 784), 28, "image_shape must be"),
        ((5, 3, 32, 32), None, r"channels come last here: pass X\.transpose\(0, 2, 3, 1\)"),
        ((5, 3, 20, 30), None, r"channels come last here"),
    ],
)
def test_wrong_image_shape(shape, given_shape, message):
    with pytest.raises(ValueError, match=message):
        ImageShape.infer(shape, given_shape)


pixels = st.one_of(
    arrays(np.uint8, (1500, 2, 1, 3), elements=st.integers(0, 255)),
    arrays(np.float64, (40, 2, 1, 3), elements=st.floats(-1e3, 1e3, width=32)),
)


@given(pixels)
def test_statistics_are_numpys(X):
    rows = np.arange(len(X))[::2]
    mean, std = channel_statistics(X, rows, X.shape[1:])
    flat = X[rows].reshape(-1, 3).astype(float)
    np.testing.assert_allclose(mean, flat.mean(axis=0), rtol=1e-9, atol=1e-9)
    expected = flat.std(axis=0)
    varying = expected > 1e-5
    np.testing.assert_allclose(std[varying], expected[varying], rtol=1e-5)
    assert (std > 0).all()


def test_constant_channel_has_no_scale():
    X = np.full((5, 4), 0.1)
    assert channel_statistics(X, np.arange(5), (2, 2, 1))[1] == 1


def test_standardize_far_from_zero():
    X = 1e9 + np.random.default_rng(0).normal(size=(100, 4))
    images = PixelScaler.fit(X, np.arange(100), ImageShape(2, 2)).transform(X)
    assert images.dtype == np.float32
    assert images.shape == (100, 2, 2, 1)
    assert abs(images.mean()) < 1e-4
    assert images.std() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("magnitude", [1e-100, 1e100])
def test_pixels_that_single_precision_cannot_hold(magnitude):
    X = magnitude * np.random.default_rng(0).random((100, 4))
    images = PixelScaler.fit(X, np.arange(100), ImageShape(2, 2)).transform(X)
    assert images.std() == pytest.approx(1, abs=1e-4)


def test_standardised_images_are_new_unless_told_otherwise():
    X = np.random.default_rng(0).random((5, 4), dtype=np.float32)
    before = X.copy()
    PixelScaler.fit(X, np.arange(5), ImageShape(2, 2)).transform(X)
    np.testing.assert_array_equal(X, before)

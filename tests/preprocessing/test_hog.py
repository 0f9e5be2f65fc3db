"""Histograms of oriented gradients."""

import numpy as np
import pytest
from skimage.feature import hog
from sklearn.utils.estimator_checks import parametrize_with_checks

from skfashion.datasets import load_fashion_sample
from skfashion.preprocessing import HOGTransformer


@pytest.fixture(scope="module")
def garments():
    """500 images of 28x28 pixels, flattened, with labels 0 to 9."""
    X, y = load_fashion_sample(return_X_y=True)
    return X[:500], y[:500]


# Random features, no images.
@pytest.mark.filterwarnings("ignore:X has 30 features, no square:UserWarning")
@parametrize_with_checks([HOGTransformer()])
def test_hog_estimator_checks(estimator, check):
    check(estimator)


def test_hog_is_that_of_scikit_image(garments):
    X, _ = garments
    features = HOGTransformer().fit_transform(X[:3])
    expected = [hog(image, 9, (4, 4), (2, 2)) for image in X[:3].reshape(-1, 28, 28)]
    np.testing.assert_allclose(features, expected, atol=1e-6)


@pytest.mark.parametrize("flattened", [False, True])
def test_hog_of_colour_images(flattened):
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(3, 16, 20, 3))
    if flattened:
        transformer, X = HOGTransformer(image_shape=(16, 20, 3)), images.reshape(3, -1)
    else:
        transformer, X = HOGTransformer(), images
    expected = [hog(image, 9, (4, 4), (2, 2), channel_axis=2) for image in images]
    np.testing.assert_allclose(transformer.fit_transform(X), expected)
    assert transformer.n_features_in_ == 960


@pytest.mark.parametrize(
    ("image_shape", "n_features"), [((8, 8), 36), ((6, 6), 9), ((3, 8), 18), ((1, 1), 9)]
)
def test_hog_of_small_images(image_shape, n_features):
    images = np.random.default_rng(0).random((2, *image_shape))
    assert HOGTransformer().fit_transform(images).shape == (2, n_features)


def test_hog_of_other_images_than_fitted(garments):
    X, _ = garments
    transformer = HOGTransformer().fit(X[:2])
    with pytest.raises(ValueError, match="X has 64 features, but HOGTransformer is expecting 784"):
        transformer.transform(X[:2, :64])
    with pytest.raises(ValueError, match=r"image_shape=\(20, 20, 1\) has 400 values, but X has"):
        HOGTransformer(image_shape=(20, 20)).fit(X[:2])
    with pytest.warns(UserWarning, match="X has 600 features, no square"):
        HOGTransformer().fit(X[:2, :600])

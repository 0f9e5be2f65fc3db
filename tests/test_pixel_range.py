"""Images to predict on another pixel scale than those of the fit."""

import warnings

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from skfashion.datasets import load_fashion_sample
from skfashion.errors import PixelRangeWarning

SCALES = {
    "0-255": lambda X: X,
    "0-255 in floats": lambda X: X.astype(np.float32),
    "0-1": lambda X: X / 255,
    "-1 to 1": lambda X: X / 127.5 - 1,
}


@pytest.fixture(scope="module")
def images():
    X, y = load_fashion_sample(return_X_y=True, subset="test")
    return X, y


@pytest.fixture(scope="module", params=SCALES)
def fitted_on(request, make_tiny, images):
    X, y = images
    network = make_tiny(epochs=1).set_params(architecture__width=2)
    return request.param, network.fit(SCALES[request.param](X[:200]), y[:200])


@pytest.mark.parametrize("scale", SCALES)
def test_warns_of_another_scale_and_of_no_other(scale, fitted_on, images):
    X = SCALES[scale](images[0])
    fitted_scale, classifier = fitted_on
    differs = ("255" in scale) != ("255" in fitted_scale)
    parts = [X[200:], *X[200:300, None]]  # many at once, and each alone
    noted = 0
    for part in parts:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            classifier.predict(part)
        noted += any(issubclass(warning.category, PixelRangeWarning) for warning in caught)
    assert noted == (len(parts) if differs else 0)


def test_message_and_place(make_tiny, images):
    X, y = images
    classifier = make_tiny(epochs=1).fit(X[:100], y[:100])
    for method in ("predict", "predict_proba", "decision_function", "transform"):
        with pytest.warns(
            PixelRangeWarning, match="X has pixels from 0 to 1, .* 0 to 255"
        ) as noted:
            getattr(classifier, method)(X[:50] / 255)
        assert noted[0].filename == __file__
    with pytest.warns(PixelRangeWarning, match="X_val has pixels from 0 to 1, "):
        classifier.fit(X[:100], y[:100], X_val=X[100:] / 255, y_val=y[100:])


@pytest.mark.parametrize("scaler", [MinMaxScaler(), StandardScaler()])
@pytest.mark.parametrize("n_train", [100, 500])
def test_scaled_columns(scaler, n_train, make_tiny):
    """A pixel that was blank in training may be far outside its range; that is no other scale."""
    X, y = load_digits(return_X_y=True)
    scaled = scaler.fit(X[:n_train]).transform(X)
    classifier = make_tiny(epochs=1).fit(scaled[:n_train], y[:n_train])
    for part in (scaled[n_train:], *scaled[n_train : n_train + 300, None]):
        classifier.predict(part)  # warnings are errors here
    with pytest.warns(PixelRangeWarning):
        classifier.predict(200 * X)


def test_unusual_images_of_the_same_scale(make_tiny, images):
    X, y = images
    classifier = make_tiny(epochs=1).fit(X[:100], y[:100])
    for unusual in (
        np.zeros((1, 784), np.uint8),
        np.full((1, 784), 255, np.uint8),
        np.random.default_rng(0).integers(0, 4, (3, 784), dtype=np.uint8),  # a dark photo
        np.full((2, 784), 0.5),
        np.eye(1, 784, 300, dtype=np.uint8),  # black, but for one pixel
    ):
        classifier.predict(unusual)


def test_outliers_are_no_scale(make_tiny):
    """One broken pixel in training does not make all others seem too small."""
    X = np.random.default_rng(0).normal(size=(300, 36))
    X[0, 0] = 1e4
    classifier = make_tiny(epochs=1).fit(X, np.arange(300) % 2)
    for part in (X[1:], X[:1], *X[1:100, None]):
        classifier.predict(part)
    with pytest.warns(PixelRangeWarning):
        classifier.predict(255 * X)


def test_digits_of_16_shades(make_tiny, digits):
    X, y = digits
    with pytest.warns(PixelRangeWarning):
        make_tiny(epochs=1).fit(X, y).predict(X / 16)
    with pytest.warns(PixelRangeWarning):
        make_tiny(epochs=1).fit(X / 16, y).predict(X)

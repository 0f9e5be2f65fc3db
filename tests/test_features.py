"""What else the network says of images: logits, features, feature maps."""

import keras
import numpy as np
import pytest
from scipy.special import softmax
from sklearn.base import clone
from sklearn.exceptions import NotFittedError


def test_decision_function_is_logits(fitted, digits):
    X, _ = digits
    logits = fitted.decision_function(X)
    assert logits.shape == (300, 10)
    np.testing.assert_allclose(softmax(logits, axis=1), fitted.predict_proba(X), atol=1e-6)
    np.testing.assert_allclose(logits.mean(axis=1), 0, atol=1e-9)


def test_decision_function_of_two_classes(make_tiny, digits):
    X, y = digits
    classifier = make_tiny(epochs=4).fit(X, np.where(y < 5, "small", "large"))
    decision = classifier.decision_function(X)
    assert decision.shape == (300,)
    np.testing.assert_array_equal(
        classifier.classes_[(decision > 0).astype(int)], classifier.predict(X)
    )
    np.testing.assert_allclose(1 / (1 + np.exp(-decision)), classifier.predict_proba(X)[:, 1])


def test_logits_of_certain_images_are_finite(make_tiny, digits):
    """A probability of 0 in single precision is no logit of minus infinity."""

    def certain(image_shape, n_classes):
        inputs = keras.Input(image_shape)
        x = keras.layers.Rescaling(1e4)(keras.layers.Flatten()(inputs))
        return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))

    classifier = make_tiny(architecture=certain, epochs=1, learning_rate=1e-12).fit(*digits)
    assert (classifier.predict_proba(digits[0]) == 0).any()
    assert np.isfinite(classifier.decision_function(digits[0])).all()


def test_transform_gives_the_last_layers_input(fitted, digits):
    X, _ = digits
    features = fitted.transform(X)
    assert features.shape == (300, 60)
    assert features.dtype == np.float32
    kernel, bias = fitted.weights_[-2:]
    np.testing.assert_allclose(
        softmax(features @ kernel + bias, axis=1), fitted.predict_proba(X), atol=1e-5
    )
    assert fitted.get_feature_names_out().tolist() == [
        f"fashioncnnclassifier{i}" for i in range(60)
    ]
    np.testing.assert_array_equal(clone(fitted).fit_transform(*digits), features)


def convolutions_only(image_shape, n_classes):
    """Ends in a layer without weights, after one that is no dense layer."""
    inputs = keras.Input(image_shape)
    x = keras.layers.Conv2D(n_classes, 3)(inputs)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, keras.layers.Softmax()(x))


def test_transform_of_other_architectures(make_tiny, digits):
    X, _ = digits
    features = make_tiny(architecture=convolutions_only).fit(*digits).transform(X)
    assert features.shape == (300, 64)  # the standardised pixels
    assert features.std() == pytest.approx(1, abs=1e-3)


def test_feature_maps(fitted, digits):
    X, _ = digits
    maps = fitted.feature_maps(X[:5], "stage1_add")
    assert maps.shape == (5, 8, 8, 24)
    np.testing.assert_allclose(fitted.feature_maps(X[:1], "stage1_add"), maps[:1], atol=1e-5)
    np.testing.assert_array_equal(fitted.feature_maps(X, "features"), fitted.transform(X))
    names = [layer.name for layer in fitted.model_.layers[-1].layers]
    assert "stage1_add" in names
    np.testing.assert_array_equal(fitted.feature_maps(X[:5], names.index("stage1_add")), maps)
    assert fitted.feature_maps(X[:2], "dropout").shape == (2, 60)  # whatever the rate
    with pytest.raises(ValueError, match=r"Unknown layer 'stage1_ad'. Did you mean 'stage1_add'"):
        fitted.feature_maps(X, "stage1_ad")


def test_feature_maps_of_unnamed_layers(make_tiny, digits):
    """Keras numbers them on with every network; the names are those that model_ shows."""
    classifier = make_tiny(architecture=convolutions_only).fit(*digits)
    convolution = classifier.model_.layers[-1].layers[1]
    maps = classifier.feature_maps(digits[0], convolution.name)
    assert maps.shape == (300, 6, 6, 10)
    np.testing.assert_array_equal(classifier.feature_maps(digits[0], 1), maps)
    with pytest.raises(ValueError, match="layer must be a position among 4, got 4"):
        classifier.feature_maps(digits[0], 4)


@pytest.mark.parametrize("method", ["decision_function", "transform"])
def test_wrong_use(method, make_tiny, fitted, digits):
    X, _ = digits
    with pytest.raises(NotFittedError):
        getattr(make_tiny(), method)(X)
    with pytest.raises(ValueError, match="X has 63 features"):
        getattr(fitted, method)(X[:, 1:])
    assert not hasattr(make_tiny(), "_n_features_out")

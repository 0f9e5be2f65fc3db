"""What a layer of a network makes of an image."""

import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.pipeline import make_pipeline

from skfashion.inspection import FeatureMapsDisplay
from skfashion.preprocessing import AugmentedClassifier


def maps_of(display):
    """The maps that are drawn, in reading order."""
    (image,) = display.axes_[1].images
    mosaic = np.ma.filled(image.get_array(), np.nan)
    rows, columns = (
        np.split(indices, np.flatnonzero(np.diff(indices) > 1) + 1)
        for indices in (
            np.flatnonzero(~np.isnan(mosaic).all(axis=1)),
            np.flatnonzero(~np.isnan(mosaic).all(axis=0)),
        )
    )
    cells = [mosaic[np.ix_(row, column)] for row in rows for column in columns]
    return np.array([cell for cell in cells if not np.isnan(cell).all()])


def scaled(maps):
    """Each map of one image, from its lowest value to its highest."""
    expected = np.zeros((maps.shape[-1], *maps.shape[:2]))
    for i, each in enumerate(np.moveaxis(maps, -1, 0)):
        if each.max() > each.min():
            expected[i] = (each - each.min()) / (each.max() - each.min())
    return expected


def layer_output(network, layer, batch):
    """By Keras alone."""
    part = keras.Model(network.inputs[0], network.get_layer(layer).output)
    return part.predict(batch, verbose=0)


@pytest.mark.parametrize(
    ("layer", "size"), [("stem_1", 8), ("stage1_1_relu", 8), ("pool2", 4), ("stage3_add", 2)]
)
def test_image_and_maps(fitted, digits, unseen, layer, size):
    X = unseen[0][5:6]
    display = FeatureMapsDisplay.from_estimator(fitted, X, layer)
    image, maps = display.axes_
    np.testing.assert_allclose(image.images[0].get_array(), X.reshape(8, 8) / X.max())
    batch = ((X - digits[0].mean()) / digits[0].std()).reshape(1, 8, 8, 1)
    expected = layer_output(fitted.model_.layers[-1], layer, batch.astype(np.float32))[0]
    np.testing.assert_allclose(maps_of(display), scaled(expected), atol=1e-4)
    assert image.get_title() == "image"
    n_maps = expected.shape[-1]
    assert maps.get_title() == f"{n_maps} maps of {size}x{size} by layer {layer}"
    assert not image.axison
    assert not maps.axison


def test_maps_are_those_of_the_classifier(fitted, unseen):
    X = unseen[0][:1]
    display = FeatureMapsDisplay.from_estimator(fitted, X, "stage2_add")
    expected = scaled(fitted.feature_maps(X, "stage2_add")[0])
    np.testing.assert_allclose(maps_of(display), expected, atol=1e-4)


def test_model_that_was_changed(make_small, digits, unseen):
    """What is shown is what the classifier predicts by, whatever becomes of its Keras model."""
    X = unseen[0][:1]
    classifier = make_small().fit(*digits)
    before = maps_of(FeatureMapsDisplay.from_estimator(classifier, X, "stage2_add"))
    classifier.model_.set_weights([0 * weight for weight in classifier.weights_])
    after = maps_of(FeatureMapsDisplay.from_estimator(classifier, X, "stage2_add"))
    np.testing.assert_array_equal(after, before)


@pytest.mark.parametrize("layer", [0, 4, -6, np.int64(4)])
def test_layer_by_position(fitted, unseen, layer):
    X = unseen[0][:1]
    display = FeatureMapsDisplay.from_estimator(fitted, X, layer)
    name = fitted.model_.layers[-1].layers[layer].name
    assert display.axes_[1].get_title().endswith(f"by layer {name}")
    named = FeatureMapsDisplay.from_estimator(fitted, X, name)
    np.testing.assert_array_equal(maps_of(display), maps_of(named))


def sequential(image_shape, n_classes):
    return keras.Sequential(
        [
            keras.Input(image_shape),
            keras.layers.Conv2D(6, 3, activation="relu", name="narrow"),
            keras.layers.Conv2D(9, 3, activation="relu", name="wide"),
            keras.layers.Flatten(name="flat"),
            keras.layers.Dense(n_classes, activation="softmax", name="classes"),
        ]
    )


@pytest.fixture(scope="module")
def in_sequence(make_small, digits):
    return make_small(architecture=sequential, epochs=1).fit(*digits)


@pytest.mark.parametrize("layer", ["narrow", "wide", 0, 1])
def test_sequential_architecture(in_sequence, unseen, layer):
    """Positions count as those of feature_maps."""
    X = unseen[0][:1]
    display = FeatureMapsDisplay.from_estimator(in_sequence, X, layer)
    expected = scaled(in_sequence.feature_maps(X, layer)[0])
    np.testing.assert_allclose(maps_of(display), expected, atol=1e-4)


def test_map_of_one_value():
    maps = np.stack([np.full((4, 4), 3.0), np.arange(16.0).reshape(4, 4)], axis=-1)
    display = FeatureMapsDisplay(np.zeros((4, 4, 1)), maps, layer_name="any").plot()
    dark, other = maps_of(display)
    assert (dark == 0).all()
    np.testing.assert_allclose(other, np.arange(16).reshape(4, 4) / 15)


@pytest.mark.parametrize("n_maps", [1, 2, 7, 60])
def test_many_and_few_maps(n_maps):
    maps = np.random.default_rng(0).random((5, 3, n_maps))
    display = FeatureMapsDisplay(np.zeros((10, 6, 1)), maps, layer_name="any").plot()
    np.testing.assert_allclose(maps_of(display), scaled(maps))
    assert display.axes_[1].get_title() == f"{n_maps} maps of 5x3 by layer any"


def test_maps_are_larger_than_the_image(fitted, unseen):
    """They are what is to be looked at, and there are 24."""
    display = FeatureMapsDisplay.from_estimator(fitted, unseen[0][:1], "stage1_add")
    display.figure_.canvas.draw()
    image, maps = (panel.get_window_extent() for panel in display.axes_)
    assert maps.width > 3 * image.width
    assert maps.width > 0.7 * display.figure_.bbox.width


def test_pipeline(pipeline, unseen):
    """The network's maps are of scaled pixels; the image is shown as it was."""
    X = unseen[0][:1]
    display = FeatureMapsDisplay.from_estimator(pipeline, X, "stage1_add")
    shown = display.axes_[0].images[0].get_array()
    np.testing.assert_allclose(shown, X.reshape(8, 8) / X.max())
    expected = pipeline[-1].feature_maps(pipeline[:-1].transform(X), "stage1_add")[0]
    np.testing.assert_allclose(maps_of(display), scaled(expected), atol=1e-4)


def test_inside_others(searched, make_small, digits, unseen):
    X = unseen[0][:1]
    augmented = AugmentedClassifier(make_small(epochs=1), random_state=0).fit(*digits)
    alone = make_pipeline(make_small(epochs=1)).fit(*digits)
    for estimator, network in (
        (searched, searched.best_estimator_),
        (augmented, augmented.estimator_),
        (alone, alone[-1]),
    ):
        display = FeatureMapsDisplay.from_estimator(estimator, X, "stage1_add")
        expected = scaled(network.feature_maps(X, "stage1_add")[0])
        np.testing.assert_allclose(maps_of(display), expected, atol=1e-4)


def test_colours(of_colours, coloured):
    X, _ = coloured
    display = FeatureMapsDisplay.from_estimator(of_colours, X[:1], "stem_1")
    np.testing.assert_allclose(display.axes_[0].images[0].get_array(), X[0] / 255)
    assert maps_of(display).shape == (24, 8, 8)


def test_images_that_are_not_square(oblong, unseen):
    X = unseen[0][:1]
    display = FeatureMapsDisplay.from_estimator(oblong, X, "pool2")
    np.testing.assert_allclose(display.axes_[0].images[0].get_array(), X.reshape(4, 16) / X.max())
    expected = scaled(oblong.feature_maps(X, "pool2")[0])
    assert expected.shape[1:] == (2, 8)
    np.testing.assert_allclose(maps_of(display), expected, atol=1e-4)


@pytest.mark.parametrize(
    "form",
    [
        lambda X: X.reshape(1, 8, 8),
        lambda X: X.reshape(1, 8, 8, 1),
        lambda X: pd.DataFrame(X),
        lambda X: X.tolist(),
    ],
)
def test_forms_of_the_image(fitted, unseen, form):
    X = unseen[0][:1]
    expected = FeatureMapsDisplay.from_estimator(fitted, X, "stage1_add")
    display = FeatureMapsDisplay.from_estimator(fitted, form(X), "stage1_add")
    np.testing.assert_array_equal(maps_of(display), maps_of(expected))
    assert display.axes_[0].images[0].get_array().shape == (8, 8)


def test_wrong_layers(fitted, unseen):
    X = unseen[0][:1]
    with pytest.raises(ValueError, match=r"Unknown layer 'stage1_ad'. Did you mean 'stage1_add'\?"):
        FeatureMapsDisplay.from_estimator(fitted, X, "stage1_ad")
    with pytest.raises(ValueError, match="layer must be a position among 30, got 30"):
        FeatureMapsDisplay.from_estimator(fitted, X, 30)
    message = r"layer 'features' makes no maps, but an array of shape \(60,\)"
    with pytest.raises(ValueError, match=message):
        FeatureMapsDisplay.from_estimator(fitted, X, "features")


def test_wrong_images(fitted, unseen):
    X, _ = unseen
    for several in (X[:2], X[:3].reshape(-1, 8, 8)):
        with pytest.raises(ValueError, match=f"X must hold one image, got {len(several)}"):
            FeatureMapsDisplay.from_estimator(fitted, several, "stage1_add")
    with pytest.raises(ValueError, match=r"X has 63 features, but .* is expecting 64"):
        FeatureMapsDisplay.from_estimator(fitted, X[:1, 1:], "stage1_add")
    with pytest.raises(ValueError, match="NaN"):
        FeatureMapsDisplay.from_estimator(fitted, X[:1] * np.nan, "stage1_add")


def test_no_network(forest, unseen):
    with pytest.raises(TypeError, match=r"must be a FashionCNNClassifier.*got RandomForest"):
        FeatureMapsDisplay.from_estimator(forest, unseen[0][:1], "stage1_add")
    with pytest.raises(TypeError, match="got RandomForestClassifier"):
        FeatureMapsDisplay.from_estimator(make_pipeline(forest), unseen[0][:1], "stage1_add")

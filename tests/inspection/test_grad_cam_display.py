"""Grad-CAM, compared with derivatives that TensorFlow computes."""

import random

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.pipeline import make_pipeline

from skfashion import FashionCNNClassifier
from skfashion.inspection import GradCAMDisplay


def heat_of(display, n):
    """The heat that is drawn over each of n images."""
    heated = display.axes_[1::2].ravel()[:n]
    return np.array([panel.images[1].get_array() for panel in heated])


def titles(display):
    return [panel.get_title() for panel in display.axes_[::2].flat if panel.images]


def expected_heat(network, batch, layer, asked):
    """By TensorFlow's own derivatives of the scores before the softmax."""
    kernel, bias = network.layers[-1].get_weights()
    features = network.layers[-1].input
    part = keras.Model(network.inputs[0], [network.get_layer(layer).output, features])
    with tf.GradientTape() as tape:
        maps, features = part(batch.astype(np.float32), training=False)
        scores = tf.gather(features @ kernel + bias, asked, axis=1, batch_dims=1)
    slopes = tape.gradient(scores, maps).numpy()
    heat = []
    for image, slope in zip(maps.numpy(), slopes, strict=True):
        weights = slope.mean(axis=(0, 1))
        positive = np.maximum((image * weights).sum(axis=-1), 0)
        heat.append(positive / (positive.max() or 1))
    return np.array(heat)


def standardized(X, training, shape):
    return ((X - training.mean()) / training.std()).reshape(-1, *shape)


@pytest.fixture(scope="module")
def dropping(make_small, digits):
    """With dropout and batch normalisation."""
    return make_small(dropout=0.2, epochs=5).fit(*digits)


@pytest.fixture(scope="module")
def enlarged(digits, unseen):
    """The digits with 24x24 pixels."""
    return [np.kron(X.reshape(-1, 8, 8), np.ones((3, 3))) for X in (digits[0], unseen[0])]


@pytest.fixture(scope="module")
def plain(make_small, digits, enlarged):
    """Without batch normalisation; its maps are flattened, not pooled."""
    network = make_small(architecture="basic", dropout=0.3, batch_size=25, epochs=1)
    return network.fit(enlarged[0], digits[1])


@pytest.mark.parametrize("layer", [None, "stage1_1_norm", "pool2"])
@pytest.mark.parametrize("target", [None, 3])
def test_heat(dropping, digits, unseen, layer, target):
    X = unseen[0][:5]
    display = GradCAMDisplay.from_estimator(dropping, X, layer=layer, target=target)
    asked = dropping.predict(X) if target is None else np.full(5, target)
    network = dropping.model_.layers[-1]
    batch = standardized(X, digits[0], (8, 8, 1))
    expected = expected_heat(network, batch, layer or "stage3_add", asked)
    assert set(expected.max(axis=(1, 2))) <= ({1} if target is None else {0, 1})
    np.testing.assert_allclose(heat_of(display, 5), expected, atol=1e-4)


@pytest.mark.parametrize("layer", [None, "pool2"])
def test_heat_of_another_network(plain, enlarged, layer):
    training, X = enlarged
    display = GradCAMDisplay.from_estimator(plain, X[:4], layer=layer, target=[0, 1, 2, 3])
    network = plain.model_.layers[-1]
    batch = standardized(X[:4], training, (24, 24, 1))
    expected = expected_heat(network, batch, layer or "conv3", [0, 1, 2, 3])
    np.testing.assert_allclose(heat_of(display, 4), expected, atol=1e-4)


def test_heat_does_not_depend_on_other_images(dropping, unseen):
    together = heat_of(GradCAMDisplay.from_estimator(dropping, unseen[0][:4], target=8), 4)
    alone = GradCAMDisplay.from_estimator(dropping, unseen[0][2:3], target=8)
    np.testing.assert_allclose(heat_of(alone, 1)[0], together[2], atol=1e-4)


def test_picture(dropping, unseen):
    X = unseen[0][:8]
    display = GradCAMDisplay.from_estimator(dropping, X)
    classes = dropping.predict(X)
    probabilities = dropping.predict_proba(X).max(axis=1)
    assert titles(display) == [
        f"{label} ({100 * probability:.0f}%)"
        for label, probability in zip(classes, probabilities, strict=True)
    ]
    assert display.axes_.shape == (4, 6)
    for i, image in enumerate(X.reshape(-1, 8, 8)):
        row, column = 2 * (i // 6), i % 6
        above, below = display.axes_[row : row + 2, column]
        (picture,) = above.images
        again, heat = below.images
        np.testing.assert_allclose(picture.get_array(), image / X.max())
        np.testing.assert_array_equal(again.get_array(), picture.get_array())
        assert heat.get_extent() == again.get_extent()
        assert heat.get_clim() == (0, 1)
        # The image is seen where there is no heat.
        opacity = np.asarray(heat.get_alpha())
        np.testing.assert_array_equal(opacity == 0, heat.get_array() == 0)
        assert opacity.max() <= 1
    assert not any(panel.has_data() for panel in display.axes_[2:, 2:].flat)
    assert not any(panel.axison for panel in display.axes_.flat)
    assert "layer stage3_add" in display.figure_.get_suptitle()
    display.figure_.canvas.draw()


def test_probability_of_the_class_that_is_asked_about(dropping, unseen):
    X = unseen[0][:3]
    display = GradCAMDisplay.from_estimator(dropping, X, target=[7, 0, 3])
    probabilities = dropping.predict_proba(X)[[0, 1, 2], [7, 0, 3]]
    assert titles(display) == [
        f"{label} ({100 * probability:.0f}%)"
        for label, probability in zip([7, 0, 3], probabilities, strict=True)
    ]


def test_labels_that_are_words(verbal, fitted, unseen, words):
    """Sorted they are in another order than the digits."""
    X = unseen[0][:3]
    display = GradCAMDisplay.from_estimator(verbal, X, target="seven")
    column = sorted(words).index("seven")
    expected = [f"seven ({100 * row[column]:.0f}%)" for row in verbal.predict_proba(X)]
    assert titles(display) == expected
    alike = GradCAMDisplay.from_estimator(verbal, X, target=pd.Series(["seven"] * 3))
    np.testing.assert_array_equal(heat_of(alike, 3), heat_of(display, 3))
    display = GradCAMDisplay.from_estimator(verbal, X)
    assert [title.split()[0] for title in titles(display)] == verbal.predict(X).tolist()


def test_names_of_the_classes(fitted, verbal, unseen, words, tmp_path):
    X = unseen[0][:3]
    named = [words[i] for i in fitted.predict(X)]
    display = GradCAMDisplay.from_estimator(fitted, X, target_names=words)
    assert [title.split()[0] for title in titles(display)] == named
    fitted.save(tmp_path / "model.keras", target_names=words.tolist())
    loaded = FashionCNNClassifier.load(tmp_path / "model.keras")
    display = GradCAMDisplay.from_estimator(loaded, X)
    assert [title.split()[0] for title in titles(display)] == named
    display = GradCAMDisplay.from_estimator(
        verbal, X, target="one", target_names=[f"<{word}>" for word in sorted(words)]
    )
    assert [title.split()[0] for title in titles(display)] == ["<one>"] * 3


def test_two_classes(make_small, digits, unseen):
    network = make_small(epochs=1).fit(digits[0], digits[1] > 4)
    X = unseen[0][:4]
    display = GradCAMDisplay.from_estimator(network, X)
    assert [title.split()[0] for title in titles(display)] == network.predict(X).astype(
        str
    ).tolist()
    batch = standardized(X, digits[0], (8, 8, 1))
    expected = expected_heat(network.model_.layers[-1], batch, "stage3_add", network.predict(X) * 1)
    np.testing.assert_allclose(heat_of(display, 4), expected, atol=1e-4)


def test_pipeline(pipeline, digits, unseen):
    X = unseen[0][:3]
    display = GradCAMDisplay.from_estimator(pipeline, X)
    scaler, network = pipeline[0], pipeline[-1]
    batch = standardized(scaler.transform(X), scaler.transform(digits[0]), (8, 8, 1))
    expected = expected_heat(network.model_.layers[-1], batch, "stage3_add", pipeline.predict(X))
    np.testing.assert_allclose(heat_of(display, 3), expected, atol=1e-4)
    shown = [panel.images[0].get_array() for panel in display.axes_[0]]
    np.testing.assert_allclose(shown, X.reshape(-1, 8, 8) / X.max())


def test_search(searched, unseen):
    X = unseen[0][:3]
    display = GradCAMDisplay.from_estimator(searched, X)
    expected = GradCAMDisplay.from_estimator(searched.best_estimator_, X)
    np.testing.assert_array_equal(heat_of(display, 3), heat_of(expected, 3))
    assert titles(display) == titles(expected)


def test_colours(of_colours, coloured):
    X, _ = coloured
    display = GradCAMDisplay.from_estimator(of_colours, X[:2])
    for panels, image in zip(display.axes_.T, X, strict=False):
        for panel in panels:
            np.testing.assert_allclose(panel.images[0].get_array(), image / 255)


def test_images_that_are_not_square(oblong, unseen):
    X = unseen[0][:2]
    display = GradCAMDisplay.from_estimator(oblong, X, layer="pool2")
    plain, heated = display.axes_[:, 0]
    np.testing.assert_allclose(plain.images[0].get_array(), X[0].reshape(4, 16) / X.max())
    assert heated.images[1].get_array().shape == (2, 8)
    assert [image.get_extent() for image in heated.images] == [[-0.5, 15.5, 3.5, -0.5]] * 2


def test_forms_of_images(fitted, unseen):
    X = unseen[0][:2]
    expected = heat_of(GradCAMDisplay.from_estimator(fitted, X), 2)
    for form in (X.reshape(-1, 8, 8), pd.DataFrame(X), X.tolist()):
        display = GradCAMDisplay.from_estimator(fitted, form)
        np.testing.assert_array_equal(heat_of(display, 2), expected)


def test_nothing_changes(dropping, unseen):
    """Neither in the network, nor in what is random."""

    def readable():
        layers = dropping.model_.layers[-1].layers
        return [
            *dropping.model_.get_weights(),
            *dropping.weights_,
            [layer.trainable for layer in layers],
            [len(layer._inbound_nodes) for layer in layers],
            dropping.model_.compiled,
            dropping.predict_proba(unseen[0]),
            tf.config.functions_run_eagerly(),
        ]

    def draw():
        seeds = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
        return *seeds, tf.random.uniform((3,)).numpy().tolist()

    before = [np.copy(value) for value in readable()]
    keras.utils.set_random_seed(5)
    expected = draw()
    keras.utils.set_random_seed(5)
    GradCAMDisplay.from_estimator(dropping, unseen[0][:3])
    assert draw() == expected
    for value, other in zip(before, readable(), strict=True):
        np.testing.assert_array_equal(value, other)


def test_same_again(dropping, unseen):
    one, other = (heat_of(GradCAMDisplay.from_estimator(dropping, unseen[0][:3]), 3) for _ in "ab")
    np.testing.assert_array_equal(one, other)


def make_architecture(*parts):
    def architecture(image_shape, n_classes):
        inputs = x = keras.Input(image_shape)
        for part in parts:
            x = part()(x)
        x = keras.layers.Flatten()(x)
        return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))

    return architecture


def convolution():
    return keras.layers.Conv2D(8, 3, activation="relu", name="convolution")


def doubling():
    return keras.layers.Lambda(lambda x: 2 * x)


def punished():
    return keras.layers.Conv2D(8, 3, activity_regularizer="l2", name="punished")


def separate(activation):
    """The last activation in a layer of its own."""

    def architecture(image_shape, n_classes):
        inputs = keras.Input(image_shape)
        features = keras.layers.Flatten()(convolution()(inputs))
        scores = keras.layers.Dense(n_classes, name="scores")(features)
        return keras.Model(inputs, activation()(scores))

    return architecture


def sequential(image_shape, n_classes):
    layers = [convolution(), keras.layers.Flatten(), keras.layers.Dense(n_classes, "softmax")]
    return keras.Sequential([keras.Input(image_shape), *layers])


@pytest.mark.parametrize(
    "architecture",
    [
        make_architecture(convolution),
        make_architecture(doubling, convolution),
        make_architecture(convolution, punished),
        separate(keras.layers.Softmax),
        separate(lambda: keras.layers.Activation("softmax")),
        sequential,
    ],
    ids=["plain", "lambda", "activity regularizer", "softmax", "activation", "sequential"],
)
def test_own_architectures(make_small, digits, unseen, architecture):
    X = unseen[0][:4]
    network = make_small(architecture=architecture, epochs=1).fit(*digits)
    display = GradCAMDisplay.from_estimator(network, X, layer="convolution")
    batch = standardized(X, digits[0], (8, 8, 1))
    rebuilt = architecture((8, 8, 1), 10)
    rebuilt.set_weights(network.weights_)
    if not rebuilt.layers[-1].weights:
        rebuilt = keras.Model(rebuilt.inputs[0], rebuilt.get_layer("scores").output)
    expected = expected_heat(rebuilt, batch, "convolution", network.predict(X))
    np.testing.assert_allclose(heat_of(display, 4), expected, atol=1e-4)


def nested(*more):
    """The convolution is in a network within."""

    def architecture(image_shape, n_classes):
        inputs = keras.Input(image_shape)
        layers = [keras.Input(image_shape), convolution(), *(layer() for layer in more)]
        x = keras.Sequential(layers, name="within")(inputs)
        outputs = keras.layers.Dense(n_classes, "softmax")(keras.layers.Flatten()(x))
        return keras.Model(inputs, outputs)

    return architecture


def repeated(image_shape, n_classes):
    """Uses one layer twice."""
    inputs = keras.Input(image_shape)
    layer = keras.layers.Conv2D(1, 3, padding="same", name="convolution")
    x = keras.layers.Flatten()(layer(layer(inputs)))
    return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))


def normalized(image_shape, n_classes):
    """Ends in no softmax, but in probabilities all the same."""
    inputs = keras.Input(image_shape)
    x = keras.layers.Flatten()(convolution()(inputs))
    x = keras.layers.Dense(n_classes, activation="softplus")(x)
    return keras.Model(inputs, x / keras.ops.sum(x, axis=-1, keepdims=True))


class Untrained(ClassifierMixin, BaseEstimator):
    """A classifier with a Keras model, as scikeras has."""

    def __init__(self, network):
        self.network = network

    def fit(self, X, y):
        self.model_, self.classes_ = self.network, np.unique(y)
        return self

    def predict_proba(self, X):
        return self.model_.predict_on_batch(X.reshape(-1, 8, 8, 1))


@pytest.mark.parametrize(
    ("architecture", "error", "message"),
    [
        (make_architecture(), ValueError, "layer must be named, .* has no convolution"),
        (
            nested(keras.layers.GlobalMaxPooling2D),
            ValueError,
            "hidden in a network within. The layers are .*within",
        ),
        (repeated, ValueError, "layer 'convolution' is used more than once"),
        (normalized, TypeError, "must end in a layer whose activation is softmax.*"),
    ],
    ids=["no convolution", "nested", "repeated", "normalized"],
)
def test_architectures_without_an_answer(digits, architecture, error, message):
    network = Untrained(architecture((8, 8, 1), 10)).fit(*digits)
    with pytest.raises(error, match=message):
        GradCAMDisplay.from_estimator(network, digits[0][:2])


def test_network_within(make_small, digits, unseen):
    """Is a layer like others."""
    network = make_small(architecture=nested(), epochs=1).fit(*digits)
    display = GradCAMDisplay.from_estimator(network, unseen[0][:2])
    assert display.layer_name == "within"
    assert heat_of(display, 2).shape == (2, 6, 6)
    assert heat_of(display, 2).max() == 1


def test_predictions_from_several_views(make_small, digits):
    """The class that is asked about, and its probability, are those of predict."""
    X, y = digits
    network = make_small(epochs=2).fit(X, y)
    from_one_view = network.predict(X)
    network.set_params(test_time_augmentation="flip")
    differ = np.flatnonzero(network.predict(X) != from_one_view)[:4]
    assert len(differ) == 4
    display = GradCAMDisplay.from_estimator(network, X[differ])
    assert titles(display) == [
        f"{label} ({100 * probability:.0f}%)"
        for label, probability in zip(
            network.predict(X[differ]), network.predict_proba(X[differ]).max(axis=1), strict=True
        )
    ]


def test_wrong_layers(fitted, unseen):
    X = unseen[0][:2]
    with pytest.raises(ValueError, match=r"Unknown layer 'stage3_ad'. Did you mean 'stage3_add'\?"):
        GradCAMDisplay.from_estimator(fitted, X, layer="stage3_ad")
    with pytest.raises(ValueError, match="layer 'probabilities' makes no maps"):
        GradCAMDisplay.from_estimator(fitted, X, layer="probabilities")
    with pytest.raises(ValueError, match="layer must be a position among 30, got 99"):
        GradCAMDisplay.from_estimator(fitted, X, layer=99)


@pytest.mark.parametrize("layer", ["images", 0])
def test_input_layer(fitted, unseen, layer):
    with pytest.raises(ValueError, match="layer 'images' is the input; name another"):
        GradCAMDisplay.from_estimator(fitted, unseen[0][:2], layer=layer)


@pytest.mark.parametrize(
    ("target", "unknown"),
    [(77, "[77]"), ([7, -1], "[-1]"), ("7", "['7']"), (["7", "8"], "['7', '8']")],
)
def test_unknown_targets(fitted, unseen, target, unknown):
    message = "target has labels that the classifier has not: "
    with pytest.raises(ValueError, match=message) as error:
        GradCAMDisplay.from_estimator(fitted, unseen[0][:2], target=target)
    assert f"has not: {unknown}. Known: 0, 1, 2" in str(error.value)


def test_wrong_input(fitted, unseen):
    X = unseen[0][:2]
    with pytest.raises(ValueError, match="X must hold at most 120 images, got 121"):
        GradCAMDisplay.from_estimator(fitted, np.repeat(X[:1], 121, axis=0))
    with pytest.raises(ValueError, match="X has 2 images, but target 3 labels"):
        GradCAMDisplay.from_estimator(fitted, X, target=[1, 2, 3])
    with pytest.raises(ValueError, match="X has 63 features"):
        GradCAMDisplay.from_estimator(fitted, X[:, 1:])
    with pytest.raises(ValueError, match="target_names must have a name for each of the 10"):
        GradCAMDisplay.from_estimator(fitted, X, target_names=["a", "b"])


def test_no_network(forest, unseen):
    with pytest.raises(TypeError, match=r"must be a FashionCNNClassifier.*got RandomForest"):
        GradCAMDisplay.from_estimator(forest, unseen[0][:2])
    with pytest.raises(TypeError, match="got RandomForestClassifier"):
        GradCAMDisplay.from_estimator(make_pipeline(forest), unseen[0][:2])

"""Networks with pretrained backbones."""

import functools
import os
import subprocess
import sys
from typing import ClassVar

import keras
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from skfashion import FashionCNNClassifier
from skfashion.datasets import load_fashion_sample
from skfashion.networks import build_network, list_networks
from skfashion.networks._registry import default_options
from skfashion.networks._specification import NetworkSpecification
from skfashion.recipes import make_recipe

# Each is named as its application.
APPLICATIONS = {name.lower(): builder for name, builder in vars(keras.applications).items()}
PRETRAINED = [name for name in list_networks() if "weights" in default_options(name)]


@pytest.fixture(scope="module")
def sample():
    X, y = load_fashion_sample(return_X_y=True)
    return X[:200], y[:200]


@pytest.fixture(scope="module")
def write_weights(tmp_path_factory):
    """Writes the weights of an untrained backbone, and returns the path and the weights."""

    def write(name, **options):
        path = tmp_path_factory.mktemp("weights") / f"{name}.weights.h5"
        backbone = APPLICATIONS[name](
            weights=None, include_top=False, input_shape=(32, 32, 3), **options
        )
        backbone.save_weights(path)
        return path, backbone.get_weights()

    return write


@pytest.fixture(scope="module")
def weights_file(write_weights):
    """Weights that tests share: a fit from the same file finds its compiled network again."""
    return functools.cache(write_weights)


@pytest.mark.slow  # compiles a frozen and a whole network
@pytest.mark.parametrize("name", PRETRAINED)
def test_trains_in_two_stages_from_a_local_file(name, sample, weights_file, tmp_path):
    path, weights = weights_file(name)
    X, y = sample
    recipe = make_recipe(
        name, architecture__weights=path, architecture__size=32, epochs=3, freeze_epochs=2
    )
    recipe.set_params(random_state=0, schedule=None)
    recipe.fit(X, y)
    assert recipe.history_["learning_rate"] == pytest.approx([1e-3, 1e-3, 1e-4])
    assert recipe.history_["loss"][1] < recipe.history_["loss"][0]
    assert recipe.n_epochs_ == 3
    assert recipe.predict_proba(X).shape == (200, 10)
    # The whole of it learned in the end.
    assert any((a != b).any() for a, b in zip(recipe.weights_, weights, strict=False))
    # The saved classifier does not need the weights file.
    recipe.save(tmp_path / "model.keras")
    path.rename(tmp_path / "elsewhere")
    loaded = FashionCNNClassifier.load(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.predict_proba(X), recipe.predict_proba(X))
    (tmp_path / "elsewhere").rename(path)
    assert recipe.model_.count_params() == sum(w.size for w in recipe.weights_)


def test_frozen_for_good(sample, weights_file):
    """With at most ``freeze_epochs`` epochs, only the last layer learns."""
    path, weights = weights_file("mobilenetv2")
    recipe = make_recipe("mobilenetv2", architecture__weights=path, architecture__size=32)
    recipe.set_params(epochs=2, freeze_epochs=3, random_state=0).fit(*sample)
    assert recipe.n_epochs_ == 2
    for fitted, loaded in zip(recipe.weights_, weights, strict=False):
        np.testing.assert_array_equal(fitted, loaded)
    assert recipe.history_["loss"][1] < recipe.history_["loss"][0]


def test_weights_file_that_changes_is_read_again(weights_file, write_weights, sample):
    path, weights = weights_file("mobilenetv2")
    parameters = {"architecture__weights": path, "architecture__size": 32, "random_state": 0}
    recipe = make_recipe("mobilenetv2", epochs=1, freeze_epochs=1, **parameters)
    kernels = [recipe.fit(*sample).weights_[0] for _ in range(2)]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    np.testing.assert_array_equal(kernels[0], weights[0])
    content = path.read_bytes()
    other, other_weights = write_weights("mobilenetv2")
    path.write_bytes(other.read_bytes())
    np.testing.assert_array_equal(recipe.fit(*sample).weights_[0], other_weights[0])
    assert (other_weights[0] != kernels[0]).any()
    path.write_bytes(content)  # other tests share it


@pytest.mark.slow  # compiles a whole network, and needs about 100 steps
def test_trains_from_random_weights(sample):
    X, y = sample
    X, y = X[:100], y[:100]
    parameters = {"architecture__weights": None, "architecture__size": 32, "freeze_epochs": 0}
    recipe = make_recipe("mobilenetv2", batch_size=10, **parameters)
    losses = [
        recipe.set_params(epochs=1, random_state=seed).fit(X, y).history_["loss"] for seed in (0, 1)
    ]
    assert losses[0] != losses[1]
    assert recipe.set_params(epochs=10).fit(X, y).score(X, y) > 0.5


def test_takes_colour_images_and_gives_feature_maps():
    network = build_network("mobilenetv2", (40, 30, 3), 4, weights=None, size=32)
    assert network.get_layer("Conv1").output.shape == (None, 16, 16, 32)
    with pytest.raises(ValueError, match="takes images of 1 or 3 channels, got 2"):
        build_network("mobilenetv2", (40, 30, 2), 4, weights=None)
    with pytest.raises(ValueError, match=r"size of architecture .* at least 32 pixels, got 16"):
        build_network("mobilenetv2", (40, 30, 1), 4, weights=None, size=16)


def test_other_files_are_refused(weights_file, write_weights, tmp_path):
    def build(weights):
        return build_network("mobilenetv2", (28, 28, 1), 10, weights=weights, size=32)

    with pytest.raises(FileNotFoundError, match=r"No weights file '.*missing\.weights\.h5'"):
        build(tmp_path / "missing.weights.h5")
    for path in (weights_file("resnet50v2")[0], write_weights("mobilenetv2", alpha=0.5)[0]):
        with pytest.raises(ValueError, match=r"does not hold the weights of .*'mobilenetv2'") as e:
            build(str(path))
        assert len(str(e.value)) < 600, "not all that Keras says"
        assert not str(e.value).endswith(":")
    with pytest.raises(TypeError, match=r"'imagenet', the path of a file or None, got True"):
        build(True)
    (tmp_path / "note.weights.h5").write_text("no weights")
    with pytest.raises(ValueError, match=r"does not hold the weights of .*'mobilenetv2'"):
        build(tmp_path / "note.weights.h5")


def test_offline_without_a_copy_says_what_to_do(tmp_path):
    # In a fresh process, for Keras reads the folder of its cache when it is imported; there is
    # nothing at the proxy's port.
    command = (
        "from skfashion.networks import build_network\n"
        "build_network('mobilenetv2', (28, 28, 1), 10)"
    )
    offline = {"KERAS_HOME": str(tmp_path), "https_proxy": "http://127.0.0.1:9"}
    environment = {**os.environ, **offline}
    result = subprocess.run(
        [sys.executable, "-c", command], env=environment, capture_output=True, text=True
    )
    last_line = result.stderr.strip().splitlines()[-1]
    assert last_line.startswith("OSError: ImageNet's weights for architecture 'mobilenetv2'")
    assert f"put it into {tmp_path}/models" in last_line
    assert "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_96_no_top.h5" in last_line


def test_random_weights_are_not_frozen(sample):
    recipe = make_recipe("mobilenetv2", architecture__weights=None)
    with pytest.raises(ValueError, match=r"freeze_epochs=3 .* on top of random weights"):
        recipe.fit(*sample)


def test_weights_are_not_those_of_another_fit():
    """Fits of one process share networks, but never what these begin with."""
    keys = [
        NetworkSpecification("mobilenetv2", (28, 28, 1), 10, options).training_key()
        for options in ({}, {"weights": "imagenet"}, {"weights": None}, {"trainable": False})
    ]
    assert keys[0] == keys[1]
    assert len({*keys}) == 3


def with_backbone(image_shape, n_classes, trainable=True):
    """A user's own network in two parts."""
    inputs = keras.Input(image_shape)
    x = keras.layers.Conv2D(8, 3, activation="relu", name="backbone", trainable=trainable)(inputs)
    x = keras.layers.GlobalMaxPooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))


class KernelRecorder(keras.callbacks.Callback):
    """Keeps the backbone's kernel of each epoch's end."""

    kernels: ClassVar[list] = []

    def on_epoch_end(self, epoch, logs=None):
        network = self.model.layers[-1]
        self.kernels.append(network.get_layer("backbone").kernel.numpy().copy())


def test_two_stages(make_small, digits):
    X, y = digits
    KernelRecorder.kernels.clear()
    classifier = make_small(
        architecture=with_backbone,
        freeze_epochs=2,
        epochs=4,
        schedule=None,
        learning_rate=0.01,
        callbacks=KernelRecorder,
    ).fit(X, y)
    first, second, third, fourth = KernelRecorder.kernels
    np.testing.assert_array_equal(first, second)
    assert (second != third).any()
    assert (third != fourth).any()
    rates = [0.01, 0.01, 0.001, 0.001]
    assert classifier.history_["learning_rate"] == pytest.approx(rates)
    # What goes on trains all of it too.
    classifier.set_params(warm_start=True, epochs=1).fit(X, y)
    classifier.partial_fit(X, y)
    assert classifier.history_["learning_rate"] == pytest.approx([*rates, 0.001, 0.001])


def test_goes_on_from_the_last_layer_alone(make_small, digits):
    """All of the network needs another state of the optimizer than its last layer."""
    classifier = make_small(architecture=with_backbone, freeze_epochs=2, epochs=2).fit(*digits)
    first = classifier.weights_[0]
    classifier.partial_fit(*digits)
    assert (classifier.weights_[0] != first).any()
    assert classifier.n_epochs_ == 3


class TooFast(keras.callbacks.Callback):
    """Lets the second of two stages, after six epochs, move all weights far away."""

    def on_epoch_begin(self, epoch, logs=None):
        if epoch >= 6:
            self.model.optimizer.learning_rate = 5.0


@pytest.mark.parametrize("harm", [False, True])
def test_the_better_stage_is_kept(harm, make_small, digits):
    X, y = digits
    X, y, X_val, y_val = X[:200], y[:200], X[200:], y[200:]
    parameters = {"architecture": with_backbone, "batch_size": 20, "schedule": None}
    classifier = make_small(freeze_epochs=6, epochs=8, learning_rate=0.01, **parameters)
    if harm:
        classifier.set_params(callbacks=TooFast)
    classifier.set_params(early_stopping=True).fit(X, y, X_val=X_val, y_val=y_val)
    losses = classifier.history_["val_loss"]
    assert classifier.best_epoch_ == 1 + int(np.argmin(losses))
    assert (classifier.best_epoch_ <= classifier.freeze_epochs) == harm
    of_truth = classifier.predict_proba(X_val)[np.arange(len(y_val)), y_val]
    assert -np.log(of_truth).mean() == pytest.approx(min(losses), rel=1e-3)
    classifier.set_params(early_stopping=False).partial_fit(X, y)


def test_failure_in_the_second_stage_leaves_nothing(make_small, digits):
    class Failing(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise RuntimeError("in the second stage")

    classifier = make_small(
        architecture=with_backbone, freeze_epochs=1, epochs=2, callbacks=Failing
    )
    with pytest.raises(RuntimeError, match="in the second stage"):
        classifier.fit(*digits)
    with pytest.raises(NotFittedError):
        classifier.predict(digits[0])


def without_backbone(image_shape, n_classes):
    return build_network("small", image_shape, n_classes)


@pytest.mark.parametrize("architecture", ["lenet", without_backbone])
def test_no_backbone_to_freeze(architecture, make_small, digits):
    X, y = digits
    classifier = make_small().fit(X, y)
    expected = classifier.predict_proba(X)
    classifier.set_params(architecture=architecture, freeze_epochs=1)
    for fit in (classifier.fit, classifier.partial_fit):
        with pytest.raises(ValueError, match=r"freeze_epochs=1 .* has no option trainable"):
            fit(X, y)
    np.testing.assert_array_equal(classifier.predict_proba(X), expected)


def test_frozen_for_good_and_for_some_epochs(make_small, digits):
    classifier = make_small(architecture=with_backbone, freeze_epochs=1)
    with pytest.raises(ValueError, match=r"architecture__trainable=False .* freeze_epochs=1"):
        classifier.set_params(architecture__trainable=False).fit(*digits)

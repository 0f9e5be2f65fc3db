"""The classifier."""

import pickle
import subprocess
import sys
import warnings
from dataclasses import dataclass

import joblib
import keras
import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skfashion import FashionCNNClassifier
from skfashion._images import ImageInputMixin
from skfashion._training.training_data import split_rows
from skfashion.datasets import load_fashion_sample
from skfashion.errors import TrainingDivergedError
from skfashion.preprocessing import ImageAugmenter


def small_network(image_shape, n_classes, dropout=0.0):
    return keras.Sequential(
        [
            keras.Input(image_shape),
            keras.layers.Conv2D(8, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dropout(dropout),
            keras.layers.Dense(n_classes, activation="softmax"),
        ]
    )


@pytest.mark.slow
def test_learns_the_sample():
    X, y = load_fashion_sample(return_X_y=True)
    X_test, y_test = load_fashion_sample(return_X_y=True, subset="test")
    classifier = FashionCNNClassifier(random_state=0, epochs=3).fit(X[:2000], y[:2000])
    assert classifier.score(X_test, y_test) > 0.8


def test_learns_digits(fitted, digits):
    X, y = digits
    assert fitted.score(X, y) > 0.9
    probabilities = fitted.predict_proba(X)
    assert probabilities.shape == (300, 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_array_equal(fitted.predict(X), probabilities.argmax(axis=1))


def test_fitted_attributes(fitted):
    np.testing.assert_array_equal(fitted.classes_, np.arange(10))
    assert fitted.image_shape_ == (8, 8, 1)
    assert fitted.n_features_in_ == 64
    assert fitted.n_epochs_ == fitted.best_epoch_ == 5
    assert set(fitted.history_) == {"loss", "accuracy", "learning_rate"}
    assert all(len(values) == 5 for values in fitted.history_.values())
    assert fitted.history_["loss"][-1] < fitted.history_["loss"][0]


FORMS = {
    "images": lambda X: X.reshape(-1, 8, 8),
    "with channels": lambda X: X.reshape(-1, 8, 8, 1),
    "uint8": lambda X: X.astype(np.uint8),
    "int64": lambda X: X.astype(np.int64),
    "float16": lambda X: X.astype(np.float16),
    "Fortran order": np.asfortranarray,
    "lists": lambda X: X.tolist(),
    "objects": lambda X: X.astype(object),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_images_is_the_same(form, make_tiny, fitted, digits):
    X, y = digits
    X_form = FORMS[form](X)
    classifier = make_tiny(epochs=1).fit(X_form, y)
    reference = make_tiny(epochs=1).fit(X, y)
    np.testing.assert_array_equal(classifier.predict_proba(X), reference.predict_proba(X))
    np.testing.assert_array_equal(fitted.predict_proba(X_form), fitted.predict_proba(X))


@pytest.mark.parametrize("dtype", [np.int64, np.float32, np.float64, object])
def test_augmented_images_are_the_same_in_every_type(dtype, make_tiny):
    X = np.random.default_rng(0).integers(0, 256, (40, 9, 9), dtype=np.uint8)
    y = np.arange(40) % 2
    classifier = make_tiny(augmentation=ImageAugmenter(erasing=0.5), test_time_augmentation=2)
    expected = classifier.fit(X, y).predict_proba(X)
    X = X.astype(dtype)
    np.testing.assert_array_equal(classifier.fit(X, y).predict_proba(X), expected)


@pytest.mark.parametrize("library", [pd, pl])
def test_data_frames(library, make_tiny, digits):
    X, y = digits
    columns = [f"pixel{i}" for i in range(64)]
    frame = library.DataFrame(dict(zip(columns, X.T, strict=True)))
    classifier = make_tiny().fit(frame, library.Series(y))
    assert classifier.feature_names_in_.tolist() == columns
    np.testing.assert_array_equal(
        classifier.predict_proba(frame), make_tiny().fit(X, y).predict_proba(X)
    )
    with pytest.raises(ValueError, match="feature names should match"):
        classifier.predict(frame[columns[::-1]])


def test_colour_images_flattened_or_not(make_tiny):
    rng = np.random.default_rng(0)
    X = rng.integers(0, 256, (60, 6, 6, 3), dtype=np.uint8)
    y = np.repeat([0, 1], 30)
    X[y == 1, :, :, 0] //= 4  # less red
    classifier = make_tiny(epochs=10, batch_size=10).fit(X, y)
    assert classifier.image_shape_ == (6, 6, 3)
    assert classifier.score(X.reshape(60, -1), y) > 0.9


def test_image_shape_is_used(make_tiny, digits):
    X, y = digits
    assert make_tiny(image_shape=(4, 16)).fit(X, y).image_shape_ == (4, 16, 1)
    assert make_tiny(image_shape=[16, 4, 1]).fit(X, y).image_shape_ == (16, 4, 1)


@pytest.mark.parametrize(
    "labels", [np.array(list("abcdefghij")), np.arange(10) * 5 - 7, np.arange(10) % 2 == 0]
)
def test_labels_come_back(labels, make_tiny, digits):
    X, y = digits
    classifier = make_tiny(epochs=5).fit(X, labels[y])
    np.testing.assert_array_equal(classifier.classes_, np.unique(labels))
    assert classifier.predict(X).dtype == labels.dtype
    assert classifier.score(X, labels[y]) > 0.85


def test_same_seed_same_bits_whatever_was_fitted_between(make_tiny, digits):
    X, y = digits
    first = make_tiny(dropout=0.3).fit(X, y).predict_proba(X)
    np.random.default_rng(5).normal(size=3)
    make_tiny(random_state=1, dropout=0.3).fit(X, y)
    second = make_tiny(dropout=0.3).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(first, second)
    other = make_tiny(random_state=1, dropout=0.3).fit(X, y).predict_proba(X)
    assert (first != other).any()


def test_same_seed_same_bits_in_another_process(digits):
    X, y = digits
    code = (
        "import hashlib\n"
        "from sklearn.datasets import load_digits\n"
        "from skfashion import FashionCNNClassifier\n"
        "X, y = load_digits(return_X_y=True)\n"
        "c = FashionCNNClassifier(epochs=2, batch_size=50, random_state=0).fit(X[:300], y[:300])\n"
        "print(hashlib.sha256(c.predict_proba(X[:300]).tobytes()).hexdigest())"
    )
    import hashlib

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    here = FashionCNNClassifier(epochs=2, batch_size=50, random_state=0).fit(X, y).predict_proba(X)
    assert result.stdout.strip() == hashlib.sha256(here.tobytes()).hexdigest(), result.stderr


def test_initial_weights_follow_the_seed(make_tiny, digits):
    X, y = digits
    kernels = [
        make_tiny(random_state=seed, epochs=1, learning_rate=1e-12).fit(X, y).weights_[0]
        for seed in (0, 0, 1)
    ]
    np.testing.assert_array_equal(kernels[0], kernels[1])
    assert not np.allclose(kernels[0], kernels[2])


def test_no_float_copy_of_the_images(make_tiny):
    import tracemalloc

    X = np.random.default_rng(0).integers(0, 256, (4000, 1600), dtype=np.uint8)
    y = np.arange(4000) % 2
    classifier = make_tiny(architecture=small_network, epochs=1)
    classifier.fit(X[:100], y[:100])
    tracemalloc.start()
    classifier.fit(X, y).predict(X)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2 * X.nbytes  # in single precision the images take four times their bytes


def test_joblib_file_predicts_the_same_in_another_process(fitted, digits, tmp_path):
    X, _ = digits
    joblib.dump(fitted, tmp_path / "model.joblib")
    np.save(tmp_path / "X.npy", X)
    code = (
        "import joblib, numpy as np\n"
        "model = joblib.load('model.joblib')\n"
        "np.save('found.npy', model.predict_proba(np.load('X.npy')))"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    np.testing.assert_array_equal(np.load(tmp_path / "found.npy"), fitted.predict_proba(X))


def test_pickle_is_small(fitted):
    assert fitted.model_ is fitted.model_
    n_bytes = sum(weight.nbytes for weight in [*fitted.weights_, *fitted._state.optimizer_state])
    assert len(pickle.dumps(fitted)) < n_bytes + 20_000


def test_model_is_a_keras_model_of_raw_pixels(fitted, digits):
    X, _ = digits
    model = fitted.model_
    assert isinstance(model, keras.Model)
    found = model.predict(X.reshape(-1, 8, 8, 1), verbose=0)
    np.testing.assert_allclose(found, fitted.predict_proba(X), atol=1e-5)


def test_refit_on_other_images_and_classes(make_tiny, digits):
    X, y = digits
    classifier = make_tiny().fit(X, y)
    classifier.fit(X[:, :36], y % 3)
    assert classifier.image_shape_ == (6, 6, 1)
    assert classifier.predict_proba(X[:, :36]).shape == (300, 3)
    assert classifier.model_.output_shape == (None, 3)


def test_alone_or_in_a_batch(fitted, digits):
    X, _ = digits
    alone = np.concatenate([fitted.predict_proba(X[i : i + 1]) for i in range(20)])
    np.testing.assert_allclose(alone, fitted.predict_proba(X)[:20], atol=1e-6)


def test_early_stopping_restores_the_best_weights(make_tiny, digits):
    X, y = digits
    parameters = {"early_stopping": True, "patience": 2, "schedule": None, "learning_rate": 0.02}
    classifier = make_tiny(epochs=60, **parameters).fit(X, y)
    losses = classifier.history_["val_loss"]
    assert classifier.n_epochs_ == len(losses) < 60
    assert classifier.best_epoch_ == 1 + int(np.argmin(losses)) == classifier.n_epochs_ - 2

    stopped_there = make_tiny(epochs=classifier.best_epoch_, **parameters).fit(X, y)
    np.testing.assert_array_equal(stopped_there.predict_proba(X), classifier.predict_proba(X))


def test_held_out_images_are_stratified_and_not_trained_on(make_tiny, digits):
    X, y = digits
    X, y = X[np.argsort(y)], np.sort(y)
    classifier = make_tiny(early_stopping=True, validation_fraction=0.2)
    rows, held_out = split_rows(np.arange(300), y, np.arange(10), 0.2, seed=0)
    assert not set(rows) & set(held_out)
    counts = np.bincount(y[held_out], minlength=10) / np.bincount(y)
    np.testing.assert_allclose(counts, 0.2, atol=0.04)
    history = classifier.fit(X, y).history_
    assert len(history["val_loss"]) == len(history["val_accuracy"]) == 2


def test_validation_images_of_the_caller(make_tiny, digits):
    X, y = digits
    classifier = make_tiny(epochs=3).fit(X[:200], y[:200], X_val=X[200:], y_val=y[200:])
    score = classifier.score(X[200:], y[200:])
    assert classifier.history_["val_accuracy"][-1] == pytest.approx(score)
    without = make_tiny(epochs=3).fit(X[:200], y[:200])
    np.testing.assert_array_equal(classifier.predict_proba(X), without.predict_proba(X))


def test_too_few_images_to_hold_out(make_tiny, digits):
    X, y = digits
    with pytest.raises(ValueError, match="leaves a class without images: 2 of 12 images, for 9"):
        make_tiny(early_stopping=True).fit(X[:12], np.r_[y[:9], y[:3]] % 9)


def test_weights(make_tiny, digits):
    X, y = digits
    part = y < 5
    weights = np.where(part, 2.0, 0.0)
    weighted = make_tiny().fit(X, y, sample_weight=weights)
    assert weighted.predict_proba(X)[:, 5:].max() < weighted.predict_proba(X)[:, :5].max()
    scaled = make_tiny().fit(X, y, sample_weight=weights / 4)
    np.testing.assert_array_equal(weighted.predict_proba(X), scaled.predict_proba(X))

    plain = make_tiny().fit(X, y).predict_proba(X)
    balanced = make_tiny(class_weight="balanced").fit(X, y).predict_proba(X)
    favoured = make_tiny(class_weight={0: 50.0}).fit(X, y).predict_proba(X)
    assert (plain != balanced).any()
    assert favoured[:, 0].mean() > plain[:, 0].mean()
    with pytest.raises(ValueError, match="must contain at least one non-zero number"):
        make_tiny().fit(X, y, sample_weight=np.zeros(300))
    balanced = make_tiny(class_weight="balanced")
    weights = np.r_[np.zeros(100), np.ones(200)]
    np.testing.assert_array_equal(
        balanced.fit(X, y, sample_weight=weights).predict_proba(X),
        balanced.fit(X[100:], y[100:]).predict_proba(X),
    )
    with pytest.raises(ValueError, match="is 0 for every image"):
        make_tiny(class_weight=dict.fromkeys(range(10), 0)).fit(X, y)


def test_strips_are_questioned(make_tiny, digits):
    X = np.hstack([digits[0], digits[0][:, :6]])  # 7x10 pixels, one may think
    y = digits[1]
    message = r"70 features, no square, .* strips one pixel high"
    with pytest.warns(UserWarning, match=message):
        make_tiny(epochs=1).fit(X, y)
    with pytest.warns(UserWarning, match=message):
        classifier = make_tiny().partial_fit(X, y, classes=np.unique(y))
    classifier.partial_fit(X, y)
    for image_shape in (7, 10), (1, 70):
        make_tiny(epochs=1, image_shape=image_shape).fit(X, y)


@pytest.mark.parametrize("schedule", ["one_cycle", "cosine", None])
def test_schedule(schedule, make_tiny, digits):
    rates = make_tiny(schedule=schedule, epochs=4).fit(*digits).history_["learning_rate"]
    if schedule is None:
        np.testing.assert_allclose(rates, 5e-3)
    else:
        assert max(rates) <= 5e-3
        assert rates[-1] < 0.4 * max(rates)


def test_keras_schedule(make_tiny, digits):
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([5], [0.02, 0.001])
    classifier = make_tiny(schedule=schedule, epochs=3)
    rates = clone(classifier).fit(*digits).history_["learning_rate"]
    assert rates == pytest.approx([0.02, 0.001, 0.001])  # six steps in each
    constant = make_tiny(schedule=None, learning_rate=0.02, epochs=1).fit(*digits)
    np.testing.assert_array_equal(
        constant.predict_proba(digits[0]),
        classifier.set_params(epochs=1).fit(*digits).predict_proba(digits[0]),
    )


def test_plateau_follows_the_validation_loss(make_tiny, digits):
    X, y = digits
    wrong = (y + 1) % 10  # the better the network, the higher the loss
    classifier = make_tiny(schedule="plateau", epochs=8, learning_rate=0.004)
    rates = classifier.fit(X, y, X_val=X, y_val=wrong).history_["learning_rate"]
    lowest = int(np.argmin(classifier.history_["val_loss"]))
    assert lowest < 4
    assert rates[: lowest + 4] == [pytest.approx(0.004)] * (lowest + 4)
    assert rates[lowest + 4] == pytest.approx(0.002)
    assert classifier.fit(X, y).history_["learning_rate"] == [pytest.approx(0.004)] * 8


@pytest.mark.parametrize(("n_images", "n_steps"), [(40, 3), (300, 19), (1500, 50)])
def test_automatic_batch_size(n_images, n_steps, make_tiny):
    X = np.random.default_rng(0).random((n_images, 4))
    parameters = {"batch_size": "auto", "epochs": 1}
    schedule = keras.optimizers.schedules.PolynomialDecay(1.0, 100, end_learning_rate=0.0)
    classifier = make_tiny(schedule=schedule, optimizer="sgd", **parameters)
    classifier.set_params(optimizer__clipnorm=1e-6).fit(X, np.arange(n_images) % 2)
    # Each step lowers the rate by a hundredth.
    assert classifier.history_["learning_rate"] == [pytest.approx(1 - (n_steps - 1) / 100)]


def test_weight_decay_and_l2_shrink_the_weights(make_tiny, digits):
    def size(**parameters):
        weights = make_tiny(epochs=5, schedule=None, **parameters).fit(*digits).weights_
        return sum((kernel**2).sum() for kernel in weights if kernel.ndim == 4)

    assert size(weight_decay=5.0) < 0.9 * size()
    assert size(weight_decay=50.0) < 0.9 * size(weight_decay=5.0)
    assert size(l2=0.1) < 0.95 * size()


def test_no_weight_decay_means_none(make_tiny, digits):
    """AdamW without weight decay is Adam."""
    adamw, adam = (make_tiny(optimizer=name).fit(*digits) for name in ("adamw", "adam"))
    np.testing.assert_array_equal(adamw.predict_proba(digits[0]), adam.predict_proba(digits[0]))


def test_weight_decay_of_muon_is_the_classifiers(make_tiny, digits):
    """Keras' Muon has two, of 0.004 both; here one is for all kernels."""
    muon = keras.optimizers.Muon
    one, other = (
        make_tiny(optimizer=muon(0.01, weight_decay=None, adam_weight_decay=decay)).fit(*digits)
        for decay in (None, 0.9)
    )
    np.testing.assert_array_equal(one.predict_proba(digits[0]), other.predict_proba(digits[0]))
    with pytest.raises(ValueError, match="'adam_weight_decay'"):
        make_tiny(optimizer="muon").set_params(optimizer__adam_weight_decay=0.1).fit(*digits)


def test_label_smoothing_lowers_confidence(make_tiny, digits):
    sure = make_tiny(label_smoothing=0.0, epochs=8).fit(*digits)
    smooth = make_tiny(label_smoothing=0.4, epochs=8).fit(*digits)
    assert smooth.predict_proba(digits[0]).max() < sure.predict_proba(digits[0]).max()


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
def test_optimizers(optimizer, make_tiny, digits):
    rate = 0.1 if optimizer == "sgd" else 3e-3
    classifier = make_tiny(optimizer=optimizer, learning_rate=rate, epochs=6)
    assert classifier.fit(*digits).score(*digits) > 0.8


class StopAfterTwo(keras.callbacks.Callback):
    """Stops, and remembers what it saw."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(sorted(logs))
        assert isinstance(self.model, keras.Model)
        self.model.stop_training = epoch == 1


@pytest.mark.parametrize("callbacks", [StopAfterTwo(), StopAfterTwo, [StopAfterTwo()]])
def test_callbacks_work_through_copies(callbacks, make_tiny, digits):
    classifier = make_tiny(callbacks=callbacks, epochs=5).fit(*digits)
    assert classifier.n_epochs_ == 2
    if isinstance(callbacks, StopAfterTwo):
        assert callbacks.seen == []


def test_keras_callbacks(make_tiny, digits, tmp_path):
    path = str(tmp_path / "checkpoint.keras")
    callbacks = [
        keras.callbacks.ModelCheckpoint(path),
        keras.callbacks.ReduceLROnPlateau(monitor="loss", patience=0, min_delta=10.0, factor=0.5),
    ]
    parameters = {"schedule": None, "epochs": 3, "weight_decay": 0.01}
    classifier = make_tiny(callbacks=callbacks, **parameters).fit(*digits)
    rates = classifier.history_["learning_rate"]
    assert rates[0] > rates[-1]
    model = keras.saving.load_model(path)
    found = model.predict(digits[0].reshape(-1, 8, 8, 1), verbose=0)
    np.testing.assert_allclose(found, classifier.predict_proba(digits[0]), atol=1e-5)


def test_architecture_of_the_caller(make_tiny, digits):
    X, y = digits
    classifier = make_tiny(architecture=small_network, dropout=0.2, epochs=8).fit(X, y)
    assert classifier.score(X, y) > 0.8
    assert isinstance(classifier.model_, keras.Model)


def test_pretrained_weights_stay(make_tiny, digits):
    kernel = np.random.default_rng(3).normal(size=(3, 3, 1, 8)).astype(np.float32)

    def pretrained(image_shape, n_classes):
        network = small_network(image_shape, n_classes)
        network.layers[0].set_weights([kernel, np.ones(8, np.float32)])
        network.layers[0].trainable = False
        return network

    for seed in (0, 1):
        classifier = make_tiny(architecture=pretrained, random_state=seed).fit(*digits)
        assert any(
            w.shape == kernel.shape and np.array_equal(w, kernel) for w in classifier.weights_
        )


def no_input(image_shape, n_classes):
    return keras.Sequential([keras.layers.Dense(n_classes, activation="softmax")])


def logits(image_shape, n_classes):
    inputs = keras.Input(image_shape)
    return keras.Model(inputs, keras.layers.Dense(n_classes)(keras.layers.Flatten()(inputs)))


def compiled(image_shape, n_classes):
    network = small_network(image_shape, n_classes)
    network.compile("adam", "mse")
    return network


@dataclass
class Unhashable:
    """A callable with fields that can change."""

    width: int = 3

    def __call__(self, image_shape, n_classes):
        return small_network(image_shape, n_classes)


def two_outputs(image_shape, n_classes):
    inputs = keras.Input(image_shape)
    x = keras.layers.Flatten()(inputs)
    return keras.Model(inputs, keras.layers.Dense(n_classes + 1, activation="softmax")(x))


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"architecture": Unhashable()}, TypeError, "must be hashable"),
        ({"architecture": "fasst"}, ValueError, "Did you mean 'fast'"),
        ({"architecture": "basic"}, ValueError, "at least 18x18 pixels, got 8x8"),
        ({"architecture": lambda s, n: 3}, TypeError, "must return a keras.Model, got 3"),
        ({"architecture": lambda s: 3}, TypeError, r"cannot be called with \(image_shape"),
        ({"architecture": small_network((8, 8, 1), 10)}, TypeError, "not a model"),
        ({"architecture": no_input}, ValueError, "begin with keras.Input"),
        ({"architecture": logits}, ValueError, "must return a network that ends in a softmax"),
        ({"architecture": compiled}, ValueError, "must return a network that is not compiled"),
        ({"class_weight": {0: -1.0}}, ValueError, "class_weight must be finite and not negative"),
        ({"class_weight": {0: np.nan}}, ValueError, "class_weight must be finite"),
        (
            {"callbacks": keras.callbacks.LearningRateScheduler(lambda epoch: 1e-6)},
            ValueError,
            "LearningRateScheduler sets the learning rate, and so does schedule='one_cycle'",
        ),
        ({"architecture": two_outputs}, ValueError, r"its shapes are .* to \(None, 11\)"),
        ({"architecture": two_outputs, "dropout": 0.1}, TypeError, "cannot be called .* dropout"),
        ({"architecture": 3}, ValueError, "'architecture' parameter"),
        ({"epochs": 0}, ValueError, "'epochs' parameter"),
        ({"learning_rate": -1.0}, ValueError, "'learning_rate' parameter"),
        ({"dropout": 1.0}, ValueError, "'dropout' parameter"),
        ({"schedule": "linear"}, ValueError, "'schedule' parameter"),
        ({"schedule": keras.optimizers.SGD}, TypeError, "schedule must be a name"),
        (
            {"schedule": keras.optimizers.schedules.CosineDecay(0.1, 9), "learning_rate": 0.1},
            ValueError,
            "schedule=CosineDecay gives the learning rate .* set learning_rate=None",
        ),
        ({"batch_size": "small"}, ValueError, "'batch_size' parameter"),
        ({"checkpoint": 3}, ValueError, "'checkpoint' parameter"),
        ({"optimizer": "adm"}, ValueError, "optimizer must be .* got 'adm'"),
        ({"callbacks": ["stop"]}, TypeError, "callbacks must be Keras callbacks, got 'stop'"),
        ({"image_shape": (9, 9)}, ValueError, "has 81 values, but X has 64 features"),
        ({"image_shape": (-8, 8)}, ValueError, "image_shape must be"),
        ({"batch_size": -1}, ValueError, "'batch_size' parameter"),
        ({"weight_decay": -0.1}, ValueError, "'weight_decay' parameter"),
        ({"l2": -0.1}, ValueError, "'l2' parameter"),
    ],
)
def test_wrong_parameters(parameters, error, message, make_tiny, digits):
    with pytest.raises(error, match=message):
        make_tiny(**parameters).fit(*digits)


def wrong_images(X):
    nan = X.copy()
    nan[3, 4] = np.nan
    return {
        "NaN": (nan, "Input X contains NaN"),
        "infinite": (np.where(nan != nan, np.inf, nan), "Input X contains infinity"),
        "complex": (X + 1j, "Complex data not supported"),
        "sparse": (csr_array(X), "Sparse data was passed"),
        "words": (np.full(X.shape, "x"), "could not convert string|dtype='numeric'"),
        "empty": (X[:0], "0 sample"),
        "no pixels": (X[:, :0], "0 feature"),
        "one image": (X[0], "Expected 2D array, got 1D array instead"),
        "five axes": (X.reshape(-1, 2, 2, 4, 4), "X must be"),
    }


@pytest.mark.parametrize("what", wrong_images(np.zeros((4, 64))))
def test_wrong_images(what, make_tiny, fitted, digits):
    X, y = digits
    wrong, message = wrong_images(X)[what]
    with pytest.raises((TypeError, ValueError), match=message):
        make_tiny().fit(wrong, y[: wrong.shape[0]])
    if what not in ("no pixels", "five axes"):
        with pytest.raises((TypeError, ValueError), match=message):
            fitted.predict(wrong)


def test_wrong_size_at_predict(fitted, digits):
    X, _ = digits
    with pytest.raises(
        ValueError, match="X has 63 features, but FashionCNNClassifier is expecting"
    ):
        fitted.predict(X[:, :63])
    with pytest.raises(ValueError, match=r"X holds images of shape \(4, 16, 1\)"):
        fitted.predict(X.reshape(-1, 4, 16))
    with pytest.raises(ValueError, match=r"One image is X\[None\]"):
        fitted.predict(X[0].reshape(8, 8))


def test_one_class_is_refused(make_tiny, digits):
    X, _ = digits
    for labels in (np.zeros(300), np.full(300, "shirt")):
        with pytest.raises(ValueError, match="y must have at least 2 classes, got 1 class: "):
            make_tiny().fit(X, labels)


def test_two_classes(make_tiny, digits):
    X, y = digits
    classifier = make_tiny(epochs=6).fit(X, y == 3)
    assert classifier.predict_proba(X).shape == (300, 2)
    assert classifier.predict(X).dtype == bool
    assert classifier.score(X, y == 3) > 0.95


def test_weights_with_early_stopping(make_tiny, digits):
    """Images of weight 0 are neither trained on nor held out; the others keep their weights."""
    X, y = digits
    parameters = {"early_stopping": True, "validation_fraction": 0.2, "epochs": 3}
    weights = np.r_[np.zeros(100), np.ones(200)]
    garbage = np.r_[np.random.default_rng(0).uniform(0, 16, (100, 64)), X[100:]]
    weighted = make_tiny(**parameters).fit(garbage, y, sample_weight=weights)
    alone = make_tiny(**parameters).fit(X[100:], y[100:])
    np.testing.assert_array_equal(weighted.predict_proba(X), alone.predict_proba(X))
    assert weighted.history_ == alone.history_
    favoured = make_tiny(**parameters).fit(X, y, sample_weight=np.where(y == 3, 20.0, 1.0))
    assert (favoured.predict(X) == 3).mean() >= (y == 3).mean()


def test_wrong_labels(make_tiny, digits):
    X, y = digits
    with pytest.raises(ValueError, match="inconsistent numbers of samples"):
        make_tiny().fit(X, y[:-1])
    with pytest.raises(ValueError, match="requires y to be passed"):
        make_tiny().fit(X, None)
    with pytest.raises(ValueError, match="Unknown label type: continuous"):
        make_tiny().fit(X, y + 0.5)
    with pytest.raises(ValueError, match="y should be a 1d array"):
        make_tiny().fit(X, np.c_[y, y])
    with pytest.raises(ValueError, match="X_val and y_val belong together, but y_val is None"):
        make_tiny().fit(X, y, X_val=X)
    with pytest.raises(ValueError, match=r"y_val has labels that y has not: \[99\]"):
        make_tiny().fit(X, y, X_val=X[:1], y_val=[99])
    with pytest.raises(ValueError, match="X_val has 60 features"):
        make_tiny().fit(X, y, X_val=X[:, :60], y_val=y)
    with pytest.raises(ValueError, match=r"X_val holds images of shape \(4, 16, 1\)"):
        make_tiny().fit(X, y, X_val=X.reshape(-1, 4, 16), y_val=y)
    with pytest.raises(ValueError, match="X_val has 300 images, but y_val 3 labels"):
        make_tiny().fit(X, y, X_val=X, y_val=y[:3])
    with pytest.raises(ValueError, match="Input X_val contains NaN"):
        make_tiny().fit(X, y, X_val=np.full((1, 64), np.nan), y_val=[0])
    with pytest.raises(ValueError, match=r"y_val has labels that y has not: \[0.5\]"):
        make_tiny().fit(X, y, X_val=X[:1], y_val=[0.5])
    frame = pd.DataFrame(X).add_prefix("pixel")
    with pytest.raises(ValueError, match="feature names should match"):
        make_tiny().fit(frame, y, X_val=frame[frame.columns[::-1]], y_val=y)


def test_not_fitted(make_tiny, digits):
    for call in (
        lambda c: c.predict(digits[0]),
        lambda c: c.predict_proba(digits[0]),
        lambda c: c.model_,
        lambda c: c.save("x.keras"),
    ):
        with pytest.raises(NotFittedError):
            call(make_tiny())


def test_divergence_is_an_error(make_tiny, digits):
    parameters = {"optimizer": "sgd", "learning_rate": 1e30, "schedule": None}
    with pytest.raises(TrainingDivergedError, match=r"at a learning rate of 1e\+30"):
        make_tiny(architecture=small_network, **parameters).fit(*digits)


def test_parameters_changed_after_the_fit_wait_for_the_next(make_tiny, digits):
    X, y = digits
    classifier = make_tiny().fit(X, y)
    expected = classifier.predict_proba(X)
    classifier.set_params(architecture=small_network, dropout=0.5, optimizer="sgd")
    np.testing.assert_array_equal(classifier.predict_proba(X), expected)
    assert len(classifier.model_.weights) == len(classifier.weights_)


def test_refused_data_leave_the_fit_as_it_was(make_tiny, digits):
    X, y = digits
    classifier = make_tiny().fit(pd.DataFrame(X).add_prefix("pixel"), y)
    before = pickle.dumps(classifier)
    wrong = np.full((300, 4, 16), np.nan)
    for arguments, message in (
        ((wrong, y), "contains NaN"),
        ((X, y[:5]), "inconsistent numbers of samples"),
        ((X[:, :36], y * 0), "must have at least 2 classes"),
        ((X[:, :36], y, np.zeros(300)), "non-zero"),
    ):
        with pytest.raises(ValueError, match=message):
            classifier.fit(*arguments)
        assert pickle.dumps(classifier) == before


@pytest.mark.parametrize("warm_start", [False, True])
def test_refused_validation_images_leave_the_fit_as_it_was(warm_start, make_tiny, digits):
    X, y = pd.DataFrame(digits[0]).add_prefix("pixel"), digits[1]
    classifier = make_tiny(warm_start=warm_start).fit(X, y)
    before = pickle.dumps(classifier)
    for X_val, message in (
        (X[X.columns[::-1]], "feature names should match"),
        (X.add_prefix("other"), "feature names should match"),
        (X[X.columns[:60]], "feature names should match"),
        (X.to_numpy()[:, :60], "X_val has 60 features"),
        (X * np.nan, "Input X_val contains NaN"),
    ):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "X does not have valid feature names")
            with pytest.raises(ValueError, match=message):
                classifier.fit(X, y, X_val=X_val, y_val=y)
        assert pickle.dumps(classifier) == before


def test_images_enter_the_gate_once(make_tiny, digits, monkeypatch):
    X, y = digits
    checked = []
    check = ImageInputMixin._check_images

    def note(self, X, *arguments, **options):
        checked.append((type(self).__name__, options.get("name", "X")))
        return check(self, X, *arguments, **options)

    monkeypatch.setattr(ImageInputMixin, "_check_images", note)
    classifier = make_tiny(augmentation=ImageAugmenter(), checkpoint=None)
    classifier.fit(X, y, X_val=X, y_val=y)
    name = "FashionCNNClassifier"
    assert checked == [(name, "X"), (name, "X_val")]
    for use in (classifier.predict, classifier.transform, lambda X: classifier.partial_fit(X, y)):
        checked.clear()
        use(X)
        assert checked == [(name, "X")]


def test_failed_refit_leaves_the_earlier_fit(make_tiny, digits):
    X, y = digits
    classifier = make_tiny().fit(X, y)
    expected = classifier.predict(X)
    with pytest.raises(ValueError, match="18x18"):
        classifier.set_params(architecture="basic").fit(X, y % 2)
    np.testing.assert_array_equal(classifier.predict(X), expected)


@pytest.mark.parametrize("early_stopping", [False, True])
def test_divergence_in_the_last_step_is_an_error(early_stopping, make_tiny, digits):
    parameters = {"optimizer": "sgd", "learning_rate": 1e38, "schedule": None, "batch_size": 300}
    classifier = make_tiny(epochs=1, early_stopping=early_stopping, **parameters)
    with pytest.raises(TrainingDivergedError):
        classifier.fit(*digits)


def test_architecture_on_a_fitted_model(make_tiny, digits):
    other = make_tiny(epochs=1).fit(*digits)

    def transfer(image_shape, n_classes):
        inputs = keras.Input(image_shape)
        x = other.model_.layers[-1](inputs)
        return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))

    assert make_tiny(architecture=transfer).fit(*digits).n_epochs_ == 2


class Blocks(keras.Layer):
    """Holds layers in a list."""

    def __init__(self):
        super().__init__()
        self.blocks = [keras.layers.Dense(5), keras.layers.Dense(5)]

    def build(self, shape):
        self.blocks[0].build(shape)
        self.blocks[1].build((*shape[:-1], 5))

    def call(self, x):
        return self.blocks[1](self.blocks[0](x))


def test_initial_weights_of_layers_in_lists_follow_the_seed(make_tiny, digits):
    def network(image_shape, n_classes):
        inputs = keras.Input(image_shape)
        x = Blocks()(keras.layers.Flatten()(inputs))
        return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))

    first, second = (
        make_tiny(architecture=network, random_state=seed, learning_rate=1e-12).fit(*digits)
        for seed in (0, 1)
    )
    for one, other in zip(first.weights_, second.weights_, strict=True):
        assert one.ndim == 1 or not np.allclose(one, other)


def test_weights_cannot_be_changed_unnoticed(make_small, fitted, digits):
    for classifier in (fitted, pickle.loads(pickle.dumps(fitted))):
        classifier.predict(digits[0])
        with pytest.raises(ValueError, match="read-only"):
            classifier.weights_[0][:] = 0
        with pytest.raises(TypeError):
            classifier.weights_[0] = 0
    classifier = make_small().fit(*digits)
    classifier.weights_ = fitted.weights_
    np.testing.assert_allclose(
        classifier.decision_function(digits[0]), fitted.decision_function(digits[0])
    )


def test_assigned_weights_are_copied_and_checked(make_tiny, digits):
    X, y = digits
    classifier = make_tiny().fit(X, y)
    halves = [weight / 2 for weight in classifier.weights_]
    classifier.weights_ = halves
    expected = classifier.predict_proba(X)
    halves[0][:] = 0
    np.testing.assert_array_equal(classifier.predict_proba(X), expected)
    with pytest.raises(ValueError, match="weights_ must have the shapes"):
        classifier.weights_ = halves[1:]
    with pytest.raises(NotFittedError):
        clone(classifier).weights_ = halves


def test_classes_keep_their_type_while_a_fit_goes_on(make_tiny, digits):
    X, y = digits
    classifier = make_tiny(warm_start=True).fit(X, y)
    classifier.fit(X, y.astype(float)).partial_fit(X, y, classes=np.arange(10.0))
    assert classifier.classes_.dtype == classifier.predict(X).dtype == y.dtype


def test_a_refused_fit_draws_no_random_numbers(make_tiny, digits):
    X, y = digits
    random_state = np.random.RandomState(0)
    before = random_state.get_state()[1].copy()
    classifier = make_tiny(random_state=random_state)
    for arguments in ({"X_val": X[:, :60], "y_val": y}, {"sample_weight": 0 * y}):
        with pytest.raises(ValueError, match=r"60 features|non-zero"):
            classifier.fit(X, y, **arguments)
    np.testing.assert_array_equal(random_state.get_state()[1], before)


def test_refused_parameters_leave_the_fit_as_it_was(make_tiny, digits):
    X, y = digits
    classifier = make_tiny().fit(X, y)
    expected = classifier.predict_proba(X)
    for parameters, error in (
        ({"callbacks": [3]}, TypeError),
        ({"callbacks__patience": 3}, ValueError),
        ({"architecture": "fats"}, ValueError),
        ({"optimizer": "admm"}, ValueError),
    ):
        changed = clone(classifier).fit(X, y).set_params(**parameters)
        with pytest.raises(error):
            changed.fit(X, y)
        np.testing.assert_array_equal(changed.predict_proba(X), expected)


def test_early_stopping_keeps_its_weights_whatever_callbacks_do(make_tiny, digits):
    class Spoil(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            self.model.set_weights([0 * weight for weight in self.model.get_weights()])

    X, y = digits
    expected = make_tiny(early_stopping=True, validation_fraction=0.2).fit(X, y)
    spoiled = make_tiny(early_stopping=True, validation_fraction=0.2, callbacks=Spoil).fit(X, y)
    assert expected.best_epoch_ == expected.n_epochs_  # the weights that were last loaded
    for one, other in zip(spoiled.weights_, expected.weights_, strict=True):
        np.testing.assert_array_equal(one, other)


def test_html_of_a_fitted_classifier(make_tiny, digits):
    """Showing it in a notebook builds no model."""
    classifier = make_tiny().fit(*digits)
    html = classifier._repr_html_()
    assert "classes_" in html
    assert classifier._model is None
    assert len(html) < 200_000


def test_progress(make_tiny, digits, capsys):
    make_tiny(verbose=0).fit(*digits)
    assert capsys.readouterr().out == ""
    make_tiny(verbose=2, early_stopping=True, validation_fraction=0.2).fit(*digits)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("Epoch 2/2  loss ")
    assert "val_accuracy" in lines[1]

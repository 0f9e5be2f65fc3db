"""Networks under scikeras' wrapper: what is shown of them."""

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow  # they share a process that fits a dozen networks

# In a process of its own, because importing scikeras patches Keras for good. Each answer is what
# the test of its name is about, or the error that was raised instead.
CODE = """
import json, sys, warnings
import keras, matplotlib, numpy as np, tensorflow as tf
matplotlib.use("agg")
from keras import layers
from scikeras.wrappers import KerasClassifier
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from skfashion.evaluation import evaluate_classifier
from skfashion.inspection import *
from skfashion.networks import build_network

X, y = load_digits(return_X_y=True)
words = np.array(["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"])
images, flat, labels, test_labels = X[:300].reshape(-1, 8, 8, 1), X[:300], y[:300], y[300:340]
test, flat_test = X[300:340].reshape(-1, 8, 8, 1), X[300:340]

def small(meta):
    return build_network("small", (8, 8, 1), meta["n_classes_"], dropout=0.1)

def body():
    return [
        keras.Input((8, 8, 1)),
        layers.Rescaling(1 / 16),
        layers.Conv2D(8, 3, activation="relu", name="convolution"),
        layers.Conv2D(6, 3, activation="relu", name="second"),
        layers.Flatten(),
    ]

def sequential(meta):
    return keras.Sequential([*body(), layers.Dense(meta["n_classes_"], activation="softmax")])

def functional(n_outputs, activation):
    def build(meta):
        inputs, *rest = body()
        x = inputs
        for layer in rest:
            x = layer(x)
        return keras.Model(inputs, layers.Dense(n_outputs, activation=activation)(x))
    return build

def fit(build, X, y, loss="sparse_categorical_crossentropy", **parameters):
    parameters = {"epochs": 1, "batch_size": 100, "verbose": 0, "random_state": 0, **parameters}
    model = KerasClassifier(build, loss=loss, optimizer="adam", optimizer__learning_rate=0.005,
                            **parameters)
    return model.fit(X, y)

def titles(display):
    return [ax.get_title() for ax in display.axes_.flat if ax.images and ax.get_title()]

def heat(display):
    return [ax.images[1].get_array() for ax in display.axes_[1::2].flat if ax.images]

answers = {}

def answer(question):
    try:
        answers[question.__name__] = question()
    except Exception as error:
        answers[question.__name__] = {"error": type(error).__name__, "message": str(error)}

def say(estimator, X, names=str):
    y_pred, probabilities = estimator.predict(X), estimator.predict_proba(X).max(axis=1)
    return [f"{names(label)} ({100 * p:.0f}%)" for label, p in zip(y_pred, probabilities)]

with warnings.catch_warnings(action="ignore"):
    tf.config.run_functions_eagerly(True)  # compiling takes longer than so few steps
    named = fit(small, images, words[labels], epochs=2, metrics=["accuracy"],
                validation_split=0.1)
    row = fit(sequential, images, labels)
    binary = fit(functional(1, "sigmoid"), images, labels > 4, loss="binary_crossentropy")
    two = fit(functional(2, "softmax"), images[:50], labels[:50] > 4)
    from_logits = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    logits = fit(functional(10, None), images, labels, loss=from_logits)
    to_images = FunctionTransformer(lambda X: np.asarray(X).reshape(-1, 8, 8, 1))
    pipeline = make_pipeline(
        StandardScaler(),
        to_images,
        KerasClassifier(functional(10, "softmax"), loss="sparse_categorical_crossentropy",
                        epochs=1, verbose=0, random_state=0),
    ).fit(flat, labels)
    tf.config.run_functions_eagerly(False)

    @answer
    def not_fitted():
        answers = []
        model = KerasClassifier(small)
        for call in (
            lambda: TrainingHistoryDisplay.from_estimator(model),
            lambda: PredictionsDisplay.from_estimator(model, test, test_labels),
            lambda: FeatureMapsDisplay.from_estimator(model, test[:1], 0),
            lambda: GradCAMDisplay.from_estimator(model, test[:1]),
            lambda: evaluate_classifier(model, test, test_labels),
        ):
            try:
                call()
            except Exception as error:
                answers.append(type(error).__name__)
        return answers

    @answer
    def history():
        axes = TrainingHistoryDisplay.from_estimator(named).axes_
        curves = {
            f"{ax.get_ylabel()} {line.get_label()}": line.get_ydata().tolist()
            for ax in axes for line in ax.lines
        }
        history = {name: list(map(float, values)) for name, values in named.history_.items()}
        return [curves, history]

    @answer
    def predictions():
        display = PredictionsDisplay.from_estimator(named, test, words[test_labels], n_images=5)
        said = say(named, test[:5])
        return [titles(display), [f"{s}\\ntrue: {words[t]}" for s, t in zip(said, test_labels)]]

    @answer
    def feature_maps():
        display = FeatureMapsDisplay.from_estimator(named, test[:1], "stage1_add")
        part = keras.Model(named.model_.input, named.model_.get_layer("stage1_add").output)
        maps = part.predict(test[:1], verbose=0)[0]
        return [display.maps.tolist(), maps.tolist(), titles(display)]

    @answer
    def grad_cam():
        display = GradCAMDisplay.from_estimator(named, test[:4])
        return [titles(display), say(named, test[:4]), [float(h.max()) for h in heat(display)]]

    @answer
    def grad_cam_of_a_class():
        display = GradCAMDisplay.from_estimator(named, test[:2], target="seven")
        probabilities = named.predict_proba(test[:2])[:, list(named.classes_).index("seven")]
        return [titles(display), [f"seven ({p:.0%})" for p in probabilities]]

    @answer
    def evaluation():
        found = evaluate_classifier(named, test, words[test_labels], output_dir="report")
        probabilities = named.predict_proba(test).astype(float)
        columns = np.searchsorted(named.classes_, words[test_labels])
        log_loss = -np.log(probabilities[range(40), columns]).mean()
        return [found.accuracy, named.score(test, words[test_labels]), found.log_loss, log_loss]

    @answer
    def sequential_feature_maps():
        display = FeatureMapsDisplay.from_estimator(row, test[:1], "convolution")
        maps = keras.Sequential(row.model_.layers[:2]).predict(test[:1], verbose=0)[0]
        return [display.maps.tolist(), maps.tolist(), titles(display)]

    @answer
    def sequential_position():
        display = FeatureMapsDisplay.from_estimator(row, test[:1], 1)
        return [display.layer_name, row.model_.layers[1].name]

    @answer
    def sequential_grad_cam():
        display = GradCAMDisplay.from_estimator(row, test[:4])
        return [titles(display), say(row, test[:4]), display.layer_name]

    @answer
    def sequential_evaluation():
        found = evaluate_classifier(row, test, test_labels)
        return [found.accuracy, row.score(test, test_labels)]

    @answer
    def sigmoid():
        # As a network with an output for each class.
        display = GradCAMDisplay.from_estimator(binary, test[:6])
        twin = functional(2, "softmax")({})
        *weights, kernel, bias = binary.model_.get_weights()
        twin.set_weights([*weights, np.hstack([-kernel, kernel]) / 2, np.r_[-bias, bias] / 2])
        two.model_ = twin
        expected = GradCAMDisplay.from_estimator(two, test[:6])
        difference = np.abs(np.array(heat(display)) - heat(expected)).max()
        return [titles(display), say(binary, test[:6]), float(difference)]

    @answer
    def sigmoid_of_a_class():
        display = GradCAMDisplay.from_estimator(binary, test[:6], target=True)
        return [titles(display), [f"True ({p:.0%})" for p in binary.predict_proba(test[:6])[:, 1]]]

    @answer
    def no_probabilities():
        display = GradCAMDisplay.from_estimator(logits, test[:3])
        scores = logits.model_.predict(test[:3], verbose=0)
        probabilities = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        answers = zip(scores.argmax(axis=1), probabilities.max(axis=1))
        return [titles(display), [f"{label} ({p:.0%})" for label, p in answers]]

    @answer
    def in_a_pipeline():
        display = GradCAMDisplay.from_estimator(pipeline, flat_test[:3])
        shown = np.allclose(display.axes_[0, 0].images[0].get_array() * flat_test[:3].max(),
                            flat_test[0].reshape(8, 8))
        return [titles(display), say(pipeline, flat_test[:3]), bool(shown)]

    @answer
    def after_initialize():
        model = KerasClassifier(small, loss="sparse_categorical_crossentropy", verbose=0)
        model.initialize(images, labels)
        found = evaluate_classifier(model, test, test_labels, output_dir="initialized")
        return [found.accuracy, model.score(test, test_labels)]

print(json.dumps(answers))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("scikeras")


@pytest.fixture(scope="module")
def answers(folder):
    result = subprocess.run(
        [sys.executable, "-c", CODE], cwd=folder, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout.splitlines()[-1])


def test_not_fitted(answers):
    assert answers["not_fitted"] == ["NotFittedError"] * 5


def test_history(answers):
    curves, history = answers["history"]
    assert curves == {
        "Loss training": history["loss"],
        "Loss validation": history["val_loss"],
        "Accuracy training": history["accuracy"],
        "Accuracy validation": history["val_accuracy"],
    }


def test_predictions(answers):
    titles, expected = answers["predictions"]
    assert titles == expected


def test_feature_maps(answers):
    maps, expected, titles = answers["feature_maps"]
    assert maps == [[pytest.approx(pixel, abs=1e-4) for pixel in row] for row in expected]
    assert titles == ["image", "24 maps of 8x8 by layer stage1_add"]


def test_grad_cam(answers):
    titles, expected, highest = answers["grad_cam"]
    assert titles == expected
    assert highest == [1] * 4
    titles, expected = answers["grad_cam_of_a_class"]
    assert titles == expected


def test_evaluation(answers, folder):
    accuracy, score, log_loss, expected = answers["evaluation"]
    assert accuracy == pytest.approx(score)
    assert log_loss == pytest.approx(expected, rel=1e-4)
    written = {path.name for path in folder.joinpath("report").iterdir()}
    assert {"report.html", "training_curves.png", "accuracy_curve.png"} <= written


def test_feature_maps_of_a_sequential_model(answers):
    assert "error" not in answers["sequential_feature_maps"], answers["sequential_feature_maps"]
    maps, expected, titles = answers["sequential_feature_maps"]
    assert maps == [[pytest.approx(pixel, abs=1e-4) for pixel in row] for row in expected]
    assert titles == ["image", "8 maps of 6x6 by layer convolution"]
    name, expected = answers["sequential_position"]  # as in model_.layers
    assert name == expected


def test_grad_cam_of_a_sequential_model(answers):
    assert "error" not in answers["sequential_grad_cam"], answers["sequential_grad_cam"]
    titles, expected, layer = answers["sequential_grad_cam"]
    assert titles == expected
    assert layer == "second"


def test_evaluation_of_a_sequential_model(answers):
    accuracy, score = answers["sequential_evaluation"]
    assert accuracy == pytest.approx(score)


def test_grad_cam_of_one_output_for_two_classes(answers):
    assert "error" not in answers["sigmoid"], answers["sigmoid"]
    titles, expected, difference = answers["sigmoid"]
    assert titles == expected
    assert difference < 1e-3
    titles, expected = answers["sigmoid_of_a_class"]
    assert titles == expected


def test_grad_cam_of_a_network_without_probabilities(answers):
    """It ends in scores, which are no percentages: there are those of the softmax, or none."""
    titles, expected = answers["no_probabilities"]
    assert titles in (expected, [title.split()[0] for title in expected])


def test_pipeline(answers):
    titles, expected, is_shown_as_given = answers["in_a_pipeline"]
    assert titles == expected
    assert is_shown_as_given


def test_network_that_was_not_trained(answers, folder):
    accuracy, score = answers["after_initialize"]
    assert accuracy == pytest.approx(score)
    written = {path.name for path in folder.joinpath("initialized").iterdir()}
    assert not any("curve" in name for name in written)

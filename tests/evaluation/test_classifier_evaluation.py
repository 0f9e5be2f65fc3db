"""How good a classifier is on test images."""

import math
import time

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import LinearSVC

from skfashion import FashionCNNClassifier
from skfashion.evaluation import evaluate_classifier

ESTIMATORS = ["forest", "fitted", "pipeline", "searched"]


def wilson(n_right, n):
    z = 1.959963984540054
    share = n_right / n
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return centre - half, centre + half


def calibration_error(confidence, is_right):
    error = 0
    for i in range(15):
        inside = [c >= i / 15 and (c < (i + 1) / 15 or i == 14) for c in confidence]
        chosen = [(c, r) for c, r, yes in zip(confidence, is_right, inside, strict=True) if yes]
        if chosen:
            mean_confidence, share_right = np.mean(chosen, axis=0)
            error += len(chosen) / len(confidence) * abs(mean_confidence - share_right)
    return error


def memorize(X, labels):
    """A classifier that predicts these labels for these images."""
    return KNeighborsClassifier(1).fit(X, labels)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_shares(request, name, unseen):
    estimator, (X, y) = request.getfixturevalue(name), unseen
    evaluation = evaluate_classifier(estimator, X, y)
    y_pred = estimator.predict(X)
    n_right = sum(y_pred == y)
    assert (evaluation.n_test, evaluation.n_errors) == (100, 100 - n_right)
    assert evaluation.accuracy == pytest.approx(n_right / 100)
    assert evaluation.accuracy_interval == pytest.approx(wilson(n_right, 100))
    pairs = list(zip(y.tolist(), y_pred.tolist(), strict=True))
    expected = [[pairs.count((true, predicted)) for predicted in range(10)] for true in range(10)]
    assert evaluation.confusion_matrix.tolist() == expected
    assert evaluation.class_names == [str(digit) for digit in range(10)]
    assert evaluation.estimator is estimator
    np.testing.assert_array_equal(evaluation.images, X.reshape(-1, 8, 8, 1))
    low, high = evaluation.accuracy_interval
    assert f"accuracy {n_right / 100:.4f} ({low:.4f} to {high:.4f})" in repr(evaluation)


@pytest.mark.parametrize("name", ESTIMATORS)
def test_probabilities(request, name, unseen):
    estimator, (X, y) = request.getfixturevalue(name), unseen
    evaluation = evaluate_classifier(estimator, X, y)
    probabilities = estimator.predict_proba(X).astype(float)
    of_true = np.array([row[label] for row, label in zip(probabilities, y, strict=True)])
    of_true = np.maximum(of_true, np.finfo(float).eps)
    assert evaluation.log_loss == pytest.approx(-np.log(of_true).mean(), rel=1e-4)
    truth = np.arange(10) == y[:, None]
    squares = ((probabilities - truth) ** 2).sum(axis=1)
    assert evaluation.brier_score == pytest.approx(squares.mean(), rel=1e-5)
    confidence, is_right = probabilities.max(axis=1), estimator.predict(X) == y
    expected = calibration_error(confidence, is_right)
    assert evaluation.expected_calibration_error == pytest.approx(expected, rel=1e-5)


def test_classes(forest, unseen):
    """Those of the classifier, whether there are test images of them or not."""
    X, y = unseen
    X, y = X[y < 7], y[y < 7]
    table = evaluate_classifier(forest, X, y).per_class
    y_pred = forest.predict(X)
    assert list(table.index) == [str(digit) for digit in range(10)]
    assert set(y_pred) - set(y), "a class should be predicted that is not there"
    for digit in range(10):
        right = sum((y == digit) & (y_pred == digit))
        there, predicted = sum(y == digit), sum(y_pred == digit)
        row = table.loc[str(digit)]
        assert row["support"] == there
        share = {
            "precision": (right, predicted),
            "recall": (right, there),
            "f1-score": (2 * right, there + predicted),
        }
        for column, (part, whole) in share.items():
            expected = part / whole if whole else np.nan
            assert row[column] == pytest.approx(expected, nan_ok=True), column


def test_report_in_words(forest, unseen, words):
    X, y = unseen
    evaluation = evaluate_classifier(forest, X, y, target_names=words)
    rows = [line.split() for line in evaluation.classification_report().splitlines() if line]
    assert rows[0] == ["precision", "recall", "f1-score", "support"]
    for row, (name, figures) in zip(rows[1:], evaluation.per_class.iterrows(), strict=False):
        assert row == [name, *(f"{value:.3f}" for value in figures[:3]), f"{figures.iloc[3]:.0f}"]
    assert rows[11] == ["accuracy", f"{evaluation.accuracy:.3f}", "100"]


def test_most_confused(unseen):
    X, _ = unseen
    y_true = np.array([0] * 50 + [1] * 30 + [2] * 20)
    y_pred = np.array([0] * 41 + [1] * 4 + [2] * 5 + [1] * 24 + [0] * 6 + [2] * 13 + [0] * 7)
    names = ["shirt", "top", "coat"]
    evaluation = evaluate_classifier(memorize(X, y_pred), X, y_true, target_names=names)
    assert evaluation.most_confused.to_dict(orient="records") == [
        {"true": "coat", "predicted": "shirt", "n_images": 7, "share": 7 / 20},
        {"true": "top", "predicted": "shirt", "n_images": 6, "share": 6 / 30},
        {"true": "shirt", "predicted": "coat", "n_images": 5, "share": 5 / 50},
        {"true": "shirt", "predicted": "top", "n_images": 4, "share": 4 / 50},
    ]


def test_ten_most_confused(unseen):
    X, y = unseen
    y_pred = (y + 1 + np.arange(100) % 3) % 10
    evaluation = evaluate_classifier(memorize(X, y_pred), X, y)
    table = evaluation.most_confused
    assert len(table) == 10
    errors = sorted(evaluation.confusion_matrix.ravel().tolist(), reverse=True)
    assert table["n_images"].tolist() == errors[:10]
    assert evaluation.accuracy == 0
    assert evaluation.accuracy_interval == pytest.approx(wilson(0, 100), abs=1e-12)


def test_all_right(unseen):
    X, y = unseen
    evaluation = evaluate_classifier(memorize(X, y), X, y)
    assert (evaluation.accuracy, evaluation.n_errors) == (1, 0)
    assert evaluation.most_confused.empty
    assert list(evaluation.most_confused.columns) == ["true", "predicted", "n_images", "share"]
    assert evaluation.brier_score == evaluation.expected_calibration_error == 0
    assert evaluation.log_loss == pytest.approx(0, abs=1e-12)
    assert evaluation.accuracy_interval == pytest.approx(wilson(100, 100))


@pytest.mark.parametrize("labels", [[0, 1], ["bag", "coat"], [False, True]])
def test_two_classes(digits, unseen, labels):
    labels = np.array(labels)
    y, y_test = labels[digits[1] % 2], labels[unseen[1] % 2]
    classifier = KNeighborsClassifier(7).fit(digits[0], y)
    evaluation = evaluate_classifier(classifier, unseen[0], y_test)
    probability = classifier.predict_proba(unseen[0])[:, 1]
    is_second = y_test == labels[1]
    assert evaluation.brier_score == pytest.approx(np.mean((probability - is_second) ** 2))
    right = np.where(is_second, probability, 1 - probability)
    expected = -np.log(np.maximum(right, np.finfo(float).eps)).mean()
    assert evaluation.log_loss == pytest.approx(expected)
    assert evaluation.class_names == [str(label) for label in labels]
    assert evaluation.confusion_matrix.sum(axis=1).tolist() == np.bincount(is_second).tolist()


@pytest.mark.parametrize("name", ["forest", "fitted"])
def test_one_class_in_the_test_set(request, name, unseen):
    estimator, (X, y) = request.getfixturevalue(name), unseen
    X, y = X[y == 3], y[y == 3]
    evaluation = evaluate_classifier(estimator, X, y)
    n_right = sum(estimator.predict(X) == 3)
    assert evaluation.accuracy == pytest.approx(n_right / len(y))
    assert evaluation.confusion_matrix.sum(axis=1).tolist() == [0, 0, 0, len(y)] + [0] * 6
    assert evaluation.per_class["recall"]["3"] == pytest.approx(n_right / len(y))
    assert math.isnan(evaluation.per_class["recall"]["4"])
    truth = np.arange(10) == 3
    squares = (estimator.predict_proba(X) - truth) ** 2
    assert evaluation.brier_score == pytest.approx(squares.sum(axis=1).mean(), rel=1e-5)
    assert evaluation.to_dict()["per_class"]["4"]["recall"] is None


def test_one_image(forest, unseen):
    X, y = unseen[0][:1], unseen[1][:1]
    evaluation = evaluate_classifier(forest, X, y)
    n_right = int(forest.predict(X)[0] == y[0])
    assert evaluation.accuracy_interval == pytest.approx(wilson(n_right, 1), abs=1e-12)


def test_without_probabilities(digits, unseen):
    svm = LinearSVC(random_state=0).fit(*digits)
    evaluation = evaluate_classifier(svm, *unseen)
    assert evaluation.accuracy == pytest.approx(svm.score(*unseen))
    names = ["log_loss", "brier_score", "expected_calibration_error"]
    assert [getattr(evaluation, name) for name in names] == [None] * 3
    assert [evaluation.to_dict()[name] for name in names] == [None] * 3


def test_predictions_that_are_not_the_likeliest(unseen, digits):
    """Calibration is of the class that is predicted."""

    class Contrary(KNeighborsClassifier):
        def predict(self, X):
            return self.classes_[self.predict_proba(X).argmin(axis=1)]

    X, y = unseen
    evaluation = evaluate_classifier(Contrary().fit(*digits), X, y)
    assert evaluation.expected_calibration_error == 0  # never right, with a probability of 0


class Slow(KNeighborsClassifier):
    def predict(self, X):
        time.sleep(0.1)
        return super().predict(X)


def test_seconds(digits, unseen):
    """Those of one call for all images, after one that does not count."""
    slow = Slow(1).fit(*digits)
    started = time.perf_counter()
    evaluation = evaluate_classifier(slow, *unseen)
    elapsed = time.perf_counter() - started
    assert 0.1 <= 100 * evaluation.seconds_per_image <= elapsed - 0.1


def test_words(verbal, unseen, words):
    X, y = unseen
    evaluation = evaluate_classifier(verbal, X, words[y])
    assert evaluation.class_names == sorted(words)
    assert evaluation.accuracy == pytest.approx(np.mean(verbal.predict(X) == words[y]))
    assert evaluation.per_class["support"]["seven"] == sum(y == 7)
    columns = [sorted(words).index(words[label]) for label in y]
    of_true = verbal.predict_proba(X)[np.arange(100), columns]
    assert evaluation.log_loss == pytest.approx(-np.log(of_true).mean(), rel=1e-4)


def test_names_of_the_classes(fitted, forest, unseen, words, tmp_path):
    X, y = unseen
    fitted.save(tmp_path / "model.keras", target_names=words.tolist())
    loaded = FashionCNNClassifier.load(tmp_path / "model.keras")
    for estimator, names in ((forest, words), (loaded, None)):
        evaluation = evaluate_classifier(estimator, X, y, target_names=names)
        assert evaluation.class_names == list(words)
        assert evaluation.per_class["support"]["seven"] == sum(y == 7)
    odd = y % 2 == 1
    classifier = KNeighborsClassifier().fit(X[odd], y[odd])
    evaluation = evaluate_classifier(classifier, X[odd], y[odd], target_names=words)
    assert evaluation.class_names == ["one", "three", "five", "seven", "nine"]


@pytest.mark.parametrize("name", ["forest", "fitted"])
def test_data_frames(request, name, digits, unseen):
    frames = [pd.DataFrame(X).add_prefix("pixel") for X in (digits[0], unseen[0])]
    labels = [pd.Series(y, name="digit") for y in (digits[1], unseen[1])]
    estimator = request.getfixturevalue(name)
    expected = evaluate_classifier(estimator, *unseen)
    framed = clone(estimator).fit(frames[0], labels[0])
    evaluation = evaluate_classifier(framed, frames[1], labels[1])
    assert evaluation.confusion_matrix.tolist() == expected.confusion_matrix.tolist()
    assert evaluation.log_loss == pytest.approx(expected.log_loss)
    np.testing.assert_array_equal(evaluation.images, expected.images)


def test_shapes_of_images(forest, oblong, of_colours, coloured, unseen):
    X, y = unseen
    assert evaluate_classifier(forest, X, y).images.shape == (100, 8, 8, 1)
    assert evaluate_classifier(forest, X, y, image_shape=(4, 16)).images.shape == (100, 4, 16, 1)
    assert evaluate_classifier(oblong, X, y).images.shape == (100, 4, 16, 1)
    assert evaluate_classifier(oblong, X.reshape(-1, 4, 16), y).images.shape == (100, 4, 16, 1)
    colours, labels = coloured[0][:50], coloured[1][:50]
    evaluation = evaluate_classifier(of_colours, colours, labels)
    np.testing.assert_array_equal(evaluation.images, colours)
    assert evaluation.accuracy == of_colours.score(colours, labels)


def test_lists(forest, unseen):
    X, y = unseen
    evaluation = evaluate_classifier(forest, X.tolist(), y.tolist())
    assert evaluation.accuracy == forest.score(X, y)


def test_pipeline_that_crops(digits, unseen, make_small):
    """The images are shown as they were given."""
    crop = FunctionTransformer(lambda X: np.asarray(X).reshape(-1, 8, 8)[:, :, 1:7])
    estimator = make_pipeline(crop, make_small(epochs=1)).fit(*digits)
    evaluation = evaluate_classifier(estimator, *unseen)
    np.testing.assert_array_equal(evaluation.images, unseen[0].reshape(-1, 8, 8, 1))

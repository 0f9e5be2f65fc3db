"""Training curves."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.ticker import MaxNLocator
from sklearn.neural_network import MLPClassifier

from skfashion.inspection import TrainingHistoryDisplay
from skfashion.preprocessing import AugmentedClassifier

# As skfashion's networks are trained unless told otherwise.
SMOOTHED = "training (smoothed labels)"


def labels_of(panel):
    return [text.get_text() for text in panel.get_legend().get_texts()]


@pytest.fixture(scope="module")
def validated(make_small, digits):
    X, y = digits
    classifier = make_small(early_stopping=True, patience=1, label_smoothing=0.0)
    return classifier.fit(X, y, X_val=X[:50], y_val=y[:50])


def test_curves(validated):
    display = TrainingHistoryDisplay.from_estimator(validated)
    loss, accuracy, rate = display.axes_
    assert display.figure_ is loss.figure
    assert [panel.get_ylabel() for panel in display.axes_] == ["Loss", "Accuracy", "Learning rate"]
    assert {panel.get_xlabel() for panel in display.axes_} == {"Epoch"}
    kept = f"kept: epoch {validated.best_epoch_}"
    assert labels_of(loss) == labels_of(accuracy) == ["training", "validation", kept]
    history = validated.history_
    for panel, name in ((loss, "loss"), (accuracy, "accuracy")):
        for line, curve in zip(panel.lines, (name, f"val_{name}"), strict=False):
            np.testing.assert_array_equal(line.get_xdata(), [1, 2])
            np.testing.assert_array_equal(line.get_ydata(), history[curve])
        assert panel.lines[0].get_linestyle() != panel.lines[1].get_linestyle()
    np.testing.assert_array_equal(rate.lines[0].get_ydata(), history["learning_rate"])
    for panel in display.axes_:
        np.testing.assert_array_equal(panel.lines[-1].get_xdata(), [validated.best_epoch_] * 2)


def test_without_validation(fitted):
    display = TrainingHistoryDisplay.from_estimator(fitted)
    loss, accuracy, _ = display.axes_
    assert (labels_of(loss), labels_of(accuracy)) == ([SMOOTHED], ["training"])
    assert [len(panel.lines) for panel in display.axes_] == [1, 1, 1]


def test_epoch_kept_without_early_stopping(make_small, digits):
    """The last."""
    X, y = digits
    classifier = make_small().fit(X, y, X_val=X[:50], y_val=y[:50])
    loss = TrainingHistoryDisplay.from_estimator(classifier).axes_[0]
    assert labels_of(loss) == [SMOOTHED, "validation", "kept: epoch 2"]


def test_smoothed_labels(make_small, digits):
    X, y = digits
    classifier = make_small(label_smoothing=0.25).fit(X, y, X_val=X[:50], y_val=y[:50])
    loss, accuracy, _ = TrainingHistoryDisplay.from_estimator(classifier).axes_
    assert labels_of(loss) == [SMOOTHED, "validation", "kept: epoch 2"]
    assert labels_of(accuracy)[0] == "training"


@pytest.mark.parametrize("quantities", [["accuracy"], ("learning_rate", "loss")])
def test_some_quantities(fitted, quantities):
    figure, axes = plt.subplots(1, len(quantities), squeeze=False)
    display = TrainingHistoryDisplay.from_estimator(fitted, quantities=quantities, ax=axes)
    assert display.figure_ is figure
    for panel, quantity in zip(axes[0], quantities, strict=True):
        assert panel.get_ylabel().lower() == quantity.replace("_", " ")
        np.testing.assert_array_equal(panel.lines[0].get_ydata(), fitted.history_[quantity])


def test_one_quantity_in_one_axes(fitted):
    figure, ax = plt.subplots()
    display = TrainingHistoryDisplay.from_estimator(fitted, quantities="loss", ax=ax)
    assert list(display.axes_) == [ax]
    assert ax.get_ylabel() == "Loss"
    assert figure.axes == [ax]


@pytest.mark.parametrize("quantities", [["val_loss"], [], ["loss", "lr"]])
def test_unknown_quantities(fitted, quantities):
    message = r"quantities must be among \['loss', 'accuracy', 'learning_rate'\], got"
    with pytest.raises(ValueError, match=message):
        TrainingHistoryDisplay.from_estimator(fitted, quantities=quantities)


def test_inside_others(fitted, pipeline, searched, digits, make_small):
    augmented = AugmentedClassifier(make_small(epochs=1), random_state=0).fit(*digits)
    for estimator, network in (
        (pipeline, pipeline[-1]),
        (searched, searched.best_estimator_),
        (augmented, augmented.estimator_),
    ):
        loss = TrainingHistoryDisplay.from_estimator(estimator).axes_[0]
        np.testing.assert_array_equal(loss.lines[0].get_ydata(), network.history_["loss"])


def test_training_that_went_on(make_small, digits):
    classifier = make_small(epochs=2).fit(*digits)
    for _ in range(2):
        classifier.partial_fit(*digits)
    loss = TrainingHistoryDisplay.from_estimator(classifier).axes_[0]
    np.testing.assert_array_equal(loss.lines[0].get_xdata(), [1, 2, 3, 4])


@pytest.mark.parametrize("early_stopping", [False, True])
@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_multi_layer_perceptron(digits, early_stopping):
    network = MLPClassifier(8, max_iter=4, early_stopping=early_stopping, random_state=0)
    display = TrainingHistoryDisplay.from_estimator(network.fit(*digits))
    np.testing.assert_array_equal(display.axes_[0].lines[0].get_ydata(), network.loss_curve_)
    assert labels_of(display.axes_[0]) == ["training"]
    if early_stopping:
        assert display.axes_[1].get_ylabel() == "Accuracy"
        assert labels_of(display.axes_[1]) == ["validation"]
        line = display.axes_[1].lines[0]
        np.testing.assert_array_equal(line.get_ydata(), network.validation_scores_)
    assert len(display.axes_) == 1 + early_stopping


def test_no_history(forest):
    message = "must have a training history.*RandomForestClassifier has neither"
    with pytest.raises(TypeError, match=message):
        TrainingHistoryDisplay.from_estimator(forest)


def test_epochs_are_whole_numbers():
    display = TrainingHistoryDisplay({"loss": [0.9, 0.5], "val_accuracy": [0.6, 0.8]}).plot()
    loss, accuracy = display.axes_
    assert labels_of(accuracy) == ["validation"]
    display.figure_.canvas.draw()
    assert isinstance(loss.xaxis.get_major_locator(), MaxNLocator)
    low, high = loss.get_xlim()
    assert [tick for tick in loss.get_xticks() if low <= tick <= high] == [1, 2]


def test_one_epoch():
    panel = TrainingHistoryDisplay({"loss": [0.9]}, best_epoch=1).plot().axes_[0]
    assert panel.lines[0].get_marker() == "o"  # a line of one point is invisible
    assert labels_of(panel) == ["training", "kept: epoch 1"]

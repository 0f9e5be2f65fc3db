"""scikit-learn's own callbacks, which are experimental in 1.9."""

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

try:
    from sklearn.callback import ProgressBar, ScoringMonitor
except ImportError:
    has_callbacks = False
else:
    has_callbacks = True

needs_callbacks = pytest.mark.skipif(not has_callbacks, reason="scikit-learn 1.9 has callbacks")


@pytest.mark.skipif(has_callbacks, reason="this scikit-learn has callbacks")
def test_scikit_learn_is_too_old(make_tiny):
    with pytest.raises(ImportError, match=r"needs scikit-learn 1\.9 or later, and scikit-learn"):
        make_tiny().set_callbacks()


class Recorder:
    """A callback of the user's, which may ask to stop after some epochs."""

    def __init__(self, stop_after=None):
        self.stop_after = stop_after
        self.tasks, self.fitted = [], []

    def setup(self, estimator, context):
        self.tasks.append("setup")

    def teardown(self, estimator, context):
        self.tasks.append("teardown")

    def on_fit_task_begin(self, estimator, context, *, X=None, y=None):
        self.tasks.append(f"{context.task_name} begins")

    def on_fit_task_end(
        self, estimator, context, *, X=None, y=None, metadata=None, fitted_estimator=None
    ):
        self.tasks.append(f"{context.task_name} ends")
        self.fitted.append(fitted_estimator)
        self.arguments = X, y, metadata
        return self.stop_after is not None and len(self.fitted) == self.stop_after


@needs_callbacks
def test_epochs_are_the_tasks(make_tiny, digits):
    recorder = Recorder()
    X, y = digits
    weights = np.ones(len(y))
    make_tiny(epochs=2).set_callbacks(recorder).fit(X, y, sample_weight=weights)
    epochs = ["epoch begins", "epoch ends"] * 2
    assert recorder.tasks == ["setup", "fit begins", *epochs, "fit ends", "teardown"]
    assert recorder.arguments[0] is X
    assert recorder.arguments[1] is y
    assert recorder.arguments[2] == {"sample_weight": weights}


@needs_callbacks
@pytest.mark.parametrize("early_stopping", [False, True])
def test_fitted_estimator_is_the_classifier_stopped_there(early_stopping, make_tiny, digits):
    recorder = Recorder()
    parameters = {"schedule": None, "learning_rate": 0.005, "early_stopping": early_stopping}
    X, y = digits
    make_tiny(epochs=3, **parameters).set_callbacks(recorder).fit(X, y)
    for n_epochs, fitted in enumerate(recorder.fitted[:3], start=1):
        shorter = make_tiny(epochs=n_epochs, **parameters).fit(X, y)
        np.testing.assert_array_equal(fitted.predict_proba(X), shorter.predict_proba(X))
        assert fitted.history_ == shorter.history_


@needs_callbacks
def test_stop_request(make_tiny, digits):
    classifier = make_tiny(epochs=5, schedule=None).set_callbacks(Recorder(stop_after=2))
    classifier.fit(*digits)
    assert classifier.n_epochs_ == 2
    np.testing.assert_array_equal(
        classifier.predict_proba(digits[0]),
        make_tiny(epochs=2, schedule=None).fit(*digits).predict_proba(digits[0]),
    )


@needs_callbacks
def test_stop_request_in_the_first_of_two_stages(make_small, digits, tmp_path):
    """It ends the training, for good."""
    parameters = {"architecture": two_layers, "freeze_epochs": 3, "epochs": 5}
    parameters |= {"checkpoint": tmp_path / "run.keras", "resume": True}
    classifier = make_small(**parameters).set_callbacks(Recorder(stop_after=2)).fit(*digits)
    assert classifier.n_epochs_ == 2
    assert make_small(**parameters).fit(*digits).n_epochs_ == 2


def two_layers(image_shape, n_classes, trainable=True):
    inputs = keras.Input(image_shape)
    x = keras.layers.Dense(9, trainable=trainable)(keras.layers.Flatten()(inputs))
    return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))


@needs_callbacks
def test_callbacks_are_torn_down_after_an_error(make_tiny, digits):
    recorder = Recorder()
    with pytest.raises(ValueError, match="epochs"):
        make_tiny(epochs=0).set_callbacks(recorder).fit(*digits)
    with pytest.raises(ValueError, match="X_val and y_val"):
        make_tiny().set_callbacks(recorder).fit(*digits, X_val=digits[0])
    assert recorder.tasks == ["setup", "fit begins", "teardown"]


@needs_callbacks
def test_scores_of_each_epoch(make_tiny, digits):
    monitor = ScoringMonitor(scoring=["accuracy", "neg_log_loss"])
    classifier = make_tiny(epochs=3).set_callbacks(monitor).fit(*digits)
    rows = [row for row in monitor.get_logs().data if row["task_name"] == "epoch"]
    assert [row["task_id"] for row in rows] == [0, 1, 2]
    assert rows[-1]["accuracy"] == classifier.score(*digits)
    assert rows[0]["neg_log_loss"] < rows[-1]["neg_log_loss"]


@needs_callbacks
def test_progress_bar(make_tiny, digits, capsys):
    make_tiny(epochs=3).set_callbacks(ProgressBar()).fit(*digits)
    shown = capsys.readouterr().out
    assert "FashionCNNClassifier - fit" in shown
    assert "100%" in shown


@needs_callbacks
@pytest.mark.parametrize("around", ["pipeline", "search", "search in processes"])
def test_callbacks_of_a_meta_estimator(around, make_tiny, digits, capsys):
    classifier = make_tiny(epochs=2)
    if around == "pipeline":
        estimator = make_pipeline(StandardScaler(), classifier)
    else:
        n_jobs = 2 if around == "search in processes" else None
        estimator = GridSearchCV(classifier, {"epochs": [1, 2]}, cv=2, n_jobs=n_jobs)
    estimator.set_callbacks(ProgressBar()).fit(*digits)
    shown = capsys.readouterr().out
    assert f"{type(estimator).__name__} - fit" in shown
    assert "FashionCNNClassifier - fit" in shown


@needs_callbacks
def test_monitor_in_searches_and_folds(make_tiny, digits):
    """A monitor belongs to the classifier, whose clones share it."""
    monitor = ScoringMonitor(scoring="accuracy")
    classifier = make_tiny(epochs=2).set_callbacks(monitor)
    assert clone(classifier)._skl_callbacks == [monitor]
    GridSearchCV(classifier, {"l2": [0.0, 1e-4]}, cv=2).fit(*digits)
    search = monitor.get_logs()
    assert search.estimator_name == "GridSearchCV"
    assert sum(row["task_name"] == "epoch" for row in search.data) == 2 * 5
    cross_validate(classifier, *digits, cv=2)
    assert [len(log.data) for log in monitor.get_logs(select="all")][-1] > 0

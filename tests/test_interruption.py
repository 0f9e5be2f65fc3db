"""Fits that are interrupted, and fits that fail."""

import os
import signal

import keras
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from skfashion._training import batches
from skfashion.errors import TrainingDivergedError
from skfashion.preprocessing import ImageAugmenter


class RaiseInEpoch(keras.callbacks.Callback):
    """Raises an error in the middle of an epoch, counted from 1."""

    def __init__(self, epoch, error=KeyboardInterrupt):
        super().__init__()
        self.epoch, self.error = epoch, error

    def on_epoch_begin(self, epoch, logs=None):
        self.is_due = epoch + 1 == self.epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.is_due and batch == 1:
            raise self.error


def assert_same_state(one, other):
    for a, b in zip(one.weights_, other.weights_, strict=True):
        np.testing.assert_array_equal(a, b)
    assert one.history_ == other.history_
    assert one.best_epoch_ == other.best_epoch_


@pytest.mark.parametrize("use_ema", [False, True])
def test_interrupted_fit_keeps_the_last_finished_epoch(use_ema, make_tiny, digits):
    parameters = {"schedule": None, "learning_rate": 0.005}
    classifier = make_tiny(epochs=5, callbacks=RaiseInEpoch(4), **parameters)
    classifier.set_params(optimizer__use_ema=use_ema)
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(*digits)
    shorter = make_tiny(epochs=3, **parameters).set_params(optimizer__use_ema=use_ema)
    assert_same_state(classifier, shorter.fit(*digits))
    assert classifier.n_epochs_ == 3
    assert isinstance(classifier.callbacks_[0], RaiseInEpoch)
    np.testing.assert_array_equal(
        classifier.set_params(callbacks=None).partial_fit(*digits).predict_proba(digits[0]),
        shorter.partial_fit(*digits).predict_proba(digits[0]),
    )


def test_interrupted_fit_keeps_the_best_epoch_with_early_stopping(make_tiny, digits):
    parameters = {"schedule": None, "learning_rate": 0.05, "batch_size": 20, "early_stopping": True}
    whole = make_tiny(epochs=12, **parameters).fit(*digits)
    losses = whole.history_["val_loss"]
    n_finished = 1 + next(i for i in range(1, 12) if losses[i] > min(losses[:i]))
    classifier = make_tiny(epochs=12, callbacks=RaiseInEpoch(n_finished + 1), **parameters)
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(*digits)
    assert classifier.history_["val_loss"] == losses[:n_finished]
    assert classifier.best_epoch_ == 1 + np.argmin(losses[:n_finished]) < n_finished


def test_interrupted_in_the_second_stage(make_small, digits):
    def two_layers(image_shape, n_classes, trainable=True):
        inputs = keras.Input(image_shape)
        x = keras.layers.Flatten()(inputs)
        x = keras.layers.Dense(9, activation="relu", trainable=trainable)(x)
        return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))

    parameters = {"architecture": two_layers, "freeze_epochs": 2}
    classifier = make_small(**parameters, epochs=4, callbacks=RaiseInEpoch(3))
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(*digits)
    assert_same_state(classifier, make_small(**parameters, epochs=2).fit(*digits))


def test_interrupted_before_the_first_epoch_ends(make_tiny, digits):
    X, y = digits
    classifier = make_tiny(callbacks=RaiseInEpoch(1))
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(X, y)
    with pytest.raises(NotFittedError):
        classifier.predict(X)
    classifier.set_params(callbacks=None).fit(X, y)
    expected = classifier.predict_proba(X)
    with pytest.raises(KeyboardInterrupt):
        classifier.set_params(callbacks=RaiseInEpoch(1)).fit(X, y % 2)
    np.testing.assert_array_equal(classifier.predict_proba(X), expected)


def test_ctrl_c(make_tiny, digits):
    """The signal itself, which Python turns into an error wherever it is."""

    class PressCtrlC(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 1:
                os.kill(os.getpid(), signal.SIGINT)

    classifier = make_tiny(epochs=5, callbacks=PressCtrlC)
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(*digits)
    assert classifier.n_epochs_ == 1


class OwnError(Exception):
    pass


@pytest.mark.parametrize("is_fitted", [False, True])
@pytest.mark.parametrize("place", ["callback", "thread", "divergence"])
def test_failed_training(place, is_fitted, make_tiny, digits, monkeypatch):
    """The error is the user's own, and the classifier is as it was."""
    X, y = digits
    expected = make_tiny(augmentation=ImageAugmenter()).fit(X, y)
    classifier = make_tiny(epochs=3, augmentation=ImageAugmenter())
    if is_fitted:
        classifier.fit(X, y % 2)
        before = classifier.predict_proba(X)
    error = OwnError
    with monkeypatch.context() as patch:
        if place == "callback":
            classifier.set_params(callbacks=RaiseInEpoch(2, OwnError("mine")))
        elif place == "thread":
            calls = iter([*[False] * 1, True])  # an epoch is prepared in one call

            def vary(*arguments):
                if next(calls):
                    raise OwnError("mine")
                return make_variants(*arguments)

            make_variants = batches.make_variants
            patch.setattr(batches, "make_variants", vary)
        else:
            classifier.set_params(optimizer="sgd", learning_rate=1e30, schedule=None)
            error = TrainingDivergedError
        with pytest.raises(error) as caught:
            classifier.fit(X, y)
    if place == "divergence":
        assert "epoch 1" in str(caught.value)
    else:
        assert str(caught.value) == "mine"
        assert caught.value.__notes__ == ["This happened in epoch 2 of 3."]
    if is_fitted:
        np.testing.assert_array_equal(classifier.predict_proba(X), before)
    else:
        with pytest.raises(NotFittedError):
            classifier.predict(X)
    # The next fit gives the bits it always gives.
    assert_same_state(make_tiny(augmentation=ImageAugmenter()).fit(X, y), expected)

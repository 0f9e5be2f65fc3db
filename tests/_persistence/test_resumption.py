"""Trainings that go on from a checkpoint, to the same bits."""

import json
import os
import shutil
import subprocess
import sys

import keras
import numpy as np
import pandas as pd
import pytest
from model_files import change_member, run_script

from skfashion import FashionCNNClassifier
from skfashion.errors import ModelFileError
from skfashion.preprocessing import ImageAugmenter


class Interrupt(keras.callbacks.Callback):
    """Presses Ctrl-C in the middle of an epoch, counted from 1."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.is_due = epoch + 1 == self.epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.is_due and batch == 1:
            raise KeyboardInterrupt


class Fail(keras.callbacks.Callback):
    def on_train_begin(self, logs=None):
        pytest.fail("it trains")


def two_layers(image_shape, n_classes, dropout=0.1, trainable=True):
    """A network whose last layer can be trained alone."""
    inputs = keras.Input(image_shape)
    x = keras.layers.Flatten()(inputs)
    x = keras.layers.Dense(20, activation="relu", trainable=trainable)(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Dropout(dropout)(x)
    return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))


def interrupt(classifier, epoch, *data, **more_data):
    """Fit a classifier until Ctrl-C in an epoch, and leave it as it was before."""
    with pytest.raises(KeyboardInterrupt):
        classifier.set_params(callbacks=Interrupt(epoch)).fit(*data, **more_data)
    return classifier.set_params(callbacks=None)


def assert_same_state(one, other):
    for a, b in zip(one.weights_, other.weights_, strict=True):
        np.testing.assert_array_equal(a, b)
    states = one._state.optimizer_state, other._state.optimizer_state
    for a, b in zip(*states, strict=True):
        np.testing.assert_array_equal(a, b)
    assert one.history_ == other.history_
    assert one.best_epoch_ == other.best_epoch_


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.keras"


VARIED = {"augmentation": ImageAugmenter(rotation=5), "mixup": 0.2, "cutmix": 1.0, "dropout": 0.2}
# So fast that the validation loss goes up and down.
PLATEAU = {
    "optimizer": "muon",
    "schedule": "plateau",
    "learning_rate": 0.1,
    "batch_size": 20,
    "epochs": 12,
    "early_stopping": True,
    "patience": 6,
}
EMA = {"optimizer__use_ema": True, "optimizer__ema_momentum": 0.9}
STAGES = {"architecture": two_layers, "freeze_epochs": 2, "epochs": 5}


@pytest.mark.parametrize(
    ("parameters", "epoch"),
    [
        ({}, 3),
        (VARIED, 2),
        ({"early_stopping": True, **VARIED}, 4),
        (PLATEAU, 2),
        (PLATEAU, 7),
        (EMA, 3),
        ({"optimizer": "muon", "early_stopping": True, **EMA}, 3),
        (STAGES, 2),
        (STAGES, 3),
        ({**STAGES, "early_stopping": True}, 4),
        ({"class_weight": {0: 2.0}, "schedule": "cosine"}, 3),
        ({"schedule": None, "optimizer": "sgd", "optimizer__momentum": 0.9}, 5),
    ],
)
def test_the_same_bits(parameters, epoch, make_tiny, digits, path):
    parameters = {"epochs": 5, **parameters}
    whole = make_tiny().set_params(**parameters).fit(*digits)
    if parameters.get("schedule") == "plateau":
        assert len(set(whole.history_["learning_rate"])) > 1, "the rate was never halved"
    classifier = make_tiny(checkpoint=path, resume=True).set_params(**parameters)
    interrupt(classifier, epoch, *digits)
    assert FashionCNNClassifier.load(path).n_epochs_ < epoch
    assert_same_state(classifier.fit(*digits), whole)
    assert [file.name for file in path.parent.iterdir()] == ["run.keras"]


def test_another_interruption(make_tiny, digits, path):
    classifier = make_tiny(epochs=6, checkpoint=path, resume=True, early_stopping=True)
    for epoch in (2, 2, 4, 6):
        interrupt(classifier, epoch, *digits)
    assert_same_state(
        classifier.fit(*digits), make_tiny(epochs=6, early_stopping=True).fit(*digits)
    )


def test_the_users_validation_images(make_tiny, digits, unseen, path):
    validation = dict(zip(("X_val", "y_val"), unseen, strict=True))
    classifier = make_tiny(epochs=4, checkpoint=path, resume=True)
    interrupt(classifier, 3, *digits, **validation)
    whole = make_tiny(epochs=4).fit(*digits, **validation)
    assert_same_state(classifier.fit(*digits, **validation), whole)
    best = np.argmin(whole.history_["val_loss"])
    assert FashionCNNClassifier.load(path).n_epochs_ == best + 1


def test_a_warm_fit(make_tiny, digits, path):
    def load():
        """The first fit, as another process has it."""
        loaded = FashionCNNClassifier.load(path.with_name("first.keras"))
        return loaded.set_params(warm_start=True, epochs=4)

    make_tiny(epochs=2).fit(*digits).save(path.with_name("first.keras"))
    whole = load().fit(*digits)
    interrupt(load().set_params(checkpoint=path, resume=True), 5, *digits)
    again = load().set_params(checkpoint=path, resume=True).fit(*digits)
    assert_same_state(again, whole)
    with pytest.raises(ValueError, match="began with another fit than warm_start goes on from"):
        load().partial_fit(*digits).set_params(checkpoint=path, resume=True).fit(*digits)


@pytest.mark.parametrize("is_fitted", [False, True])
def test_a_warm_fit_that_is_interrupted_goes_on_in_the_same_session(
    is_fitted, make_tiny, digits, path
):
    parameters = {**STAGES, "warm_start": True}
    classifier, whole = make_tiny(**parameters), make_tiny(**parameters)
    if is_fitted:
        classifier.fit(*digits)
        whole.fit(*digits)
    n_before = 5 if is_fitted else 0
    interrupt(classifier.set_params(checkpoint=path, resume=True), n_before + 4, *digits)
    assert_same_state(classifier.fit(*digits), whole.fit(*digits))


def test_a_finished_training_returns_at_once(make_tiny, digits, path):
    parameters = {"epochs": 3, "early_stopping": True, "checkpoint": path, "resume": True}
    whole = make_tiny(**parameters).fit(*digits)
    content = path.read_bytes()
    assert_same_state(make_tiny(**parameters, callbacks=Fail).fit(*digits), whole)
    assert path.read_bytes() == content


def test_what_callbacks_restore_at_the_end_is_kept(make_tiny, digits, path):
    restore = keras.callbacks.EarlyStopping(
        "accuracy", mode="min", patience=1, restore_best_weights=True
    )
    parameters = {"epochs": 9, "checkpoint": path, "resume": True}
    whole = make_tiny(**parameters, callbacks=restore).fit(*digits)
    assert whole.n_epochs_ == 2
    assert_same_state(make_tiny(**parameters, callbacks=Fail).fit(*digits), whole)


def test_interrupted_while_callbacks_finish(make_tiny, digits, path):
    """The training is not finished before they are."""

    class InterruptTheEnd(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            raise KeyboardInterrupt

    class ChangeAtTheEnd(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            self.model.set_weights([0 * weight for weight in self.model.get_weights()])

    classifier = make_tiny(epochs=3, checkpoint=path, resume=True, callbacks=InterruptTheEnd)
    with pytest.raises(KeyboardInterrupt):
        classifier.fit(*digits)
    assert classifier.n_epochs_ == 3
    classifier.set_params(callbacks=ChangeAtTheEnd).fit(*digits)
    assert classifier.n_epochs_ == 3
    assert not any(weight.any() for weight in classifier.weights_)


def test_a_training_that_ends_with_nan_leaves_a_file_that_can_be_resumed(make_tiny, digits, path):
    class Spoil(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 2:
                self.model.set_weights([np.nan * weight for weight in self.model.get_weights()])
                self.model.stop_training = True

    parameters = {"epochs": 4, "early_stopping": True, "checkpoint": path}
    classifier = make_tiny(**parameters, callbacks=Spoil).fit(*digits)
    assert np.isfinite(classifier.weights_[0]).all()
    classifier.set_params(resume=True, callbacks=None).fit(*digits)
    assert_same_state(classifier, make_tiny(epochs=4, early_stopping=True).fit(*digits))


def test_without_a_seed_that_of_the_file_goes_on(make_tiny, digits, path):
    classifier = make_tiny(epochs=4, checkpoint=path, resume=True, random_state=None)
    interrupt(classifier, 3, *digits)
    seed = classifier._state.seed
    assert_same_state(classifier.fit(*digits), make_tiny(epochs=4, random_state=seed).fit(*digits))


def test_callbacks_begin_again_and_the_learning_rate_that_they_set_stays(make_tiny, digits, path):
    def schedule(epoch, rate):
        return rate / 2

    scheduler = keras.callbacks.LearningRateScheduler(schedule)
    parameters = {"epochs": 5, "schedule": None}
    whole = make_tiny(**parameters, callbacks=scheduler).fit(*digits)
    classifier = make_tiny(**parameters, checkpoint=path, resume=True)
    with pytest.raises(KeyboardInterrupt):
        classifier.set_params(callbacks=[scheduler, Interrupt(3)]).fit(*digits)
    assert_same_state(classifier.set_params(callbacks=scheduler).fit(*digits), whole)


@pytest.mark.parametrize(
    "change", ["dtype", "container", "shape", "verbose", "test_time_augmentation", "callbacks"]
)
def test_what_changes_nothing_may_change(change, make_tiny, digits, path, capsys):
    X, y = digits
    classifier = make_tiny(epochs=3, checkpoint=path, resume=True)
    interrupt(classifier, 2, X, y)
    if change == "dtype":
        X = X.astype(np.uint8)
    elif change == "container":
        X, y = X.tolist(), pd.Series(y)
    elif change == "shape":
        X = X.reshape(-1, 8, 8)
    else:
        values = {"verbose": 2, "test_time_augmentation": "flip", "callbacks": Interrupt(9)}
        classifier.set_params(**{change: values[change]})
    assert_same_state(classifier.fit(X, y), make_tiny(epochs=3).fit(*digits))


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"epochs": 4}, "epochs was 3 and is 4"),
        ({"random_state": 1}, "random_state was 0 and is 1"),
        ({"learning_rate": 0.1}, "learning_rate was None and is 0.1"),
        ({"optimizer__clipnorm": 1.0}, "optimizer__clipnorm was None and is 1.0"),
        ({"augmentation": None}, "augmentation was 'auto' and is None"),
        ({"architecture": two_layers}, "architecture was 'a function, "),
        ({"epochs": 4, "l2": 0.1}, "epochs was 3 and is 4. l2 was 0.0 and is 0.1"),
    ],
)
def test_other_parameters(parameters, message, make_tiny, digits, path):
    classifier = make_tiny(epochs=3, checkpoint=path, resume=True)
    interrupt(classifier, 2, *digits)
    content = path.read_bytes()
    expected = classifier.predict_proba(digits[0])
    with pytest.raises(ValueError, match="holds another training") as caught:
        classifier.set_params(**parameters).fit(*digits)
    assert message in str(caught.value)
    assert "start again without resume=True" in str(caught.value)
    assert str(path) in str(caught.value)
    assert path.read_bytes() == content
    np.testing.assert_array_equal(classifier.predict_proba(digits[0]), expected)
    classifier.set_params(**parameters, resume=False).fit(*digits)


@pytest.mark.parametrize("given", [False, True])
@pytest.mark.parametrize("early_stopping", [False, True])
def test_validation_images_that_were_or_were_not_given(
    given, early_stopping, make_tiny, digits, unseen, path
):
    validation = dict(zip(("X_val", "y_val"), unseen, strict=True))
    classifier = make_tiny(epochs=3, checkpoint=path, resume=True, early_stopping=early_stopping)
    interrupt(classifier, 2, *digits, **({} if given else validation))
    message = "X_val was not given, and is now" if given else "X_val was given, and is not now"
    with pytest.raises(ValueError, match=message):
        classifier.fit(*digits, **(validation if given else {}))


def test_another_image_shape(make_small, digits, path):
    X, y = digits
    classifier = make_small(architecture=two_layers, epochs=3, checkpoint=path, resume=True)
    interrupt(classifier, 2, X, y)
    with pytest.raises(ValueError, match="X differs from that of the earlier call"):
        classifier.fit(X.reshape(-1, 4, 16), y)
    classifier.set_params(image_shape=(8, 8)).fit(X, y)


def test_equal_parameters_in_another_form(make_tiny, digits, path):
    def make(weights):
        optimizer = keras.optimizers.Adam(beta_1=0.8)  # Keras counts in its name
        return make_tiny(optimizer=optimizer, class_weight=weights, checkpoint=path, resume=True)

    weights = {label: 1.0 + label for label in range(10)}
    interrupt(make(weights), 2, *digits)
    backwards = dict(reversed(weights.items()))
    assert make(backwards).fit(digits[0], digits[1].astype(float)).n_epochs_ == 2


@pytest.mark.parametrize("changed", ["X", "y", "sample_weight", "X_val", "y_val", "labels"])
def test_other_data(changed, make_tiny, digits, unseen, path):
    X, y = digits
    data = {
        "X": X,
        "y": y,
        "sample_weight": np.ones(len(y)),
        "X_val": unseen[0],
        "y_val": unseen[1],
    }
    classifier = make_tiny(epochs=3, checkpoint=path, resume=True)
    interrupt(classifier, 2, **data)
    if changed == "labels":
        data |= {"y": y + 1, "y_val": unseen[1] + 1}
    else:
        other = data[changed].copy()
        other[5] = 16 - other[5] if changed in ("X", "X_val") else (other[5] + 1) % 10
        data[changed] = other
    name = "y" if changed == "labels" else changed
    with pytest.raises(ValueError, match=f"{name} differs from that of the earlier call"):
        classifier.fit(**data)


def test_there_is_no_file(make_tiny, digits, path):
    classifier = make_tiny(checkpoint=path, resume=True).fit(*digits)
    assert_same_state(classifier, make_tiny().fit(*digits))
    with pytest.raises(ValueError, match="checkpoint=None names none"):
        classifier.set_params(checkpoint=None).fit(*digits)


def truncate(path):
    path.write_bytes(path.read_bytes()[:-1000])


def change_bytes(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def change_field(name, value):
    def change(path):
        change_member(
            path,
            "skfashion-training.json",
            lambda content: json.dumps({**json.loads(content), name: value}).encode(),
        )

    return change


def make_newer(path):
    change_member(
        path,
        "skfashion.json",
        lambda content: json.dumps({**json.loads(content), "format_version": 99}).encode(),
    )


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (truncate, "damaged"),
        (change_bytes, "Bad CRC|checksum"),
        (make_newer, "format version is 99"),
        (change_field("stage", -1), "skfashion-training.json is not valid"),
        (change_field("n_arrays", [1, 2, 3, 4, 5]), "arrays, not 15"),
        (change_field("more", 1), "unknown field `more`"),
        (change_field("stage", 2), "skfashion-training.json is not valid"),
        (change_field("first_epoch", 2**31), "its first_epoch is not valid"),
        (change_field("best_epoch", 99), "its best_epoch is not valid"),
        (change_field("kept_epoch", 99), "its kept_epoch is not valid"),
        (change_field("schedule", [1.0]), "its schedule is not valid"),
        (change_field("history", {}), "its history is not valid"),
        (change_field("history", {"loss": [1.0], "accuracy": []}), "its history is not valid"),
        (change_field("versions", {"keras": "3" * 1000}), "is not valid"),
    ],
)
def test_damaged_file(damage, message, make_tiny, digits, path):
    classifier = make_tiny(epochs=3, checkpoint=path, resume=True)
    interrupt(classifier, 2, *digits)
    damage(path)
    content = path.read_bytes()
    with pytest.raises(ModelFileError, match=message) as caught:
        classifier.fit(*digits)
    assert "Start again without resume=True" in str(caught.value)
    assert path.read_bytes() == content


def test_file_without_a_training(make_tiny, digits, path):
    classifier = make_tiny(checkpoint=path, resume=True)
    make_tiny().fit(*digits).save(path)
    with pytest.raises(ModelFileError, match="it holds a classifier, but no training"):
        classifier.fit(*digits)


def test_other_versions_are_a_warning(make_tiny, digits, path):
    classifier = make_tiny(epochs=3, checkpoint=path, resume=True)
    interrupt(classifier, 2, *digits)
    change_field("versions", {"keras": "3.0.0", "numpy": "\x1b[31m1.0"})(path)
    with pytest.warns(UserWarning, match=r"begun with .*keras 3\.0\.0 \(now 3") as warned:
        classifier.fit(*digits)
    (message,) = [str(w.message) for w in warned if "begun with" in str(w.message)]
    assert r"numpy \x1b[31m1.0" in message


def test_folder_that_disappears(make_tiny, digits, tmp_path):
    class Remove(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                shutil.rmtree(tmp_path / "folder")

    (tmp_path / "folder").mkdir()
    path = tmp_path / "folder" / "run.keras"
    classifier = make_tiny(epochs=3, checkpoint=path, callbacks=Remove)
    with pytest.warns(UserWarning, match="could not be written after epoch") as warned:
        classifier.fit(*digits)
    warned = [warning for warning in warned if str(path) in str(warning.message)]
    assert len(warned) == 3  # after the last two epochs, and at the end for what callbacks change
    assert_same_state(classifier, make_tiny(epochs=3).fit(*digits))


FULL_DISK = """
import signal, sys
from resource import RLIMIT_FSIZE, setrlimit
from sklearn.datasets import load_digits
from skfashion import FashionCNNClassifier

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
setrlimit(RLIMIT_FSIZE, (int(sys.argv[2]), -1))  # as if there were no more room
X, y = load_digits(return_X_y=True)
classifier = FashionCNNClassifier("small", epochs=2, checkpoint=sys.argv[1], random_state=0)
print(classifier.fit(X[:300], y[:300]).n_epochs_)
"""


@pytest.mark.parametrize("n_bytes", [1000, 200_000])
def test_full_disk(n_bytes, path):
    """Neither what Keras writes, nor the file, nor half of it."""
    command = [sys.executable, "-c", FULL_DISK, str(path), str(n_bytes)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert result.stdout == "2\n"
    for epoch in (1, 2):
        assert f"could not be written after epoch {epoch}: " in result.stderr
    assert list(path.parent.iterdir()) == []


def test_two_trainings_on_one_file(make_tiny, digits, path):
    class Other(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            with pytest.raises(BlockingIOError, match="belongs to another training") as caught:
                make_tiny(checkpoint=path).fit(*digits)
            assert str(path) in str(caught.value)

    make_tiny(checkpoint=path, callbacks=Other).fit(*digits)
    make_tiny(checkpoint=path).fit(*digits)


def test_what_a_killed_process_left_is_cleared(make_tiny, digits, path):
    path.with_name(".run.partial.keras").write_text("half")
    path.with_name(".run.keras.lock").write_text("")
    make_tiny(checkpoint=path).fit(*digits)
    assert [file.name for file in path.parent.iterdir()] == ["run.keras"]


KILLED = [
    "varied",
    *(pytest.param(name, marks=pytest.mark.slow) for name in ("plain", "plateau", "averaged")),
    pytest.param("two stages", marks=pytest.mark.slow),
]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the trainings are forks")
@pytest.mark.parametrize("configuration", KILLED)
def test_killed_again_and_again(configuration, tmp_path):
    n_kills = 5 if configuration == "varied" else 20
    seen = run_script("kill_process.py", tmp_path, configuration, n_kills, 0)
    assert seen["n_killed"] == n_kills
    assert seen["files"] == ["run.keras"]
    if n_kills == 20:  # fewer may all come before the first epoch is finished
        assert seen["n_resumed"] > 0
        assert seen["n_while_writing"] > 0

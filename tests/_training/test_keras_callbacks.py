"""Each Keras callback does in ``fit`` what it does in ``model.fit``, or is refused."""

import ast
import json
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from skfashion import FashionCNNClassifier
from skfashion.errors import TrainingDivergedError

ROOT = Path(__file__).parents[2]


def plain_network(image_shape, n_classes):
    """Build a network in which nothing is random once it has weights."""
    return keras.Sequential(
        [
            keras.Input(image_shape),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.Flatten(),
            keras.layers.Dense(n_classes, activation="softmax"),
        ]
    )


# All images make one step, so that their order does not matter.
SETTINGS = {
    "architecture": plain_network,
    "optimizer": "sgd",
    "learning_rate": 0.1,
    "schedule": None,
    "augmentation": None,
    "label_smoothing": 0.0,
    "batch_size": 300,
    "epochs": 4,
    "random_state": 0,
}


class Journal:
    """A user's own object, which copies of a callback share."""

    def __init__(self):
        self.entries = []


class Recorder(keras.callbacks.Callback):
    """Notes each call of a hook, with its number and the names in its logs."""

    def __init__(self, journal):
        super().__init__()
        self.journal = journal

    def note(self, hook, number, logs):
        names = sorted(set(logs or ()) - {"learning_rate"})
        self.journal.entries.append((hook, number, names))

    def on_epoch_begin(self, epoch, logs=None):
        self.note("epoch_begin", epoch, logs)

    def on_epoch_end(self, epoch, logs=None):
        self.note("epoch_end", epoch, logs)

    def on_train_begin(self, logs=None):
        self.note("train_begin", None, logs)

    def on_train_end(self, logs=None):
        self.note("train_end", None, logs)

    def on_train_batch_begin(self, batch, logs=None):
        self.note("train_batch_begin", batch, logs)

    def on_train_batch_end(self, batch, logs=None):
        self.note("train_batch_end", batch, logs)

    def on_test_begin(self, logs=None):
        self.note("test_begin", None, logs)

    def on_test_end(self, logs=None):
        self.note("test_end", None, logs)

    def on_test_batch_begin(self, batch, logs=None):
        self.note("test_batch_begin", batch, logs)

    def on_test_batch_end(self, batch, logs=None):
        self.note("test_batch_end", batch, logs)


class SetWeights(keras.callbacks.Callback):
    """Sets all weights in one hook of one epoch, or of one batch in every epoch."""

    def __init__(self, hook, number, factor):
        super().__init__()
        self.number, self.factor = number, factor
        setattr(self, hook, self.change)

    def change(self, number, logs=None):
        if number == self.number:
            weights = [
                np.linspace(-1, 1, w.size).reshape(w.shape) for w in self.model.get_weights()
            ]
            self.model.set_weights([self.factor * weight for weight in weights])


@pytest.fixture(scope="module")
def images(digits, unseen):
    """Training and validation images, as both take them."""
    return SimpleNamespace(
        X=digits[0].reshape(-1, 8, 8, 1),
        y=digits[1],
        X_val=unseen[0].reshape(-1, 8, 8, 1),
        y_val=unseen[1],
    )


@pytest.fixture(scope="module")
def initial(images):
    """The live model of a training that begins, with its initial weights."""
    models = []

    def keep(callback, logs=None):
        model = keras.models.clone_model(callback.model)
        model.set_weights(callback.model.get_weights())
        models.append(model)

    keeper = type("Keeper", (keras.callbacks.Callback,), {"on_train_begin": keep})
    FashionCNNClassifier(**{**SETTINGS, "epochs": 1}, callbacks=keeper).fit(images.X, images.y)
    return models[0], models[0].get_weights()


@pytest.fixture(scope="module")
def make_keras_model(initial):
    """Gives the same network as plain Keras trains it, with the same initial weights."""
    model, weights = initial
    compiled = {}

    def make(**options):
        key = tuple(options.items())
        if key not in compiled:
            compiled[key] = keras.models.clone_model(model)
            compiled[key].compile(
                keras.optimizers.SGD(**options),
                loss="sparse_categorical_crossentropy",
                metrics=["accuracy"],
            )
            compiled[key].optimizer.build(compiled[key].trainable_variables)
        made = compiled[key]
        made.set_weights(weights)
        for variable in made.optimizer.variables:
            variable.assign(keras.ops.zeros_like(variable))
        made.optimizer.learning_rate = SETTINGS["learning_rate"]
        made._initial_epoch = None
        return made

    return make


@pytest.fixture
def fit(images):
    """Fits a classifier with callbacks."""

    def fit(callbacks, validates=True, **parameters):
        validation = {"X_val": images.X_val, "y_val": images.y_val} if validates else {}
        classifier = FashionCNNClassifier(**SETTINGS, callbacks=callbacks)
        return classifier.set_params(**parameters).fit(images.X, images.y, **validation)

    return fit


@pytest.fixture
def fit_keras(images, make_keras_model):
    """Fits plain Keras with callbacks, and returns the model."""

    def fit(callbacks, validates=True, optimizer_options=(), verbose=0, **parameters):
        model = make_keras_model(**dict(optimizer_options))
        parameters = {**SETTINGS, **parameters}
        model.fit(
            images.X,
            images.y,
            batch_size=parameters["batch_size"],
            epochs=parameters["epochs"],
            validation_data=(images.X_val, images.y_val) if validates else None,
            validation_batch_size=300,
            callbacks=callbacks,
            verbose=verbose,
        )
        return model

    return fit


def assert_same_weights(classifier, model):
    for one, other in zip(classifier.weights_, model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


def assert_same_training(classifier, model):
    """The numbers of all epochs and the final weights agree."""
    expected = model.history.history
    assert classifier.history_.keys() == expected.keys() | {"learning_rate"}
    for name, values in expected.items():
        np.testing.assert_allclose(classifier.history_[name], values, rtol=1e-3, err_msg=name)
    assert_same_weights(classifier, model)


@pytest.fixture
def fit_both(fit, fit_keras, tmp_path):
    """Fits both with callbacks that write to two folders, and compares the trainings."""

    def run(make_callbacks, **parameters):
        runs = []
        for name, function in (("here", fit), ("keras", fit_keras)):
            folder = tmp_path / name
            folder.mkdir()
            callbacks = make_callbacks(folder)
            fitted = function(callbacks, **parameters)
            runs.append(SimpleNamespace(fitted=fitted, callbacks=callbacks, folder=folder))
        here, there = runs
        assert_same_training(here.fitted, there.fitted)
        here.callbacks = here.fitted.callbacks_
        return here, there

    return run


def read_files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))


class TestSupported:
    """One test for each supported callback of keras.callbacks."""

    @pytest.mark.parametrize("schedule", [None, "one_cycle", "plateau"])
    def test_backup_and_restore(self, schedule, fit, images, tmp_path):
        def fail(epoch, logs=None):
            if epoch == 2:
                raise ConnectionError("killed")

        backup = keras.callbacks.BackupAndRestore(tmp_path / "backup")
        parameters = {"schedule": schedule, "optimizer__momentum": 0.9}
        whole = fit(None, **parameters)
        with pytest.raises(ConnectionError):
            fit([backup, keras.callbacks.LambdaCallback(on_epoch_begin=fail)], **parameters)
        assert read_files(tmp_path / "backup") == ["latest.weights.h5", "training_metadata.json"]
        rest = fit(backup, **parameters)
        assert rest.n_epochs_ == 4
        for name, values in whole.history_.items():
            expected = [np.nan, np.nan, *values[2:]]
            np.testing.assert_allclose(rest.history_[name], expected, rtol=1e-5, err_msg=name)
        for one, other in zip(rest.weights_, whole.weights_, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-6)
        assert not (tmp_path / "backup").exists()

    def test_backup_and_restore_runs_the_epochs_that_keras_runs(self, fit, fit_keras, tmp_path):
        runs = []
        for name, function in (("here", fit), ("keras", fit_keras)):
            journal = Journal()
            for epochs in (2, 5, 5):
                backup = keras.callbacks.BackupAndRestore(tmp_path / name, delete_checkpoint=False)
                fitted = function([backup, Recorder(journal)], epochs=epochs)
            runs.append((journal.entries, fitted))
        (events, classifier), (expected, model) = runs
        assert events == expected
        assert [number for hook, number, _ in events if hook == "epoch_begin"] == [0, 1, 2, 3, 4]
        assert np.isnan(classifier.history_["loss"]).all()
        assert_same_weights(classifier, model)

    def test_backup_of_a_part_of_an_epoch(self, fit, tmp_path):
        """It restores the learning rate, whatever the schedule."""

        def fail(batch, logs=None):
            if batch == 2:
                raise ConnectionError("killed")

        backup = keras.callbacks.BackupAndRestore(tmp_path / "backup", save_freq=2)
        parameters = {"schedule": "one_cycle", "batch_size": 50}
        with pytest.raises(ConnectionError):
            fit([backup, keras.callbacks.LambdaCallback(on_train_batch_begin=fail)], **parameters)
        assert not np.isnan(fit(backup, **parameters).history_["loss"]).any()

    def test_csv_logger(self, fit_both):
        here, there = fit_both(
            lambda folder: [keras.callbacks.CSVLogger(folder / "log.csv")], epochs=3
        )
        tables = []
        for run in (here, there):
            lines = (run.folder / "log.csv").read_text().splitlines()
            header, *rows = [line.split(",") for line in lines]
            tables.append({n: [float(v) for v in c] for n, *c in zip(header, *rows, strict=True)})
        found, expected = tables
        assert found.pop("learning_rate") == pytest.approx([0.1] * 3)
        assert found.keys() == expected.keys()
        for name, values in expected.items():
            assert found[name] == pytest.approx(values, rel=1e-3), name

    @pytest.mark.parametrize("validates", [True, False])
    def test_callback(self, validates, fit, fit_keras):
        """Hooks are called in the same order, with the same numbers and names in the logs."""
        journals = [Journal(), Journal()]
        parameters = {"validates": validates, "batch_size": 100, "epochs": 2}
        for journal, function in zip(journals, (fit, fit_keras), strict=True):
            function([Recorder(journal)], **parameters)
        here, there = (journal.entries for journal in journals)
        assert here == there
        assert any(hook.startswith("test") for hook, *_ in here) == validates

    def test_callback_list(self, fit):
        journal = Journal()
        callbacks = keras.callbacks.CallbackList(
            [Recorder(journal), keras.callbacks.EarlyStopping("loss", min_delta=9, patience=1)],
            add_history=True,
        )
        classifier = fit(callbacks)
        assert classifier.n_epochs_ == 2
        assert len(classifier.callbacks_) == 3
        assert classifier.callbacks_[-1].history.keys() == classifier.history_.keys()
        assert [number for hook, number, _ in journal.entries if hook == "epoch_end"] == [0, 1]

    @pytest.mark.parametrize(
        "options",
        [
            {"monitor": "val_accuracy"},
            {"monitor": "val_accuracy", "restore_best_weights": True},
            {"monitor": "val_accuracy", "restore_best_weights": True, "start_from_epoch": 5},
            {"monitor": "accuracy", "restore_best_weights": True},
            {"monitor": "val_loss", "restore_best_weights": True},
            {"monitor": "val_loss", "min_delta": 0.0},
        ],
    )
    def test_early_stopping(self, options, fit_both):
        options = {"patience": 2, "min_delta": 0.095, **options}
        here, there = fit_both(
            lambda folder: [
                SetWeights("on_epoch_begin", 6, 0.0),
                keras.callbacks.EarlyStopping(**options),
            ],
            epochs=12,
        )
        assert 2 < here.fitted.n_epochs_ < 12
        found, expected = here.callbacks[1], there.callbacks[1]
        for name in ("wait", "stopped_epoch", "best_epoch"):
            assert getattr(found, name) == getattr(expected, name), name
        assert found.best == pytest.approx(expected.best, rel=1e-3)

    def test_history(self, fit_both):
        here, there = fit_both(lambda folder: [keras.callbacks.History()])
        found, expected = here.callbacks[0], there.callbacks[0]
        assert found.epoch == expected.epoch == [0, 1, 2, 3]
        assert found.params == expected.params
        assert found.history.keys() == here.fitted.history_.keys()
        for name, values in expected.history.items():
            assert found.history[name] == pytest.approx(values, rel=1e-3)

    def test_lambda_callback(self, fit_both):
        def make_callbacks(folder):
            file = folder / "log"
            file.touch()

            def note(hook):
                def write(*args, logs=None):
                    numbers = [value for value in args if isinstance(value, int)]
                    file.write_text(f"{file.read_text()}{hook}{numbers} ")

                return write

            hooks = ("on_epoch_begin", "on_epoch_end", "on_train_begin", "on_train_end")
            hooks += ("on_train_batch_begin", "on_train_batch_end")
            return [keras.callbacks.LambdaCallback(**{hook: note(hook) for hook in hooks})]

        here, there = fit_both(make_callbacks, epochs=2)
        assert (here.folder / "log").read_text() == (there.folder / "log").read_text()
        assert (here.folder / "log").read_text().startswith("on_train_begin[] on_epoch_begin[0] ")

    def test_learning_rate_scheduler(self, fit_both):
        def halve(epoch, rate):
            return rate * 0.5

        here, _ = fit_both(lambda folder: [keras.callbacks.LearningRateScheduler(halve)])
        assert here.fitted.history_["learning_rate"] == pytest.approx(
            [0.05, 0.025, 0.0125, 0.00625]
        )

    @pytest.mark.parametrize(
        "options",
        [
            {"filepath": "best.keras", "save_best_only": True, "monitor": "val_accuracy"},
            {"filepath": "{epoch:02d}-{val_accuracy:.2f}.keras"},
            {
                "filepath": "{epoch}-{val_loss:.2f}.keras",
                "save_best_only": True,
                "monitor": "val_accuracy",
            },
            {"filepath": "{epoch}.weights.h5", "save_weights_only": True},
            {"filepath": "{epoch}-{batch}.keras", "save_freq": 3},
        ],
    )
    def test_model_checkpoint(self, options, fit_both, images):
        def make_callbacks(folder):
            path = folder / options["filepath"]
            checkpoint = keras.callbacks.ModelCheckpoint(**{**options, "filepath": path})
            return [SetWeights("on_epoch_begin", 2, 0.5), checkpoint]

        here, there = fit_both(make_callbacks)
        names = read_files(here.folder)
        assert names == read_files(there.folder)
        for name in names:
            predictions = []
            for run, model in ((here, here.fitted.model_), (there, there.fitted)):
                if name.endswith(".weights.h5"):
                    model.load_weights(run.folder / name)
                else:
                    model = keras.saving.load_model(run.folder / name)
                predictions.append(model(images.X_val).numpy())
            np.testing.assert_allclose(*predictions, rtol=1e-3, atol=1e-5)

    def test_model_checkpoint_in_plain_keras(self, fit, tmp_path, images):
        """The file is a compiled model, which takes raw pixels and integer labels."""
        path = tmp_path / "model.keras"
        classifier = fit(keras.callbacks.ModelCheckpoint(path), epochs=2)
        model = keras.saving.load_model(path)
        loss, accuracy = model.evaluate(images.X_val, images.y_val, verbose=0)
        assert loss == pytest.approx(classifier.history_["val_loss"][-1], rel=1e-4)
        assert accuracy == pytest.approx(classifier.score(images.X_val, images.y_val))
        history = model.fit(images.X, images.y, verbose=0, batch_size=300).history
        assert history["loss"][0] < classifier.history_["loss"][-1]

    def test_model_checkpoint_with_the_default_optimizer(self, fit, tmp_path, images):
        """Its class is skfashion's own, which Keras need not know to predict."""
        path = tmp_path / "model.keras"
        classifier = fit(keras.callbacks.ModelCheckpoint(path), optimizer="muon", epochs=1)
        model = keras.saving.load_model(path, compile=False)
        found = model(images.X_val).numpy()
        np.testing.assert_allclose(found, classifier.predict_proba(images.X_val), atol=1e-5)

    def test_progbar_logger(self, fit, fit_keras, capsys):
        names = []
        for function in (fit, fit_keras):
            function([keras.callbacks.ProgbarLogger()], epochs=2, verbose=2)
            printed = capsys.readouterr().out
            lines = [line for line in printed.splitlines() if line.startswith("1/1 - ")]
            names.append([set(re.findall(r"(\w+): [\d.]", line)) for line in lines])
        here, there = names
        assert here == [line | {"learning_rate"} for line in there]
        assert len(here) == 2

    def test_reduce_lr_on_plateau(self, fit_both):
        def make_callbacks(folder):
            return [
                keras.callbacks.ReduceLROnPlateau(
                    "val_accuracy", factor=0.5, patience=1, min_delta=0.045, min_lr=0.02
                )
            ]

        here, there = fit_both(make_callbacks, epochs=10)
        rates = here.fitted.history_["learning_rate"]
        assert rates == pytest.approx(there.fitted.history.history["learning_rate"])
        assert rates[0] == pytest.approx(0.1)
        assert rates[-1] == pytest.approx(0.02)

    def test_remote_monitor(self, fit_both):
        received = []

        class Receiver(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                received.append((self.path, json.loads(body)))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *args):
                pass

        with HTTPServer(("127.0.0.1", 0), Receiver) as server:
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            root = f"http://127.0.0.1:{server.server_port}"
            fit_both(lambda folder: [keras.callbacks.RemoteMonitor(root, send_as_json=True)])
            server.shutdown()
            thread.join()
        here, there = received[:4], received[4:]
        assert [path for path, _ in here] == ["/publish/epoch/end/"] * 4
        for (_, found), (_, expected) in zip(here, there, strict=True):
            assert found.pop("learning_rate") == pytest.approx(0.1)
            assert found == pytest.approx(expected, rel=1e-3)

    @pytest.mark.parametrize("update_freq", ["epoch", "batch"])
    def test_tensorboard(self, update_freq, fit_both):
        def make_callbacks(folder):
            return [keras.callbacks.TensorBoard(folder, update_freq=update_freq, histogram_freq=1)]

        here, there = fit_both(make_callbacks, epochs=3)
        for part in ("train", "validation"):
            found, expected = (read_scalars(run.folder / part) for run in (here, there))
            assert found.keys() == expected.keys()
            assert {"epoch_loss", "epoch_accuracy"} <= found.keys()
            assert ("batch_loss" in found) == (update_freq == "batch" and part == "train")
            for name, values in expected.items():
                np.testing.assert_allclose(found[name], values, rtol=1e-3, err_msg=name)

    def test_terminate_on_nan(self, fit, fit_keras, capsys):
        """The training ends in the same batch; a network that predicts NaN is no classifier."""
        runs = []
        for function in (fit, fit_keras):
            journal = Journal()
            callbacks = [
                Recorder(journal),
                SetWeights("on_train_batch_begin", 1, np.nan),
                keras.callbacks.TerminateOnNaN(),
            ]
            if function is fit:
                with pytest.raises(TrainingDivergedError):
                    fit(callbacks, batch_size=100)
            else:
                fit_keras(callbacks, batch_size=100)
            assert "Batch 1: Invalid loss, terminating training" in capsys.readouterr().out
            runs.append(journal.entries)
        here, there = runs
        assert here == there
        assert here[-1][0] == "train_end"

    def test_terminate_on_nan_that_raises(self, fit, fit_keras):
        runs = []
        for function in (fit, fit_keras):
            journal = Journal()
            callbacks = [
                Recorder(journal),
                SetWeights("on_epoch_begin", 1, np.nan),
                keras.callbacks.TerminateOnNaN(raise_error=True),
            ]
            with pytest.raises(RuntimeError, match="NaN or Inf loss encountered at batch 0"):
                function(callbacks)
            runs.append(journal.entries)
        here, there = runs
        assert here == there
        assert "train_end" not in [hook for hook, *_ in here]

    def test_terminate_on_nan_with_early_stopping(self, fit_both):
        here, _ = fit_both(
            lambda folder: [
                SetWeights("on_epoch_begin", 3, np.nan),
                keras.callbacks.TerminateOnNaN(),
                keras.callbacks.EarlyStopping(restore_best_weights=True),
            ],
            epochs=6,
        )
        assert here.fitted.n_epochs_ == 4
        assert np.isnan(here.fitted.history_["loss"][3])

    def test_terminate_on_nan_with_the_classifiers_early_stopping(self, fit):
        callbacks = [SetWeights("on_epoch_begin", 3, np.nan), keras.callbacks.TerminateOnNaN()]
        classifier = fit(callbacks, early_stopping=True, epochs=6)
        assert (classifier.best_epoch_, classifier.n_epochs_) == (3, 4)
        three = fit(None, epochs=3)
        for one, other in zip(classifier.weights_, three.weights_, strict=True):
            np.testing.assert_array_equal(one, other)


def read_scalars(folder):
    """Return the steps and values of each scalar in a folder of event files."""
    events = EventAccumulator(str(folder))
    events.Reload()
    scalars = {}
    for tag in events.Tags()["tensors"]:
        values = [(e.step, tf.make_ndarray(e.tensor_proto)) for e in events.Tensors(tag)]
        if all(value.shape == () and value.dtype.kind == "f" for _, value in values):
            scalars[tag] = [(step, float(value)) for step, value in values]
    return scalars


class TestRefused:
    """The error names the reason, before the training."""

    @pytest.mark.parametrize("schedule", ["one_cycle", "cosine", "plateau", "keras"])
    @pytest.mark.parametrize("kind", ["LearningRateScheduler", "ReduceLROnPlateau"])
    def test_learning_rate_with_a_schedule(self, kind, schedule, fit):
        callback = {
            "LearningRateScheduler": keras.callbacks.LearningRateScheduler(lambda epoch: 0.1),
            "ReduceLROnPlateau": keras.callbacks.ReduceLROnPlateau(),
        }[kind]
        if schedule == "keras":
            schedule = keras.optimizers.schedules.CosineDecay(0.1, 9)
        with pytest.raises(ValueError, match=f"{kind} sets the learning rate, and so does"):
            fit(callback, schedule=schedule, learning_rate=None)

    def test_swap_ema_weights(self, fit):
        with pytest.raises(ValueError, match="SwapEMAWeights is not needed"):
            fit(keras.callbacks.SwapEMAWeights(), optimizer__use_ema=True)

    def test_orbax_checkpoint(self, fit):
        if not hasattr(keras.callbacks, "OrbaxCheckpoint"):
            pytest.skip("This Keras has no OrbaxCheckpoint.")
        # Its constructor needs orbax.
        callback = object.__new__(keras.callbacks.OrbaxCheckpoint)
        with pytest.raises(ValueError, match="OrbaxCheckpoint writes checkpoints of JAX"):
            fit(callback)

    def test_backup_and_restore_with_freeze_epochs(self, fit, tmp_path):
        callback = keras.callbacks.BackupAndRestore(tmp_path)
        with pytest.raises(
            ValueError, match="BackupAndRestore cannot tell which of the two stages"
        ):
            fit(callback, architecture=frozen_network, freeze_epochs=1)


def frozen_network(image_shape, n_classes, trainable=True):
    inputs = keras.Input(image_shape)
    x = keras.layers.Conv2D(4, 3, activation="relu", trainable=trainable)(inputs)
    x = keras.layers.GlobalMaxPooling2D()(x)
    return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))


class Probe(keras.callbacks.Callback):
    """Notes what ``read(callback)`` returns in one hook."""

    def __init__(self, hook, read):
        super().__init__()
        self.read, self.found = read, Journal()
        setattr(self, hook, self.note)

    def note(self, *args, logs=None):
        self.found.entries.append(self.read(self))


class Add(keras.callbacks.Callback):
    """Adds to the logs of an epoch, from one epoch on."""

    def __init__(self, values, first=0):
        super().__init__()
        self.values, self.first = values, first

    def on_epoch_end(self, epoch, logs=None):
        if epoch >= self.first:
            logs.update(self.values)


class SetLearningRate(keras.callbacks.Callback):
    """Sets the learning rate in one hook."""

    def __init__(self, hook):
        super().__init__()
        setattr(self, hook, self.change)

    def change(self, *args, logs=None):
        self.model.optimizer.learning_rate = 0.003


def test_params(fit, fit_keras, capsys):
    for function in (fit, fit_keras):
        probe = Probe("on_train_begin", lambda callback: callback.params)
        function([probe], batch_size=100, verbose=2)
        assert probe.found.entries == [{"verbose": 2, "epochs": 4, "steps": 3}]


def test_history_of_the_model(fit, fit_keras):
    """It is that of the epochs before, as in Keras, and in the end that of all."""
    for hook, expected in (("on_epoch_end", [0, 1, 2, 3]), ("on_train_end", [4])):
        for function in (fit, fit_keras):
            probe = Probe(
                hook, lambda callback: len(callback.model.history.history.get("loss", ()))
            )
            function([probe])
            assert probe.found.entries == expected


@pytest.mark.parametrize("hook", ["on_train_batch_begin", "on_train_batch_end"])
def test_stop_in_a_batch(hook, fit, fit_keras):
    class Stop(keras.callbacks.Callback):
        def stop(self, batch, logs=None):
            self.model.stop_training = batch == 1

    setattr(Stop, hook, Stop.stop)
    journals = [Journal(), Journal()]
    for journal, function in zip(journals, (fit, fit_keras), strict=True):
        function([Recorder(journal), Stop()], batch_size=100)
    here, there = (journal.entries for journal in journals)
    assert here == there
    assert sum(event[0] == "train_batch_end" for event in here) == 2


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1.5, 1.5),
        (2, 2.0),
        (True, 1.0),
        (np.float32(1.5), 1.5),
        (np.int64(2), 2.0),
        (np.bool_(True), 1.0),
        (np.array(1.5), 1.5),
        (tf.constant(1.5), 1.5),
        (tf.constant(1.5, tf.bfloat16), 1.5),
        (tf.constant(2), 2.0),
        (tf.constant(True), 1.0),
        (float("inf"), float("inf")),
    ],
)
def test_numbers_in_logs(value, number, fit, tmp_path, capsys):
    classifier = fit(Add({"extra number": value}, first=1), epochs=3, verbose=2)
    expected = [np.nan, number, number]
    np.testing.assert_array_equal(classifier.history_["extra number"], expected)
    first, second, _ = capsys.readouterr().out.splitlines()
    assert "extra number" not in first
    assert f"extra number {number:.4f}" in second
    classifier.save(tmp_path / "model.keras")
    loaded = FashionCNNClassifier.load(tmp_path / "model.keras")
    np.testing.assert_array_equal(loaded.history_["extra number"], expected)


@pytest.mark.parametrize(
    "value",
    ["text", "3", None, np.ones(2), np.ones(1), 1j, {"a": 1}, [1.0], np.str_("text"), 10**400],
    ids=repr,
)
def test_other_values_in_logs(value, fit):
    message = f"A callback added 'extra' to the logs, .* of type {type(value).__name__}, not a"
    with pytest.warns(UserWarning, match=message):
        classifier = fit(Add({"extra": value, "number": 1}), epochs=1)
    assert "extra" not in classifier.history_
    assert classifier.history_["number"] == [1.0]


def test_what_others_add_is_there_for_later_callbacks(fit, fit_keras):
    for function in (fit, fit_keras):
        early = keras.callbacks.EarlyStopping("extra", mode="max", patience=1)
        callbacks = [Add({"extra": 1.0}), early, keras.callbacks.History()]
        fitted = function(callbacks)
        made = callbacks if function is fit_keras else fitted.callbacks_
        assert made[1].stopped_epoch == 1
        assert made[2].history["extra"] == [1.0, 1.0]


def test_evaluate_and_predict(fit, images):
    """The live model takes raw pixels and integer labels."""
    evaluate = Probe(
        "on_epoch_end",
        lambda callback: callback.model.evaluate(
            images.X_val, images.y_val, verbose=0, return_dict=True
        ),
    )
    predict = Probe(
        "on_train_end", lambda callback: callback.model.predict(images.X_val, verbose=0)
    )
    classifier = fit([evaluate, predict], epochs=2)
    undisturbed = fit(None, epochs=2)
    for epoch, figures in enumerate(evaluate.found.entries):
        for name, value in figures.items():
            assert classifier.history_[f"val_{name}"][epoch] == pytest.approx(value, rel=1e-4)
    np.testing.assert_allclose(
        predict.found.entries[0], classifier.predict_proba(images.X_val), atol=1e-6
    )
    for one, other in zip(classifier.weights_, undisturbed.weights_, strict=True):
        np.testing.assert_array_equal(one, other)


def test_labels_are_positions_among_the_classes(images, words):
    """Those of the live model are 0 to 9, whatever the user calls the classes."""
    positions = np.searchsorted(np.sort(words), words[images.y])
    probe = Probe(
        "on_train_end",
        lambda callback: callback.model.evaluate(images.X, positions, verbose=0)[1],
    )
    classifier = FashionCNNClassifier(**{**SETTINGS, "epochs": 30}, callbacks=probe)
    classifier.fit(images.X, words[images.y])
    expected = classifier.score(images.X, words[images.y])
    assert probe.found.entries == [pytest.approx(expected)]
    assert expected > 0.5


@pytest.mark.parametrize(
    ("hook", "number"),
    [
        ("on_epoch_begin", 1),
        ("on_epoch_end", 1),
        ("on_train_batch_begin", 0),
        ("on_train_batch_end", 0),
        ("on_epoch_end", 3),
    ],
)
def test_set_weights(hook, number, fit_both):
    fit_both(lambda folder: [SetWeights(hook, number, 0.5)])


@pytest.mark.parametrize(("hook", "number"), [("on_epoch_begin", 1), ("on_epoch_end", 1)])
def test_set_weights_with_averages(hook, number, fit, fit_keras):
    """What a callback sets is trained on, and the averages go on, as in Keras."""
    callback = SetWeights(hook, number, 0.5)
    options = {"use_ema": True, "ema_momentum": 0.5}
    classifier = fit([callback], **{f"optimizer__{name}": v for name, v in options.items()})
    assert_same_weights(classifier, fit_keras([callback], optimizer_options=options.items()))


def test_averages_are_given_to_callbacks(fit, images):
    """With use_ema a callback at the end of an epoch sees the weights that were validated."""
    probe = Probe(
        "on_epoch_end",
        lambda callback: callback.model.evaluate(images.X_val, images.y_val, verbose=0)[0],
    )
    classifier = fit(probe, optimizer__use_ema=True, optimizer__ema_momentum=0.5)
    assert probe.found.entries == pytest.approx(classifier.history_["val_loss"], rel=1e-4)


@pytest.mark.parametrize("hook", ["on_train_begin", "on_epoch_begin", "on_train_batch_begin"])
@pytest.mark.parametrize("schedule", ["one_cycle", "cosine", "plateau"])
def test_learning_rate_changed_under_a_schedule(schedule, hook, fit):
    """It is refused before the first step, which would change it back."""
    journal = Journal()
    callbacks = [Recorder(journal), SetLearningRate(hook)]
    with pytest.raises(ValueError, match=f"but schedule='{schedule}' sets it in every step"):
        fit(callbacks, schedule=schedule)
    assert "train_batch_end" not in [name for name, *_ in journal.entries]


@pytest.mark.parametrize("hook", ["on_train_begin", "on_epoch_begin", "on_train_batch_begin"])
def test_learning_rate_changed_without_a_schedule(hook, fit_both):
    here, _ = fit_both(lambda folder: [SetLearningRate(hook)])
    assert here.fitted.history_["learning_rate"] == pytest.approx([0.003] * 4)


def test_epochs_count_over_all_fits(fit, images):
    journal, probe = Journal(), Probe("on_train_begin", lambda callback: callback.params["epochs"])
    classifier = fit([Recorder(journal), probe], epochs=2)
    classifier.set_params(warm_start=True, epochs=3).fit(images.X, images.y)
    classifier.partial_fit(images.X, images.y)
    for hook in ("epoch_begin", "epoch_end"):
        assert [number for name, number, _ in journal.entries if name == hook] == [*range(6)]
    assert probe.found.entries == [2, 5, 6]
    assert classifier.n_epochs_ == 6


def test_both_stages_of_freeze_epochs_have_the_same_copies(fit):
    journal = Journal()
    epochs = Probe("on_train_begin", lambda callback: callback.params["epochs"])
    copies = Probe("on_epoch_end", id)
    classifier = fit(
        [Recorder(journal), epochs, copies],
        architecture=frozen_network,
        freeze_epochs=1,
        epochs=3,
    )
    hooks = [hook for hook, *_ in journal.entries]
    assert hooks.count("train_begin") == hooks.count("train_end") == 2
    assert [number for hook, number, _ in journal.entries if hook == "epoch_end"] == [0, 1, 2]
    assert epochs.found.entries == [1, 3]
    assert len(set(copies.found.entries)) == 1
    assert copies.found.entries[0] == id(classifier.callbacks_[2])


def read_documented_callbacks():
    """Return the rows of the table in the user guide: name, what is done, name of the test."""
    page = (ROOT / "docs" / "user_guide" / "callbacks.rst").read_text(encoding="utf-8")
    row = re.compile(
        r"^   \* - ``(\w+)``\n     - (.+?)\n     - ``(\w+)``$", re.MULTILINE | re.DOTALL
    )
    return [(name, " ".join(text.split()), test) for name, text, test in row.findall(page)]


def test_table_in_the_user_guide():
    """It has every callback of Keras; a new one must be tried, and get a row and a test."""
    rows = read_documented_callbacks()
    documented = [name for name, *_ in rows]
    public = {name for name, value in vars(keras.callbacks).items() if isinstance(value, type)}
    assert public <= set(documented)
    assert documented == sorted(set(documented))
    body = ast.parse(Path(__file__).read_text(encoding="utf-8")).body
    tests = {
        node.name: {function.name for function in node.body if hasattr(function, "name")}
        for node in body
        if isinstance(node, ast.ClassDef)
    }
    for _, text, test in rows:
        assert test in tests["TestSupported" if text.startswith("Supported") else "TestRefused"]

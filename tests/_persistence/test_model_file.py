"""``.keras`` files."""

import io
import zipfile

import keras
import numpy as np
import pytest
from model_files import change_member, read_members

from skfashion import FashionCNNClassifier
from skfashion._training.muon import Muon
from skfashion.errors import ModelFileError


@pytest.fixture
def path(fitted, tmp_path):
    fitted.save(tmp_path / "digits.keras", target_names=list("abcdefghij"))
    return tmp_path / "digits.keras"


def test_round_trip(fitted, digits, path):
    X, y = digits
    loaded = FashionCNNClassifier.load(path)
    np.testing.assert_array_equal(loaded.predict_proba(X), fitted.predict_proba(X))
    assert loaded.get_params() == fitted.get_params()
    assert loaded.target_names_ == list("abcdefghij")
    for name in ("history_", "n_epochs_", "best_epoch_", "image_shape_", "n_features_in_"):
        assert getattr(loaded, name) == getattr(fitted, name)
    again = loaded.fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), fitted.predict_proba(X))


def test_plain_keras_opens_it(fitted, digits, path):
    X, _ = digits
    model = keras.saving.load_model(path)
    found = model.predict(X.reshape(-1, 8, 8, 1), verbose=0)
    np.testing.assert_allclose(found, fitted.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("policy", ["float64", "bfloat16", "mixed_bfloat16"])
def test_dtype_policy_of_the_process(policy, fitted, make_small, digits, tmp_path):
    """It changes neither what is fitted nor what is saved and loaded."""
    X, y = digits
    expected = fitted.predict_proba(X)
    fitted.save(tmp_path / "a.keras")
    keras.config.set_dtype_policy(policy)
    try:
        loaded = FashionCNNClassifier.load(tmp_path / "a.keras")
        np.testing.assert_array_equal(loaded.predict_proba(X), expected)
        loaded.save(tmp_path / "b.keras")
        # Another class weight, so that no compiled network is found again.
        classifier = make_small(epochs=1).set_params(architecture__width=7).fit(X, y)
    finally:
        keras.config.set_dtype_policy("float32")
    again = FashionCNNClassifier.load(tmp_path / "b.keras")
    np.testing.assert_array_equal(again.predict_proba(X), expected)
    assert {weight.dtype for weight in classifier.weights_} == {np.dtype(np.float32)}


def test_function_that_shares_layers(make_small, digits, tmp_path):
    """Layers made outside it have names that Keras counted in this process."""
    hidden = keras.layers.Dense(7)

    def sharing(image_shape, n_classes):
        inputs = keras.Input(image_shape)
        x = hidden(keras.layers.Flatten()(inputs))
        return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))

    X, y = digits
    path = tmp_path / "a.keras"
    classifier = make_small(architecture=sharing, checkpoint=path).fit(X, y)
    loaded = FashionCNNClassifier.load(path, architecture=sharing)
    np.testing.assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))


@pytest.mark.parametrize(
    ("given", "error"),
    [({"optimizer": 5}, ValueError), ({"architecture": "fast"}, TypeError)],
)
def test_wrong_arguments_of_load(given, error, path):
    with pytest.raises(error, match="must be") as caught:
        FashionCNNClassifier.load(path, **given)
    assert not isinstance(caught.value, ModelFileError)


def test_changing_the_model_changes_nothing_else(make_small, digits, tmp_path):
    X, y = digits
    classifier = make_small().fit(X, y)
    expected = classifier.predict_proba(X)
    classifier.model_.set_weights([0 * weight for weight in classifier.weights_])
    classifier.save(tmp_path / "a.keras")
    for model in (classifier, FashionCNNClassifier.load(tmp_path / "a.keras")):
        np.testing.assert_array_equal(model.predict_proba(X), expected)


def test_names_do_not_outlive_a_refit(digits, path):
    X, y = digits
    loaded = FashionCNNClassifier.load(path).fit(X, y % 2 + 5)
    loaded.save(path)
    assert FashionCNNClassifier.load(path).target_names_ is None


def test_nothing_else_is_written(path):
    assert [p.name for p in path.parent.iterdir()] == ["digits.keras"]


@pytest.mark.parametrize("labels", ["names", "flags"])
def test_labels_and_parameters(labels, make_small, digits, tmp_path):
    X, y = digits
    y = np.array(list("abcdefghij"))[y] if labels == "names" else y > 4
    classifier = make_small(
        class_weight=dict.fromkeys(np.unique(y), 1.5),
        image_shape=np.array([4, 16]),
        random_state=np.int64(3),
        callbacks=[keras.callbacks.TerminateOnNaN()],
        epochs=np.int32(1),
    ).fit(X, y)
    classifier.save(tmp_path / "a.keras")
    loaded = FashionCNNClassifier.load(tmp_path / "a.keras")
    np.testing.assert_array_equal(loaded.predict(X), classifier.predict(X))
    assert loaded.predict(X).dtype == y.dtype
    assert loaded.class_weight == classifier.class_weight
    assert (loaded.image_shape, loaded.random_state, loaded.callbacks) == ((4, 16), 3, None)


def test_architecture_of_the_caller(make_small, digits, tmp_path):
    X, y = digits

    def network(image_shape, n_classes, dropout):
        return keras.Sequential(
            [
                keras.Input(image_shape),
                keras.layers.Flatten(),
                keras.layers.Dropout(dropout),
                keras.layers.Dense(n_classes, activation="softmax"),
            ]
        )

    classifier = make_small(architecture=network, dropout=0.1).fit(X, y)
    classifier.save(tmp_path / "a.keras")
    loaded = FashionCNNClassifier.load(tmp_path / "a.keras")
    np.testing.assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))
    np.testing.assert_array_equal(loaded.fit(X, y).predict(X), classifier.predict(X))


def with_lambda(image_shape, n_classes):
    inputs = keras.Input(image_shape)
    x = keras.layers.Lambda(lambda pixels: pixels / 2, name="halve")(inputs)
    x = keras.layers.Flatten()(x)
    return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))


def test_network_that_needs_its_function(make_small, digits, path):
    X, y = digits
    classifier = make_small(architecture=with_lambda).fit(X, y)
    content = path.read_bytes()
    message = (
        r"cannot be saved: its layer 'halve' is a 'Lambda', which is not rebuilt from a file\. To "
        r"save .* allow_custom_objects=True; it is loaded with load\(path, architecture=\.\.\.\)\."
    )
    with pytest.raises(ValueError, match=message):
        classifier.save(path)
    assert path.read_bytes() == content

    classifier.save(path, allow_custom_objects=True)
    message = (
        r"'halve' is a 'Lambda', which .*; load\(path, architecture=\.\.\.\) takes it from you\."
    )
    with pytest.raises(ModelFileError, match=message):
        FashionCNNClassifier.load(path)
    loaded = FashionCNNClassifier.load(path, architecture=with_lambda)
    np.testing.assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))
    assert loaded.architecture is with_lambda
    np.testing.assert_array_equal(loaded.fit(X, y).predict_proba(X), classifier.predict_proba(X))


def test_function_in_place_of_what_the_file_describes(make_small, digits, path):
    """A function builds the network, whatever layers the file lists, and takes its arrays."""

    def two_layers(image_shape, n_classes, units=8):
        inputs = keras.Input(image_shape)
        x = keras.layers.Dense(units)(keras.layers.Flatten()(inputs))
        return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))

    X, y = digits
    classifier = make_small(architecture=two_layers).set_params(architecture__units=5).fit(X, y)
    classifier.save(path)
    loaded = FashionCNNClassifier.load(path, architecture=two_layers)
    np.testing.assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))
    with pytest.raises(ModelFileError, match="it has 4 weights, but the network has 2"):
        FashionCNNClassifier.load(path, architecture=lambda *shape, units: with_lambda(*shape))
    with pytest.raises(ModelFileError, match=r"cannot be called with \(image_shape, n_classes, u"):
        FashionCNNClassifier.load(path, architecture=with_lambda)


def test_function_that_was_set_after_the_fit(make_tiny, digits, path):
    classifier = make_tiny().fit(*digits).set_params(architecture=with_lambda)
    with pytest.raises(ValueError, match=r"architecture=<function with_lambda.* set after the fit"):
        classifier.save(path, allow_custom_objects=True)


def test_files_that_save_did_not_write(path):
    members = read_members(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", members["config.json"])
    with pytest.raises(ModelFileError, match=r"not written by FashionCNNClassifier\.save\. If you"):
        FashionCNNClassifier.load(path)


def test_foreign_optimizer_state_is_refused(path, digits):
    """Predictions do not need it."""
    content = io.BytesIO()
    np.savez(content, np.ones(3))
    change_member(path, "skfashion-optimizer.npz", lambda _: content.getvalue())
    classifier = FashionCNNClassifier.load(path)
    with pytest.raises(ValueError, match="is that of another optimizer"):
        classifier.partial_fit(*digits)


@keras.saving.register_keras_serializable("tests")
class RegisteredSGD(keras.optimizers.SGD):
    """Keras can store it."""


class UnregisteredSGD(keras.optimizers.SGD):
    """Keras cannot find it."""


class Halves(keras.optimizers.schedules.LearningRateSchedule):
    """Halves the learning rate in each step."""

    def __call__(self, step):
        return 0.1 * 0.5 ** keras.ops.cast(step, "float32")

    def get_config(self):
        return {}


OTHERS = {"optimizer": RegisteredSGD(momentum=0.1), "schedule": "cosine"}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("optimizer", RegisteredSGD(momentum=0.5)),
        ("optimizer", UnregisteredSGD(momentum=0.5)),
        ("optimizer", RegisteredSGD),
        ("schedule", Halves()),
    ],
)
def test_optimizers_and_schedules_of_the_caller(name, value, make_tiny, digits, path):
    X, y = digits
    classifier = make_tiny(**{name: value}).fit(X, y)
    message = rf"cannot be saved: its {name} is a '.*', which .*load\(path, {name}=\.\.\.\)\."
    with pytest.raises(ValueError, match=message):
        classifier.save(path)
    classifier.save(path, allow_custom_objects=True)
    with pytest.raises(ModelFileError, match=rf"its {name} is a"):
        FashionCNNClassifier.load(path, architecture=classifier.architecture)
    given = {"architecture": classifier.architecture, name: value}
    loaded = FashionCNNClassifier.load(path, **given)
    np.testing.assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))
    assert getattr(loaded, name) is value
    with pytest.raises(ModelFileError, match=rf"{name}=.* is not what it was saved with: that is"):
        FashionCNNClassifier.load(path, **{**given, name: OTHERS[name]})
    np.testing.assert_array_equal(loaded.fit(X, y).predict_proba(X), classifier.predict_proba(X))


@pytest.mark.parametrize(
    "optimizer",
    [
        keras.optimizers.Adam,
        keras.optimizers.SGD(momentum=0.9),
        Muon(0.01),
        "muon",
    ],
)
def test_optimizers_and_routed_parameters(optimizer, make_small, digits, tmp_path):
    X, y = digits
    classifier = make_small(optimizer=optimizer, callbacks=keras.callbacks.EarlyStopping)
    routed = {"optimizer__clipnorm": 1.0, "architecture__width": np.int64(8)}
    classifier.set_params(**routed, callbacks__monitor="loss").fit(X, y).save(tmp_path / "a.keras")
    loaded = FashionCNNClassifier.load(tmp_path / "a.keras")
    assert loaded.get_params()["optimizer__clipnorm"] == 1.0
    assert isinstance(loaded.optimizer, type) == isinstance(optimizer, type)
    assert "callbacks__monitor" not in loaded.get_params()
    for model in (loaded, classifier.set_params(callbacks=None)):
        model.partial_fit(X, y)
    np.testing.assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))


def test_schedule_is_kept_and_checkpoint_is_not(make_small, digits, tmp_path):
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([5], [0.02, 0.001])
    classifier = make_small(schedule=schedule, checkpoint=tmp_path / "best.keras").fit(*digits)
    classifier.save(tmp_path / "last.keras")
    # A file does not decide what a later fit writes.
    for name in ("last.keras", "best.keras"):
        assert FashionCNNClassifier.load(tmp_path / name).checkpoint is None
    loaded = FashionCNNClassifier.load(tmp_path / "best.keras")
    assert loaded.schedule.get_config() == schedule.get_config()
    np.testing.assert_array_equal(
        loaded.fit(*digits).predict_proba(digits[0]), classifier.predict_proba(digits[0])
    )


def test_parameters_changed_after_the_fit(make_small, digits, tmp_path):
    classifier = make_small().fit(*digits)
    classifier.set_params(architecture__width=8, dropout=0.5).save(tmp_path / "a.keras")
    loaded = FashionCNNClassifier.load(tmp_path / "a.keras")
    np.testing.assert_array_equal(
        loaded.predict_proba(digits[0]), classifier.predict_proba(digits[0])
    )
    assert loaded.get_params() == classifier.get_params()
    assert loaded.fit(*digits).transform(digits[0]).shape == (300, 20)


def test_loaded_function_takes_no_other_options(make_small, digits, tmp_path):
    def network(image_shape, n_classes, dropout):
        inputs = keras.Input(image_shape)
        x = keras.layers.Dropout(dropout)(keras.layers.Flatten()(inputs))
        return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))

    classifier = make_small(architecture=network, dropout=0.5).fit(*digits)
    classifier.save(tmp_path / "a.keras")
    loaded = FashionCNNClassifier.load(tmp_path / "a.keras").fit(*digits)
    with pytest.raises(ValueError, match=r"options, dropout .* among them, stay"):
        loaded.set_params(dropout=0.1).fit(*digits)


def test_what_cannot_be_stored_is_refused(fitted, make_tiny, digits, tmp_path):
    classifier = make_tiny().fit(*digits).set_params(class_weight={0: 1j})
    with pytest.raises(ValueError, match="cannot hold class_weight=1j"):
        classifier.save(tmp_path / "a.keras")
    with pytest.raises(FileNotFoundError, match=r"path=.*no folder '.*missing' to write in"):
        fitted.save(tmp_path / "missing" / "a.keras")
    classifier.set_params(class_weight=None)
    classifier.weights_ = [np.nan * weight for weight in classifier.weights_]
    with pytest.raises(ValueError, match="cannot be saved: an array has values that are infinite"):
        classifier.save(tmp_path / "a.keras")
    assert not list(tmp_path.iterdir())


def test_damaged_and_missing_files(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelFileError, match=r"digits\.keras cannot .* is not a \.keras file"):
        FashionCNNClassifier.load(path)
    middle = len(content) // 2
    path.write_bytes(content[:middle] + b"\0\1\2\3" + content[middle + 4 :])
    with pytest.raises(ModelFileError, match="Bad CRC-32 for file"):
        FashionCNNClassifier.load(path)
    path.write_bytes(b"junk" + content)
    with pytest.raises(ModelFileError, match=r"is not a \.keras file, or is damaged"):
        FashionCNNClassifier.load(path)
    with pytest.raises(FileNotFoundError, match="No model file"):
        FashionCNNClassifier.load(path.parent / "missing.keras")
    with pytest.raises(IsADirectoryError, match="is a folder"):
        FashionCNNClassifier.load(path.parent)


def test_wrong_arguments(fitted, tmp_path):
    with pytest.raises(ValueError, match=r"path must end in \.keras"):
        fitted.save(tmp_path / "model.h5")
    with pytest.raises(ValueError, match="target_names must name 10 classes, got 2"):
        fitted.save(tmp_path / "model.keras", target_names=["a", "b"])
    assert not list(tmp_path.iterdir())


class Flags(keras.layers.Layer):
    """Has weights of a type with few values."""

    def build(self, input_shape):
        self.flags = [
            self.add_weight(shape=(1,), dtype=dtype, initializer=value, trainable=False)
            for dtype in ("bool", "int8", "float16")
            for value in ("zeros", "ones")
        ]

    def call(self, inputs):
        return inputs


def test_weights_of_small_types(make_small, digits, tmp_path):
    def flagged(image_shape, n_classes):
        inputs = keras.Input(image_shape)
        x = Flags()(keras.layers.Flatten()(inputs))
        return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))

    path = tmp_path / "a.keras"
    classifier = make_small(architecture=flagged, checkpoint=path).fit(*digits)
    loaded = FashionCNNClassifier.load(path, architecture=flagged)
    for one, other in zip(loaded.weights_, classifier.weights_, strict=True):
        np.testing.assert_array_equal(one, other)


def test_failed_write_changes_no_shared_layer(make_small, digits, tmp_path, monkeypatch):
    hidden = keras.layers.Dense(7, name="hidden")

    def sharing(image_shape, n_classes):
        inputs = keras.Input(image_shape)
        x = hidden(keras.layers.Flatten()(inputs))
        return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))

    def fail(*arguments, **options):
        raise OSError("disk full")

    parameters = {"architecture": sharing, "epochs": 3}
    expected = make_small(**parameters).fit(*digits).predict_proba(digits[0])
    monkeypatch.setattr(keras.Model, "save", fail)
    classifier = make_small(**parameters, checkpoint=tmp_path / "a.keras")
    with pytest.warns(UserWarning, match="disk full"):
        classifier.fit(*digits)
    np.testing.assert_array_equal(classifier.predict_proba(digits[0]), expected)

"""``.keras`` files."""

import io
import json
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from skfashion import FashionCNNClassifier
from skfashion._training.muon import Muon
from skfashion.errors import ModelFileError
from skfashion.networks._shared import build_residual


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


def test_files_of_earlier_versions(digits):
    """A file of format 2, and what its writer predicted then and after one more epoch."""
    data = Path(__file__).parent / "data"
    expected = np.load(data / "format_2.npz")
    X, y = digits
    loaded = FashionCNNClassifier.load(data / "format_2.keras")
    np.testing.assert_allclose(loaded.predict_proba(X[:20]), expected["loaded"], atol=1e-4)
    assert loaded.target_names_ == list("abcdefghij")
    # With the optimizer's state from the file.
    continued = loaded.partial_fit(X, y).predict_proba(X[:20])
    np.testing.assert_allclose(continued, expected["continued"], atol=1e-3)


def test_plain_keras_opens_it(fitted, digits, path):
    X, _ = digits
    model = keras.saving.load_model(path)
    found = model.predict(X.reshape(-1, 8, 8, 1), verbose=0)
    np.testing.assert_allclose(found, fitted.predict_proba(X), atol=1e-5)


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


def rewrite(path, change):
    """Replace members of the zip file by what ``change`` makes of them; None leaves them out."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            if (changed := change(name, content)) is not None:
                archive.writestr(name, changed)


def edit_json(**changes):
    def change(name, content):
        if name != "skfashion.json":
            return content
        return json.dumps({**json.loads(content), **changes})

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda name, c: None if name == "skfashion.json" else c, "not written by FashionCNN"),
        (lambda name, c: c[:-9] if name == "skfashion.json" else c, "skfashion.json in .*damaged"),
        (lambda name, c: None if name == "config.json" else c, "cannot be restored"),
        (edit_json(format_version=99), "not of format version 2"),
        (edit_json(image_shape=[9, 9, 9]), "cannot be restored"),
        (edit_json(parameters={"architecture": "rm -rf"}), "cannot be restored"),
        (edit_json(classes={"dtype": "<i8", "values": [1, 2]}), "cannot be restored"),
    ],
)
def test_tampered_file_is_refused(change, message, path):
    rewrite(path, change)
    with pytest.raises(ModelFileError, match=message) as caught:
        FashionCNNClassifier.load(path)
    assert str(path) in str(caught.value)


def test_no_code_is_run(path, make_small, digits):
    marker = path.parent / "was-here"
    name = str(marker)

    def network(image_shape, n_classes):
        inputs = keras.Input(image_shape)
        x = keras.layers.Flatten()(inputs)
        x = keras.layers.Lambda(lambda t: (open(name, "w").close(), t)[1], output_shape=(64,))(x)
        return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))

    make_small(architecture=network, epochs=1).fit(*digits).save(path)
    marker.unlink()
    with pytest.raises(ModelFileError, match="cannot be restored"):
        FashionCNNClassifier.load(path)
    assert not marker.exists()


@pytest.mark.parametrize("pool_first", [True, False], ids=["other result", "other weights"])
def test_another_version_of_the_architecture_is_refused(pool_first, path, monkeypatch):
    def other(image_shape, n_classes, *, dropout=0.0, width=24):
        stages = [24, 44, 60] if pool_first else [24, 44, 64]
        return build_residual(
            "small",
            image_shape,
            n_classes,
            stem=width,
            stages=stages,
            dropout=dropout,
            pool_first=pool_first,
        )

    monkeypatch.setattr("skfashion.networks.small.build", other)
    with pytest.raises(ModelFileError, match=r"'small' of this skfashion is not the network in"):
        FashionCNNClassifier.load(path)


def npz(*arrays):
    content = io.BytesIO()
    np.savez(content, *arrays)
    return content.getvalue()


@pytest.mark.parametrize(
    "content", [b"", b"no arrays", npz(np.array([{}, "objects"], dtype=object))]
)
def test_tampered_optimizer_state_is_refused(content, path):
    rewrite(path, lambda name, c: content if name == "skfashion-optimizer.npz" else c)
    with pytest.raises(ModelFileError, match="cannot be restored"):
        FashionCNNClassifier.load(path)


def test_foreign_optimizer_state_is_refused(path, digits):
    rewrite(path, lambda name, c: npz(np.ones(3)) if name == "skfashion-optimizer.npz" else c)
    classifier = FashionCNNClassifier.load(path)
    with pytest.raises(ValueError, match="is that of another optimizer"):
        classifier.partial_fit(*digits)


@keras.saving.register_keras_serializable("tests")
class RegisteredSGD(keras.optimizers.SGD):
    """Keras can store it."""


class UnknownSGD(keras.optimizers.SGD):
    """Keras cannot."""


@pytest.mark.parametrize(
    "optimizer",
    [
        keras.optimizers.Adam,
        keras.optimizers.SGD(momentum=0.9),
        RegisteredSGD(),
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


def test_schedule_and_checkpoint_are_parameters(make_small, digits, tmp_path):
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([5], [0.02, 0.001])
    classifier = make_small(schedule=schedule, checkpoint=tmp_path / "best.keras").fit(*digits)
    classifier.save(tmp_path / "last.keras")
    last = FashionCNNClassifier.load(tmp_path / "last.keras")
    assert last.checkpoint == str(tmp_path / "best.keras")
    # A cross-validation of what is loaded from the checkpoint must not write it.
    loaded = FashionCNNClassifier.load(tmp_path / "best.keras")
    assert loaded.checkpoint is None
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


def test_what_cannot_be_stored_is_refused(make_small, digits, tmp_path):
    classifier = make_small(optimizer=UnknownSGD).fit(*digits)
    with pytest.raises(ValueError, match=r"keras\.saving\.register_keras_serializable"):
        classifier.save(tmp_path / "a.keras")
    assert not list(tmp_path.iterdir())
    with pytest.raises(FileNotFoundError, match=r"path=.*no folder '.*missing' to write in"):
        classifier.save(tmp_path / "missing" / "a.keras")


def test_damaged_and_missing_files(path):
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelFileError, match=r"not a \.keras file, or is damaged"):
        FashionCNNClassifier.load(path)
    middle = len(content) // 2
    path.write_bytes(content[:middle] + b"\0\1\2\3" + content[middle + 4 :])
    with pytest.raises(ModelFileError, match="damaged"):
        FashionCNNClassifier.load(path)
    with pytest.raises(FileNotFoundError, match="No model file"):
        FashionCNNClassifier.load(path.parent / "missing.keras")


def test_wrong_arguments(fitted, tmp_path):
    with pytest.raises(ValueError, match=r"path must end in \.keras"):
        fitted.save(tmp_path / "model.h5")
    with pytest.raises(ValueError, match="target_names must name 10 classes, got 2"):
        fitted.save(tmp_path / "model.keras", target_names=["a", "b"])
    assert not list(tmp_path.iterdir())

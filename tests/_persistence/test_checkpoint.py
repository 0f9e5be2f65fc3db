"""Checkpoints: the best classifier so far, in a file."""

import copy
import re

import keras
import numpy as np
import pytest

from skfashion import FashionCNNClassifier


@pytest.fixture
def split(digits):
    X, y = digits
    return {"X": X[:200], "y": y[:200], "X_val": X[200:], "y_val": y[200:]}


def test_keeps_the_best_epoch(make_small, split, tmp_path):
    path = tmp_path / "best.keras"
    # So fast that the validation loss goes up and down.
    parameters = {"epochs": 12, "batch_size": 20, "schedule": None, "learning_rate": 0.01}
    classifier = make_small(**parameters, checkpoint=path).fit(**split)
    losses = classifier.history_["val_loss"]
    best = int(np.argmin(losses))
    assert best < 11, losses  # otherwise this test shows nothing

    loaded = FashionCNNClassifier.load(path)
    assert (loaded.n_epochs_, loaded.best_epoch_) == (best + 1, best + 1)
    assert loaded.history_ == {name: v[: best + 1] for name, v in classifier.history_.items()}
    probabilities = loaded.predict_proba(split["X_val"])
    of_truth = probabilities[np.arange(len(split["y_val"])), split["y_val"]]
    assert -np.log(of_truth).mean() == pytest.approx(losses[best], rel=1e-3)
    # Early stopping would have kept the same weights; without it, the last are kept.
    stopped = make_small(**parameters, early_stopping=True).fit(**split)
    for saved, kept in zip(loaded.weights_, stopped.weights_, strict=True):
        np.testing.assert_array_equal(saved, kept)
    assert classifier.best_epoch_ == 12


def test_without_validation_the_training_loss_decides(make_tiny, digits, tmp_path):
    path = tmp_path / "best.keras"
    classifier = make_tiny(epochs=3, checkpoint=str(path)).fit(*digits)
    assert np.argmin(classifier.history_["loss"]) == 2
    np.testing.assert_array_equal(
        FashionCNNClassifier.load(path).predict_proba(digits[0]),
        classifier.predict_proba(digits[0]),
    )


def test_training_is_the_same_with_and_without(make_tiny, split, tmp_path):
    with_it = make_tiny(epochs=3, checkpoint=tmp_path / "best.keras").fit(**split)
    without = make_tiny(epochs=3).fit(**split)
    for one, other in zip(with_it.weights_, without.weights_, strict=True):
        np.testing.assert_array_equal(one, other)


def test_averaged_weights_are_what_is_written(make_tiny, split, tmp_path):
    path = tmp_path / "best.keras"
    classifier = make_tiny(epochs=3, checkpoint=path).set_params(optimizer__use_ema=True)
    classifier.fit(**split)
    best = np.argmin(classifier.history_["val_loss"])
    accuracy = FashionCNNClassifier.load(path).score(split["X_val"], split["y_val"])
    assert accuracy == pytest.approx(classifier.history_["val_accuracy"][best])


def test_goes_on_from_a_checkpoint(make_small, split, tmp_path):
    path = tmp_path / "best.keras"
    make_small(epochs=4, checkpoint=path).fit(**split)
    loaded = FashionCNNClassifier.load(path)
    n_epochs, expected = loaded.n_epochs_, loaded.predict_proba(split["X"])
    # What makes it worse does not take the place of the best.
    worse = {"schedule": None, "learning_rate": 0.5, "epochs": 1}
    loaded.set_params(warm_start=True, checkpoint=path, **worse).fit(**split)
    assert loaded.n_epochs_ == n_epochs + 1
    assert loaded.history_["val_loss"][-1] > min(loaded.history_["val_loss"])
    loaded = FashionCNNClassifier.load(path)
    assert loaded.n_epochs_ == n_epochs
    np.testing.assert_array_equal(loaded.predict_proba(split["X"]), expected)
    loaded.set_params(warm_start=True, checkpoint=path, epochs=3).fit(**split)
    assert FashionCNNClassifier.load(path).n_epochs_ > n_epochs


def test_best_by_validation_is_not_replaced_by_training_loss(make_tiny, split, tmp_path):
    path = tmp_path / "best.keras"
    classifier = make_tiny(checkpoint=path).fit(**split)
    content = path.read_bytes()
    classifier.set_params(warm_start=True)
    with pytest.raises(ValueError, match=r"lowest validation loss, .* Give X_val and y_val, set"):
        classifier.fit(split["X"], split["y"])
    assert path.read_bytes() == content
    other = copy.deepcopy(classifier).set_params(checkpoint=tmp_path / "other.keras")
    other.fit(split["X"], split["y"])
    best = 1 + np.argmin(other.history_["loss"])
    assert best > 3  # the first epoch of this fit is written in any case
    assert FashionCNNClassifier.load(tmp_path / "other.keras").n_epochs_ == best
    classifier.set_params(early_stopping=True, epochs=1).fit(split["X"], split["y"])
    # Anew, training losses alone are compared.
    classifier.set_params(warm_start=False, early_stopping=False).fit(split["X"], split["y"])
    assert FashionCNNClassifier.load(path).n_epochs_ == 1


def test_a_file_is_written_whatever_was_before(make_tiny, split, tmp_path):
    path = tmp_path / "best.keras"
    classifier = make_tiny(epochs=4).fit(**split)
    # Both epochs are worse than those before.
    worse = {"warm_start": True, "schedule": None, "learning_rate": 0.5, "epochs": 2}
    classifier.set_params(**worse, checkpoint=path).fit(**split)
    losses = classifier.history_["val_loss"]
    assert min(losses) < min(losses[4:])
    assert FashionCNNClassifier.load(path).n_epochs_ == 5


def test_wrong_parameters_leave_an_earlier_fit(make_tiny, digits, tmp_path):
    X, y = digits
    classifier = make_tiny().fit(X, y)
    expected = classifier.predict_proba(X)
    with pytest.raises(FileNotFoundError):
        classifier.set_params(checkpoint=tmp_path / "missing" / "best.keras").fit(X, y)
    np.testing.assert_array_equal(classifier.predict_proba(X), expected)


def test_nothing_else_is_left_behind(make_tiny, digits, tmp_path):
    make_tiny(checkpoint=tmp_path / "best.keras").fit(*digits)
    assert [path.name for path in tmp_path.iterdir()] == ["best.keras"]


@pytest.mark.parametrize(
    ("name", "error", "message"),
    [
        ("best.h5", ValueError, r"checkpoint must end in \.keras"),
        ("no/folder/best.keras", FileNotFoundError, r"checkpoint=.*there is no folder"),
        ("file/best.keras", FileNotFoundError, r"checkpoint=.*there is no folder"),
        ("folder.keras", IsADirectoryError, r"checkpoint=.*folder\.keras' is a folder"),
        pytest.param("/proc/best.keras", OSError, r"checkpoint=.*cannot be written", id="/proc"),
    ],
)
def test_what_cannot_be_written_fails_before_training(
    name, error, message, make_tiny, digits, tmp_path
):
    (tmp_path / "file").write_text("no folder")
    (tmp_path / "folder.keras").mkdir()
    # Many epochs: it would take minutes if it trained first.
    classifier = make_tiny(epochs=100_000, checkpoint=tmp_path / name)
    with pytest.raises(error, match=message) as caught:
        classifier.fit(*digits)
    assert re.search(re.escape(name), str(caught.value))


def test_what_cannot_be_stored_fails_before_training(make_tiny, digits, tmp_path):
    classifier = make_tiny(epochs=100_000, checkpoint=tmp_path / "best.keras")
    with pytest.raises(ValueError, match="cannot hold optimizer__clipnorm"):
        classifier.set_params(optimizer__clipnorm=1j).fit(*digits)


def test_objects_of_the_caller_are_given_again(make_tiny, digits, tmp_path):
    class Unregistered(keras.optimizers.Adam):
        pass

    classifier = make_tiny(optimizer=Unregistered, checkpoint=tmp_path / "best.keras").fit(*digits)
    loaded = FashionCNNClassifier.load(tmp_path / "best.keras", optimizer=Unregistered)
    np.testing.assert_array_equal(
        loaded.predict_proba(digits[0]), classifier.predict_proba(digits[0])
    )

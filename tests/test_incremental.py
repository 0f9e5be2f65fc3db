"""Training that goes on: partial_fit and warm_start."""

import copy
import pickle
import subprocess
import sys

import keras
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from skfashion import FashionCNNClassifier
from skfashion.errors import PixelRangeWarning, TrainingDivergedError

CLASSES = np.arange(10)


def test_partial_fit_learns_batch_by_batch(make_tiny, digits):
    X, y = digits
    classifier = make_tiny(batch_size=20, schedule=None)
    for epoch in range(6):
        for start in range(0, 300, 100):
            rows = slice(start, start + 100)
            classifier.partial_fit(X[rows], y[rows], classes=CLASSES if epoch == 0 else None)
    assert classifier.score(X, y) > 0.85
    assert classifier.n_epochs_ == classifier.best_epoch_ == 18
    assert all(len(values) == 18 for values in classifier.history_.values())


def test_classes_missing_from_a_batch(make_tiny, digits):
    X, y = digits
    few = y < 3
    classifier = make_tiny(batch_size=20, schedule=None).partial_fit(
        X[few], y[few], classes=CLASSES
    )
    np.testing.assert_array_equal(classifier.classes_, CLASSES)
    assert classifier.predict_proba(X).shape == (300, 10)
    for _ in range(6):
        classifier.partial_fit(X, y)
    assert classifier.score(X, y) > 0.8


def test_labels_of_partial_fit_may_be_names(make_tiny, digits):
    X, y = digits
    names = np.array(["even", "odd"])
    classifier = make_tiny().partial_fit(X, names[y % 2], classes=["odd", "even"])
    assert classifier.classes_.tolist() == ["even", "odd"]
    assert set(classifier.predict(X)) <= {"even", "odd"}


@pytest.mark.parametrize("optimizer", ["adamw", "muon"])
@pytest.mark.parametrize("random_state", [0, None])
@pytest.mark.parametrize("copied", [lambda c: pickle.loads(pickle.dumps(c)), copy.deepcopy])
def test_copies_continue_to_the_same_bits(copied, random_state, optimizer, make_tiny, digits):
    """Optimizer and dropout too go on where they were."""
    X, y = digits
    original = make_tiny(dropout=0.3, optimizer=optimizer, random_state=random_state).fit(X, y)
    for _ in range(2):
        duplicate = copied(original)
        np.testing.assert_array_equal(duplicate.predict_proba(X), original.predict_proba(X))
        np.testing.assert_array_equal(
            duplicate.partial_fit(X, y).predict_proba(X),
            original.partial_fit(X, y).predict_proba(X),
        )


@pytest.mark.parametrize("form", ["pickle", "keras"])
def test_another_process_continues_to_the_same_bits(form, make_small, digits, tmp_path):
    X, y = digits
    classifier = make_small(dropout=0.3, random_state=None).partial_fit(X, y, classes=CLASSES)
    if form == "pickle":
        (tmp_path / "model.pickle").write_bytes(pickle.dumps(classifier))
        load = "import pickle; model = pickle.load(open('model.pickle', 'rb'))"
    else:
        classifier.save(tmp_path / "model.keras")
        load = "from skfashion import FashionCNNClassifier as C; model = C.load('model.keras')"
    np.savez(tmp_path / "data.npz", X=X, y=y)
    code = (
        f"{load}\n"
        "import numpy as np\n"
        "data = np.load('data.npz'); X, y = data['X'], data['y']\n"
        "before = model.predict_proba(X)\n"
        "after = model.partial_fit(X, y).predict_proba(X)\n"
        "np.savez('found.npz', before=before, after=after)"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, capture_output=True)
    found = np.load(tmp_path / "found.npz")
    np.testing.assert_array_equal(found["before"], classifier.predict_proba(X))
    np.testing.assert_array_equal(found["after"], classifier.partial_fit(X, y).predict_proba(X))


def test_what_happens_between_calls_makes_no_difference(make_tiny, digits):
    X, y = digits
    first, second = make_tiny(dropout=0.3), make_tiny(dropout=0.3)
    first.partial_fit(X, y, classes=CLASSES).partial_fit(X, y)
    second.partial_fit(X, y, classes=CLASSES)
    make_tiny(random_state=7, dropout=0.5).fit(X, y).predict(X)
    second.predict(X)
    second.partial_fit(X, y)
    np.testing.assert_array_equal(first.predict_proba(X), second.predict_proba(X))


def test_epochs_differ(make_tiny, digits):
    """Dropout and the order of images do not repeat at each call."""
    X, y = digits
    classifier = make_tiny(dropout=0.5, learning_rate=1e-12).partial_fit(X, y, classes=CLASSES)
    losses = classifier.partial_fit(X, y).partial_fit(X, y).history_["loss"]
    assert len(set(losses)) == 3


def test_weights_of_partial_fit_are_not_relative(make_tiny, digits):
    X, y = digits
    heavy, light = (
        make_tiny(optimizer="sgd", learning_rate=rate)
        .partial_fit(X, y, CLASSES, sample_weight=np.full(300, weight))
        .predict_proba(X)
        for weight, rate in ((2.0, 0.01), (1.0, 0.02))
    )
    np.testing.assert_allclose(heavy, light, atol=1e-4)
    X, y = X[y < 2], y[y < 2]
    favoured = make_tiny(class_weight={1: 50.0})
    plain = make_tiny()
    for classifier in (favoured, plain):
        classifier.partial_fit(X[y == 0], y[y == 0], classes=[0, 1])  # without the weighted class
        classifier.partial_fit(X, y)
    assert favoured.predict_proba(X)[:, 1].mean() > plain.predict_proba(X)[:, 1].mean()


def test_partial_fit_after_fit(make_tiny, digits):
    X, y = digits
    classifier = make_tiny(epochs=4).fit(X[:200], y[:200])
    with_validation = clone(classifier).fit(X[:200], y[:200], X_val=X[200:], y_val=y[200:])
    for fitted in (classifier, with_validation):
        fitted.partial_fit(X[200:], y[200:])
        assert fitted.n_epochs_ == 5
        assert fitted.history_["learning_rate"][-1] == pytest.approx(5e-4)
    assert np.isfinite(with_validation.history_["val_loss"][:4]).all()
    assert np.isnan(with_validation.history_["val_loss"][4])
    assert clone(classifier).fit(X, y).n_epochs_ == 4


@pytest.mark.parametrize(
    ("schedule", "rate"), [("one_cycle", 0.001), ("cosine", 0.001), ("plateau", 0.01), (None, 0.01)]
)
def test_learning_rate_of_partial_fit(schedule, rate, make_tiny, digits):
    classifier = make_tiny(schedule=schedule, learning_rate=0.01)
    classifier.partial_fit(*digits, classes=CLASSES)
    assert classifier.history_["learning_rate"] == pytest.approx([rate])


def test_one_more_epoch_does_no_harm(make_tiny, digits):
    X, y = digits
    classifier = make_tiny(optimizer="muon", epochs=4).fit(X, y)
    score = classifier.score(X, y)
    assert classifier.partial_fit(X, y).score(X, y) > score - 0.02


def test_another_optimizer_starts_its_state_anew(make_tiny, digits):
    X, y = digits
    classifier = make_tiny(epochs=4).fit(X, y)
    score = classifier.score(X, y)
    classifier.set_params(optimizer="sgd", optimizer__momentum=0.9, learning_rate=1e-3)
    assert classifier.partial_fit(X, y).score(X, y) > score - 0.1


@pytest.mark.parametrize(
    ("parameters", "arguments", "message"),
    [
        ({}, {}, "classes must be passed on the first call to partial_fit"),
        ({}, {"classes": [0, 1]}, r"y has labels that classes has not: \[2, 3,"),
        ({}, {"classes": [3]}, "classes must have at least 2 classes, got 1 class: 3"),
        ({"early_stopping": True}, {"classes": CLASSES}, "does not support early_stopping=True"),
        ({"class_weight": "balanced"}, {"classes": CLASSES}, "does not support class_weight"),
        (
            {"schedule": keras.optimizers.schedules.CosineDecay(0.1, 10)},
            {"classes": CLASSES},
            "does not support schedule=CosineDecay",
        ),
        (
            {},
            {"classes": CLASSES, "sample_weight": np.zeros(300)},
            "must contain at least one non-zero",
        ),
    ],
)
def test_wrong_first_call(parameters, arguments, message, make_tiny, digits):
    classifier = make_tiny(**parameters)
    with pytest.raises(ValueError, match=message):
        classifier.partial_fit(*digits, **arguments)
    with pytest.raises(NotFittedError):
        classifier.predict(digits[0])


def test_wrong_later_call_changes_nothing(make_tiny, digits):
    X, y = digits
    classifier = make_tiny().partial_fit(X, y, classes=CLASSES)
    expected = classifier.predict_proba(X)
    for arguments, message in (
        ((X, y, [0, 1]), "is not the same as on the last call"),
        ((X, y + 1), r"y has labels that classes has not: \[10\]"),
        ((X[:, :60], y), "X has 60 features, but FashionCNNClassifier is expecting 64"),
        ((X.reshape(-1, 4, 16), y), "X holds images of shape"),
        ((X, y[:5]), "inconsistent numbers of samples"),
    ):
        with pytest.raises(ValueError, match=message):
            classifier.partial_fit(*arguments)
    state = classifier.n_epochs_, classifier.best_epoch_, str(classifier.history_)
    with pytest.raises(TrainingDivergedError):
        classifier.set_params(optimizer="sgd", learning_rate=1e38).partial_fit(X, y)
    assert state == (classifier.n_epochs_, classifier.best_epoch_, str(classifier.history_))
    np.testing.assert_array_equal(classifier.predict_proba(X), expected)


def test_other_pixel_scale_is_noted(make_tiny, digits):
    X, y = digits
    classifier = make_tiny().partial_fit(X, y, classes=CLASSES)
    with pytest.warns(PixelRangeWarning, match="X has pixels from 0 to 1, "):
        classifier.partial_fit(X / 16, y)


def test_warm_start_continues(make_tiny, digits):
    X, y = digits
    classifier = make_tiny(epochs=3, warm_start=True).fit(X, y)
    first_losses = classifier.history_["loss"]
    classifier.set_params(epochs=2).fit(X, y)
    assert classifier.n_epochs_ == classifier.best_epoch_ == 5
    assert classifier.history_["loss"][:3] == first_losses
    assert classifier.history_["loss"][3] < first_losses[0] / 2
    anew = classifier.set_params(warm_start=False).fit(X, y)
    np.testing.assert_array_equal(
        anew.predict_proba(X), make_tiny(epochs=2).fit(X, y).predict_proba(X)
    )
    assert anew.n_epochs_ == 2


def test_warm_start_with_early_stopping(make_tiny, digits):
    classifier = make_tiny(epochs=4, warm_start=True, early_stopping=True).fit(*digits)
    classifier.fit(*digits)
    losses = classifier.history_["val_loss"]
    assert len(losses) == 8
    assert classifier.best_epoch_ == 5 + int(np.argmin(losses[4:]))


def test_warm_start_with_other_data_or_network(make_tiny, digits):
    X, y = digits
    classifier = make_tiny(warm_start=True).fit(X, y)
    expected = classifier.predict_proba(X)
    with pytest.raises(ValueError, match=r"y has \[0, 1\]. Set warm_start=False"):
        classifier.fit(X, y % 2)
    with pytest.raises(ValueError, match="X has 36 features"):
        classifier.fit(X[:, :36], y)
    with pytest.raises(ValueError, match="are not those of the network that the architecture"):
        clone(classifier).fit(X, y).set_params(architecture__width=4).fit(X, y)
    with pytest.raises(ValueError, match=r"image_shape=\(4, 16\), but the network goes on with"):
        classifier.set_params(image_shape=(4, 16)).fit(X, y)
    classifier.set_params(image_shape=None)
    np.testing.assert_array_equal(classifier.predict_proba(X), expected)
    changed = classifier.set_params(dropout=0.5, optimizer="sgd", learning_rate=0.01).fit(X, y)
    assert changed.n_epochs_ == 4


def test_optimizer_that_starts_from_the_weights(make_tiny, digits):
    """Its state is that of the weights to go on with, not of those the engine was built with."""
    classifier = make_tiny(optimizer="schedulefreeadamw", epochs=8, schedule=None)
    score = classifier.fit(*digits).score(*digits)
    assert score > 0.8
    classifier.set_params(warm_start=True, learning_rate=1e-9, epochs=1).fit(*digits)
    assert classifier.score(*digits) > score - 0.1


def test_loaded_classifier_goes_on(make_small, digits, tmp_path):
    X, y = digits
    classifier = make_small(dropout=0.2).set_params(optimizer__beta_1=0.8).fit(X, y)
    classifier.save(tmp_path / "a.keras")
    loaded = FashionCNNClassifier.load(tmp_path / "a.keras")
    assert loaded.get_params() == classifier.get_params()
    for _ in range(2):
        np.testing.assert_array_equal(
            loaded.partial_fit(X, y).predict_proba(X), classifier.partial_fit(X, y).predict_proba(X)
        )
    assert loaded.history_ == classifier.history_

"""Any classifier, trained on images and on variants of them."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

from skfashion.preprocessing import AugmentedClassifier, ImageAugmenter


@pytest.fixture
def forest():
    return RandomForestClassifier(n_estimators=5, random_state=0)


@pytest.mark.parametrize("shape", [(300, 64), (300, 8, 8), (300, 8, 8, 1)])
@pytest.mark.parametrize("n_copies", [0, 1, 3])
def test_training_set_grows(digits, recorder, shape, n_copies):
    X, y = digits
    X, weights = X.reshape(shape).astype(np.uint8), np.arange(300.0)
    classifier = AugmentedClassifier(recorder, n_copies=n_copies, random_state=0)
    fitted = classifier.fit(X, y, sample_weight=weights).estimator_
    assert fitted.X_.shape == (300 * (1 + n_copies), *shape[1:])
    assert fitted.X_.dtype == np.uint8
    originals, *copies = np.split(fitted.X_, 1 + n_copies)
    np.testing.assert_array_equal(originals, X)
    for i, copy in enumerate(copies):
        assert (copy != X).mean() > 0.2
        assert all((copy != other).any() for other in copies[:i])
    np.testing.assert_array_equal(fitted.y_, np.tile(y, 1 + n_copies))
    np.testing.assert_array_equal(fitted.sample_weight_, np.tile(weights, 1 + n_copies))
    classifier.predict(X)
    np.testing.assert_array_equal(fitted.predicted_X_, [X])


def test_no_copies_is_the_bare_classifier(digits, forest):
    X, y = digits
    weights = np.random.default_rng(0).random(300)
    bare = clone(forest).fit(X, y, sample_weight=weights)
    augmented = AugmentedClassifier(forest, n_copies=0).fit(X, y, sample_weight=weights)
    np.testing.assert_array_equal(augmented.predict_proba(X), bare.predict_proba(X))
    np.testing.assert_array_equal(augmented.predict(X), bare.predict(X))
    np.testing.assert_array_equal(augmented.classes_, bare.classes_)
    assert augmented.score(X, y) == bare.score(X, y)
    assert augmented.n_features_in_ == 64


def test_offers_what_the_estimator_offers(digits):
    svm = AugmentedClassifier(LinearSVC(random_state=0), n_copies=0)
    assert is_classifier(svm)
    assert not hasattr(svm, "predict_proba")
    assert svm.fit(*digits).decision_function(digits[0]).shape == (300, 10)
    bayes = AugmentedClassifier(GaussianNB(), n_copies=0).fit(*digits)
    assert not hasattr(bayes, "decision_function")
    log_probabilities = GaussianNB().fit(*digits).predict_log_proba(digits[0])
    np.testing.assert_array_equal(bayes.predict_log_proba(digits[0]), log_probabilities)


def test_helps_where_images_are_moved(digits):
    """Nearest neighbours do not know shifted images; they learn them from variants."""
    X, y = digits
    shifts = ImageAugmenter(rotation=0, shift=0.13, shear=0, zoom=0, horizontal_flip=False)
    moved = shifts.augment(X[200:], random_state=0)
    neighbours = KNeighborsClassifier(1)
    bare = clone(neighbours).fit(X[:200], y[:200]).score(moved, y[200:])
    augmented = AugmentedClassifier(neighbours, shifts, n_copies=8, random_state=0)
    assert augmented.fit(X[:200], y[:200]).score(moved, y[200:]) > bare + 0.1


def test_seeds(digits, recorder):
    X, y = digits

    def fitted_on(random_state, seed_of_augmentation, n_copies=1):
        augmenter = ImageAugmenter(random_state=seed_of_augmentation)
        return (
            AugmentedClassifier(recorder, augmenter, n_copies=n_copies, random_state=random_state)
            .fit(X, y)
            .estimator_.X_
        )

    np.testing.assert_array_equal(fitted_on(0, None), fitted_on(0, 7))
    np.testing.assert_array_equal(fitted_on(0, None), fitted_on(0, None, n_copies=3)[:600])
    np.testing.assert_array_equal(fitted_on(None, 7), fitted_on(None, 7))
    assert (fitted_on(None, None) != fitted_on(None, None)).any()
    assert (fitted_on(0, None) != fitted_on(1, None)).any()


def test_shape_of_images_is_the_estimators(make_tiny):
    X = np.zeros((40, 60), dtype=np.uint8)
    X[:, 7] = 255
    network = make_tiny(image_shape=(6, 10), epochs=1)
    shifts = ImageAugmenter(rotation=0, shift=(0.5, 0), shear=0, zoom=0, horizontal_flip=False)
    classifier = AugmentedClassifier(network, shifts)
    grown = classifier._complete_augmentation().augment(X, random_state=0)
    assert set(np.flatnonzero(grown.any(axis=0)) % 10) == {7}
    classifier.fit(X, np.arange(40) % 2)
    assert shifts.image_shape is None
    with pytest.raises(ValueError, match=r"image_shape=\(10, 6\) of augmentation, but \(6, 10\)"):
        classifier.set_params(augmentation__image_shape=(10, 6)).fit(X, np.arange(40) % 2)


def test_early_stopping_inside(digits, make_tiny):
    X, y = digits
    classifier = AugmentedClassifier(make_tiny(early_stopping=True), random_state=0)
    with pytest.warns(UserWarning, match="holds out variants of images that it is trained on"):
        classifier.fit(X, y)
    classifier.fit(X[:200], y[:200], X_val=X[200:], y_val=y[200:])
    accuracy = classifier.estimator_.history_["val_accuracy"][classifier.estimator_.best_epoch_ - 1]
    assert accuracy == classifier.score(X[200:], y[200:])


def test_tuned_as_one(digits, forest):
    classifier = AugmentedClassifier(forest, ImageAugmenter(), random_state=0)
    grid = {"n_copies": [0, 1], "augmentation__rotation": [5], "estimator__max_depth": [4]}
    search = GridSearchCV(classifier, grid, cv=2).fit(*digits)
    best = search.best_estimator_
    assert best.augmentation.rotation == 5
    assert best.estimator_.max_depth == 4
    assert forest.max_depth is None


def test_network_inside(digits, make_tiny):
    X, y = digits
    classifier = AugmentedClassifier(make_tiny(), random_state=0).fit(X.reshape(-1, 8, 8), y)
    np.testing.assert_array_equal(classifier.predict(X.reshape(-1, 8, 8, 1)), classifier.predict(X))


def test_data_frames(digits, forest):
    X = pd.DataFrame(digits[0]).add_prefix("pixel")
    classifier = AugmentedClassifier(forest, random_state=0).fit(X, digits[1])
    assert list(classifier.feature_names_in_) == list(X.columns)
    assert classifier.predict(X).shape == (300,)
    with pytest.raises(ValueError, match="feature names"):
        classifier.predict(X.add_suffix("x"))


def test_errors(digits):
    X, y = digits
    with pytest.raises(TypeError, match="unexpected keyword argument 'sample_weight'"):
        AugmentedClassifier(KNeighborsClassifier()).fit(X, y, sample_weight=np.ones(300))
    with pytest.raises(ValueError, match="'n_copies' parameter"):
        AugmentedClassifier(GaussianNB(), n_copies=-1).fit(X, y)
    with pytest.raises(ValueError, match="'augmentation' parameter"):
        AugmentedClassifier(GaussianNB(), "flip").fit(X, y)
    with pytest.raises(TypeError, match=r"must be a classifier, got LinearRegression\(\)"):
        AugmentedClassifier(LinearRegression()).fit(X, y)
    with pytest.raises(ValueError, match="Cannot set augmentation__zoom, for augmentation is None"):
        AugmentedClassifier(GaussianNB()).set_params(augmentation__zoom=0.2)
    with pytest.raises(ValueError, match="X has 16 features, but AugmentedClassifier is expecting"):
        AugmentedClassifier(DummyClassifier()).fit(X, y).predict(X[:, :16])
    with pytest.raises(ValueError, match="'zoom' parameter of ImageAugmenter"):
        AugmentedClassifier(GaussianNB(), ImageAugmenter(zoom=2)).fit(X, y)

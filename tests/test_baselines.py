"""Classical baselines."""

import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from skimage.feature import hog
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV
from sklearn.utils.estimator_checks import parametrize_with_checks
from threadpoolctl import threadpool_limits

from skfashion.baselines import list_baselines, make_baseline
from skfashion.datasets import load_fashion_sample
from skfashion.preprocessing import HOGTransformer

LEARNING = [name for name in list_baselines() if name != "dummy"]
DETERMINISTIC = {"dummy", "hog_svm", "knn", "logistic", "pca_svm", "svm_rbf"}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Several take longer over so few images, waiting for one another."""
    with threadpool_limits(1):
        yield


@pytest.fixture(scope="module")
def garments():
    """500 images of 28x28 pixels, flattened, with labels 0 to 9."""
    X, y = load_fashion_sample(return_X_y=True)
    return X[:500], y[:500]


def make_quick(name, random_state=0):
    """As it comes, but with fewer trees where these take long however few the images."""
    baseline = make_baseline(name, random_state=random_state)
    if name == "hist_gradient_boosting":
        baseline.set_params(classifier__max_iter=20)
    return baseline


def test_names():
    assert list_baselines() == [
        "dummy",
        "extra_trees",
        "hist_gradient_boosting",
        "hog_svm",
        "knn",
        "linear_svm",
        "logistic",
        "mlp",
        "pca_svm",
        "random_forest",
        "svm_rbf",
    ]


@pytest.mark.parametrize("name", LEARNING)
def test_digits_are_learned(name, digits):
    X, y = digits
    baseline = make_quick(name).fit(X[:200], y[:200])
    assert baseline.score(X[200:], y[200:]) > 0.75


@pytest.mark.parametrize("name", LEARNING)
def test_garments_are_learned(name, garments):
    X, y = garments
    baseline = make_quick(name).fit(X[:300], y[:300])
    assert baseline.score(X[300:], y[300:]) > 0.65


def test_dummy_knows_the_classes_alone(garments):
    X, y = garments
    dummy = make_baseline("dummy").fit(X[:300], y[:300])
    assert set(dummy.predict(X[300:])) == {np.bincount(y[:300]).argmax()}


@pytest.mark.parametrize("name", ["linear_svm", "logistic", "mlp"])
def test_converges_on_more_images(name):
    """Warnings are errors."""
    X, y = load_fashion_sample(return_X_y=True)
    make_baseline(name, random_state=0).fit(X[:1000], y[:1000])


@pytest.mark.parametrize("name", list_baselines())
def test_same_seed_same_predictions(name, digits):
    X, y = digits
    expected = make_quick(name, random_state=3).fit(X[:200], y[:200]).predict(X)
    predicted = make_quick(name, random_state=3).fit(X[:200], y[:200]).predict(X)
    np.testing.assert_array_equal(predicted, expected)


@pytest.mark.parametrize("name", list_baselines())
def test_every_step_is_seeded(name):
    parameters = make_baseline(name, random_state=7).get_params()
    seeds = [value for key, value in parameters.items() if key.endswith("random_state")]
    assert set(seeds) <= {7}
    assert seeds or name in DETERMINISTIC


@pytest.mark.parametrize("name", list_baselines())
def test_scale_and_shape_of_images_do_not_matter(name, garments):
    X, y = garments
    flattened = make_quick(name).fit(X[:300], y[:300])
    images = make_quick(name).fit(X[:300].reshape(-1, 28, 28) / 255, y[:300])
    assert X.dtype == np.uint8
    agreement = flattened.predict(X) == images.predict(X.reshape(-1, 28, 28, 1) / 255)
    assert agreement.mean() > 0.99


@pytest.mark.parametrize("name", list_baselines())
def test_is_a_classifier_that_can_be_cloned_and_pickled(name, digits):
    X, y = digits
    baseline = clone(make_quick(name))
    assert is_classifier(baseline)
    assert baseline.steps[-1][0] == "classifier"
    baseline.fit(X, y)
    restored = pickle.loads(pickle.dumps(baseline))
    np.testing.assert_array_equal(restored.predict(X), baseline.predict(X))


def test_is_tunable(digits):
    baseline = make_baseline("hog_svm")
    grid = {"classifier__C": [0.01, 10.0], "hog__orientations": [6, 9]}
    search = GridSearchCV(baseline, grid, cv=2).fit(*digits)
    assert search.best_params_["classifier__C"] == 10.0


def test_data_frame(digits):
    X, y = digits
    frame = pd.DataFrame(X).add_prefix("pixel")
    baseline = make_baseline("svm_rbf").fit(frame, y)
    assert baseline.feature_names_in_[-1] == "pixel63"
    np.testing.assert_array_equal(
        baseline.predict(frame), make_baseline("svm_rbf").fit(X, y).predict(X)
    )


def test_images_of_no_use(digits):
    X, y = digits
    baseline = make_baseline("knn")
    with pytest.raises(ValueError, match="X contains NaN"):
        baseline.fit(np.where(X > 15, np.nan, X), y)
    with pytest.raises(ValueError, match="Expected 2D array, got 1D array"):
        baseline.fit(X[:, 0], y)
    with pytest.raises(ValueError, match=r"X has 49 features.* expecting 64"):
        baseline.fit(X, y).predict(X[:, :49])


@pytest.mark.parametrize(("name", "nearest"), [("randomforest", "random_forest"), ("KNN", "knn")])
def test_unknown_name(name, nearest):
    message = rf"Unknown baseline '{name}'. Did you mean '{nearest}'\? Known: dummy, "
    with pytest.raises(ValueError, match=message):
        make_baseline(name)


def test_import_is_cheap():
    heavy = {"cv2", "keras", "matplotlib", "skimage", "tensorflow"}
    code = (
        "import sys\nfrom skfashion.baselines import list_baselines, make_baseline\n"
        "baselines = [make_baseline(name) for name in list_baselines()]\n"
        f"print({heavy} & set(sys.modules))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "set()", result.stdout + result.stderr


# Random features, no images.
@pytest.mark.filterwarnings("ignore:X has 30 features, no square:UserWarning")
@parametrize_with_checks([HOGTransformer()])
def test_hog_estimator_checks(estimator, check):
    check(estimator)


def test_hog_is_that_of_scikit_image(garments):
    X, _ = garments
    features = HOGTransformer().fit_transform(X[:3])
    expected = [hog(image, 9, (4, 4), (2, 2)) for image in X[:3].reshape(-1, 28, 28)]
    np.testing.assert_allclose(features, expected, atol=1e-6)


@pytest.mark.parametrize("flattened", [False, True])
def test_hog_of_colour_images(flattened):
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(3, 16, 20, 3))
    if flattened:
        transformer, X = HOGTransformer(image_shape=(16, 20, 3)), images.reshape(3, -1)
    else:
        transformer, X = HOGTransformer(), images
    expected = [hog(image, 9, (4, 4), (2, 2), channel_axis=2) for image in images]
    np.testing.assert_allclose(transformer.fit_transform(X), expected)
    assert transformer.n_features_in_ == 960


@pytest.mark.parametrize(
    ("image_shape", "n_features"), [((8, 8), 36), ((6, 6), 9), ((3, 8), 18), ((1, 1), 9)]
)
def test_hog_of_small_images(image_shape, n_features):
    images = np.random.default_rng(0).random((2, *image_shape))
    assert HOGTransformer().fit_transform(images).shape == (2, n_features)


def test_hog_of_other_images_than_fitted(garments):
    X, _ = garments
    transformer = HOGTransformer().fit(X[:2])
    with pytest.raises(ValueError, match="X has 64 features, but HOGTransformer is expecting 784"):
        transformer.transform(X[:2, :64])
    with pytest.raises(ValueError, match=r"image_shape=\(20, 20, 1\) has 400 values, but X has"):
        HOGTransformer(image_shape=(20, 20)).fit(X[:2])
    with pytest.warns(UserWarning, match="X has 600 features, no square"):
        HOGTransformer().fit(X[:2, :600])

"""Classical baselines."""

import functools
import pickle
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier
from sklearn.model_selection import GridSearchCV
from threadpoolctl import threadpool_limits

from skfashion import baselines
from skfashion.baselines import list_baselines, make_baseline
from skfashion.datasets import load_fashion_sample

LEARNING = [name for name in list_baselines() if name != "dummy"]


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


@pytest.fixture(scope="module")
def fit_garments(garments):
    """Fits each baseline once on 300 garments."""
    X, y = garments
    return functools.cache(lambda name: make_quick(name).fit(X[:300], y[:300]))


def test_names():
    published = {
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
    }
    assert published <= set(list_baselines())
    assert list_baselines() == sorted(list_baselines())


def test_a_function_is_all_that_a_new_baseline_needs(monkeypatch):
    monkeypatch.setattr(baselines, "_BASELINES", dict(baselines._BASELINES))

    @baselines._register
    def few_trees():
        """The baseline ``random_forest`` with 10 trees."""
        return baselines.random_forest().set_params(classifier__n_estimators=10)

    assert "few_trees" in list_baselines()
    forest = make_baseline("few_trees", random_state=3)["classifier"]
    assert (forest.n_estimators, forest.random_state) == (10, 3)


@pytest.mark.parametrize("name", list_baselines())
def test_every_baseline_is_a_documented_function(name):
    assert getattr(baselines, name).__doc__


@pytest.mark.parametrize("name", LEARNING)
def test_digits_are_learned(name, digits):
    X, y = digits
    baseline = make_quick(name).fit(X[:200], y[:200])
    assert baseline.score(X[200:], y[200:]) > 0.75


@pytest.mark.parametrize("name", LEARNING)
def test_garments_are_learned(name, garments, fit_garments):
    X, y = garments
    assert fit_garments(name).score(X[300:], y[300:]) > 0.65


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


@pytest.mark.parametrize("name", list_baselines())
def test_scale_and_shape_of_images_do_not_matter(name, garments, fit_garments):
    X, y = garments
    flattened = fit_garments(name)
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

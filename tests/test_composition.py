"""The classifier inside scikit-learn's other tools."""

import numpy as np
import pytest
import sklearn
from scipy.stats import loguniform
from sklearn.base import is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.frozen import FrozenEstimator
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import get_scorer
from sklearn.model_selection import (
    GridSearchCV,
    HalvingRandomSearchCV,
    StratifiedKFold,
    check_cv,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
)
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier


@pytest.fixture
def network(make_tiny):
    return make_tiny(epochs=10)


@pytest.fixture
def small(make_small):
    return make_small(epochs=5)


@pytest.mark.parametrize("scaler", [StandardScaler(), MinMaxScaler()])
def test_last_step_of_a_pipeline(scaler, network, digits):
    X, y = digits
    pipeline = make_pipeline(scaler, network)
    assert cross_val_score(pipeline, X, y, cv=3).min() > 0.75
    assert pipeline.fit(X, y).predict_proba(X).shape == (300, 10)


def test_step_of_a_pipeline(small, digits):
    X, y = digits
    pipeline = make_pipeline(small, StandardScaler(), SVC()).fit(X[:200], y[:200])
    assert pipeline.score(X[200:], y[200:]) > 0.8
    assert pipeline[:-1].get_feature_names_out()[0] == "fashioncnnclassifier0"


def test_sorted_labels_are_stratified(network, digits):
    X, y = digits
    order = np.argsort(y)
    assert is_classifier(network)
    assert isinstance(check_cv(3, y, classifier=is_classifier(network)), StratifiedKFold)
    assert cross_val_score(network, X[order], y[order], cv=3).min() > 0.75


def test_cross_validate(network, digits):
    scoring = ["accuracy", "roc_auc_ovr", "neg_log_loss", "f1_macro"]
    results = cross_validate(network, *digits, cv=3, scoring=scoring, return_estimator=True)
    for name in scoring:
        assert np.isfinite(results[f"test_{name}"]).all()
    assert results["test_roc_auc_ovr"].min() > 0.95
    assert results["test_neg_log_loss"].min() > -1.5


def test_cross_val_predict(network, digits):
    X, y = digits
    for method, shape in (("predict_proba", (300, 10)), ("decision_function", (300, 10))):
        predicted = cross_val_predict(network, X, y, cv=3, method=method)
        assert predicted.shape == shape
        assert np.mean(predicted.argmax(axis=1) == y) > 0.8


def test_grid_search(network, digits):
    X, y = digits
    grid = {
        "network__learning_rate": [1e-5, 5e-3],
        "network__optimizer__beta_1": [0.9, 0.8],
        "scale": ["passthrough", StandardScaler()],
    }
    pipeline = Pipeline([("scale", StandardScaler()), ("network", network)])
    search = GridSearchCV(pipeline, grid, cv=2, scoring="neg_log_loss").fit(X, y)
    assert search.best_params_["network__learning_rate"] == 5e-3
    assert search.best_estimator_.score(X, y) > 0.8
    assert len(np.unique(search.cv_results_["mean_test_score"])) == 8  # all make a difference


def test_successive_halving(network, digits):
    search = HalvingRandomSearchCV(
        network,
        {"learning_rate": loguniform(1e-5, 1e-2)},
        resource="epochs",
        min_resources=1,
        max_resources=4,
        factor=2,
        cv=2,
        random_state=0,
    )
    search.fit(*digits)
    assert search.n_resources_ == [1, 2, 4]
    assert search.best_estimator_.n_epochs_ == 4


@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "temperature"])
@pytest.mark.parametrize("n_classes", [2, 10])
def test_calibration(method, n_classes, network, digits):
    X, y = digits
    calibrated = CalibratedClassifierCV(network, method=method, cv=2)
    calibrated.fit(X, y * n_classes // 10)
    assert calibrated.score(X, y * n_classes // 10) > 0.75


def test_temperature_of_a_fitted_network(make_tiny, digits):
    """Calibration finds that smoothed labels made the network say too little."""
    X, y = digits
    fitted = make_tiny(epochs=10, label_smoothing=0.6).fit(X[:100], y[:100])
    calibrated = CalibratedClassifierCV(FrozenEstimator(fitted), method="temperature")
    calibrated.fit(X[100:200], y[100:200])
    log_loss = get_scorer("neg_log_loss")
    assert log_loss(calibrated, X[200:], y[200:]) > log_loss(fitted, X[200:], y[200:]) + 0.2
    np.testing.assert_array_equal(calibrated.predict(X), fitted.predict(X))


@pytest.mark.parametrize("voting", ["hard", "soft"])
def test_voting(voting, network, digits):
    voters = [("network", network), ("tree", DecisionTreeClassifier(random_state=0))]
    classifier = VotingClassifier(voters, voting=voting).fit(*digits)
    assert classifier.score(*digits) > 0.8


def test_stacking(small, digits):
    X, y = digits
    classifier = StackingClassifier(
        [("network", small), ("tree", DecisionTreeClassifier(random_state=0))],
        LogisticRegression(),
        cv=3,
    )
    assert classifier.fit(X[:200], y[:200]).score(X[200:], y[200:]) > 0.7


def test_bagging(network, digits):
    classifier = BaggingClassifier(network, n_estimators=3, random_state=0).fit(*digits)
    assert classifier.score(*digits) > 0.8
    first, second = (estimator.predict_proba(digits[0]) for estimator in classifier.estimators_[:2])
    assert (first != second).any()


def test_one_vs_rest(network, digits):
    X, y = digits
    classifier = OneVsRestClassifier(network).fit(X, y % 3)
    assert classifier.score(X, y % 3) > 0.7


def test_feature_union(small, digits):
    X, y = digits
    union = FeatureUnion([("pixels", "passthrough"), ("network", small)]).fit(X, y)
    assert union.transform(X).shape == (300, 60 + 64)
    assert make_pipeline(union, LogisticRegression(max_iter=1000)).fit(X, y).score(X, y) > 0.95


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_set_output(library, network, digits):
    X, y = digits
    features = network.set_output(transform=library).fit(X, y).transform(X)
    assert type(features).__module__.startswith(library)
    assert list(features.columns) == list(network.get_feature_names_out())
    assert network.predict(X).shape == (300,)  # labels stay an array
    assert isinstance(network.predict_proba(X), np.ndarray)


def test_permutation_importance(fitted, digits):
    X, y = digits
    result = permutation_importance(fitted, X[:50], y[:50], n_repeats=1, random_state=0)
    importance = result.importances_mean.reshape(8, 8)
    assert importance[2:6, 2:6].mean() > importance[:, 0].mean()  # the edge is blank


def test_learning_curve(network, digits):
    sizes, _, scores = learning_curve(network, *digits, cv=2, train_sizes=[40, 150])
    assert sizes.tolist() == [40, 150]
    assert scores[1].mean() > scores[0].mean()


def test_routed_weights(network, digits):
    """Cross-validation hands each fold its weights: images of weight 0 teach nothing."""
    X, y = digits
    weights = np.where(y < 5, 1.0, 0.0)
    with sklearn.config_context(enable_metadata_routing=True):
        network.set_params(epochs=10)
        network.set_fit_request(sample_weight=True).set_score_request(sample_weight=True)
        results = cross_validate(
            network, X, y, cv=2, params={"sample_weight": weights}, return_estimator=True
        )
    assert results["test_score"].min() > 0.75  # unweighted, half would be wrong
    for estimator in results["estimator"]:
        assert set(estimator.predict(X)) <= set(range(5))


def test_pipeline_transforms_validation_images(make_tiny, digits):
    X, y = digits
    with sklearn.config_context(enable_metadata_routing=True):
        network = make_tiny(epochs=5).set_fit_request(X_val=True, y_val=True)
        pipeline = Pipeline(
            [("scale", MinMaxScaler()), ("network", network)], transform_input=["X_val"]
        )
        pipeline.fit(X[:200], y[:200], X_val=X[200:], y_val=y[200:])
    accuracy = pipeline[-1].history_["val_accuracy"][-1]
    assert accuracy == pytest.approx(pipeline.score(X[200:], y[200:]))
    assert accuracy > 0.6

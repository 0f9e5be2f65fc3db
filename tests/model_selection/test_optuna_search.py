"""OptunaSearchCV does what scikit-learn's own searches do."""

import logging
import pickle
import warnings

import numpy as np
import optuna
import pytest
import sklearn
from optuna.distributions import FloatDistribution
from optuna.pruners import MedianPruner, NopPruner, WilcoxonPruner
from optuna.samplers import GridSampler, RandomSampler
from scipy.stats import loguniform
from sklearn.base import BaseEstimator, ClassifierMixin, clone, is_classifier, is_regressor
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import FitFailedWarning
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, f1_score, make_scorer
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    ParameterGrid,
    ShuffleSplit,
    cross_val_score,
)
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skfashion.model_selection import OptunaSearchCV
from skfashion.model_selection._trial import FoldPruner
from skfashion.preprocessing import ImageAugmenter

SPACE = {"C": loguniform(1e-2, 1e3), "gamma": loguniform(1e-4, 1)}
GRID = {"C": [0.1, 1, 10], "gamma": [0.001, 0.1]}


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


def search_grid(estimator, grid, **parameters):
    """A search that tries what GridSearchCV tries."""
    return OptunaSearchCV(
        estimator, grid, sampler=GridSampler(grid, seed=0), pruner=NopPruner(), **parameters
    )


def by_setting(search):
    """Columns of cv_results_, rows sorted by setting; times left out."""
    results = search.cv_results_
    order = sorted(range(len(results["params"])), key=lambda i: str(results["params"][i]))
    return {
        key: [values[i] for i in order]
        for key, values in results.items()
        if "time" not in key and not key.startswith("trial_")
    }


@pytest.mark.parametrize(
    "parameters",
    [
        {},
        {"cv": 3, "return_train_score": True},
        {"cv": ShuffleSplit(4, random_state=0), "scoring": "neg_log_loss"},
        {"scoring": ["accuracy", "f1_macro"], "refit": "f1_macro"},
        {"scoring": {"a": make_scorer(accuracy_score), "f": "f1_macro"}, "refit": False},
        {"scoring": lambda e, X, y: {"a": e.score(X, y), "n": len(X)}, "refit": "a"},
        {"scoring": "f1_macro", "n_jobs": 2},
    ],
)
@pytest.mark.parametrize("load", [load_iris, load_digits])
def test_same_scores_as_grid_search(parameters, load):
    """To the last bit."""
    X, y = (part[:500] for part in load(return_X_y=True))
    estimator, grid = SVC(), GRID
    if parameters.get("scoring") == "neg_log_loss":
        estimator, grid = LogisticRegression(max_iter=5000, tol=0.1), {"C": [0.1, 1.0]}
    expected = GridSearchCV(estimator, grid, **parameters).fit(X, y)
    n_trials = len(ParameterGrid(grid))
    found = search_grid(estimator, grid, n_trials=n_trials, **parameters).fit(X, y)
    ours, theirs = by_setting(found), by_setting(expected)
    assert list(ours) == list(theirs)
    for key, values in theirs.items():
        np.testing.assert_array_equal(ours[key], values, err_msg=key)
    assert found.multimetric_ == expected.multimetric_
    assert found.n_splits_ == expected.n_splits_
    if parameters.get("refit", True):
        assert found.best_score_ == expected.best_score_
        assert found.score(X, y) == pytest.approx(expected.score(X, y), abs=0.02)


def test_ends_when_the_sampler_has_tried_everything(iris):
    search = search_grid(SVC(), GRID, n_trials=100).fit(*iris)
    assert len(search.cv_results_["params"]) == len(ParameterGrid(GRID))


def test_nested_in_sorted_labels(iris):
    """As good as scikit-learn's own; optuna-integration's search scores 0 here."""
    search = OptunaSearchCV(SVC(), SPACE, n_trials=10, random_state=0)
    scores = cross_val_score(search, *iris, cv=3)
    expected = cross_val_score(GridSearchCV(SVC(), GRID), *iris, cv=3)
    assert scores.mean() > expected.mean() - 0.03


def test_kind_follows_the_estimator():
    assert is_classifier(OptunaSearchCV(SVC(), SPACE))
    assert is_regressor(OptunaSearchCV(Ridge(), {"alpha": [1, 2]}))
    assert not hasattr(OptunaSearchCV(SVC(), SPACE), "transform")


def test_reproducible_and_best(iris):
    search = OptunaSearchCV(SVC(), SPACE, n_trials=15, random_state=3)
    one, other = clone(search).fit(*iris), clone(search).fit(*iris)
    assert one.cv_results_["params"] == other.cv_results_["params"]
    another = clone(search).set_params(random_state=4).fit(*iris)
    assert one.cv_results_["params"] != another.cv_results_["params"]
    means = one.cv_results_["mean_test_score"]
    assert one.best_score_ == np.nanmax(means) == means[one.best_index_]
    assert one.best_trial_.value == pytest.approx(one.best_score_)
    assert one.best_trial_.number == one.study_.best_trial.number
    assert one.best_estimator_.get_params()["C"] == one.best_params_["C"]
    loaded = pickle.loads(pickle.dumps(one))
    assert (loaded.predict(iris[0]) == one.predict(iris[0])).all()
    assert loaded.best_trial_ == one.best_trial_


def test_the_users_sampler_is_not_changed(iris):
    sampler = RandomSampler(seed=0)
    search = OptunaSearchCV(SVC(), SPACE, n_trials=3, sampler=sampler)
    settings = [clone(search).fit(*iris).cv_results_["params"] for _ in range(2)]
    assert settings[0] == settings[1]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_hopeless_settings_are_pruned(n_jobs):
    """They are recorded as pruned, spared some folds, and never the best."""
    X, y = (part[:300] for part in load_digits(return_X_y=True))
    space = {"gamma": loguniform(1e-6, 1)}
    # How many good settings TPE tries in a row depends on Optuna's version.
    search = OptunaSearchCV(
        SVC(), space, n_trials=20, sampler=RandomSampler(seed=0), n_jobs=n_jobs
    ).fit(X, y)
    results = search.cv_results_
    pruned = results["trial_state"] == "pruned"
    assert 0 < pruned.sum() < 15
    assert np.isnan(results["mean_test_score"][pruned]).all()
    assert np.isfinite(results["mean_test_score"][~pruned]).all()
    assert results["rank_test_score"][pruned].min() > results["rank_test_score"][~pruned].max()
    assert np.isnan(results["split4_test_score"][pruned]).all()
    assert np.isfinite(results["split0_test_score"]).all()
    states = [trial.state.name.lower() for trial in search.study_.trials]
    assert states == results["trial_state"].tolist()
    unpruned = clone(search).set_params(pruner=NopPruner(), n_jobs=1).fit(X, y)
    assert search.best_score_ > unpruned.best_score_ - 0.02
    assert set(unpruned.cv_results_["trial_state"]) == {"complete"}


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_repeated_settings_have_the_same_results(n_jobs, iris):
    space = {"kernel": ["linear", "rbf"]}
    search = OptunaSearchCV(SVC(), space, n_trials=8, n_jobs=n_jobs, random_state=0).fit(*iris)
    assert len(search.cv_results_["params"]) == 8
    linear = search.cv_results_["param_kernel"] == "linear"
    scores = search.cv_results_["mean_test_score"]
    assert len(set(scores[linear])) == len(set(scores[~linear])) == 1


def test_a_setting_chosen_again_is_not_fitted_again(iris):
    X, y = iris
    n_fits = []

    class Counted(SVC):
        def fit(self, X, y, sample_weight=None):
            n_fits.append(1)
            return super().fit(X, y, sample_weight)

    space = {"C": [0.001, 1.0], "kernel": ["linear", "rbf"]}
    search = OptunaSearchCV(Counted(), space, n_trials=25, random_state=0, refit=False).fit(X, y)
    assert len(n_fits) <= 4 * 5
    results = search.cv_results_
    assert len(results["params"]) == 25
    for i, setting in enumerate(results["params"]):
        first = results["params"].index(setting)
        assert results["trial_state"][i] == results["trial_state"][first]
        assert results["split0_test_score"][i] == results["split0_test_score"][first]


def test_a_setting_chosen_again_counts_once_for_the_pruner(tmp_path, iris):
    storage = f"sqlite:///{tmp_path / 'study.db'}"
    study = optuna.create_study(storage=storage, study_name="enqueued", direction="maximize")
    for C in (10, 10, 10, 10, 10, 1e-5):
        study.enqueue_trial({"C": C})
    space = {"C": loguniform(1e-6, 1e3)}
    search = OptunaSearchCV(
        SVC(), space, n_trials=6, cv=3, storage=storage, study_name="enqueued", random_state=0
    ).fit(*iris)
    assert search.cv_results_["trial_state"].tolist() == ["complete"] * 6
    assert search.cv_results_["mean_test_score"][-1] < search.best_score_


@pytest.mark.filterwarnings("ignore:WilcoxonPruner is experimental")
@pytest.mark.parametrize(
    "make_pruner",
    [
        lambda: WilcoxonPruner(p_threshold=0.3),
        lambda: optuna.pruners.ThresholdPruner(lower=0.5),
        lambda: MedianPruner(n_startup_trials=1),
        lambda: optuna.pruners.PercentilePruner(25.0),
    ],
)
def test_other_pruners(make_pruner):
    X, y = (part[:200] for part in load_digits(return_X_y=True))
    space = {"gamma": loguniform(1e-6, 1)}
    search = OptunaSearchCV(SVC(), space, pruner=make_pruner(), n_trials=20, random_state=0)
    states = search.fit(X, y).cv_results_["trial_state"].tolist()
    assert states.count("pruned") > 0
    assert states.count("pruned") + states.count("complete") == 20


def test_a_lucky_first_fold_does_not_save_a_setting():
    others = [[0.9] * 5 for _ in range(6)]
    pruner = FoldPruner(MedianPruner(), others)
    assert not pruner.is_hopeless([0.95])
    assert pruner.is_hopeless([0.95, 0.1])
    assert not pruner.is_hopeless([0.95, 0.95])


class Fragile(ClassifierMixin, BaseEstimator):
    """Fails where it is asked to."""

    def __init__(self, level=0):
        self.level = level

    def fit(self, X, y):
        if self.level > 1:
            raise ValueError("too high")
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def test_failed_fits(iris):
    search = search_grid(Fragile(), {"level": [0, 1, 2]}, n_trials=3)
    with pytest.warns(FitFailedWarning, match="5 fits failed out of a total of 15"):
        search.fit(*iris)
    results = search.cv_results_
    (failed,) = np.flatnonzero(results["trial_state"] == "fail")
    assert results["params"][failed] == {"level": 2}
    assert np.isnan(results["mean_test_score"][failed])
    assert search.best_params_["level"] < 2
    with pytest.warns(FitFailedWarning):
        search.set_params(error_score=0.0).fit(*iris)
    assert set(search.cv_results_["trial_state"]) == {"complete"}
    with pytest.raises(ValueError, match="too high"):
        search.set_params(error_score="raise").fit(*iris)


def test_all_fits_fail(tmp_path, iris):
    """Those of repeated settings, and of an earlier call, count too."""
    search = OptunaSearchCV(Fragile(), {"level": [2]}, n_trials=3, storage=tmp_path / "study.log")
    for _ in range(2):
        with pytest.raises(ValueError, match=r"All the 15 fits failed[^$]*too high"):
            search.fit(*iris)


def test_no_trial_is_completed(iris):
    pruner = optuna.pruners.ThresholdPruner(lower=2.0)
    search = OptunaSearchCV(SVC(), SPACE, pruner=pruner, n_trials=3)
    with pytest.raises(ValueError, match=r"No trial was completed, .* 3 were pruned, 0 failed"):
        search.fit(*iris)


def test_callable_refit(iris):
    def second(results):
        return 1

    search = OptunaSearchCV(SVC(), SPACE, refit=second, n_trials=3, random_state=0).fit(*iris)
    assert search.best_params_ == search.cv_results_["params"][1]
    assert search.best_trial_.number == 1


def test_a_callable_refit_never_gets_a_pruned_trial(iris):
    def first_of_the_best(results):
        return np.argmax(results["mean_test_score"])  # which is NaN, if there is one

    search = OptunaSearchCV(SVC(), SPACE, refit=first_of_the_best, n_trials=20, random_state=0)
    search.fit(*iris)
    assert set(search.cv_results_["trial_state"]) == {"complete"}
    assert search.cv_results_["rank_test_score"][search.best_index_] == 1
    with pytest.raises(ValueError, match=r"refit must choose a trial that is complete.*'pruned'"):
        search.set_params(pruner=MedianPruner()).fit(*iris)


def test_errors_in_a_worker_reach_the_user(iris):
    search = OptunaSearchCV(Fragile(), {"level": [2, 3]}, n_jobs=2, error_score="raise")
    with pytest.raises(ValueError, match="too high"):
        search.fit(*iris)

    calls = []

    def space(trial):
        calls.append(trial.number)
        return {"level": 0} if len(calls) < 4 else {"levl": 0}

    search = OptunaSearchCV(Fragile(), space, n_jobs=2)
    with pytest.raises(ValueError, match=r"Unknown parameter 'levl'\. Did you mean 'level'"):
        search.fit(*iris)


def test_parameters_of_fit_that_cannot_be_pickled(iris):
    class Told(SVC):
        def fit(self, X, y, tell=None):
            tell(len(X))
            return super().fit(X, y)

    told = []
    OptunaSearchCV(Told(), SPACE, n_trials=1).fit(*iris, tell=lambda n: told.append(n))
    assert told == [120] * 5 + [150]


def test_timeout_and_interruption(iris):
    search = OptunaSearchCV(SVC(), SPACE, n_trials=10_000, timeout=0.5).fit(*iris)
    assert 0 < len(search.cv_results_["params"]) < 10_000
    assert search.best_score_ > 0.5
    assert not search.interrupted_

    class Interrupted(SVC):
        def fit(self, X, y):
            if self.C > 5:
                raise KeyboardInterrupt
            return super().fit(X, y)

    settings = {"C": [1, 2, 10]}
    search = search_grid(Interrupted(), settings, n_trials=3)
    search.set_params(sampler=GridSampler(settings, seed=1))
    with pytest.warns(UserWarning, match=r"interrupted after [12] of 3 trials"):
        search.fit(*iris)
    assert search.interrupted_
    assert search.predict(iris[0][:1]) == [0]
    with pytest.raises(KeyboardInterrupt):  # there is nothing to keep
        OptunaSearchCV(Interrupted(), {"C": [10]}).fit(*iris)


def test_function_as_space(iris):
    def space(trial):
        kernel = trial.suggest_categorical("kernel", ["linear", "rbf"])
        setting = {"svc__kernel": kernel, "svc__C": trial.suggest_float("C", 0.1, 10, log=True)}
        if kernel == "rbf":
            setting["svc__gamma"] = trial.suggest_float("gamma", 1e-3, 1, log=True)
        return setting

    pipeline = Pipeline([("scale", StandardScaler()), ("svc", SVC())])
    search = OptunaSearchCV(pipeline, space, n_trials=8, random_state=0).fit(*iris)
    assert search.best_params_.keys() >= {"svc__kernel", "svc__C"}
    gammas = search.cv_results_["param_svc__gamma"]
    kernels = search.cv_results_["param_svc__kernel"]
    assert (gammas.mask == (kernels == "linear")).all()
    assert "C" in search.best_trial_.params


def test_steps_and_their_parameters(iris):
    pipeline = Pipeline([("reduce", PCA()), ("classify", SVC())])
    space = {
        "reduce": [PCA(2), StandardScaler(), "passthrough"],
        "classify": [SVC(), LogisticRegression(max_iter=1000)],
        "classify__C": loguniform(0.1, 10),
    }
    search = OptunaSearchCV(pipeline, space, n_trials=6, random_state=0).fit(*iris)
    assert search.best_score_ > 0.9
    assert search.best_params_["classify"] is not search.best_estimator_["classify"]


def test_network(make_small, digits):
    """Nested parameters, and a network as the estimator."""
    network = make_small(augmentation=ImageAugmenter(horizontal_flip=False))
    pipeline = Pipeline([("model", network)])
    space = {
        "model__augmentation__rotation": FloatDistribution(0.0, 5.0),
        "model__learning_rate": loguniform(1e-3, 1e-2),
    }
    search = OptunaSearchCV(pipeline, space, n_trials=2, cv=2, random_state=0).fit(*digits)
    best = search.best_estimator_["model"]
    assert best.augmentation.rotation == search.best_params_["model__augmentation__rotation"]
    assert search.predict_proba(digits[0]).shape == (300, 10)


def test_weights_groups_and_routing(iris):
    X, y = iris
    weights = np.where(y == 0, 0.0, 1.0)
    groups = np.arange(len(y)) % 5
    parameters = {"cv": GroupKFold(3), "scoring": make_scorer(f1_score, average="macro")}
    for routing, n_jobs in ((False, 1), (True, 1), (True, 2)):
        with sklearn.config_context(enable_metadata_routing=routing):
            parameters["n_jobs"] = n_jobs
            estimator = SVC()
            if routing:
                estimator.set_fit_request(sample_weight=True)
                parameters["scoring"].set_score_request(sample_weight=True)
            arguments = {"groups": groups, "sample_weight": weights}
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "F-score is ill-defined")
                expected = GridSearchCV(estimator, GRID, **parameters).fit(X, y, **arguments)
                search = search_grid(estimator, GRID, n_trials=6, **parameters)
                found = search.fit(X, y, **arguments)
        assert by_setting(found)["mean_test_score"] == by_setting(expected)["mean_test_score"]


def test_callbacks_see_the_search(iris, capsys):
    callback = pytest.importorskip("sklearn.callback", reason="scikit-learn 1.9 has callbacks")
    search = OptunaSearchCV(LogisticRegression(max_iter=1000), {"C": [1.0]}, n_trials=1)
    search.set_callbacks(callback.ProgressBar()).fit(*iris)
    assert "refit-with-best-params" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("parameters", "error", "match"),
    [
        ({"param_distributions": {}}, ValueError, "param_distributions is empty"),
        ({"param_distributions": {"C": []}}, ValueError, r"param_distributions\['C'\] is empty"),
        ({"param_distributions": {"C": 3}}, TypeError, r"param_distributions\['C'\] must be an"),
        ({"param_distributions": [SPACE]}, ValueError, "'param_distributions' parameter"),
        ({"param_distributions": {"gama": [1]}}, ValueError, "Did you mean 'gamma'"),
        ({"param_distributions": {"c": [1]}}, ValueError, "Did you mean 'C'"),
        ({"param_distributions": {"C__x": [1]}}, ValueError, "Unknown parameter 'C__x'"),
        ({"param_distributions": lambda trial: None}, ValueError, "must return a dict"),
        ({"param_distributions": lambda trial: {"c": 1}}, ValueError, "Did you mean 'C'"),
        ({"n_trials": 0}, ValueError, "'n_trials' parameter"),
        ({"timeout": 0}, ValueError, "'timeout' parameter"),
        ({"sampler": "tpe"}, ValueError, "'sampler' parameter"),
        ({"pruner": "median"}, ValueError, "'pruner' parameter"),
        ({"pruner": optuna.pruners.HyperbandPruner()}, ValueError, "Take MedianPruner"),
        ({"storage": 3}, ValueError, "'storage' parameter"),
        ({"scoring": ["accuracy", "f1_macro"]}, ValueError, "refit must be set"),
        ({"scoring": "acuracy"}, ValueError, "acuracy"),
        (
            {
                "estimator": SVC(),
                "scoring": lambda estimator, X, y: {"accuracy": 0.5},
                "refit": "acc",
            },
            ValueError,
            r"refit must name a metric of scoring \(accuracy\), got 'acc'",
        ),
        ({"cv": 1}, ValueError, "cv|n_splits"),
    ],
)
def test_bad_input_before_any_fit(parameters, error, match, iris):
    class NeverFitted(SVC):
        def fit(self, X, y, sample_weight=None):
            raise AssertionError("it was fitted")

    search = OptunaSearchCV(NeverFitted(), SPACE, error_score="raise").set_params(**parameters)
    with pytest.raises(error, match=match):
        search.fit(*iris)


def test_a_parameter_of_what_is_not_set(make_small, digits):
    search = OptunaSearchCV(make_small(augmentation=None), {"augmentation__rotation": [5]})
    with pytest.raises(ValueError, match=r"for augmentation is None\. Set augmentation itself"):
        search.fit(*digits)


def test_quiet(iris, capsys):
    """Nothing is printed, and Optuna's own logging is as the user set it."""
    level = optuna.logging.get_verbosity()
    OptunaSearchCV(SVC(), SPACE, n_trials=2).fit(*iris)
    output = capsys.readouterr()
    assert (output.out, output.err) == ("", "")
    assert optuna.logging.get_verbosity() == level
    assert not any(handler.filters for handler in logging.getLogger("optuna").handlers)


@pytest.mark.parametrize("verbose", [1, 2])
def test_a_line_a_trial_where_there_is_no_terminal(verbose, iris, capsys):
    OptunaSearchCV(SVC(), SPACE, n_trials=3, verbose=verbose).fit(*iris)
    lines = capsys.readouterr().out.splitlines()
    starts = ["Trial 0 (1 of 3)", "Trial 1 (2 of 3)", "Trial 2 (3 of 3)"]
    assert [line.partition("  ")[0] for line in lines] == starts
    assert all("best 0." in line for line in lines)


def test_scikeras():
    """A search around it is a classifier, though itself it lacks the tag: folds are stratified."""
    wrappers = pytest.importorskip("scikeras.wrappers")
    network = wrappers.KerasClassifier(model=None)
    for estimator in (network, Pipeline([("network", network)])):
        search = OptunaSearchCV(estimator, {"epochs": [1, 2]})
        assert is_classifier(search)
        assert is_classifier(OptunaSearchCV(search, {"n_trials": [1, 2]}))
    assert not is_classifier(OptunaSearchCV(SelectFromModel(SVC()), {"max_features": [1]}))

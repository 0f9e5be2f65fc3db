"""Comparing classifiers."""

import os
import pickle
import signal
import subprocess
import sys
import time
from typing import ClassVar

import numpy as np
import pandas as pd
import polars as pl
import psutil
import pytest
from scipy import stats
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.cluster import KMeans
from sklearn.datasets import load_iris, make_moons
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LinearRegression
from sklearn.metrics import accuracy_score
from sklearn.model_selection import (
    GroupKFold,
    RepeatedStratifiedKFold,
    StratifiedKFold,
    StratifiedShuffleSplit,
    cross_val_score,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

from skfashion.errors import ComparisonInterrupted
from skfashion.model_selection import compare_classifiers


class Recorder(GaussianNB):
    """Keeps for everyone what clones of it were fitted on, and with which seed."""

    fits: ClassVar[list] = []

    def __init__(self, name=None, random_state=None):
        super().__init__()
        self.name = name
        self.random_state = random_state

    def fit(self, X, y):
        self.fits.append((self.name, X[:, 0].tolist(), self.random_state))
        return super().fit(X, y)


class Scripted(ClassifierMixin, BaseEstimator):
    """Has the scores that it is given, in the order of the folds."""

    def __init__(self, scores):
        self.scores = scores

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.full(len(X), self.classes_[0])


def compare_scripted(**scores):
    """Compare them on folds of ten, whose test images say which fold it is."""
    X = np.repeat(np.arange(len(scores["best"])), 10)[:, np.newaxis]
    cv = [(np.flatnonzero(X[:, 0] != k), np.flatnonzero(X[:, 0] == k)) for k in np.unique(X)]
    return compare_classifiers(
        {name: Scripted(values) for name, values in scores.items()},
        X,
        np.arange(len(X)) % 2,
        cv=cv if len(cv) > 1 else [(np.arange(5), np.arange(5, 10))],
        scoring=lambda estimator, X, y: estimator.scores[X[0, 0]],
    )


class FailsOnce(GaussianNB):
    """Does not like the first sample."""

    def fit(self, X, y):
        if 0 in X[:, 0]:
            raise MemoryError("no room\nfor this")
        return super().fit(X, y)


class OddError(Exception):
    """Can be pickled, but not unpickled."""

    def __init__(self, what, where):
        super().__init__(f"{what} in {where}")


class FailsOddly(GaussianNB):
    def fit(self, X, y):
        raise OddError("rain", "Spain")


class Interrupted(GaussianNB):
    def fit(self, X, y):
        raise KeyboardInterrupt


class InterruptsParent(GaussianNB):
    """Sends Ctrl-C to the process of the comparison, and goes on fitting for a minute."""

    def fit(self, X, y):
        time.sleep(1)
        os.kill(os.getppid(), signal.SIGINT)
        time.sleep(60)
        return super().fit(X, y)


@pytest.fixture(scope="module")
def iris():
    return load_iris(return_X_y=True)


@pytest.fixture
def numbered():
    """Samples whose first column is their number."""
    X = np.random.default_rng(0).normal(size=(60, 3))
    X[:, 0] = np.arange(60)
    return X, np.arange(60) % 2


@pytest.fixture
def fits():
    Recorder.fits.clear()
    return Recorder.fits


def test_table(iris):
    X, y = iris  # sorted by class
    contenders = {"dummy": DummyClassifier(), "knn": KNeighborsClassifier(), "bayes": GaussianNB()}
    table = compare_classifiers(contenders, X, y)
    assert list(table.columns) == [
        "mean_score",
        "std_score",
        "fit_seconds",
        "predict_ms",
        "p_value",
    ]
    assert table.index.name == "classifier"
    assert list(table.index) == ["knn", "bayes", "dummy"]
    for name, classifier in contenders.items():
        scores = cross_val_score(classifier, X, y, cv=5)
        assert table.attrs["fold_scores"][name] == scores.tolist()
        assert table.loc[name, "mean_score"] == scores.mean()
        assert table.loc[name, "std_score"] == scores.std()
        seconds = table.attrs["fold_fit_seconds"][name]
        assert table.loc[name, "fit_seconds"] == pytest.approx(np.mean(seconds))
    assert (table[["fit_seconds", "predict_ms"]] > 0).all(axis=None)
    assert np.isnan(table.loc["knn", "p_value"])
    assert table.loc["dummy", "p_value"] < 1e-4


def test_seconds_are_of_a_fit_and_of_a_thousand_predictions(numbered):
    class Slow(GaussianNB):
        def fit(self, X, y):
            time.sleep(0.1)
            return super().fit(X, y)

        def predict(self, X):
            time.sleep(0.03)  # for 30 samples
            return super().predict(X)

    table = compare_classifiers([Slow()], *numbered, cv=2)
    assert 0.1 <= table.loc["slow", "fit_seconds"] < 0.3
    assert 1 <= table.loc["slow", "predict_ms"] < 3


def test_random_state_shuffles_folds(iris):
    expected = cross_val_score(
        GaussianNB(), *iris, cv=StratifiedKFold(4, shuffle=True, random_state=3)
    )
    table = compare_classifiers([GaussianNB()], *iris, cv=4, random_state=3)
    assert table.attrs["fold_scores"]["gaussiannb"] == expected.tolist()


@pytest.mark.parametrize("cv", [3, StratifiedShuffleSplit(3)])
def test_all_get_the_same_folds(cv, numbered, fits):
    compare_classifiers([("a", Recorder("a")), ("b", Recorder("b"))], *numbered, cv=cv)
    samples = {name: [x for fitted, x, _ in fits if fitted == name] for name in "ab"}
    assert samples["a"] == samples["b"]
    assert len(samples["a"]) == 3


def test_parallel_gives_the_same_scores(iris):
    contenders = {"forest": RandomForestClassifier(10), "tree": DecisionTreeClassifier()}
    one, two = (
        compare_classifiers(contenders, *iris, random_state=0, n_jobs=n).attrs["fold_scores"]
        for n in (1, 2)
    )
    assert one == two
    assert list(one) == list(two)


def test_seeds(numbered, fits):
    def seeds_of(recorder, random_state):
        fits.clear()
        compare_classifiers(
            [make_pipeline(StandardScaler(), recorder)], *numbered, cv=3, random_state=random_state
        )
        return [seed for _, _, seed in fits]

    (seed,) = set(seeds_of(Recorder(), 0))
    assert isinstance(seed, int)
    assert seeds_of(Recorder(), 0) == [seed] * 3
    assert seed not in seeds_of(Recorder(), 1)
    assert seeds_of(Recorder(random_state=7), 0) == [7] * 3
    assert seeds_of(Recorder(), None) == [None] * 3


def test_seeds_make_scores_repeatable(iris):
    def compare(random_state):
        contenders = {"forest": RandomForestClassifier(3, max_features=1)}
        return compare_classifiers(
            contenders, *iris, cv=StratifiedKFold(5), random_state=random_state
        ).attrs["fold_scores"]

    assert compare(0) == compare(0)
    assert compare(0) != compare(4)


def test_users_objects_are_left_alone(iris):
    generator = np.random.RandomState(0)
    forest = RandomForestClassifier(3, random_state=generator)
    pipeline = make_pipeline(StandardScaler(), DecisionTreeClassifier())
    before = generator.get_state()[1].tolist()
    compare_classifiers([forest, pipeline], *iris, random_state=0)
    assert generator.get_state()[1].tolist() == before
    assert pipeline.get_params()["decisiontreeclassifier__random_state"] is None
    assert not hasattr(forest, "classes_")
    assert not hasattr(pipeline[-1], "classes_")


def test_frames_and_labels(iris):
    X, y = iris
    names = np.array(["setosa", "versicolor", "virginica"])[y]
    expected = compare_classifiers([GaussianNB()], X, y).attrs["fold_scores"]
    for frame, labels in [
        (pd.DataFrame(X), pd.Series(names, index=np.arange(len(y)) + 7)),
        (pl.DataFrame(X), pl.Series(names)),
        (X.tolist(), names.tolist()),
    ]:
        assert compare_classifiers([GaussianNB()], frame, labels).attrs["fold_scores"] == expected


def test_images(make_small, digits):
    X, y = digits
    contenders = {"dummy": DummyClassifier(), "network": make_small(random_state=None)}
    found = [
        compare_classifiers(contenders, X.reshape(shape), y, cv=2, random_state=0)
        for shape in [(-1, 8, 8), (-1, 8, 8, 1)]
    ]
    assert list(found[0].index) == ["network", "dummy"]
    assert found[0].attrs["fold_scores"] == found[1].attrs["fold_scores"]


def test_log_loss_greatest_first(iris):
    contenders = {"dummy": DummyClassifier(), "bayes": GaussianNB()}
    table = compare_classifiers(contenders, *iris, scoring="neg_log_loss")
    assert list(table.index) == ["bayes", "dummy"]
    assert (table["mean_score"] < 0).all()
    assert table.attrs["scoring"] == "neg_log_loss"


def test_p_values_of_scikit_learns_example():
    """Its text gives t = 0.750 and p = 0.227, one-sided, for the kernels rbf and linear.

    See "Statistical comparison of models using grid search" in scikit-learn's gallery.
    """
    X, y = make_moons(noise=0.352, random_state=1, n_samples=100)
    table = compare_classifiers(
        {"rbf": SVC(), "linear": SVC(kernel="linear")},
        X,
        y,
        cv=RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0),
        scoring="roc_auc",
    )
    assert list(table.index) == ["rbf", "linear"]
    assert table.loc["linear", "p_value"] / 2 == pytest.approx(0.227, abs=5e-4)
    assert stats.t.isf(table.loc["linear", "p_value"] / 2, 99) == pytest.approx(0.750, abs=5e-4)


def test_p_values_by_hand():
    """Differences 1, 2 and 3 in three folds: t = 2 / sqrt((1/3 + 1/2) * 1), 2 degrees of freedom.

    Student's distribution function has a closed form for 2.
    """
    table = compare_scripted(best=[4.0, 5.0, 6.0], other=[3.0, 3.0, 3.0])
    t = 2 / np.sqrt(5 / 6)
    assert table.loc["other", "p_value"] == pytest.approx(1 - t / np.sqrt(2 + t**2))


def test_p_values_without_spread():
    table = compare_scripted(
        best=[0.9, 0.8, 0.7], same=[0.9, 0.8, 0.7], worse=[0.8, 0.7, 0.6], equal=[0.7, 0.8, 0.9]
    )
    assert list(table.index[:1]) == ["best"]
    assert table["p_value"].drop("best").to_dict() == {"same": 1, "worse": 0, "equal": 1}


def test_one_fold():
    table = compare_scripted(best=[0.9], worse=[0.8])
    assert table["mean_score"].tolist() == [0.9, 0.8]
    assert table["p_value"].isna().all()


def test_failing_contender(numbered):
    contenders = {"fails": FailsOnce(), "knn": KNeighborsClassifier(), "bayes": GaussianNB()}
    message = "'fails' failed and has no score: MemoryError: no room for this"
    with pytest.warns(UserWarning, match=message) as caught:
        table = compare_classifiers(contenders, *numbered)
    assert [warning.filename for warning in caught] == [__file__]
    assert table.index[-1] == "fails"
    assert table.index.name == "classifier"
    assert table.loc["fails"].drop("error").isna().all()
    assert table["error"].tolist() == ["", "", "MemoryError: no room for this"]
    assert "fails" not in table.attrs["fold_scores"]
    others = compare_classifiers({n: contenders[n] for n in ("knn", "bayes")}, *numbered)
    assert table.attrs["fold_scores"] == others.attrs["fold_scores"]


def test_failure_in_another_process(numbered):
    with pytest.warns(UserWarning, match="OddError: rain in Spain"):
        table = compare_classifiers([FailsOddly(), GaussianNB()], *numbered, cv=2, n_jobs=2)
    assert list(table.index) == ["gaussiannb", "failsoddly"]


def test_all_fail(numbered):
    with pytest.raises(ValueError, match="Every classifier failed, 'failsonce' first") as caught:
        compare_classifiers([FailsOnce(), FailsOddly()], *numbered)
    assert isinstance(caught.value.__cause__, MemoryError)
    assert "in fit" in caught.value.__cause__.__notes__[0]


def test_score_that_is_no_number():
    with pytest.warns(UserWarning, match="The score is nan"):
        table = compare_scripted(best=[0.5, 0.6], other=[0.9, np.nan])
    assert list(table.index) == ["best", "other"]


def test_interrupt(iris):
    """The error holds the table of those that are done."""
    contenders = {"bayes": GaussianNB(), "dummy": DummyClassifier(), "slow": Interrupted()}
    with pytest.raises(ComparisonInterrupted, match="not compared: slow, late") as caught:
        compare_classifiers({**contenders, "late": GaussianNB()}, *iris, random_state=0)
    assert isinstance(caught.value, KeyboardInterrupt)
    assert caught.value.missing == ["slow", "late"]
    del contenders["slow"]
    complete = compare_classifiers(contenders, *iris, random_state=0)
    columns = ["mean_score", "std_score", "p_value"]
    assert caught.value.comparison[columns].equals(complete[columns])
    unpickled = pickle.loads(pickle.dumps(caught.value))
    assert unpickled.comparison.equals(caught.value.comparison)
    assert str(unpickled) == str(caught.value)


@pytest.mark.parametrize("first", [Interrupted(), FailsOddly()])
def test_interrupt_before_any_has_a_score(first, numbered):
    with pytest.raises(KeyboardInterrupt) as caught:
        compare_classifiers([("first", first), ("second", Interrupted())], *numbered)
    assert caught.type is KeyboardInterrupt


def test_interrupt_stops_workers(iris):
    contenders = {"bayes": GaussianNB(), "slow": InterruptsParent()}
    all_samples = np.arange(len(iris[1]))
    started = time.monotonic()
    with pytest.raises(ComparisonInterrupted):
        compare_classifiers(contenders, *iris, cv=[(all_samples, all_samples)], n_jobs=2)
    assert time.monotonic() - started < 30
    commands = [" ".join(process.cmdline()) for process in psutil.Process().children()]
    assert not [command for command in commands if "popen_loky" in command]


@pytest.mark.parametrize(
    ("estimators", "error", "message"),
    [
        ({}, ValueError, "estimators must hold at least one classifier"),
        ([], ValueError, "estimators must hold at least one classifier"),
        (RandomForestClassifier(), TypeError, r"estimators must be a dict .* got RandomForest"),
        ("knn", TypeError, "estimators must be a dict .* got 'knn'"),
        ([GaussianNB(), GaussianNB()], ValueError, "different names, got 'gaussiannb' 2 times"),
        ([("a", GaussianNB()), ("a", SVC())], ValueError, "different names, got 'a' 2 times"),
        ({1: GaussianNB()}, TypeError, "Names of estimators must be strings, got 1"),
        ([(GaussianNB(), "a")], TypeError, "must be strings, got GaussianNB"),
        (
            {"a": GaussianNB},
            TypeError,
            r"'a' must be .* got the class GaussianNB: write Gauss.*\(\)",
        ),
        ([GaussianNB], TypeError, r"'gaussiannb' must be .* write GaussianNB\(\)"),
        (["svm"], TypeError, "got the name 'svm': see make_recipe and make_baseline"),
        ([StandardScaler()], TypeError, r"got StandardScaler\(\), without predict"),
        ({"a": RandomForestRegressor()}, TypeError, "'a' must be a classifier, got RandomForest"),
        ([KMeans()], TypeError, "'kmeans' must be a classifier"),
        ([make_pipeline(StandardScaler(), LinearRegression())], TypeError, "must be a classifier"),
        ([make_pipeline(StandardScaler())], TypeError, "without predict"),
    ],
)
def test_bad_estimators(estimators, error, message, numbered, fits):
    if isinstance(estimators, list) and estimators:
        estimators = [Recorder(), *estimators]
    with pytest.raises(error, match=message):
        compare_classifiers(estimators, *numbered)
    assert not fits


@pytest.mark.parametrize(
    ("parameters", "error", "message"),
    [
        ({"scoring": "acuracy"}, ValueError, "Unknown scoring 'acuracy'. Did you mean 'accuracy'"),
        ({"scoring": None}, TypeError, "scoring must be the name of one score.*got None"),
        ({"scoring": ["accuracy", "f1"]}, TypeError, "scoring must be the name of one score"),
        ({"scoring": accuracy_score}, ValueError, "make_scorer"),
        ({"cv": 1}, ValueError, "cv=1 gives no folds of 60 samples.*n_splits=2 or more"),
        ({"cv": 31}, ValueError, "cv=31 gives no folds"),
        ({"cv": 2.5}, ValueError, "cv=2.5 gives no folds"),
        ({"cv": "five"}, ValueError, "cv='five' gives no folds"),
        ({"cv": [1, 2]}, ValueError, "gives no folds"),
        ({"cv": [([0, 1], [99])]}, ValueError, "gives no folds.*out of bounds"),
        ({"cv": []}, ValueError, "cv must give at least one fold"),
        ({"cv": GroupKFold(2)}, ValueError, "'groups' parameter should not be None"),
        ({"n_jobs": 0}, ValueError, "n_jobs == 0"),
        ({"random_state": "seed"}, ValueError, "'seed' cannot be used to seed"),
    ],
)
def test_bad_parameters(parameters, error, message, numbered, fits):
    with pytest.raises(error, match=message):
        compare_classifiers([Recorder()], *numbered, **parameters)
    assert not fits


def test_bad_data(numbered, fits):
    X, y = numbered
    for bad_y, message in [
        (y[:-1], "inconsistent numbers of samples"),
        (X[:, 1], "Unknown label type: continuous"),
        (X, "y should be a 1d array"),
    ]:
        with pytest.raises(ValueError, match=message):
            compare_classifiers([Recorder()], X, bad_y)
    assert not fits


def test_fold_scores_survive(iris):
    table = compare_classifiers([GaussianNB(), DummyClassifier()], *iris, cv=2)
    for later in (table.round(3), pickle.loads(pickle.dumps(table)), table.sort_values("p_value")):
        assert later.attrs == table.attrs
    other = compare_classifiers([KNeighborsClassifier()], *iris, cv=2)
    assert len(pd.concat([table, other])) == 3


def test_prints_within_80_columns(iris, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    names = ["hist_gradient_boosting", "random_forest", "knn"]
    table = compare_classifiers({name: GaussianNB() for name in names}, *iris, cv=2)
    head, *lines = str(table.round(3)).splitlines()
    assert head.split() == list(table.columns)
    assert len(lines) == 1 + len(names)
    assert max(map(len, lines)) < 80


def test_progress_without_a_terminal(iris, capsys):
    contenders = {"bayes[/]": GaussianNB(), "fails": FailsOddly()}
    with pytest.warns(UserWarning, match="fails"):
        compare_classifiers(contenders, *iris, verbose=1)
    bayes, fails = capsys.readouterr().out.splitlines()
    assert bayes.startswith("bayes[/]: 0.9533 (0.0267), ")
    assert fails.startswith("fails: ")
    assert fails.endswith("OddError: rain in Spain")


def test_progress_on_a_terminal(iris, capsys, monkeypatch):
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    compare_classifiers({"bayes": GaussianNB(), "dummy": DummyClassifier()}, *iris, verbose=1)
    printed = capsys.readouterr().out
    assert "10/10" in printed
    assert "dummy" in printed
    assert "left" in printed


def test_silent_by_default(iris, capsys):
    compare_classifiers([GaussianNB()], *iris)
    assert capsys.readouterr() == ("", "")


SCIKERAS = """
import warnings
import keras
from scikeras.wrappers import KerasClassifier, KerasRegressor
from sklearn.base import is_classifier
from sklearn.datasets import load_iris
from sklearn.model_selection import GridSearchCV, StratifiedShuffleSplit
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skfashion.model_selection._compare_classifiers import _check_classifiers, compare_classifiers

def build():
    return keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")])

theirs = KerasClassifier(build, loss="sparse_categorical_crossentropy", verbose=0)
pipeline = make_pipeline(StandardScaler(), theirs)
search = GridSearchCV(pipeline, {"kerasclassifier__epochs": [1, 2]})
assert not any(map(is_classifier, (theirs, pipeline, search)))
assert len(_check_classifiers([theirs, pipeline, search])) == 3
with warnings.catch_warnings(action="ignore"):
    table = compare_classifiers(
        [pipeline], *load_iris(return_X_y=True), cv=StratifiedShuffleSplit(1), random_state=0
    )
assert 0 <= table["mean_score"].item() <= 1
assert theirs.random_state is None
for regressor in (KerasRegressor(build), make_pipeline(KerasRegressor(build))):
    try:
        compare_classifiers({"theirs": regressor}, [[0], [1]], [0, 1])
    except TypeError as error:
        print(str(error).split(", got")[0])
"""


def test_scikeras(tmp_path):
    # In a process of its own, as importing it patches Keras.
    result = subprocess.run(
        [sys.executable, "-c", SCIKERAS], cwd=tmp_path, capture_output=True, text=True
    )
    expected = ["Estimator 'theirs' must be a classifier"] * 2
    assert result.stdout.splitlines()[-2:] == expected, result.stderr

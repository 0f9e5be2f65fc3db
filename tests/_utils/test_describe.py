"""Descriptions of values, by which a search knows its study again."""

import copy
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pandas as pd
import pytest
from scipy.stats import loguniform
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import SVC

from skfashion._utils.identity import describe

SCRIPT = """
import numpy

def helper(values):
    return numpy.mean(values) * WEIGHTS[0]

def metric(y_true, y_pred, *, power=2):
    def inner(values):
        return helper(values)
    return inner(y_true == y_pred) ** power
"""


def define(source=SCRIPT, weights=(1, 2)):
    """The function ``metric`` of a script with this source."""
    namespace = {"__name__": "__main__", "WEIGHTS": list(weights)}
    exec(source, namespace)
    return namespace["metric"]


class Threshold:
    """A scorer that is an object."""

    def __init__(self, least):
        self.least = least

    def __call__(self, estimator, X, y):
        return float(estimator.score(X, y) > self.least)


def schedule(factor):
    return keras.callbacks.LearningRateScheduler(lambda epoch: factor**epoch)


MAKERS = {
    "function": define,
    "scorer": lambda: make_scorer(define()),
    "scorer of a library's": lambda: make_scorer(accuracy_score),
    "partial": lambda: partial(define(), power=3),
    "object": lambda: Threshold(0.5),
    "method": lambda: Threshold(0.5).__call__,
    "estimator": lambda: SVC(C=3),
    "callbacks": lambda: [keras.callbacks.EarlyStopping(patience=2), schedule(0.9)],
    "optimizer": lambda: keras.optimizers.Adam(0.01),
    "splitter": lambda: StratifiedKFold(3, shuffle=True, random_state=0),
    "random state": lambda: np.random.RandomState(3),
    "array": lambda: np.arange(3),
    "set": lambda: {"one", "two", "three", ("four", 5)},
    "scipy's distribution": lambda: loguniform(1, 10),
    "frame": lambda: pd.DataFrame({"weight": [1.0, 2.0]}),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_equals_have_one_description(make):
    assert describe(make()) == describe(make())


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (define(), define(weights=(2, 2))),
        (define(), define(SCRIPT.replace("mean", "median"))),
        (define(), define(SCRIPT.replace("power=2", "power=3"))),
        (define(), define(SCRIPT.replace("** power", "* power"))),
        (make_scorer(define()), make_scorer(define(weights=(2, 2)))),
        (make_scorer(define()), make_scorer(define(), greater_is_better=False)),
        (make_scorer(define(), power=1), make_scorer(define(), power=2)),
        (partial(define(), power=3), partial(define(), power=4)),
        (Threshold(0.5), Threshold(0.6)),
        (Threshold(0.5).__call__, Threshold(0.6).__call__),
        (keras.callbacks.EarlyStopping(patience=2), keras.callbacks.EarlyStopping(patience=10)),
        (schedule(0.9), schedule(0.8)),
        (keras.optimizers.Adam(0.01), keras.optimizers.Adam(0.02)),
        (SVC(C=3), SVC(C=4)),
        (1, True),
        (1, "1"),
        (np.arange(3), np.arange(4)),
    ],
)
def test_every_difference_is_another_description(one, other):
    assert describe(one) != describe(other)


def test_what_has_no_effect_makes_no_difference():
    assert describe(SVC(verbose=True)) == describe(SVC())


def test_values_that_hold_themselves():
    values = [1]
    values.append(values)
    assert describe(values) == describe(values)

    def recursive(n):
        return recursive(n - 1) if n else values

    assert describe(recursive) == describe(recursive)


def test_many_ways_to_the_same_object_take_no_time():
    nested = [1.5]
    for _ in range(40):  # 2**40 ways
        nested = [Threshold(nested), nested]
    copied = copy.deepcopy(nested)
    copied[0].least[1] = copied[0].least[1].copy()  # equal, but no longer the same object
    assert describe(copied) == describe(nested)


def test_very_deep_values():
    nested = []
    for _ in range(10_000):
        nested = [nested]
    assert describe(nested) == describe(nested)


def test_the_same_in_every_process():
    """Another process, whose sets have another order, describes everything as this one does."""
    here = [describe(make()) for make in MAKERS.values()]
    seed = "2" if os.environ.get("PYTHONHASHSEED") == "1" else "1"
    result = subprocess.run(
        [
            sys.executable,
            "-c",
            "from test_describe import MAKERS, describe\n"
            "print(*[describe(make()) for make in MAKERS.values()])",
        ],
        cwd=Path(__file__).parent,
        env={**os.environ, "PYTHONHASHSEED": seed},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.split() == here
    assert len(set(here)) == len(MAKERS)


def test_objects_that_cannot_be_pickled():
    assert describe(value for value in ()) == describe(value for value in ())

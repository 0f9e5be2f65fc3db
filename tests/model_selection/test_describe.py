"""Descriptions of values, by which a search knows its study again."""

from functools import partial

import joblib
import keras
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import SVC

from skfashion.model_selection._describe import describe

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
    "frame": lambda: pd.DataFrame({"weight": [1.0, 2.0]}),
}


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_equals_have_one_description(make):
    assert describe(make()) == describe(make())
    assert " at 0x" not in str(describe(make()))


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

    assert joblib.hash(describe(recursive)) == joblib.hash(describe(recursive))


def test_objects_that_cannot_be_pickled():
    assert describe(value for value in ()) == describe(value for value in ())

"""Fits in other processes and threads."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from limit_threads import VARIABLES

RUN = """
import multiprocessing
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from joblib import parallel_config
from skfashion import FashionCNNClassifier
from tiny_network import tiny_network

X, y = load_digits(return_X_y=True)
X, y = X[:100], y[:100]
network = FashionCNNClassifier(tiny_network, epochs=1, random_state=0)
def fit(_=None):
    return network.fit(X, y).predict(X).sum()
"""

SEARCH = """
import sys
import numpy as np
from sklearn.model_selection import GridSearchCV

X, y = load_digits(return_X_y=True)
X, y = X[:300], y[:300]
network.set_params(optimizer="adamw", epochs=2, batch_size=50)
grid = {"learning_rate": [1e-3, 5e-3], "dropout": [None, 0.2]}

def search(**parallel):
    with parallel_config(**parallel):
        fitted = GridSearchCV(network, grid, cv=2, scoring="neg_log_loss").fit(X, y)
    return fitted.cv_results_["mean_test_score"]

expected = search(n_jobs=1)
for backend in "loky", "threading":
    np.testing.assert_array_equal(search(n_jobs=2, backend=backend), expected)
print("same bits")
"""

has_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork here")


def run(code):
    return subprocess.run(
        [sys.executable, "-W", "ignore", "-c", RUN + code],
        cwd=Path(__file__).parent,  # where tiny_network is
        capture_output=True,
        text=True,
        timeout=90,
        # As many threads as outside the tests.
        env={key: value for key, value in os.environ.items() if key not in VARIABLES},
    )


def test_parallel_folds_score_the_same_bits():
    result = run(SEARCH)
    assert result.stdout.split("\n")[-2:] == ["same bits", ""], result.stderr


@has_fork
@pytest.mark.parametrize("started_by", ["fit()", "import keras; keras.ops.ones(3) + 1"])
def test_forked_process_says_what_is_wrong(started_by):
    """It would wait for ever for TensorFlow's threads, which a fork does not copy."""
    result = run(
        f"{started_by}\n"
        "with multiprocessing.get_context('fork').Pool(1) as pool:\n"
        "    pool.map(fit, [0])"
    )
    assert "RuntimeError: This process was forked from one in which TensorFlow" in result.stderr


@has_fork
def test_fork_before_tensorflow_runs(digits):
    result = run(
        "import tensorflow\n"
        "with multiprocessing.get_context('fork').Pool(2) as pool:\n"
        "    a, b = pool.map(fit, [0, 1])\n"
        "print(a == b == fit())"
    )
    assert result.stdout.split() == ["True"], result.stderr


@has_fork
def test_joblib_multiprocessing_does_not_hang(digits):
    result = run(
        "fit()\n"
        "with parallel_config('multiprocessing', n_jobs=2):\n"
        "    cross_val_score(network, X, y, cv=2, error_score='raise')"
    )
    assert "Use joblib's default backend 'loky'" in result.stderr

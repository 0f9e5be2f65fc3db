"""A search for a process of its own, which tests kill, interrupt or run twice at once.

Run: python -c "import search_process; search_process.main(STORAGE, STUDY_NAME, N_TRIALS)"

The process imports this module, so that its estimator is the same class as in the tests' process.
The search begins once it is given a line on standard input. Add "grid" to search a grid.
"""

import json
import sys
import time

from optuna.pruners import NopPruner
from optuna.samplers import GridSampler
from scipy.stats import loguniform
from sklearn.datasets import load_iris
from sklearn.svm import SVC

from skfashion.model_selection import OptunaSearchCV


class SlowSVC(SVC):
    """Says when a fit begins, which takes long enough to be killed in its midst."""

    def fit(self, X, y, sample_weight=None):
        print("Fit", flush=True)
        time.sleep(0.1)
        return super().fit(X, y, sample_weight)


def run(storage, study_name, n_trials, sampler=None):
    """Make the search, print what it prints, and return its results."""
    grid = {"C": [0.1, 1.0, 10.0, 100.0]}
    search = OptunaSearchCV(
        SlowSVC(),
        grid if sampler else {"C": loguniform(1e-2, 1e3)},
        sampler=GridSampler(grid, seed=0) if sampler else None,
        pruner=NopPruner(),
        n_trials=int(n_trials),
        cv=3,
        storage=str(storage) or None,
        study_name=study_name or None,
        random_state=0,
        verbose=2,
    )
    search.fit(*load_iris(return_X_y=True))
    return {
        "states": [trial.state.name for trial in search.study_.trials],
        "numbers": search.cv_results_["trial_number"].tolist(),
        "settings": [setting["C"] for setting in search.cv_results_["params"]],
        "means": search.cv_results_["mean_test_score"].tolist(),
        "best": search.best_score_,
        "refitted": search.predict([[5, 3, 1, 0]]).tolist(),
    }


def main(*arguments):
    """Run a search as a process of its own does."""
    print("Ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(run(*arguments)))

"""Searches with the same seconds, space and folds, side by side: best score, settings tried.

skfashion's OptunaSearchCV, that of optuna-integration, and scikit-learn's RandomizedSearchCV and
HalvingRandomSearchCV, for a support vector machine on all 1,797 digits, and for PCA and a support
vector machine on the first 2,000 images of Fashion-MNIST's sample, one thread each. The space is
wide, as when little is known.

Two of them know no time limit. RandomizedSearchCV is called for one setting after the other until
time is up; HalvingRandomSearchCV once with as many candidates as fit, by a trial call that does not
count. What each found best is then scored on the same five folds, all data used.

With --results, finished searches are kept in a file, so that a run that was stopped goes on.

Run: python benchmarks/tuning.py [--seeds 5] [--results FILE]   (needs optuna-integration)
"""

import argparse
import json
import os
import time
import warnings
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # before NumPy comes

import numpy as np
import optuna
import optuna_integration
from optuna.distributions import FloatDistribution, IntDistribution
from scipy.stats import loguniform, randint
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    HalvingRandomSearchCV,
    RandomizedSearchCV,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.svm import SVC

from skfashion.baselines import make_baseline
from skfashion.datasets import load_fashion_sample
from skfashion.model_selection import OptunaSearchCV

FOLDS = StratifiedKFold(5, shuffle=True, random_state=0)


def tasks():
    """By name: estimator, distributions of scikit-learn and of Optuna, data, seconds."""
    X, y = load_fashion_sample(return_X_y=True)
    return {
        "digits": (
            SVC(),
            {"C": loguniform(1e-3, 1e3), "gamma": loguniform(1e-7, 1)},
            {
                "C": FloatDistribution(1e-3, 1e3, log=True),
                "gamma": FloatDistribution(1e-7, 1, log=True),
            },
            load_digits(return_X_y=True),
            30,
        ),
        "sample": (
            make_baseline("pca_svm", random_state=0),
            {
                "classifier__C": loguniform(1e-3, 1e3),
                "classifier__gamma": loguniform(1e-10, 1e-3),
                "reduce__n_components": randint(5, 301),
            },
            {
                "classifier__C": FloatDistribution(1e-3, 1e3, log=True),
                "classifier__gamma": FloatDistribution(1e-10, 1e-3, log=True),
                "reduce__n_components": IntDistribution(5, 300),
            },
            (X[:2000], y[:2000]),
            60,
        ),
    }


def search_with_skfashion(estimator, space, optuna_space, X, y, seconds, seed):
    search = OptunaSearchCV(
        estimator,
        optuna_space,
        n_trials=100_000,
        timeout=seconds,
        cv=FOLDS,
        random_state=seed,
        refit=False,
    ).fit(X, y)
    return search.best_params_, len(search.cv_results_["params"])


def search_with_optuna_integration(estimator, space, optuna_space, X, y, seconds, seed):
    search = optuna_integration.OptunaSearchCV(
        estimator,
        optuna_space,
        n_trials=None,
        timeout=seconds,
        cv=FOLDS,
        random_state=seed,
        refit=False,
    ).fit(X, y)
    return search.best_params_, search.n_trials_


def search_at_random(estimator, space, optuna_space, X, y, seconds, seed):
    generator = np.random.RandomState(seed)
    until = time.perf_counter() + seconds
    searches = []
    while time.perf_counter() < until:
        search = RandomizedSearchCV(
            estimator, space, n_iter=1, cv=FOLDS, random_state=generator, refit=False
        )
        searches.append(search.fit(X, y))
    best = max(searches, key=lambda search: search.best_score_)
    return best.best_params_, len(searches)


def search_by_halving(estimator, space, optuna_space, X, y, seconds, seed):
    def search(n_candidates, random_state):
        started = time.perf_counter()
        found = HalvingRandomSearchCV(
            estimator,
            space,
            n_candidates=n_candidates,
            min_resources=300,
            cv=FOLDS,
            random_state=random_state,
            refit=False,
        ).fit(X, y)
        return found, time.perf_counter() - started

    _, trial_seconds = search(20, seed + 1000)
    n_candidates = round(20 * seconds / trial_seconds)
    found, _ = search(n_candidates, seed)
    return found.best_params_, n_candidates


SEARCHES = {
    "skfashion OptunaSearchCV": search_with_skfashion,
    "optuna-integration OptunaSearchCV": search_with_optuna_integration,
    "RandomizedSearchCV": search_at_random,
    "HalvingRandomSearchCV": search_by_halving,
}


def measure(task, name, seed):
    """Score of the best setting, settings tried, seconds taken."""
    estimator, space, optuna_space, (X, y), seconds = tasks()[task]
    started = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # optuna-integration's, and of NaN in pruned settings
        best_params, n_settings = SEARCHES[name](
            clone(estimator), space, optuna_space, X, y, seconds, seed
        )
    taken = time.perf_counter() - started
    score = cross_val_score(clone(estimator).set_params(**best_params), X, y, cv=FOLDS).mean()
    return score, n_settings, taken


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--results", type=Path)
    options = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    file = options.results
    results = json.loads(file.read_text()) if file and file.exists() else {}
    for task in tasks():
        for seed in range(options.seeds):
            for name in SEARCHES:  # in turns, because the machine's speed drifts
                key = f"{task}, {name}, seed {seed}"
                if key not in results:
                    results[key] = measure(task, name, seed)
                    if file:
                        file.write_text(json.dumps(results, indent=1))
    print(
        f"{os.cpu_count()} cores, one thread; {options.seeds} seeds; standard deviations over them"
    )
    for task, (*_, (X, _), seconds) in tasks().items():
        print(f"\n{task}, {len(X):,} images, {seconds} seconds, 5 folds")
        print(f"{'':36}best score: mean     sd     worst   settings tried   seconds")
        for name in SEARCHES:
            scores, n_settings, taken = np.array(
                [results[f"{task}, {name}, seed {seed}"] for seed in range(options.seeds)]
            ).T
            print(
                f"{name:36}{scores.mean():16.4f}  {scores.std(ddof=1):.4f}  {scores.min():.4f}"
                f"{n_settings.mean():17.0f}{taken.mean():10.0f}"
            )


if __name__ == "__main__":
    main()

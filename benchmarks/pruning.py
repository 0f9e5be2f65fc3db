"""What pruning by folds spares, and whether it loses the best setting.

Random settings of three classifiers are scored on all folds first. Then searches are simulated that
try 40 of them in random orders, with each pruner: the share of fits that it spares, and by how much
the best score that is left falls short of the best without pruning.

Run: python benchmarks/pruning.py [--orders 12]
"""

import argparse
import warnings

import numpy as np
import optuna
from optuna.pruners import MedianPruner, PercentilePruner, WilcoxonPruner
from scipy.stats import loguniform, randint, uniform
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import ParameterSampler, cross_val_score
from sklearn.svm import SVC

from skfashion.datasets import load_fashion_sample
from skfashion.model_selection._trial import FoldPruner

N_TRIALS = 40


def tasks():
    """By name: classifier, distributions, data, number of settings."""
    digits, labels = (part[:800] for part in load_digits(return_X_y=True))
    images, classes = (part[:1500] for part in load_fashion_sample(return_X_y=True))
    forest_space = {
        "max_depth": randint(3, 20),
        "min_samples_leaf": randint(1, 20),
        "max_features": uniform(0.05, 0.9),
    }
    svm_space = {"C": loguniform(1e-1, 1e3), "gamma": loguniform(1e-5, 1e-2)}
    scaled_space = {"C": loguniform(1e-1, 1e3), "gamma": loguniform(1e-4, 1e-1)}
    forest = RandomForestClassifier(n_estimators=20, random_state=0)
    return {
        "svm, 800 digits": (SVC(), svm_space, digits, labels, 150),
        "forest, 800 digits": (forest, forest_space, digits, labels, 100),
        "svm, 1,500 images": (SVC(), scaled_space, images / 255, classes, 60),
    }


def score_all(classifier, space, X, y, n_settings, n_folds):
    """Scores of shape (n_settings, n_folds)."""
    settings = ParameterSampler(space, n_settings, random_state=0)
    return np.array(
        [cross_val_score(clone(classifier).set_params(**s), X, y, cv=n_folds) for s in settings]
    )


def search(scores, pruner):
    """Share of the fits that are spared, and the best mean score that is found."""
    complete, n_fits = [], 0
    for setting in scores.tolist():
        fold_pruner = FoldPruner(pruner, complete)
        for n_folds in range(1, len(setting) + 1):
            n_fits += 1
            if n_folds < len(setting) and fold_pruner.is_hopeless(setting[:n_folds]):
                break
        else:
            complete.append(setting)
    return 1 - n_fits / scores.size, max(map(np.mean, complete))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=12)
    n_orders = parser.parse_args().orders
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
    pruners = {
        "MedianPruner()": MedianPruner(),
        "PercentilePruner(25)": PercentilePruner(25.0),
        "WilcoxonPruner()": WilcoxonPruner(),
        "WilcoxonPruner(p_threshold=0.3)": WilcoxonPruner(p_threshold=0.3),
    }
    print(f"{N_TRIALS} settings, {n_orders} orders; loss: mean, and share of orders with any")
    for n_folds in (3, 5):
        for task, (*arguments, n_settings) in tasks().items():
            scores = score_all(*arguments, n_settings, n_folds)
            print(f"{task}, {n_folds} folds, {n_settings} settings")
            for name, pruner in pruners.items():
                spared, losses = [], []
                for seed in range(n_orders):
                    order = np.random.default_rng(seed).permutation(n_settings)[:N_TRIALS]
                    share, best = search(scores[order], pruner)
                    spared.append(share)
                    losses.append(scores[order].mean(axis=1).max() - best)
                print(
                    f"    {name:34} spared {np.mean(spared):.2f}   loss {np.mean(losses):.5f}, "
                    f"{np.mean(np.array(losses) > 1e-9):.2f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()

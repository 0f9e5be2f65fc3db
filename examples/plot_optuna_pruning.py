"""
How do I stop bad trials of Optuna between epochs?
==================================================

A plain script of Optuna prunes trials between epochs, with the callback that optuna-integration has
for Keras. ``OptunaSearchCV`` prunes them between folds. This example runs the same search both
ways, and prints what each costs and finds.
"""

# %%
# The same search space
# ---------------------
# A function of the trial serves both. The network is small and the images are few, so that all of
# this takes a minute on two cores.

import time

import matplotlib.pyplot as plt
import numpy as np
import optuna
from optuna_integration import KerasPruningCallback
from sklearn.base import clone
from sklearn.model_selection import train_test_split

from skfashion.datasets import load_fashion_sample
from skfashion.model_selection import OptunaSearchCV
from skfashion.recipes import make_recipe

train, test = load_fashion_sample(), load_fashion_sample(subset="test")
X, y = train.data[:900], train.target[:900]

N_TRIALS, N_EPOCHS = 15, 8
network = make_recipe("lenet", epochs=N_EPOCHS, random_state=0)


def suggest(trial):
    return {
        "learning_rate": trial.suggest_float("learning_rate", 1e-4, 0.1, log=True),
        "dropout": trial.suggest_float("dropout", 0.1, 0.6),
    }


# %%
# Pruned between epochs
# ---------------------
# A third of the images validate. The callback reports their accuracy after each epoch, and gives up
# a trial that is below the median of the earlier trials in that epoch. The first five are trained
# to the end, and every trial has two epochs.

X_train, X_val, y_train, y_val = train_test_split(X, y, test_size=1 / 3, stratify=y, random_state=0)


def objective(trial):
    classifier = clone(network).set_params(
        **suggest(trial), callbacks=KerasPruningCallback(trial, "val_accuracy")
    )
    classifier.fit(X_train, y_train, X_val=X_val, y_val=y_val)
    return classifier.history_["val_accuracy"][-1]


optuna.logging.set_verbosity(optuna.logging.WARNING)
study = optuna.create_study(
    direction="maximize",
    sampler=optuna.samplers.TPESampler(seed=0),
    pruner=optuna.pruners.MedianPruner(n_startup_trials=5, n_warmup_steps=1),
)
start = time.perf_counter()
study.optimize(objective, n_trials=N_TRIALS)
epoch_seconds = time.perf_counter() - start

figure, ax = plt.subplots(figsize=(8, 4), layout="constrained")
for trial in study.trials:
    is_pruned = trial.state == optuna.trial.TrialState.PRUNED
    epochs = np.array(list(trial.intermediate_values)) + 1
    accuracies = list(trial.intermediate_values.values())
    ax.plot(epochs, accuracies, "x:" if is_pruned else "o-", color="C1" if is_pruned else "C0")
ax.plot([], [], "o-", color="C0", label="complete")
ax.plot([], [], "x:", color="C1", label="pruned")
ax.set(xlabel="Epoch", ylabel="Validation accuracy")
ax.legend()
plt.show()

# %%
# Pruned between folds
# --------------------
# The search trains each setting on three folds, one after the other, and gives it up after a fold
# if its mean is below the median.

search = OptunaSearchCV(network, suggest, n_trials=N_TRIALS, cv=3, refit=False, random_state=0)
start = time.perf_counter()
search.fit(X, y)
fold_seconds = time.perf_counter() - start

# %%
# What each costs and finds
# -------------------------
# Both best settings are trained again on all 900 images, and so is the recipe as it is. The test
# images had no part in the search.

n_epochs = {
    "between epochs": sum(len(trial.intermediate_values) for trial in study.trials),
    "between folds": N_EPOCHS * np.sum(search.cv_results_["trial_n_folds"]),
}
n_epochs_unpruned = {
    "between epochs": N_EPOCHS * N_TRIALS,
    "between folds": N_EPOCHS * N_TRIALS * search.n_splits_,
}
seconds = {"between epochs": epoch_seconds, "between folds": fold_seconds}
best = {
    "between epochs": (study.best_params, study.best_value, len(y_val)),
    "between folds": (search.best_params_, search.best_score_, len(y)),
}
for name, (parameters, score, n_images) in best.items():
    refitted = clone(network).set_params(**parameters).fit(X, y)
    print(f"{name}: {n_epochs[name]} epochs of {n_epochs_unpruned[name]}, {seconds[name]:.0f} s")
    print(
        f"  best score {score:.3f} (standard error {np.sqrt(score * (1 - score) / n_images):.3f}), "
        f"on test images {refitted.score(test.data, test.target):.3f}"
    )
recipe = clone(network).fit(X, y)
score = recipe.score(test.data, test.target)
error = np.sqrt(score * (1 - score) / len(test.target))
print(f"recipe as it is: on test images {score:.3f} (standard error {error:.3f})")

# %%
# Pruning between epochs costs less, because it needs one split instead of three. Its scores come
# from a third of the images, so they say less about which setting is best. One run of each decides
# little: compare the differences on the test images with the standard error.
#
# Pruning between epochs also assumes that a setting that is behind after two epochs stays behind.
# Settings that learn slowly, and schedules that end with a low learning rate, can catch up later.
# ``OptunaSearchCV`` compares trainings that were finished. It is a scikit-learn search: with a
# storage it goes on where it stopped, runs on several machines, and has ``cv_results_``.

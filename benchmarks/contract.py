"""scikit-learn's estimator checks: the Keras wrappers against FashionCNNClassifier, side by side.

Each gets the network that suits it: the peers, which cannot make images of the checks' tables, one
dense layer of 16 units; FashionCNNClassifier its default. Expected to fail, for all three, is the
one check that scikit-learn exempts its own SGDClassifier from. Each has a process of its own,
because scikeras can switch TensorFlow to deterministic operations for good, after which unseeded
fits of the others raise. Needs skfashion[scikeras].

Run: python benchmarks/contract.py
"""

import contextlib
import io
import multiprocessing
import os
import time
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # before TensorFlow comes

import keras
import sklearn
from sklearn.utils.estimator_checks import check_estimator

from skfashion import FashionCNNClassifier

EXPECTED = {"check_sample_weight_equivalence_on_dense_data": "weights are not repetitions"}
NAMES = (
    "scikeras KerasClassifier",
    "keras SKLearnClassifier",
    "skfashion FashionCNNClassifier",
)
STATUSES = ("passed", "failed", "xfail", "skipped")


def build_dense(n_features, n_classes):
    """A small dense network."""
    return keras.Sequential(
        [
            keras.Input((n_features,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(n_classes, activation="softmax"),
        ]
    )


def build_for_scikeras(meta):
    """What KerasClassifier compiles itself."""
    return build_dense(meta["n_features_in_"], meta["n_classes_"])


def build_for_wrapper(X, y):
    """What SKLearnClassifier wants compiled; it hands over one-hot labels."""
    network = build_dense(X.shape[1], y.shape[1])
    network.compile("adam", "categorical_crossentropy")
    return network


def make(name):
    """The estimator of this name."""
    if name == "scikeras KerasClassifier":
        from scikeras.wrappers import KerasClassifier

        return KerasClassifier(
            build_for_scikeras,
            loss="sparse_categorical_crossentropy",
            optimizer="adam",
            optimizer__learning_rate=0.01,
            epochs=20,
            verbose=0,
            random_state=0,
        )
    if name == "keras SKLearnClassifier":
        return keras.wrappers.SKLearnClassifier(
            build_for_wrapper, fit_kwargs={"epochs": 20, "verbose": 0}
        )
    return FashionCNNClassifier()


def run_checks(name):
    """Counts by status, seconds, and a line for each check that failed."""
    warnings.simplefilter("ignore")
    started = time.perf_counter()
    with contextlib.redirect_stdout(io.StringIO()):  # a clone of Keras' wrapper forgets verbose=0
        results = check_estimator(
            make(name), expected_failed_checks=EXPECTED, on_skip=None, on_fail=None
        )
    seconds = time.perf_counter() - started
    failed = [
        f"{result['check_name']}: {repr(result['exception'])[:90]}"
        for result in results
        if result["status"] == "failed"
    ]
    return Counter(result["status"] for result in results), seconds, failed


def main():
    print(f"scikit-learn {sklearn.__version__}, Keras {keras.__version__}")
    print(f"{'':32}" + "".join(f"{status:>9}" for status in STATUSES) + f"{'seconds':>9}")
    context = multiprocessing.get_context("spawn")
    failures = {}
    with ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as executor:
        for name in NAMES:
            counts, seconds, failures[name] = executor.submit(run_checks, name).result()
            columns = "".join(f"{counts[status]:>9}" for status in STATUSES)
            print(f"{name:32}{columns}{seconds:9.0f}", flush=True)
    for name, lines in failures.items():
        for line in lines:
            print(f"{name} failed {line}")


if __name__ == "__main__":
    main()

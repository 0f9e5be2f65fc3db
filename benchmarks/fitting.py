"""What fits and predictions cost: scikeras, Keras' wrapper, plain Keras and FashionCNNClassifier.

Side by side in one run, each in a process of its own, with the same network, optimizer, batch size
and images:

* 5-fold cross-validation of 1,000 digits (8x8 pixels, the network "small") over 4 learning rates,
  20 fits of 5 epochs;
* the first fit in a process, TensorFlow loaded, and what memory 30 later fits keep;
* the pickled classifier, and how long pickling and unpickling takes;
* one image, and 10,000 images of 28x28 pixels through the network "basic".

With --large, also one epoch of "basic" on the 60,000 training images of Fashion-MNIST, plain Keras
and FashionCNNClassifier in turns, because the machine's speed drifts. Needs skfashion[scikeras].

Run: python benchmarks/fitting.py [--large 3]
"""

import argparse
import contextlib
import gc
import io
import multiprocessing
import os
import pickle
import platform
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # before TensorFlow comes

import keras
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import StratifiedKFold

from skfashion import FashionCNNClassifier
from skfashion.datasets import fetch_fashion_mnist
from skfashion.networks import build_network

EPOCHS, BATCH_SIZE = 5, 64
LEARNING_RATES = (5e-4, 1e-3, 2e-3, 4e-3)
IMAGES = {64: ("small", 8, 16), 784: ("basic", 28, 255)}  # features: network, side, white


def build(n_features, learning_rate):
    """The compiled model of the three others, from flattened raw pixels."""
    name, side, white = IMAGES[n_features]
    inputs = keras.Input((n_features,))
    x = keras.layers.Reshape((side, side, 1))(inputs)
    outputs = build_network(name, (side, side, 1), 10)(keras.layers.Rescaling(1 / white)(x))
    model = keras.Model(inputs, outputs)
    model.compile(
        keras.optimizers.Adam(learning_rate), "sparse_categorical_crossentropy", jit_compile=False
    )
    return model


class PlainKeras:
    """A model and its fit, without scikit-learn."""

    def __init__(self, learning_rate, epochs):
        self.learning_rate, self.epochs = learning_rate, epochs

    def fit(self, X, y):
        self.model = build(X.shape[1], self.learning_rate)
        self.model.fit(X, y, batch_size=BATCH_SIZE, epochs=self.epochs, verbose=0)
        return self

    def predict(self, X):
        return self.model.predict(X, verbose=0).argmax(axis=1)


def build_for_scikeras(meta, learning_rate):
    return build(meta["n_features_in_"], learning_rate)


def make_scikeras(learning_rate, epochs):
    from scikeras.wrappers import KerasClassifier

    return KerasClassifier(
        build_for_scikeras,
        model__learning_rate=learning_rate,
        epochs=epochs,
        batch_size=BATCH_SIZE,
        verbose=0,
    )


def build_for_wrapper(X, y, learning_rate):
    model = build(X.shape[1], learning_rate)
    model.compile(
        keras.optimizers.Adam(learning_rate), "categorical_crossentropy", jit_compile=False
    )
    return model


def make_wrapper(learning_rate, epochs):
    return keras.wrappers.SKLearnClassifier(
        build_for_wrapper,
        model_kwargs={"learning_rate": learning_rate},
        fit_kwargs={"epochs": epochs, "batch_size": BATCH_SIZE, "verbose": 0},
    )


def make_ours(learning_rate, epochs, architecture="small"):
    return FashionCNNClassifier(
        architecture,
        augmentation=None,
        optimizer="adam",
        learning_rate=learning_rate,
        schedule=None,
        label_smoothing=0.0,
        batch_size=BATCH_SIZE,
        epochs=epochs,
        random_state=0,
    )


MAKERS = {
    "scikeras": make_scikeras,
    "keras wrapper": make_wrapper,
    "plain Keras": PlainKeras,
    "skfashion": make_ours,
}


def seconds_of(function):
    started = time.perf_counter()
    function()
    return time.perf_counter() - started


def resident_megabytes():
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE") / 1e6


def cross_validate(make, X, y):
    """Mean accuracy of the best learning rate."""
    folds = list(StratifiedKFold(5, shuffle=True, random_state=0).split(X, y))
    return max(
        np.mean(
            [
                np.mean(make(rate, EPOCHS).fit(X[train], y[train]).predict(X[test]) == y[test])
                for train, test in folds
            ]
        )
        for rate in LEARNING_RATES
    )


def measure(name):
    """Every figure of one library, by what it is."""
    make = MAKERS[name]
    X, y = load_digits(return_X_y=True)
    X, y = X[:1000], y[:1000]
    keras.ops.ones(1) + 1  # starts TensorFlow
    figures = {"first fit, s": seconds_of(lambda: make(1e-3, EPOCHS).fit(X[:300], y[:300]))}
    started = time.perf_counter()
    figures["best accuracy"] = cross_validate(make, X, y)
    figures["cross-validation, s"] = time.perf_counter() - started

    gc.collect()
    before = resident_megabytes()
    for _ in range(30):
        fitted = make(1e-3, 1).fit(X[:300], y[:300])
        gc.collect()
    figures["kept a fit, MB"] = (resident_megabytes() - before) / 30

    try:
        started = time.perf_counter()
        pickled = pickle.dumps(fitted)
        pickle.loads(pickled)
        figures["pickle and load, s"] = time.perf_counter() - started
        figures["pickle, MB"] = len(pickled) / 1e6
    except Exception as error:
        print(f"{name} cannot be pickled: {error!r}"[:200], file=sys.stderr)

    fitted.predict(X[:1])
    figures["one image, ms"] = 1e3 * np.median(
        [seconds_of(lambda: fitted.predict(X[:1])) for _ in range(50)]
    )
    images = np.random.default_rng(0).integers(0, 256, (10_000, 784), dtype=np.uint8)
    maker_arguments = {"architecture": "basic"} if make is make_ours else {}
    large = make(1e-3, 1, **maker_arguments).fit(images[:300], np.arange(300) % 10)
    large.predict(images)
    seconds = np.median([seconds_of(lambda: large.predict(images)) for _ in range(3)])
    figures["10,000 images, images/s"] = len(images) / seconds
    return figures


def measure_quietly(name):
    """Keras' wrapper shows a progress bar for every prediction."""
    with contextlib.redirect_stdout(io.StringIO()):
        return measure(name)


def print_table(figures):
    """A row for each figure, a column for each library."""
    names = list(figures)
    print(f"{'':30}" + "".join(f"{name:>15}" for name in names))
    for what in figures["skfashion"]:
        cells = "".join(
            f"{figures[name][what]:15.4g}" if what in figures[name] else f"{'-':>15}"
            for name in names
        )
        print(f"{what:30}{cells}")


def measure_large(repeats):
    """Seconds of one epoch on all of Fashion-MNIST, fits in turns."""
    X, y = fetch_fashion_mnist(return_X_y=True)
    seconds: dict = {"plain Keras": [], "skfashion": []}
    for _ in range(repeats):
        seconds["plain Keras"].append(seconds_of(lambda: PlainKeras(1e-3, 1).fit(X, y)))
        seconds["skfashion"].append(
            seconds_of(lambda: make_ours(1e-3, 1, architecture="basic").fit(X, y))
        )
    return seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--large", type=int, default=0, metavar="N", help="repeats on 60,000 images"
    )
    repeats = parser.parse_args().large
    cores = os.cpu_count()
    print(f"{platform.machine()}, {cores} cores, Keras {keras.__version__}, TensorFlow backend")
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as executor:
        print_table({name: executor.submit(measure_quietly, name).result() for name in MAKERS})
        if repeats:
            large = executor.submit(measure_large, repeats).result()
            for name, values in large.items():
                print(
                    f"one epoch of 60,000 images, {name}: mean {np.mean(values):.1f} s, standard "
                    f"deviation {np.std(values):.1f}, n {repeats}"
                )
            ratio = np.mean(large["skfashion"]) / np.mean(large["plain Keras"])
            print(f"ratio {ratio:.2f}")


if __name__ == "__main__":
    main()

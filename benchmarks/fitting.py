"""Seconds to fit: plain Keras against FashionCNNClassifier, side by side in one run.

The same network, optimizer, batch size and images for both. "small" is the mean of repeated fits
to 300 images, as a search makes them; "large" one epoch of all 60,000 training images. Needs
Fashion-MNIST: see skfashion.datasets.fetch_fashion_mnist.

Run: python benchmarks/fitting.py [--repeats 5]
"""

import argparse
import platform
import time

import keras
import numpy as np

from skfashion.datasets import fetch_fashion_mnist
from skfashion.networks import build_network
from skfashion.recipes import make_recipe


def fit_keras(X, y, epochs):
    """Seconds that plain Keras takes to build and fit the network."""
    started = time.perf_counter()
    inputs = keras.Input((28, 28, 1))
    network = build_network("basic", (28, 28, 1), 10)
    model = keras.Model(inputs, network(keras.layers.Rescaling(1 / 255)(inputs)))
    model.compile(
        "adam", "sparse_categorical_crossentropy", metrics=["accuracy"], jit_compile=False
    )
    model.fit(X.reshape(-1, 28, 28, 1), y, batch_size=64, epochs=epochs, verbose=0)
    return time.perf_counter() - started


def fit_ours(X, y, epochs):
    """Seconds that the classifier takes for the same."""
    classifier = make_recipe("basic", epochs=epochs, batch_size=64, random_state=0)
    started = time.perf_counter()
    classifier.fit(X, y)
    return time.perf_counter() - started


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    X, y = fetch_fashion_mnist(return_X_y=True)

    fits = {"plain Keras": fit_keras, "FashionCNNClassifier": fit_ours}
    print(f"{platform.machine()}, Keras {keras.__version__}, {keras.backend.backend()}")
    print(f"{'':24}{'first small':>12}{'later small (n, mean, std)':>30}{'large (mean of 2)':>20}")
    large: dict = {name: [] for name in fits}
    rows = {}
    for name, fit in fits.items():
        first = fit(X[:300], y[:300], 10)
        later = [fit(X[:300], y[:300], 10) for _ in range(repeats)]
        rows[name] = first, later
    for _ in range(2):  # in turns, because the machine's speed drifts
        for name, fit in fits.items():
            large[name].append(fit(X, y, 1))
    for name, (first, later) in rows.items():
        small = f"{repeats}, {np.mean(later):.2f}, {np.std(later):.2f}"
        print(f"{name:24}{first:12.2f}{small:>30}{np.mean(large[name]):20.1f}")
    keras_name, our_name = fits
    print(
        f"ratio, {our_name} to {keras_name}: later small "
        f"{np.mean(rows[our_name][1]) / np.mean(rows[keras_name][1]):.2f}, large "
        f"{np.mean(large[our_name]) / np.mean(large[keras_name]):.2f}"
    )


if __name__ == "__main__":
    main()

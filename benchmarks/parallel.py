"""A grid search with n_jobs=1 and n_jobs=2, side by side: seconds, and whether scores agree.

12 fits of 667 images of Fashion-MNIST's sample. The first search with n_jobs=2 starts the worker
processes, which load TensorFlow and compile the network; the later ones find them warm.

Run: python benchmarks/parallel.py [--repeats 3]
"""

import argparse
import os
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # before TensorFlow comes; the workers inherit it

import numpy as np
from sklearn.model_selection import GridSearchCV

from skfashion import FashionCNNClassifier
from skfashion.datasets import load_fashion_sample


def search(n_jobs):
    """Seconds, and the mean score of each learning rate."""
    X, y = load_fashion_sample(return_X_y=True)
    network = FashionCNNClassifier(epochs=3, random_state=0)
    grid = {"learning_rate": [1e-3, 2e-3, 4e-3, 8e-3]}
    started = time.perf_counter()
    result = GridSearchCV(network, grid, cv=3, n_jobs=n_jobs, refit=False).fit(X[:1000], y[:1000])
    return time.perf_counter() - started, result.cv_results_["mean_test_score"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    print(f"{os.cpu_count()} cores")
    seconds: dict = {1: [], 2: []}
    scores = []
    for _ in range(1 + repeats):  # in turns, because the machine's speed drifts
        for n_jobs, values in seconds.items():
            taken, score = search(n_jobs)
            values.append(taken)
            scores.append(score)
    for n_jobs, (cold, *warm) in seconds.items():
        print(
            f"n_jobs={n_jobs}: first {cold:.1f} s; then mean {np.mean(warm):.1f} s, standard "
            f"deviation {np.std(warm):.1f}, n {repeats}"
        )
    print(f"ratio, warm: {np.mean(seconds[2][1:]) / np.mean(seconds[1][1:]):.2f}")
    print("scores agree to the bit:", all(np.array_equal(score, scores[0]) for score in scores))


if __name__ == "__main__":
    main()

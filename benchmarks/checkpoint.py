"""Time for a checkpoint after each epoch, beside the time of the epochs.

Run: python benchmarks/checkpoint.py [N_EPOCHS]

Trains the default network on all of Fashion-MNIST, with early stopping, so that the file holds
three sets of weights: of the best epoch, of the last one, and those that early stopping keeps.
"""

import functools
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean

from skfashion import FashionCNNClassifier, _classifier
from skfashion._persistence import Checkpoint
from skfashion.datasets import fetch_fashion_mnist


def timed(method, seconds):
    @functools.wraps(method)
    def call(*arguments):
        started = time.perf_counter()
        result = method(*arguments)
        seconds.append(time.perf_counter() - started)
        return result

    return call


def main(n_epochs):
    X, y = fetch_fashion_mnist(return_X_y=True)
    digests, writes = [], []
    _classifier.digest_data = timed(_classifier.digest_data, digests)
    Checkpoint.write = timed(Checkpoint.write, writes)
    parameters = {"epochs": n_epochs, "early_stopping": True, "random_state": 0}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "run.keras")
        started = time.perf_counter()
        FashionCNNClassifier(**parameters, checkpoint=path).fit(X, y)
        epoch = (time.perf_counter() - started - sum(digests + writes)) / n_epochs
        n_bytes = path.stat().st_size
    print(f"{len(y):,} images, {n_epochs} epochs, {n_bytes / 1e6:.1f} MB")
    print(f"epoch                {epoch:8.2f} s")
    print(f"first checkpoint     {writes[0]:8.2f} s  {100 * writes[0] / epoch:.2f} %")
    print(f"further checkpoints  {mean(writes[1:]):8.2f} s  {100 * mean(writes[1:]) / epoch:.2f} %")
    print(f"digests of the data  {digests[0]:8.2f} s, once")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3)

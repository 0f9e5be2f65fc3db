"""What augmentation does to test accuracy, of a network and of a forest.

* The recipe "basic" on the 60,000 training images of Fashion-MNIST, without augmentation, with
  ImageAugmenter as it comes, and with small changes alone (one pixel each way, mirrored);
* a random forest on the sample's 6,000, alone and inside AugmentedClassifier.

Nothing is chosen by the test images, 10,000 and 1,000: they are looked at after each fit, and every
fit is in the table. With --results, finished fits are kept in a file, so that a run that was
stopped goes on.

Run: python benchmarks/augmentation_effect.py [--epochs 10] [--seeds 3] [--results FILE]
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # before TensorFlow comes

import numpy as np
from sklearn.ensemble import RandomForestClassifier

from skfashion.datasets import fetch_fashion_mnist, load_fashion_sample
from skfashion.preprocessing import AugmentedClassifier, ImageAugmenter
from skfashion.recipes import make_recipe

SMALL_CHANGES = {"rotation": 0, "shift": 1 / 28, "shear": 0, "zoom": 0}


def classifiers(epochs, seed):
    """What is to be fitted with this seed, by name."""
    augmenters = {"ImageAugmenter()": ImageAugmenter(), "small": ImageAugmenter(**SMALL_CHANGES)}
    forest = RandomForestClassifier(random_state=seed, n_jobs=-1)
    found = {"forest": forest}
    for name, augmenter in augmenters.items():
        for n_copies in (1, 4):
            found[f"forest, {n_copies} copies, {name}"] = AugmentedClassifier(
                forest, augmenter, n_copies=n_copies, random_state=seed
            )
    network = {"epochs": epochs, "random_state": seed}
    found["network"] = make_recipe("basic", **network)
    for name, augmenter in augmenters.items():
        found[f"network, {name}"] = make_recipe("basic", augmentation=augmenter, **network)
    return found


def measure(name, classifier):
    """Test accuracy, and seconds to fit."""
    load = fetch_fashion_mnist if name.startswith("network") else load_fashion_sample
    X, y = load(return_X_y=True)
    started = time.perf_counter()
    classifier.fit(X, y)
    seconds = time.perf_counter() - started
    return classifier.score(*load(subset="test", return_X_y=True)), seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--results", type=Path)
    options = parser.parse_args()
    file = options.results
    results = json.loads(file.read_text()) if file and file.exists() else {}
    for seed in range(options.seeds):
        for name, classifier in classifiers(options.epochs, seed).items():
            key = f"{name}, {options.epochs} epochs, seed {seed}"
            if key not in results:
                results[key] = measure(name, classifier)
                if file:
                    file.write_text(json.dumps(results, indent=1))
    print(f"{os.cpu_count()} cores, {options.epochs} epochs; small changes: {SMALL_CHANGES}")
    print(f"{'':40}  accuracy: mean      sd    each seed             fit, seconds")
    for name in classifiers(options.epochs, 0):
        keys = [f"{name}, {options.epochs} epochs, seed {seed}" for seed in range(options.seeds)]
        accuracy, seconds = np.array([results[key] for key in keys]).T
        spread = f"{accuracy.std(ddof=1):.4f}" if len(keys) > 1 else "-"
        each = " ".join(f"{value:.4f}" for value in accuracy)
        print(f"{name:40}  {accuracy.mean():14.4f}  {spread:>6}    {each:20}  {seconds.mean():.0f}")


if __name__ == "__main__":
    main()

"""What the recipes reach on all of Fashion-MNIST, as rows of the table in the documentation.

Each recipe is fitted on the 60,000 training images with each seed; what it is after fitting, its
last epoch or the one that early stopping kept on a part of the training images, is scored once on
the 10,000 test images, which choose nothing. One row a recipe goes into the table. With
--runs, finished fits are kept in a file, so that a benchmark that was stopped goes on; another
machine, version or recipe needs another file. Beside a mean of accuracies is their standard
deviation; seconds are those of ``fit``, the first with compiling.

Run: python benchmarks/recipes.py basic lenet fast [--seeds 3] [--epochs N] [--runs FILE]
     [--table docs/recipes.csv]
"""

import argparse
import csv
import json
import math
import os
import platform
import re
import time
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # before TensorFlow comes

import joblib
import keras
import numpy as np
import tensorflow as tf
from sklearn.metrics import accuracy_score, f1_score

from skfashion.datasets import fetch_fashion_mnist
from skfashion.recipes import list_recipes, make_recipe

SHIRT = 6
CLAIMS = {
    "lenet": "0.90",
    "vgg2_checkpointed": "0.88, Shirt 0.67",
    "vgg3": "0.9487, Shirt 0.84",
}
COLUMNS = (
    "recipe",
    "accuracy",
    "Shirt F1",
    "claims",
    "parameters",
    "million multiply-adds",
    "epochs",
    "seconds",
    "seeds",
    "machine",
    "versions",
)


def count_multiply_adds(model):
    """Multiplications, with the additions that go with them, for one image."""
    total = 0
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            total += count_multiply_adds(layer)
        elif isinstance(layer, (keras.layers.Conv2D, keras.layers.Dense)):
            positions = math.prod(layer.output.shape[1:-1])
            total += positions * math.prod(layer.kernel.shape)
        elif isinstance(layer, keras.layers.DepthwiseConv2D):
            positions = math.prod(layer.output.shape[1:3])
            total += positions * math.prod(layer.kernel.shape)
    return total


def measure(name, overrides, seed):
    """Fit a recipe and score it once."""
    classifier = make_recipe(name, random_state=seed, **overrides)
    X, y = fetch_fashion_mnist(return_X_y=True)
    started = time.perf_counter()
    classifier.fit(X, y)
    seconds = time.perf_counter() - started
    X, y = fetch_fashion_mnist(subset="test", return_X_y=True)
    predicted = classifier.predict(X)
    return {
        "accuracy": accuracy_score(y, predicted),
        "shirt_f1": f1_score(y, predicted, labels=[SHIRT], average=None)[0],
        "seconds": seconds,
        "epochs": classifier.n_epochs_,
        "kept_epoch": classifier.best_epoch_,
        "parameters": classifier.model_.count_params(),
        "multiply_adds": count_multiply_adds(classifier.model_),
        "machine": machine(),
        "versions": f"Keras {keras.version()}, TensorFlow {tf.__version__}",
    }


def machine():
    """Processor, and number of cores that this process may use."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    models = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    model = models[0] if models else platform.processor()
    words = re.sub(r"\(R\)|\(TM\)|@|\b(CPU|Processor)\b", " ", model).split()
    n_cores = joblib.cpu_count()
    return f"{n_cores} core{'s' if n_cores > 1 else ''}, {' '.join(words)}"


def make_row(name, overrides, runs):
    """A row of the table."""
    accuracies = [run["accuracy"] for run in runs]
    spread = f" ({np.std(accuracies, ddof=1):.4f})" if len(runs) > 1 else ""
    of_all = f" of {make_recipe(name).epochs}" if overrides else ""
    epochs = [
        f"{run['epochs']}{of_all}"
        + (f" (kept {run['kept_epoch']})" if run["kept_epoch"] != run["epochs"] else "")
        for run in runs
    ]
    return {
        "recipe": name,
        "accuracy": f"{np.mean(accuracies):.4f}{spread}",
        "Shirt F1": f"{np.mean([run['shirt_f1'] for run in runs]):.3f}",
        "claims": CLAIMS.get(name, ""),
        "parameters": f"{runs[0]['parameters']:,}",
        "million multiply-adds": f"{runs[0]['multiply_adds'] / 1e6:.1f}",
        "epochs": ", ".join(dict.fromkeys(epochs)),
        "seconds": f"{np.mean([run['seconds'] for run in runs]):.0f}",
        "seeds": len(runs),
        "machine": runs[0]["machine"],
        "versions": runs[0]["versions"],
    }


def write_row(table, row):
    """Put a row into the table, in place of an earlier one of the same recipe."""
    rows = []
    if table.exists():
        with table.open(newline="") as file:
            rows = [
                earlier for earlier in csv.DictReader(file) if earlier["recipe"] != row["recipe"]
            ]
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows([*rows, row])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("recipes", nargs="+", choices=list_recipes(), metavar="recipe")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="instead of the recipe's")
    parser.add_argument("--runs", type=Path, help="JSON file that keeps finished fits")
    parser.add_argument("--table", type=Path, help="CSV file to put the rows into")
    options = parser.parse_args()
    overrides = {} if options.epochs is None else {"epochs": options.epochs}
    kept = options.runs
    runs = json.loads(kept.read_text()) if kept and kept.exists() else {}
    for name in options.recipes:
        keys = [f"{name}, {overrides}, seed {seed}" for seed in range(options.seeds)]
        for seed, key in enumerate(keys):
            if key not in runs:
                runs[key] = measure(name, overrides, seed)
                if kept:
                    unfinished = kept.with_suffix(".unfinished")
                    unfinished.write_text(json.dumps(runs, indent=1))
                    unfinished.replace(kept)
        row = make_row(name, overrides, [runs[key] for key in keys])
        print("\n".join(f"{column:24} {value}" for column, value in row.items()), flush=True)
        if options.table:
            write_row(options.table, row)


if __name__ == "__main__":
    main()

"""What the baselines reach on all of Fashion-MNIST, and beside the network on the sample.

* ``full``: each baseline is fitted once on the 60,000 training images, as it comes, with seed 0,
  and scored once on the 10,000 test images. One row a baseline goes into the table.
* ``sample``: compare_classifiers of all baselines and the recipe "fast" on the 6,000 training
  images of the sample, 5 folds, one fit at a time.

Run: python benchmarks/baselines.py full [NAME...] [--table docs/baselines.csv]
     python benchmarks/baselines.py sample [--table docs/comparison.csv] [--picture FILE]
"""

import argparse
import csv
import os
import time
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # before TensorFlow comes

from matplotlib.figure import Figure
from recipes import machine

from skfashion.baselines import list_baselines, make_baseline
from skfashion.datasets import fetch_fashion_mnist, load_fashion_sample
from skfashion.inspection import ComparisonDisplay
from skfashion.model_selection import compare_classifiers
from skfashion.recipes import make_recipe

CLAIMS = {
    "hist_gradient_boosting": "0.880",
    "hog_svm": "0.926",
    "knn": "0.854",
    "linear_svm": "0.836",
    "logistic": "0.841",
    "mlp": "0.900",
    "pca_svm": "0.866",
    "random_forest": "0.873",
    "svm_rbf": "0.897",
}


def measure(name):
    """A row of the table of all images."""
    classifier = make_baseline(name, random_state=0)
    X, y = fetch_fashion_mnist(return_X_y=True)
    started = time.perf_counter()
    classifier.fit(X, y)
    fitted = time.perf_counter()
    accuracy = classifier.score(*fetch_fashion_mnist(subset="test", return_X_y=True))
    return {
        "baseline": name,
        "test accuracy": f"{accuracy:.4f}",
        "claims": CLAIMS.get(name, ""),
        "seconds to fit": f"{fitted - started:.0f}",
        "seconds to predict": f"{time.perf_counter() - fitted:.0f}",
        "machine": machine(),
    }


def write_row(table, row):
    """Put a row into the table, in place of an earlier one of the same baseline."""
    rows = []
    if table.exists():
        with table.open(newline="") as file:
            rows = [r for r in csv.DictReader(file) if r["baseline"] != row["baseline"]]
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, row)
        writer.writeheader()
        writer.writerows(sorted([*rows, row], key=lambda r: r["test accuracy"], reverse=True))


def compare(table, picture):
    """Print, and write, the comparison on the sample."""
    contenders = {name: make_baseline(name) for name in list_baselines()}
    contenders["fast"] = make_recipe("fast")
    compared = compare_classifiers(
        contenders, *load_fashion_sample(return_X_y=True), random_state=0, verbose=1
    )
    print(machine())
    print(compared.round(4).to_string())
    if table:
        compared.drop(columns="p_value").assign(
            mean_score=compared["mean_score"].map("{:.4f}".format),
            std_score=compared["std_score"].map("{:.4f}".format),
            fit_seconds=compared["fit_seconds"].map("{:.2g}".format),
            predict_ms=compared["predict_ms"].map("{:.2g}".format),
            p_value=compared["p_value"].map("{:.2g}".format).replace("nan", ""),
        ).to_csv(table)
    if picture:
        figure = Figure(figsize=(8, 5), layout="constrained")
        ComparisonDisplay.from_comparison(compared.drop("dummy"), ax=figure.subplots())
        figure.savefig(picture, dpi=120)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", choices=("full", "sample"))
    parser.add_argument("names", nargs="*", metavar="NAME", help="baselines, if not all")
    parser.add_argument("--table", type=Path, help="CSV file to write")
    parser.add_argument("--picture", type=Path, help="PNG file to write, of the sample")
    options = parser.parse_args()
    if options.data == "sample":
        compare(options.table, options.picture)
        return
    for name in options.names or list_baselines():
        row = measure(name)
        print("  ".join(row.values()), flush=True)
        if options.table:
            write_row(options.table, row)


if __name__ == "__main__":
    main()

"""Networks that are trained, tested once, and saved with their results."""

import time
from pathlib import Path
from typing import Any, NamedTuple

import click

__all__ = ["TestedNetwork", "make_network", "train_and_test", "training_files"]


def training_files():
    """Names of the files that a trained network leaves; those of the model and its report."""
    from skfashion.inspection._report import REPORT_FILES

    return "model.keras", *REPORT_FILES


def make_network(recipe, epochs, seed):
    """A classifier that shows how its training goes on."""
    from skfashion.recipes import make_recipe

    overrides = {"random_state": seed, "verbose": 1}
    if epochs is not None:
        overrides["epochs"] = epochs
    try:
        return make_recipe(recipe, **overrides)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--recipe") from error


class TestedNetwork(NamedTuple):
    """A fitted classifier, what it made of the test images, and how it came about."""

    classifier: Any
    evaluation: Any
    about: dict

    def write(self, folder):
        """Write the model and its report."""
        names = self.evaluation.class_names
        self.classifier.save(folder / "model.keras", target_names=names)
        self.evaluation.save(folder, about=self.about)

    def summarize(self):
        """The accuracy, in words."""
        return (
            f"Test accuracy {self.evaluation.accuracy:.4f} on {self.evaluation.n_test:,} images "
            "never trained on"
        )


def train_and_test(classifier, training, test, *, data, **about):
    """Fit the classifier and test it; ``data`` and ``about`` go into the report too."""
    from skfashion.inspection import evaluate_classifier

    started = time.perf_counter()
    try:
        classifier.fit(training.data, training.target)
    except (OSError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    seconds = time.perf_counter() - started
    evaluation = evaluate_classifier(
        classifier, test.data, test.target, target_names=training.target_names
    )
    about = {
        "data": data if data in ("sample", "full") else str(Path(data).expanduser().resolve()),
        **about,
        "n_train": len(training.target),
        "epochs": classifier.n_epochs_,
        "fit_seconds": round(seconds, 1),
    }
    return TestedNetwork(classifier, evaluation, about)

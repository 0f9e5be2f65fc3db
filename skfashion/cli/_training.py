"""Networks that are trained, tested once, and saved with their results."""

import time
from pathlib import Path
from typing import Any, NamedTuple

import click

from skfashion.cli._output import write_all_or_none

__all__ = ["TestedNetwork", "make_network", "train_and_test", "training_files"]


_MODEL_FILE = "model.keras"


def training_files():
    """Names of the files that a trained network leaves; those of the model and its report."""
    from skfashion.evaluation._report import REPORT_FILES

    return _MODEL_FILE, *REPORT_FILES


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

    def write(self, output):
        """Write the model, and then its report, whose failure must not cost the model."""
        with write_all_or_none(output, [_MODEL_FILE]) as folder:
            names = self.evaluation.class_names
            self.classifier.save(folder / _MODEL_FILE, target_names=names)
        try:
            self.evaluation.save(output, about=self.about)
        except Exception as error:  # matplotlib raises many kinds
            raise click.ClickException(
                f"{output / _MODEL_FILE} was written, but its report could not be: {error}"
            ) from error

    def summarize(self):
        """The accuracy, in words."""
        return (
            f"Test accuracy {self.evaluation.accuracy:.4f} on {self.evaluation.n_test:,} images "
            "never trained on"
        )


def train_and_test(classifier, training, test, *, data, invert, **about):
    """Fit the classifier and test it; ``data`` and what follows go into the report too."""
    from skfashion.evaluation import evaluate_classifier

    started = time.perf_counter()
    try:
        classifier.fit(training.data, training.target)
    except (OSError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    seconds = time.perf_counter() - started
    evaluation = evaluate_classifier(
        classifier, test.data, test.target, target_names=training.target_names
    )
    if data not in ("sample", "full"):
        data = str(Path(data).expanduser().resolve())
        about["invert"] = invert
    about = {
        "data": data,
        **about,
        "n_train": len(training.target),
        "epochs": classifier.n_epochs_,
        "fit_seconds": round(seconds, 1),
    }
    return TestedNetwork(classifier, evaluation, about)

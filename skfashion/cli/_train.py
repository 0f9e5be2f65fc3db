"""``skfashion train``; networks that are trained, tested once, and saved with their results."""

import time
from dataclasses import dataclass
from typing import Any, NamedTuple

import click

from skfashion.cli._console import echo, start_keras
from skfashion.cli._data import DataOptions, fingerprint, last_part
from skfashion.cli._options import (
    data_option,
    epochs_option,
    force_option,
    grouped,
    invert_option,
    output_option,
    recipe_option,
    seed_option,
)
from skfashion.cli._output import OutputOptions
from skfashion.cli._resume import (
    CheckpointOptions,
    ResumableCommand,
    checkpoint_option,
    resume_option,
)

__all__ = ["NetworkOptions", "network_files", "save_interrupted", "train", "train_and_test"]

_MODEL_FILE = "model.keras"


@dataclass(frozen=True)
class NetworkOptions:
    """Options that say which network to train."""

    recipe: str
    epochs: int | None
    seed: int

    def make(self):
        """Make a classifier that shows the progress of its training."""
        from skfashion.recipes import make_recipe

        overrides = {"random_state": self.seed, "verbose": 1}
        if self.epochs is not None:
            overrides["epochs"] = self.epochs
        try:
            return make_recipe(self.recipe, **overrides)
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="--recipe") from error


@click.command(cls=ResumableCommand)
@data_option
@recipe_option
@epochs_option
@output_option("skfashion-run", holds="the model, and a report of figures and pictures")
@checkpoint_option
@resume_option
@seed_option
@invert_option
@force_option
@grouped(
    data=DataOptions, network=NetworkOptions, output=OutputOptions, checkpoint=CheckpointOptions
)
def train(data, network, output, checkpoint):
    """Train a network, test it, and save it with its results.

    Ctrl-C ends the training: the network as it was after the last epoch is saved, and "skfashion
    train --resume DIR" goes on with the training as if it had never stopped.
    """
    classifier = network.make()
    checkpoint.check(output.force)
    if not checkpoint.is_begun:
        output.check(network_files())
    images = data.load()

    echo(f"Training recipe {network.recipe} on {images}.")
    start_keras()
    with checkpoint.kept(data, network) as goes_on:
        if goes_on:
            echo(checkpoint.describe_beginning())
        classifier.set_params(checkpoint=checkpoint.path, resume=goes_on)
        about = {"recipe": network.recipe, "seed": network.seed}
        try:
            tested = train_and_test(classifier, images, data, about)
            tested.write_model(output.folder)
        except KeyboardInterrupt:
            saved = save_interrupted(classifier, images, output.folder)
            raise click.Abort(f"{saved} {checkpoint.describe_rest()}") from None
    tested.write_report(output.folder)
    echo(*tested.evaluation.classification_report().split("\n"))
    echo(f"{tested.summarize()}; model.keras, report.html and more are in {output.folder}")


def save_interrupted(classifier, images, folder):
    """Save a network whose training was interrupted, if an epoch was finished; say so."""
    if not classifier.__sklearn_is_fitted__():
        return "Interrupted before an epoch was finished."
    _write_model(classifier, images.class_names, folder)
    for name in network_files()[1:]:  # a report would be of an earlier network
        (folder / name).unlink(missing_ok=True)
    return (
        f"Interrupted after {classifier.n_epochs_} of {classifier.epochs} epochs. The network "
        f"after epoch {classifier.n_epochs_} is in {folder / _MODEL_FILE}."
    )


def _write_model(classifier, class_names, folder):
    try:
        folder.mkdir(parents=True, exist_ok=True)
        classifier.save(folder / _MODEL_FILE, target_names=class_names)
    except OSError as error:
        raise click.ClickException(f"Cannot write to {folder}: {error}") from error


class TestedNetwork(NamedTuple):
    """A fitted classifier, its evaluation on the test images, and how it was made."""

    classifier: Any
    evaluation: Any
    about: dict

    def write(self, folder):
        """Write the model, and then its report, whose failure must not cost the model."""
        self.write_model(folder)
        self.write_report(folder)

    def write_model(self, folder):
        """Write the model alone."""
        _write_model(self.classifier, self.evaluation.class_names, folder)

    def write_report(self, folder):
        """Write the report beside the model."""
        try:
            self.evaluation.save(folder, about=self.about)
        except Exception as error:  # matplotlib raises many kinds
            raise click.ClickException(
                f"{folder / _MODEL_FILE} was written, but its report could not be: {error}"
            ) from error

    def summarize(self):
        """Return the accuracy in words."""
        return (
            f"Test accuracy {self.evaluation.accuracy:.4f} on {self.evaluation.n_test:,} images "
            "never trained on"
        )


def network_files():
    """Return the names of the files of a trained network: the model and its report."""
    from skfashion.evaluation import ClassifierEvaluation

    return _MODEL_FILE, *ClassifierEvaluation.report_files


def train_and_test(classifier, images, data, about):
    """Fit a classifier and test it.

    Parameters
    ----------
    classifier : FashionCNNClassifier
        A network to fit.
    images : LoadedImages
        Images to train and to test on.
    data : DataOptions
        Source of these images, for the report.
    about : dict
        What else goes into the report.

    Returns
    -------
    tested : TestedNetwork
    """
    from skfashion.evaluation import evaluate_classifier

    training, test, _ = images
    started = time.perf_counter()
    try:
        classifier.fit(training.data, training.target)
    except (OSError, ValueError) as error:
        raise click.UsageError(str(error).replace("resume=True", "--resume")) from error
    seconds = time.perf_counter() - started
    classifier.set_params(checkpoint=None, resume=False)  # the report names no files
    evaluation = evaluate_classifier(
        classifier, test.data, test.target, target_names=images.class_names
    )
    is_own = data.data not in ("sample", "full")
    about = {
        "data": last_part(data.data),
        **about,
        **({"invert": data.invert} if is_own else {}),
        "training_fingerprint": " ".join(fingerprint(training.data)),
        "n_train": len(training.target),
        "epochs": classifier.n_epochs_,
        "fit_seconds": round(seconds, 1),
    }
    return TestedNetwork(classifier, evaluation, about)

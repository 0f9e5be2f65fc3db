"""``skfashion train``."""

import click

from skfashion.cli._data import load_data
from skfashion.cli._keras import start_keras
from skfashion.cli._options import (
    data_option,
    epochs_option,
    force_option,
    invert_option,
    output_option,
    recipe_option,
    seed_option,
)
from skfashion.cli._output import check_output
from skfashion.cli._training import make_network, train_and_test, training_files

__all__ = ["train"]


@click.command()
@data_option
@recipe_option
@epochs_option
@output_option("skfashion-run", holds="the model, and a report of figures and pictures")
@seed_option
@invert_option
@force_option
def train(data, recipe, epochs, output, seed, invert, force):
    """Train a network, test it, and save it with its results."""
    classifier = make_network(recipe, epochs, seed)
    check_output(output, training_files(), force)
    training, test, description = load_data(data, seed, invert)

    click.echo(
        f"Training recipe {recipe} on {len(training.target):,} images of "
        f"{len(training.target_names)} classes: {description}."
    )
    start_keras()
    tested = train_and_test(
        classifier, training, test, data=data, invert=invert, recipe=recipe, seed=seed
    )
    tested.write(output)
    click.echo(tested.evaluation.classification_report())
    click.echo(f"{tested.summarize()}; model.keras, report.html and more are in {output}")

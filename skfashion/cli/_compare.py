"""``skfashion compare``."""

import io

import click

from skfashion.cli._console import echo, quiet_workers, start_keras, unknown_name
from skfashion.cli._data import DataOptions
from skfashion.cli._options import (
    cv_option,
    data_option,
    epochs_option,
    force_option,
    grouped,
    invert_option,
    jobs_option,
    output_option,
    seed_option,
)
from skfashion.cli._output import OutputOptions, write_all_or_none
from skfashion.errors import ComparisonInterrupted

__all__ = ["compare"]

_TABLE_FILE, _PICTURE_FILE = _RESULT_FILES = ("comparison.csv", "comparison.png")


class _CommandThatNamesClassifiers(click.Command):
    """Command with {recipes} and {baselines} in its help, looked up when the help is shown."""

    help: str

    def format_help_text(self, ctx, formatter):
        from skfashion.baselines import list_baselines
        from skfashion.recipes import list_recipes

        names = {"recipes": ", ".join(list_recipes()), "baselines": ", ".join(list_baselines())}
        self.help = self.help.format(**names)
        super().format_help_text(ctx, formatter)


@click.command(cls=_CommandThatNamesClassifiers)
@click.argument("names", nargs=-1, metavar="[NAME...]")
@data_option
@cv_option(default=5)
@jobs_option("With more than 1, seconds cannot be compared.")
@epochs_option
@output_option("skfashion-comparison", holds="the table, and a picture of all but dummy")
@seed_option
@invert_option
@force_option
@grouped(data=DataOptions, output=OutputOptions)
def compare(names, data, cv, jobs, epochs, output):
    """Compare networks and classical classifiers on the same folds.

    NAME is a recipe for a network ({recipes}) or a baseline ({baselines}). Without any, they are
    fast and all baselines, which take about a quarter of an hour on the sample on two cores.

    All are cross-validated on the training images; test images are not touched, and remain to test
    the one that you choose. The table has mean and standard deviation of the accuracy, seconds for
    a fit, milliseconds to predict an image, and p_value: how probable a difference to the best at
    least this large would be between equals (corrected resampled t-test).
    """
    classifiers, has_networks = _make_classifiers(names, epochs, data.seed)
    output.check(_RESULT_FILES)
    images = data.load()
    images.check_folds(cv)

    echo(
        f"Comparing {', '.join(classifiers)} on {cv} folds of {len(images.training.target):,} "
        f"training images of {len(images.class_names)} classes: {images.description}. Test images "
        "are not touched."
    )
    if has_networks:
        start_keras()
    with quiet_workers(jobs, with_keras=has_networks):
        table, missing = _compare(
            classifiers, images.training, cv=cv, n_jobs=jobs, random_state=data.seed
        )
    contents = {
        _TABLE_FILE: _table_with_folds(table).to_csv().encode(),
        _PICTURE_FILE: _draw(table),
    }
    write_all_or_none(output.folder, contents)
    shown = table.drop(columns="error", errors="ignore").rename_axis(None)
    echo("", *shown.to_string(float_format="{:.3f}".format, na_rep="").split("\n"), "")
    saved = f"The table, with the score in each fold, and a picture of it are in {output.folder}"
    if missing:
        raise click.Abort(f"Interrupted; not compared: {', '.join(missing)}. {saved}")
    echo(saved)


def _make_classifiers(names, epochs, seed):
    """Return classifiers by name, and whether any is a network."""
    from skfashion.baselines import list_baselines, make_baseline
    from skfashion.recipes import list_recipes, make_recipe

    baselines, recipes = list_baselines(), list_recipes()
    known = [*recipes, *baselines]
    names = names or ("fast", *baselines)
    for name in names:
        if name not in known:
            message = unknown_name("recipe or baseline", name, known)
            raise click.BadParameter(message, param_hint="NAME")
        if names.count(name) > 1:
            raise click.BadParameter(f"{name!r} is given twice.", param_hint="NAME")
    networks = [name for name in names if name in recipes]
    if epochs is not None and not networks:
        raise click.BadParameter("only networks have epochs.", param_hint="--epochs")
    overrides = {} if epochs is None else {"epochs": epochs}
    classifiers = {
        name: make_recipe(name, random_state=seed, **overrides)
        if name in networks
        else make_baseline(name, random_state=seed)
        for name in names
    }
    return classifiers, bool(networks)


def _compare(classifiers, training, **arguments):
    """Return the table, and the names that Ctrl-C left out of it."""
    from skfashion.model_selection import compare_classifiers

    try:
        table = compare_classifiers(
            classifiers, training.data, training.target, verbose=1, **arguments
        )
        return table, []
    except ComparisonInterrupted as error:
        return error.comparison, error.missing
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _table_with_folds(table):
    import pandas as pd

    folds = pd.DataFrame.from_dict(table.attrs["fold_scores"], orient="index")
    folds.columns = [f"fold_{number}" for number in range(1, len(folds.columns) + 1)]
    return table.join(folds)


def _draw(table):
    """Return the picture of a comparison as bytes."""
    from matplotlib.figure import Figure

    from skfashion.inspection import ComparisonDisplay

    # The dummy is so far below the others that it would hide how these differ.
    others = table.drop("dummy", errors="ignore")
    if others["mean_score"].notna().any():
        table = others
    # A figure made without pyplot asks for no window system.
    figure = Figure(figsize=(8, 5), layout="constrained")
    ComparisonDisplay.from_comparison(table, ax=figure.subplots())
    picture = io.BytesIO()
    figure.savefig(picture, dpi=120)
    return picture.getvalue()

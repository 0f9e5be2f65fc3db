"""``skfashion compare``."""

import click

from skfashion.cli._data import check_folds, load_data
from skfashion.cli._keras import start_keras
from skfashion.cli._options import (
    cv_option,
    data_option,
    epochs_option,
    force_option,
    invert_option,
    jobs_option,
    output_option,
    seed_option,
)
from skfashion.cli._output import check_output, write_all_or_none
from skfashion.cli._workers import quiet_workers

__all__ = ["compare"]

_TABLE_FILE, _PICTURE_FILE = _RESULT_FILES = ("comparison.csv", "comparison.png")


@click.command()
@click.argument("names", nargs=-1, metavar="[NAME...]")
@data_option
@cv_option(default=5)
@jobs_option("With more than 1, seconds cannot be compared.")
@epochs_option
@output_option("skfashion-comparison", holds="the table, and a picture of all but dummy")
@seed_option
@invert_option
@force_option
def compare(names, data, cv, jobs, epochs, output, seed, invert, force):
    """Compare networks and classical classifiers on the same folds.

    NAME is a recipe for a network (basic, fast, lenet, mobilenetv2, resnet50v2, small, vgg2,
    vgg2_checkpointed, vgg3) or a baseline (dummy, extra_trees, hist_gradient_boosting, hog_svm,
    knn, linear_svm, logistic, mlp, pca_svm, random_forest, svm_rbf). Without any, they are fast and
    all baselines, which take about a quarter of an hour on the sample on two cores.

    All are cross-validated on the training images; test images are not touched, and remain to test
    the one that you choose. The table has mean and standard deviation of the accuracy, seconds for
    a fit, milliseconds to predict an image, and p_value: how probable a difference to the best at
    least this large would be between equals (corrected resampled t-test).
    """
    classifiers, has_networks = _make_classifiers(names, epochs, seed)
    check_output(output, _RESULT_FILES, force)
    training, _, description = load_data(data, seed, invert)
    check_folds(cv, training)

    click.echo(
        f"Comparing {', '.join(classifiers)} on {cv} folds of {len(training.target):,} training "
        f"images of {len(training.target_names)} classes: {description}. Test images are not "
        "touched."
    )
    if has_networks:
        start_keras()
    with quiet_workers(with_keras=has_networks):
        table = _compare(classifiers, training, cv=cv, n_jobs=jobs, random_state=seed)
    with write_all_or_none(output, _RESULT_FILES) as folder:
        _write(table, folder)
    shown = table.drop(columns="error", errors="ignore").rename_axis(None)
    click.echo(f"\n{shown.to_string(float_format='{:.3f}'.format, na_rep='')}\n")
    click.echo(f"The table, with the score in each fold, and a picture of it are in {output}")


def _make_classifiers(names, epochs, seed):
    """Classifiers by name, and whether any is a network."""
    from skfashion._utils.names import check_name
    from skfashion.baselines import list_baselines, make_baseline
    from skfashion.recipes import list_recipes, make_recipe

    baselines, recipes = list_baselines(), list_recipes()
    names = names or ("fast", *baselines)
    for name in names:
        try:
            check_name("recipe or baseline", name, [*recipes, *baselines])
        except ValueError as error:
            raise click.BadParameter(str(error), param_hint="NAME") from error
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
    from skfashion.model_selection import compare_classifiers

    try:
        return compare_classifiers(
            classifiers, training.data, training.target, verbose=1, **arguments
        )
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _write(table, folder):
    import pandas as pd
    from matplotlib.figure import Figure

    from skfashion.inspection import ComparisonDisplay

    folds = pd.DataFrame.from_dict(table.attrs["fold_scores"], orient="index")
    folds.columns = [f"fold_{number}" for number in range(1, len(folds.columns) + 1)]
    table.join(folds).to_csv(folder / _TABLE_FILE)
    # So far below the others, it would hide how these differ.
    others = table.drop("dummy", errors="ignore")
    if others["mean_score"].notna().any():
        table = others
    # A figure of its own, so that no window system is asked for.
    figure = Figure(figsize=(8, 5), layout="constrained")
    ComparisonDisplay.from_comparison(table, ax=figure.subplots())
    figure.savefig(folder / _PICTURE_FILE, dpi=120)

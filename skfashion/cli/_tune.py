"""``skfashion tune``."""

import json

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
    recipe_option,
    seed_option,
)
from skfashion.cli._output import check_output, write_all_or_none
from skfashion.cli._training import make_network, train_and_test, training_files
from skfashion.cli._workers import quiet_workers
from skfashion.errors import StudyMismatchError, StudyStorageError

__all__ = ["tune"]

_TRIALS_FILE, _PARAMETERS_FILE = _SEARCH_FILES = ("trials.csv", "best_parameters.json")
# So many columns fit into a terminal.
_N_SHOWN = 5


@click.command()
@data_option
@recipe_option
@click.option(
    "--trials",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="N",
    help="Settings to try, those that the storage holds included.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Begin no more trials after so long.",
)
@click.option(
    "--storage",
    metavar="URL",
    help="Keep the trials in a database, such as sqlite:///trials.db or "
    "postgresql://user@host/name, or in a file, such as trials.db. With the same command again, "
    "the search goes on where it stopped (--force overwrites results in DIR, never trials); "
    "commands that run at the same time share the work (give each an --output of its own).",
)
@click.option(
    "--study",
    metavar="NAME",
    help="Name of the trials in the storage; without one, the same command finds its own again.",
)
@cv_option(default=3)
@jobs_option("With more than 1, the settings tried are not the same each time.")
@epochs_option
@output_option(
    "skfashion-tune", holds=f"what train writes, and {_TRIALS_FILE} and {_PARAMETERS_FILE}"
)
@seed_option
@invert_option
@force_option
def tune(
    data, recipe, trials, timeout, storage, study, cv, jobs, epochs, output, seed, invert, force
):
    """Find good settings for a recipe, and train it with the best.

    Tried are learning rate, weight decay, label smoothing, dropout and, where the recipe varies
    images at random, how much. Each setting is cross-validated on the training images; one that
    does badly on its first folds is spared the others. The network is then trained on all of them
    with the best setting, tested once on the test images, and saved, as "skfashion train" does.

    Ctrl-C ends the search, and the best setting so far is taken. On the sample the defaults take up
    to an hour on two cores.
    """
    from sklearn.base import clone

    network = make_network(recipe, epochs, seed)
    if study and not storage:
        raise click.BadParameter(
            "only stored trials have a name; add --storage.", param_hint="--study"
        )
    check_output(output, (*training_files(), *_SEARCH_FILES), force)
    training, test, description = load_data(data, seed, invert)
    check_folds(cv, training)
    opened_storage = _open(storage)

    click.echo(
        f"Tuning recipe {recipe} on {len(training.target):,} images of "
        f"{len(training.target_names)} classes: {description}."
    )
    start_keras()
    search = _search(
        clone(network).set_params(verbose=0),
        recipe,
        training,
        n_trials=trials,
        timeout=timeout,
        storage=opened_storage,
        study_name=study,
        cv=cv,
        n_jobs=jobs,
        seed=seed,
    )
    results = _tabulate(search)
    click.echo(f"\nBest trials, numbered from 0, by mean accuracy over {cv} folds:")
    click.echo(f"{_show_best(results, parameters=search.best_params_)}\n")

    number = search.best_trial_.number
    click.echo(f"Training recipe {recipe} with the settings of trial {number} on all these images.")
    tuning = {
        "n_trials": len(results),
        "cv": cv,
        "best_trial": number,
        "mean_score": float(search.best_score_),
    }
    tested = train_and_test(
        network.set_params(**search.best_params_),
        training,
        test,
        data=data,
        invert=invert,
        recipe=recipe,
        seed=seed,
        tuning=tuning,
    )
    with write_all_or_none(output, _SEARCH_FILES) as folder:
        results.to_csv(folder / _TRIALS_FILE, index=False)
        text = json.dumps({"epochs": network.epochs, **search.best_params_}, indent=2)
        (folder / _PARAMETERS_FILE).write_text(text + "\n", encoding="utf-8")
    tested.write(output)
    click.echo(tested.evaluation.classification_report())
    settings = ", ".join(f"{name} {value:.4g}" for name, value in search.best_params_.items())
    click.echo(f"Best settings, those of trial {number}: {settings}")
    click.echo(
        f"{tested.summarize()}; model.keras, report.html, {_TRIALS_FILE} and more are in {output}"
    )


def _open(storage):
    """The storage, before any long work."""
    from skfashion.model_selection._storage import open_storage

    if storage is None:
        return None
    try:
        return open_storage(storage)
    except StudyStorageError as error:
        raise click.BadParameter(str(error), param_hint="--storage") from error


def _search(network, recipe, training, *, cv, seed, **arguments):
    """Try settings on shuffled folds, without a fit on all images."""
    from sklearn.model_selection import StratifiedKFold

    from skfashion.model_selection import OptunaSearchCV, default_space

    search = OptunaSearchCV(
        network,
        default_space(recipe),
        cv=StratifiedKFold(cv, shuffle=True, random_state=seed),
        refit=False,
        random_state=seed,
        verbose=1,
        **arguments,
    )
    try:
        with quiet_workers(with_keras=True):
            return search.fit(training.data, training.target)
    except StudyMismatchError as error:
        message = str(error).replace("study_name", "name")
        raise click.BadParameter(message, param_hint="--study") from error
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _tabulate(search):
    """A row for each finished trial, with the score in each fold and the parameters."""
    import pandas as pd

    results, trials = search.cv_results_, search.study_.trials
    durations = [trials[number].duration for number in results["trial_number"]]
    return pd.DataFrame(
        {
            "trial": results["trial_number"],
            "state": results["trial_state"],
            "mean_score": results["mean_test_score"],
            "std_score": results["std_test_score"],
            **{f"fold_{i + 1}": results[f"split{i}_test_score"] for i in range(search.n_splits_)},
            **pd.DataFrame(results["params"]),
            "seconds": [round(duration.total_seconds(), 1) for duration in durations],
        }
    )


def _show_best(results, parameters):
    """A column for each of the best trials."""
    best = results.dropna(subset="mean_score").nlargest(_N_SHOWN, "mean_score")
    shown = best.set_index("trial")[["mean_score", "std_score", *parameters]]
    return shown.T.to_string(float_format="{:.4g}".format)

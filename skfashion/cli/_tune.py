"""``skfashion tune``."""

import json
import warnings
from dataclasses import dataclass

import click

from skfashion.cli._console import echo, quiet_workers, start_keras
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
    recipe_option,
    seed_option,
)
from skfashion.cli._output import OutputOptions, write_all_or_none
from skfashion.cli._train import (
    NetworkOptions,
    network_files,
    save_interrupted,
    train_and_test,
)
from skfashion.errors import StudyMismatchError, StudyStorageError

__all__ = ["tune"]

_TRIALS_FILE, _PARAMETERS_FILE = _SEARCH_FILES = ("trials.csv", "best_parameters.json")
# As many columns as fit into a terminal.
_N_SHOWN = 5


@dataclass(frozen=True)
class SearchOptions:
    """Options that say how to search."""

    trials: int
    timeout: float | None
    storage: str | None
    study: str | None
    cv: int
    jobs: int

    def check(self):
        """Make sure that the options go together."""
        if self.study and not self.storage:
            raise click.BadParameter(
                "only stored trials have a name; add --storage.", param_hint="--study"
            )

    def run(self, network, training, classifier):
        """Search on shuffled folds, without a fit on all images.

        Parameters
        ----------
        network : NetworkOptions
            Recipe whose settings are tried, and seed.
        training : Bunch
            Images to cross-validate on.
        classifier : FashionCNNClassifier
            Network to clone for each fit.

        Returns
        -------
        search : OptunaSearchCV
        """
        from sklearn.model_selection import StratifiedKFold

        from skfashion.model_selection import OptunaSearchCV, default_space

        search = OptunaSearchCV(
            classifier,
            default_space(network.recipe),
            n_trials=self.trials,
            timeout=self.timeout,
            storage=self.storage,
            study_name=self.study,
            cv=StratifiedKFold(self.cv, shuffle=True, random_state=network.seed),
            refit=False,
            n_jobs=self.jobs,
            random_state=network.seed,
            verbose=1,
        )
        try:
            with quiet_workers(self.jobs, with_keras=True), warnings.catch_warnings():
                # The command says so in the end.
                warnings.filterwarnings("ignore", "The search was interrupted")
                return search.fit(training.data, training.target)
        except StudyStorageError as error:
            raise click.BadParameter(str(error), param_hint="--storage") from error
        except StudyMismatchError as error:
            message = str(error).replace("study_name", "name")
            raise click.BadParameter(message, param_hint="--study") from error
        except ValueError as error:
            raise click.UsageError(str(error)) from error


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
@grouped(data=DataOptions, network=NetworkOptions, search=SearchOptions, output=OutputOptions)
def tune(data, network, search, output):
    """Find good settings for a recipe, and train it with the best.

    Tried are learning rate, weight decay, label smoothing, dropout and, where the recipe varies
    images at random, how much. Each setting is cross-validated on the training images; one that
    does badly on its first folds is spared the others. The network is then trained on all of them
    with the best setting, tested once on the test images, and saved, as "skfashion train" does.

    Ctrl-C ends the command. The trials so far and the best setting are saved; no network is
    trained if the search was not done. On the sample the defaults take up to an hour on two cores.
    """
    from sklearn.base import clone

    classifier = network.make()
    search.check()
    output.check((*network_files(), *_SEARCH_FILES))
    images = data.load()
    images.check_folds(search.cv)

    echo(f"Tuning recipe {network.recipe} on {images}.")
    start_keras()
    searched = search.run(network, images.training, clone(classifier).set_params(verbose=0))
    trials = _tabulate(searched)
    echo("", f"Best trials, numbered from 0, by mean accuracy over {search.cv} folds:")
    echo(*_show_best(trials, parameters=searched.best_params_).split("\n"), "")

    classifier.set_params(**searched.best_params_)
    parameters = {"epochs": classifier.epochs, **searched.best_params_}
    _write(output.folder, trials, parameters)
    saved = _describe_saved(network, search, output)
    if searched.interrupted_:
        raise click.Abort(f"Interrupted after {len(trials)} of {search.trials} trials. {saved}")

    number = searched.best_trial_.number
    tuning = {
        "n_trials": len(trials),
        "cv": search.cv,
        "best_trial": number,
        "mean_score": float(searched.best_score_),
    }
    about = {"recipe": network.recipe, "seed": network.seed, "tuning": tuning}
    try:
        echo(
            f"Training recipe {network.recipe} with the settings of trial {number} on all these "
            "images."
        )
        tested = train_and_test(classifier, images, data, about)
    except KeyboardInterrupt:
        network_saved = save_interrupted(classifier, images, output.folder)
        raise click.Abort(f"{network_saved} {saved}") from None
    tested.write(output.folder)
    echo(*tested.evaluation.classification_report().split("\n"))
    settings = ", ".join(f"{name} {value:.4g}" for name, value in searched.best_params_.items())
    echo(f"Best settings, those of trial {number}: {settings}")
    echo(
        f"{tested.summarize()}; model.keras, report.html, {_TRIALS_FILE} and more are in "
        f"{output.folder}"
    )


def _tabulate(search):
    """Make a row for each finished trial, with the score in each fold and the parameters."""
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


def _show_best(trials, parameters):
    """Show the best trials, a column for each."""
    best = trials.dropna(subset="mean_score").nlargest(_N_SHOWN, "mean_score")
    shown = best.set_index("trial")[["mean_score", "std_score", *parameters]]
    return shown.T.to_string(float_format="{:.4g}".format)


def _write(folder, trials, parameters):
    """Write the search, and delete an earlier run's network, which belongs to other trials."""
    contents = {
        _TRIALS_FILE: trials.to_csv(index=False),
        _PARAMETERS_FILE: json.dumps(parameters, indent=2) + "\n",
    }
    write_all_or_none(folder, {name: text.encode() for name, text in contents.items()})
    try:
        for name in network_files():
            (folder / name).unlink(missing_ok=True)
    except OSError as error:
        raise click.ClickException(f"Cannot delete an earlier run's file: {error}") from error


def _describe_saved(network, search, output):
    """Say what is there after Ctrl-C, and how to go on."""
    saved = f"{_TRIALS_FILE} and {_PARAMETERS_FILE} are in {output.folder}."
    if search.storage:
        return f"{saved} The same command{'' if output.force else ' with --force'} goes on."
    path = str(output.folder / _PARAMETERS_FILE)
    return (
        f"{saved} To train one with the best setting, in Python: "
        f"make_recipe({network.recipe!r}, **json.load(open({path!r}))).fit(X, y)"
    )

"""``skfashion tune``."""

import json
import os
import re

import pandas as pd
import pytest

from skfashion import FashionCNNClassifier
from skfashion.recipes import make_recipe


@pytest.fixture(scope="module")
def result_files(report_files):
    return {"model.keras", "trials.csv", "best_parameters.json", *report_files}


@pytest.fixture(scope="module")
def search(pictures, tmp_path_factory):
    """Arguments of a search that is kept, without --trials and --output."""
    storage = tmp_path_factory.mktemp("storage") / "trials.db"
    arguments = ("--data", pictures, "--recipe", "basic", "--epochs", 1, "--cv", 2)
    return [*map(str, (*arguments, "--storage", storage, "--study", "boots"))]


@pytest.fixture(scope="module")
def tuned(run, search, tmp_path_factory):
    """Two trials of it."""
    output = tmp_path_factory.mktemp("tuned") / "out"
    result = run("tune", *search, "--trials", 2, "--output", output, cwd=output.parent)
    return result, output


def test_tune(tuned, result_files):
    result, output = tuned
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert {p.name for p in output.iterdir()} == result_files
    assert [p.name for p in output.parent.iterdir()] == ["out"]

    trials = pd.read_csv(output / "trials.csv")
    assert trials["trial"].tolist() == [0, 1]
    assert trials["state"].tolist() == ["complete", "complete"]
    folds = trials[["fold_1", "fold_2"]]
    assert trials["mean_score"].to_numpy() == pytest.approx(folds.mean(axis=1).to_numpy())
    assert trials["std_score"].to_numpy() == pytest.approx(folds.std(axis=1, ddof=0).to_numpy())
    assert (trials["seconds"] > 0).all()
    best = trials.loc[trials["mean_score"].idxmax()]
    parameters = json.loads((output / "best_parameters.json").read_text())
    assert parameters.pop("epochs") == 1
    assert set(parameters) == {"dropout", "label_smoothing", "learning_rate", "weight_decay"}
    assert {name: best[name] for name in parameters} == pytest.approx(parameters)

    classifier = FashionCNNClassifier.load(output / "model.keras")
    assert {name: getattr(classifier, name) for name in parameters} == parameters
    metrics = json.loads((output / "metrics.json").read_text())
    assert (metrics["n_train"], metrics["n_test"], metrics["epochs"]) == (96, 24, 1)
    assert metrics["tuning"] == {
        "n_trials": 2,
        "cv": 2,
        "best_trial": best["trial"],
        "mean_score": pytest.approx(best["mean_score"]),
    }


def test_tables_at_the_end(tuned):
    result, output = tuned
    metrics = json.loads((output / "metrics.json").read_text())
    best = metrics["tuning"]["best_trial"]
    lines = result.stdout.splitlines()
    assert "Study boots holds 0 of 2 trials." in lines
    table = lines[lines.index("Best trials, numbered from 0, by mean accuracy over 2 folds:") + 1 :]
    assert table[0].split() == ["trial", str(best), str(1 - best)]
    assert table[1].split()[:2] == ["mean_score", f"{metrics['tuning']['mean_score']:.4g}"]
    assert (output / "classification_report.txt").read_text() in result.stdout
    assert lines[-2].startswith(f"Best settings, those of trial {best}: learning_rate 0.")
    assert lines[-1].startswith(f"Test accuracy {metrics['accuracy']:.4f} on 24 images")


def test_goes_on_and_is_interrupted(interrupt, tuned, search, tmp_path):
    output = tmp_path / "out"
    output.mkdir()
    for name in ("model.keras", "report.html", "notes.txt"):
        (output / name).write_text("an earlier one")
    arguments = ("tune", *search, "--trials", "60", "--output", output, "--force")
    result = interrupt(*arguments, after="Trial ")
    assert "Study boots holds 2 of 60 trials.\nTrial 2 (3 of 60)" in result.stdout
    assert result.returncode == 130
    trials = pd.read_csv(output / "trials.csv")
    assert result.stderr == (
        f"Interrupted after {len(trials)} of 60 trials. trials.csv and best_parameters.json are in "
        f"{output}. The same command goes on.\n"
    )
    pd.testing.assert_frame_equal(trials[:2], pd.read_csv(tuned[1] / "trials.csv"))
    names = {"trials.csv", "best_parameters.json", "notes.txt"}
    assert {p.name for p in output.iterdir()} == names


@pytest.mark.slow  # three processes import TensorFlow
@pytest.mark.parametrize("send", [os.kill, os.killpg])
def test_interrupted_workers(interrupt, pictures, send, tmp_path):
    arguments = ("--recipe", "basic", "--epochs", 1, "--cv", 2, "--jobs", 2, "--trials", 600)
    result = interrupt(
        "tune", "--data", pictures, *arguments, after="Trial ", send=send, cwd=tmp_path
    )
    assert result.returncode == 130
    assert result.stderr.startswith("Interrupted after ")
    assert result.stderr.count("\n") == 1
    output = tmp_path / "skfashion-tune"
    assert {p.name for p in output.iterdir()} == {"trials.csv", "best_parameters.json"}
    way_on = "make_recipe('basic', **json.load(open('skfashion-tune/best_parameters.json')))"
    assert f"{way_on}.fit(X, y)\n" in result.stderr
    parameters = json.loads((output / "best_parameters.json").read_text())
    assert make_recipe("basic", **parameters).epochs == 1


def test_interrupted_final_training(interrupt, pictures, tmp_path):
    arguments = ("--recipe", "basic", "--epochs", 60, "--cv", 2, "--trials", 1)
    result = interrupt("tune", "--data", pictures, *arguments, after="Epoch 3/60", cwd=tmp_path)
    assert result.returncode == 130
    n_epochs = int(re.match(r"Interrupted after (\d+) of 60 epochs", result.stderr)[1])
    output = tmp_path / "skfashion-tune"
    names = {"model.keras", "trials.csv", "best_parameters.json"}
    assert {p.name for p in output.iterdir()} == names
    assert FashionCNNClassifier.load(output / "model.keras").n_epochs_ == n_epochs


def test_interrupted_before_the_first_trial(interrupt, pictures, tmp_path):
    arguments = ("--data", pictures, "--recipe", "basic")
    result = interrupt("tune", *arguments, after="Tuning ", cwd=tmp_path)
    assert result.returncode == 130
    assert result.stderr == "\nInterrupted.\n"
    assert not [*tmp_path.iterdir()]


def test_another_search_of_the_same_name(run, tuned, search, tmp_path):
    result = run("tune", *search, "--seed", 1, cwd=tmp_path)
    assert result.returncode == 2
    assert "--study: Study 'boots' began with other estimator, data, folds;" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not [*tmp_path.iterdir()]


@pytest.mark.slow  # three processes import TensorFlow
def test_recipe_that_does_not_fit_the_images(run_process, digits_csv, tmp_path):
    """Workers print nothing beside the error."""
    arguments = ("--recipe", "basic", "--trials", 2, "--cv", 2, "--jobs", 2)
    result = run_process("tune", "--data", digits_csv, *arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert "at least 18x18 pixels, got 8x8" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not [*tmp_path.iterdir()]

"""``skfashion train``."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from skfashion import FashionCNNClassifier
from skfashion._persistence import Checkpoint
from skfashion.datasets import load_fashion_sample, read_image_folder


def test_train(trained, pictures, report_files):
    result, output = trained
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert {p.name for p in output.iterdir()} == {"model.keras", *report_files}
    assert [p.name for p in output.parent.iterdir()] == ["out"]
    metrics = json.loads((output / "metrics.json").read_text())
    assert metrics["n_train"] == 96
    assert metrics["n_test"] == 24
    assert metrics["epochs"] == 15
    assert metrics["seed"] == 3
    assert metrics["data"] == pictures.name
    assert metrics["accuracy"] > 0.9
    assert set(metrics["per_class"]) == {"ankle boot", "trouser"}
    report = (output / "classification_report.txt").read_text()
    assert "ankle boot" in report
    assert report in result.stdout
    last = result.stdout.splitlines()[-1]
    assert last.startswith(f"Test accuracy {metrics['accuracy']:.4f} on 24 images")
    assert str(output) in last
    for name in (name for name in report_files if name.endswith(".png")):
        with Image.open(output / name) as picture:
            assert min(picture.size) > 250
            assert len(np.unique(np.asarray(picture))) > 10


def test_report_without_paths_of_the_machine(trained, pictures):
    for name in ("metrics.json", "report.html"):
        text = (trained[1] / name).read_text()
        assert pictures.name in text
        assert str(pictures.parent) not in text
        assert str(trained[1].parent) not in text


def test_the_model_is_the_one_that_was_tested(trained, pictures):
    _, output = trained
    classifier = FashionCNNClassifier.load(output / "model.keras")
    bunch = read_image_folder(pictures)
    assert classifier.target_names_ == bunch.target_names
    assert classifier.score(bunch.data, bunch.target) > 0.9


def test_earlier_run_is_kept(run, trained, pictures):
    _, output = trained
    before = {p.name: p.read_bytes() for p in output.iterdir()}
    result = run("train", "--data", pictures, "--epochs", 1, "--output", output)
    assert result.returncode == 2
    assert "holds an earlier run" in result.stderr
    assert "--force" in result.stderr
    assert {p.name: p.read_bytes() for p in output.iterdir()} == before


def test_force(run, trained, pictures, report_files, tmp_path):
    output = shutil.copytree(trained[1], tmp_path / "out")
    (output / "notes.txt").write_text("mine")
    result = run("train", "--data", pictures, "--epochs", 1, "--output", output, "--force")
    assert result.returncode == 0, result.stderr
    assert json.loads((output / "metrics.json").read_text())["epochs"] == 1
    assert (output / "notes.txt").read_text() == "mine"
    assert {p.name for p in output.iterdir()} == {"model.keras", "notes.txt", *report_files}


@pytest.mark.parametrize(
    "layout", ["csv", "train and test", pytest.param("idx", marks=pytest.mark.slow)]
)
def test_other_data(run, layout, pictures, tmp_path):
    data = tmp_path / "data"
    if layout == "csv":
        data = tmp_path / "data.csv"
        sample = load_fashion_sample(subset="test", as_frame=True)
        frame = sample.data.assign(label=sample.target)
        frame[frame.label < 2].to_csv(data, index=False)
        expected = 160, 40
    elif layout == "train and test":
        for part in ("train", "test"):
            shutil.copytree(pictures, data / part)
        expected = 120, 120
    else:
        data = Path("/usr/share/datasets/fashion-mnist")
        if not data.is_dir():
            pytest.skip("needs all of Fashion-MNIST: apt-get install dataset-fashion-mnist")
        expected = 60_000, 10_000
    arguments = ("--epochs", 1, "--output", tmp_path / "out", "--recipe", "basic")
    result = run("train", "--data", data, *arguments)
    assert result.returncode == 0, result.stderr
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert (metrics["n_train"], metrics["n_test"]) == expected


def test_hostile_class_names(run, pictures, tmp_path):
    names = ["\x1b[2Jboot", "two\nlines\u202e"]
    for folder, name in zip(sorted(pictures.iterdir()), names, strict=True):
        shutil.copytree(folder, tmp_path / "data" / name)
    arguments = ("--epochs", 1, "--output", tmp_path / "out", "--recipe", "lenet")
    result = run("train", "--data", tmp_path / "data", *arguments)
    assert result.returncode == 0, result.stderr
    assert not set(result.stdout) & {"\x1b", "\u202e"}
    rows = [line.strip().partition("  ")[0] for line in result.stdout.splitlines()]
    assert {r"\x1b[2Jboot", r"two\nlines\u202e"} <= {*rows}
    classifier = FashionCNNClassifier.load(tmp_path / "out" / "model.keras")
    assert classifier.target_names_ == names


def test_report_that_cannot_be_written(run, pictures, tmp_path):
    """The model, which took long, is there all the same."""
    (tmp_path / "out" / "report.html" / "mine").mkdir(parents=True)
    arguments = ("--data", pictures, "--epochs", 1, "--output", tmp_path / "out", "--force")
    result = run("train", *arguments)
    assert result.returncode == 1
    assert "model.keras was written, but its report could not be" in result.stderr
    assert "report.html is a folder" in result.stderr
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"model.keras", "report.html"}


@pytest.fixture(scope="module")
def train_until(pictures):
    """Trains in a process of its own that gets Ctrl-C, or another signal, at some line."""

    def train_until(line, *arguments, sent=signal.SIGINT, n_times=1, cwd=None):
        command = [sys.executable, "-m", "skfashion", "train", "--data", str(pictures)]
        process = subprocess.Popen(
            [*command, "--recipe", "lenet", *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            for shown in process.stdout:
                if shown.startswith(line):
                    for _ in range(n_times):
                        process.send_signal(sent)
            errors = process.stderr.read()
        return process.returncode, errors

    return train_until


def weights(path):
    return FashionCNNClassifier.load(path).weights_


def test_interrupted_and_resumed(train_until, run, trained, report_files, tmp_path):
    arguments = ("--epochs", 15, "--seed", 3, "--output", "out")
    returncode, errors = train_until("Epoch 5/", *arguments, cwd=tmp_path)
    assert returncode == 130
    n_epochs = int(re.match(r"Interrupted after (\d+) of 15 epochs\. ", errors)[1])
    assert errors.strip().endswith("To go on: skfashion train --resume out")
    output = tmp_path / "out"
    assert {p.name for p in output.iterdir()} == {
        "model.keras",
        "checkpoint.keras",
        "training.json",
    }
    assert FashionCNNClassifier.load(output / "model.keras").n_epochs_ == n_epochs >= 5

    refused = run("train", "--output", output)
    assert refused.returncode == 2
    assert "holds an unfinished training. Add --resume to go on with it" in refused.stderr
    other = run("train", "--resume", output, "--epochs", 16)
    assert other.returncode == 2
    assert "epochs was 15 and is 16" in other.stderr
    assert "start again without --resume" in other.stderr

    # All options are remembered, wherever it goes on.
    result = run("train", "--resume", output, cwd=tmp_path.parent)
    assert result.returncode == 0, result.stderr
    assert "Epoch 1/" not in result.stdout
    assert {p.name for p in output.iterdir()} == {"model.keras", *report_files}
    for one, alone in zip(
        weights(output / "model.keras"), weights(trained[1] / "model.keras"), strict=True
    ):
        np.testing.assert_array_equal(one, alone)
    metrics = [json.loads((path / "metrics.json").read_text()) for path in (output, trained[1])]
    for one in metrics:
        del one["fit_seconds"], one["seconds_per_image"]
    assert metrics[0] == metrics[1]

    done = run("train", "--resume", output)
    assert done.returncode == 2
    assert "holds no unfinished training" in done.stderr


def test_killed_and_resumed(train_until, run, tmp_path):
    arguments = ("--epochs", 5, "--output", "out")
    returncode, _ = train_until("Epoch 2/", *arguments, sent=signal.SIGKILL, cwd=tmp_path)
    assert returncode == -signal.SIGKILL
    result = run("train", "--output", "out", "--resume", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "The training in out/checkpoint.keras goes on." in result.stdout
    assert "Epoch 1/" not in result.stdout


def test_interrupted_while_it_is_resumed(train_until, run, monkeypatch, tmp_path):
    train_until("Epoch 2/", "--epochs", 5, "--output", "out", cwd=tmp_path)
    path = tmp_path / "out" / "checkpoint.keras"
    before = path.read_bytes()

    def press_ctrl_c(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "begin", press_ctrl_c)
    result = run("train", "--resume", "out", cwd=tmp_path)
    assert result.returncode == 130
    way_on = "To go on: skfashion train --resume out\n"
    assert result.stderr == f"Interrupted before an epoch was finished. {way_on}"
    assert path.read_bytes() == before
    assert (tmp_path / "out" / "training.json").exists()


def test_failed_training_is_not_an_unfinished_one(run, pictures, tmp_path):
    output = tmp_path / "out"
    failed = run("train", "--data", pictures, "--recipe", "resnet50v2", "--output", output)
    assert failed.returncode != 0
    assert not output.exists()


def test_interrupted_before_the_first_epoch(train_until, tmp_path):
    returncode, errors = train_until("Training recipe", "--output", "out", cwd=tmp_path)
    assert (returncode, "Traceback" in errors) == (130, False)
    assert list(tmp_path.iterdir()) == []


def test_second_ctrl_c(train_until, tmp_path):
    arguments = ("--epochs", 15, "--output", "out")
    returncode, errors = train_until("Epoch 2/", *arguments, n_times=5, cwd=tmp_path)
    assert (returncode, "Traceback" in errors) == (130, False)
    assert not [path for path in (tmp_path / "out").iterdir() if "partial" in path.name]


def test_checkpoint_of_the_users(run, pictures, tmp_path):
    path = tmp_path / "best.keras"
    arguments = ("--data", pictures, "--recipe", "lenet", "--epochs", 2, "--checkpoint", path)
    result = run("train", *arguments, "--output", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert FashionCNNClassifier.load(path).n_epochs_ <= 2
    assert not {"checkpoint.keras", "training.json"} & {
        p.name for p in (tmp_path / "out").iterdir()
    }
    again = run("train", *arguments, "--output", tmp_path / "other")
    assert again.returncode == 2
    assert "exists. Add --resume to go on with the training in it, or --force" in again.stderr
    assert not (tmp_path / "other").exists()
    resumed = run("train", *arguments, "--output", tmp_path / "other", "--resume")
    assert resumed.returncode == 0, resumed.stderr
    assert "Epoch" not in resumed.stdout
    kept = run("train", *arguments, "--output", tmp_path / "other", "--resume")
    assert kept.returncode == 2
    assert "holds an earlier run" in kept.stderr
    wrong = run("train", "--checkpoint", tmp_path / "best.h5", "--output", tmp_path / "new")
    assert wrong.returncode == 2
    assert "checkpoint must end in .keras" in wrong.stderr

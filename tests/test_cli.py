"""The command line, as a person runs it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from skfashion import FashionCNNClassifier
from skfashion.datasets import load_fashion_sample, read_image_folder

RESULTS = {
    "model.keras",
    "metrics.json",
    "classification_report.txt",
    "training_curves.png",
    "confusion_matrix.png",
}


def run(*arguments, cwd=None):
    command = [sys.executable, "-m", "skfashion.cli", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


@pytest.fixture(scope="module")
def pictures(tmp_path_factory):
    """A folder of two classes, 60 pictures each."""
    folder = tmp_path_factory.mktemp("pictures")
    sample = load_fashion_sample()
    for name, label in (("ankle boot", 9), ("trouser", 1)):
        (folder / name).mkdir()
        for i, image in enumerate(sample.images[sample.target == label][:60]):
            Image.fromarray(image).save(folder / name / f"{i}.png")
    return folder


@pytest.fixture(scope="module")
def trained(pictures, tmp_path_factory):
    """A finished run on these pictures."""
    output = tmp_path_factory.mktemp("run") / "out"
    arguments = ("--data", pictures, "--epochs", 15, "--output", output, "--seed", 3)
    return run("train", *arguments, cwd=output.parent), output


def test_train(trained, pictures):
    result, output = trained
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert {p.name for p in output.iterdir()} == RESULTS
    assert [p.name for p in output.parent.iterdir()] == ["out"]
    metrics = json.loads((output / "metrics.json").read_text())
    assert metrics["n_train"] == 96
    assert metrics["n_test"] == 24
    assert metrics["epochs"] == 15
    assert metrics["seed"] == 3
    assert metrics["accuracy"] > 0.9
    assert set(metrics["per_class"]) == {"ankle boot", "trouser"}
    report = (output / "classification_report.txt").read_text()
    assert "ankle boot" in report
    assert report in result.stdout
    last = result.stdout.splitlines()[-1]
    assert last.startswith(f"Test accuracy {metrics['accuracy']:.4f} on 24 images")
    assert str(output) in last
    for name in ("training_curves.png", "confusion_matrix.png"):
        with Image.open(output / name) as picture:
            assert min(picture.size) > 300
            assert len(np.unique(np.asarray(picture))) > 10


def test_the_model_is_the_one_that_was_tested(trained, pictures):
    _, output = trained
    classifier = FashionCNNClassifier.load(output / "model.keras")
    bunch = read_image_folder(pictures)
    assert classifier.target_names_ == bunch.target_names
    assert classifier.score(bunch.data, bunch.target) > 0.9


def test_predict(trained, pictures):
    _, output = trained
    files = [pictures / "trouser" / "3.png", pictures / "ankle boot" / "7.png"]
    result = run("predict", output / "model.keras", *files)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"{files[0]}: trouser (")
    assert lines[1].startswith(f"{files[1]}: ankle boot (")
    assert lines[0].endswith("%)")


def test_predict_a_photo_on_white(trained, pictures, tmp_path):
    _, output = trained
    with Image.open(pictures / "trouser" / "3.png") as picture:
        inverted = 255 - np.asarray(picture)
    Image.fromarray(inverted).resize((280, 280)).save(tmp_path / "photo.jpg")
    Image.new("L", (600, 400), 255).save(tmp_path / "wide.jpg")
    plain = run("predict", output / "model.keras", tmp_path / "photo.jpg", tmp_path / "wide.jpg")
    assert plain.stderr.count("add --invert") == 2
    result = run("predict", "--invert", output / "model.keras", tmp_path / "photo.jpg")
    assert "trouser" in result.stdout
    assert result.stderr == ""


def test_earlier_run_is_kept(trained, pictures):
    _, output = trained
    before = {p.name: p.read_bytes() for p in output.iterdir()}
    result = run("train", "--data", pictures, "--epochs", 1, "--output", output)
    assert result.returncode == 2
    assert "holds an earlier run" in result.stderr
    assert "--force" in result.stderr
    assert {p.name: p.read_bytes() for p in output.iterdir()} == before


def test_force(trained, pictures, tmp_path):
    output = shutil.copytree(trained[1], tmp_path / "out")
    (output / "notes.txt").write_text("mine")
    result = run("train", "--data", pictures, "--epochs", 1, "--output", output, "--force")
    assert result.returncode == 0, result.stderr
    assert json.loads((output / "metrics.json").read_text())["epochs"] == 1
    assert (output / "notes.txt").read_text() == "mine"
    assert {p.name for p in output.iterdir()} == {*RESULTS, "notes.txt"}


@pytest.mark.parametrize("layout", ["csv", "train and test", "idx"])
def test_other_data(layout, pictures, tmp_path):
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


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["trian"], "No such command 'trian'"),
        (["train", "--recipe", "bsic"], "Did you mean 'basic'?"),
        (["train", "--epochs", "0"], "--epochs"),
        (["train", "--epochs", "many"], "'many' is not a valid integer"),
        (["train", "--seed", "-1"], "--seed"),
        (["train", "--data", "nowhere"], "'nowhere' is neither 'sample' nor 'full'"),
        (["train", "--data", "empty"], "holds no folders"),
        (["train", "--data", "bad.csv"], "has no column 'label'"),
        (["train", "--output", "bad.csv"], "cannot write to bad.csv"),
        (["train", "--output", "bad.csv/deeper"], "cannot write to bad.csv/deeper"),
        (["train", "--frobnicate"], "No such option"),
        (["train", "--data", "one"], "holds images of one class only, 'hat'"),
        (["train", "--data", "8x8.csv", "--recipe", "basic"], "at least 18x18 pixels, got 8x8"),
        (["train", "--data", "bad.csv", "--output", "a/b/c"], "has no column 'label'"),
        (["predict"], "Missing argument"),
        (["predict", "missing.keras", "x.png"], "No model file 'missing.keras'"),
        (["predict", "bad.csv", "x.png"], "is not a .keras file"),
    ],
)
def test_wrong_argument_gets_one_line(arguments, message, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    digits = load_digits(as_frame=True).frame.rename(columns={"target": "label"})
    digits.astype(int)[:100].to_csv(tmp_path / "8x8.csv", index=False)
    (tmp_path / "one" / "hat").mkdir(parents=True)
    for i in range(5):
        Image.new("L", (28, 28), 50 * i).save(tmp_path / "one" / "hat" / f"{i}.png")
    before = {p.name for p in tmp_path.iterdir()}
    result = run(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert {p.name for p in tmp_path.iterdir()} == before


def test_wrong_picture_gets_one_line(trained, tmp_path):
    (tmp_path / "x.png").write_text("no picture")
    result = run("predict", trained[1] / "model.keras", tmp_path / "x.png")
    assert result.returncode == 2
    assert "x.png is not a picture that can be decoded" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["train", "predict"]),
        (["--help"], ["train", "predict", "--version"]),
        (["train", "--help"], ["--data", "--recipe", "--epochs", "--output", "--seed", "--invert"]),
        (["predict", "--help"], ["MODEL", "IMAGE...", "--invert"]),
    ],
)
def test_help(arguments, words):
    result = run(*arguments)
    for word in words:
        assert word in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100

"""``skfashion evaluate``."""

import json
import shutil

import numpy as np
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from skfashion import FashionCNNClassifier
from skfashion.datasets import load_fashion_sample


@pytest.fixture(scope="module")
def other_pictures(tmp_path_factory):
    """Ten trousers that no test model was trained on, light on black."""
    folder = tmp_path_factory.mktemp("other")
    (folder / "trouser").mkdir()
    sample = load_fashion_sample(subset="test")
    for i, image in enumerate(sample.images[sample.target == 1][:10]):
        Image.fromarray(image).save(folder / "trouser" / f"{i}.png")
    return folder


@pytest.fixture
def model(trained, tmp_path):
    """A copy of the model alone."""
    return shutil.copy(trained[1] / "model.keras", tmp_path / "boots.keras")


def test_pictures_of_one_class(run, model, other_pictures, report_files, tmp_path):
    output = tmp_path / "out"
    result = run("evaluate", model, "--data", other_pictures, "--output", output)
    assert result.returncode == 0, result.stderr
    assert result.stderr == "Note: if it was trained on some of them, the figures flatter it.\n"
    assert {p.name for p in output.iterdir()} == report_files
    metrics = json.loads((output / "metrics.json").read_text())
    assert metrics["n_test"] == 10
    assert metrics["accuracy"] > 0.9
    assert metrics["class_names"] == ["ankle boot", "trouser"]
    assert metrics["confusion_matrix"][0] == [0, 0]
    assert metrics["confusion_matrix"][1][1] == 10 * metrics["accuracy"]
    assert metrics["model"] == model.name
    assert metrics["data"] == other_pictures.name
    for name in ("metrics.json", "report.html"):
        assert str(model.parent) not in (output / name).read_text()
    assert (output / "classification_report.txt").read_text() in result.stdout
    last = result.stdout.splitlines()[-1]
    assert last.startswith(f"Accuracy {metrics['accuracy']:.4f} (95 % interval ")
    assert last.endswith(str(output / "report.html"))


def test_test_images_of_the_data(run, model, other_pictures, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(other_pictures, data / "test")
    (data / "train" / "trouser").mkdir(parents=True)
    result = run("evaluate", model, "--data", data, "--output", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert f"on 10 images: pictures in {data / 'test'}." in result.stdout


def test_sample(run, fitted_on_sample, tmp_path):
    """A model saved without names of its classes, for labels as the sample's."""
    path, classifier = fitted_on_sample
    result = run("evaluate", path, "--output", tmp_path / "out")
    assert result.returncode == 0, result.stderr
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    test = load_fashion_sample(subset="test")
    assert metrics["accuracy"] == pytest.approx(classifier.score(test.data, test.target))
    assert metrics["class_names"] == test.target_names


@pytest.fixture(scope="module")
def fitted_on_sample(tmp_path_factory):
    """A model file, and what is in it."""
    path = tmp_path_factory.mktemp("model") / "sample.keras"
    train = load_fashion_sample()
    classifier = FashionCNNClassifier("lenet", epochs=1, random_state=0)
    classifier.fit(train.data[:1000], train.target[:1000]).save(path)
    return path, classifier


def test_scaled_pixels(run, other_pictures, tmp_path):
    train = load_fashion_sample()
    rows = train.target < 2
    classifier = FashionCNNClassifier("lenet", epochs=3, random_state=0)
    classifier.fit(train.data[rows] / 255, train.target[rows])
    classifier.save(tmp_path / "scaled.keras", target_names=["shirt", "trouser"])
    arguments = ("--data", other_pictures, "--output", tmp_path / "out")
    result = run("evaluate", tmp_path / "scaled.keras", *arguments)
    assert result.returncode == 0, result.stderr
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["accuracy"] > 0.8


@pytest.mark.parametrize("scale", [1, 16])
def test_csv(run, scale, tmp_path):
    """Pixels of 0-1 and of 0-16, as the model was trained on, stay as they are."""
    digits = load_digits(as_frame=True).frame.rename(columns={"target": "label"}).astype(int)
    pixels = digits.columns.drop("label")
    digits[pixels] = digits[pixels] // (8 if scale == 1 else 1)
    digits[pixels] = digits[pixels].clip(upper=scale)
    for name, rows in {"train": slice(1000), "other": slice(1000, 1300)}.items():
        digits[rows].to_csv(tmp_path / f"{name}.csv", index=False)
    arguments = ("--recipe", "lenet", "--epochs", 10, "--output", tmp_path / "run")
    trained = run("train", "--data", tmp_path / "train.csv", *arguments)
    assert trained.returncode == 0, trained.stderr
    model = tmp_path / "run" / "model.keras"
    arguments = ("--data", tmp_path / "other.csv", "--output", tmp_path / "out")
    result = run("evaluate", model, *arguments)
    assert result.returncode == 0, result.stderr
    assert "Warning" not in result.stderr
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["accuracy"] > 0.8
    with Image.open(tmp_path / "out" / "misclassified.png") as picture:
        assert np.asarray(picture.convert("L"))[100:].min() < 50  # neither all white nor all black


def test_folders_of_fashion_mnist(run, fitted_on_sample, tmp_path):
    """T-shirt/top cannot be the name of a folder."""
    _, classifier = fitted_on_sample
    test = load_fashion_sample(subset="test")
    named = tmp_path / "named.keras"
    classifier.save(named, target_names=test.target_names)
    folder = tmp_path / "pictures" / "T-shirt_top"
    folder.mkdir(parents=True)
    shirts = test.images[test.target == 0][:20]
    for i, image in enumerate(shirts):
        Image.fromarray(image).save(folder / f"{i}.png")
    arguments = ("--data", folder.parent, "--output", tmp_path / "out")
    result = run("evaluate", named, *arguments)
    assert result.returncode == 0, result.stderr
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["accuracy"] == (classifier.predict(shirts) == 0).mean()


@pytest.mark.parametrize("change", ["nothing", "moved", "renamed", "one more", "half"])
def test_images_that_it_was_trained_on(run, trained, pictures, tmp_path, change):
    data = pictures
    if change != "nothing":
        data = shutil.copytree(pictures, tmp_path / "moved")
    files = sorted(data.rglob("*.png"))
    if change == "renamed":
        for i, file in enumerate(files):
            file.rename(file.with_name(f"{997 * i % 1000}.png"))
    elif change == "one more":
        Image.new("L", (28, 28), 77).save(data / "trouser" / "new.png")
    elif change == "half":
        for file in files[::4]:
            file.unlink()
    output = tmp_path / "out"
    result = run("evaluate", trained[1] / "model.keras", "--data", data, "--output", output)
    assert result.returncode == 2
    assert f"was trained on {data}" in result.stderr
    assert str(trained[1] / "report.html") in result.stderr
    assert result.stderr.count("\n") == 1
    assert not output.exists()


def test_images_that_it_was_trained_on_with_an_earlier_version(run, model, other_pictures):
    """Earlier versions stored the path."""
    metrics = {"data": str(other_pictures.resolve())}
    (model.parent / "metrics.json").write_text(json.dumps(metrics))
    result = run("evaluate", model, "--data", other_pictures)
    assert result.returncode == 2
    assert f"was trained on {other_pictures}" in result.stderr


def test_few_of_the_images_that_it_was_trained_on(run, trained, pictures, tmp_path):
    """A few training images are accepted."""
    (tmp_path / "data" / "trouser").mkdir(parents=True)
    for i in range(5):
        shutil.copy(pictures / "trouser" / f"{i}.png", tmp_path / "data" / "trouser")
    arguments = ("--data", tmp_path / "data", "--output", tmp_path / "out")
    result = run("evaluate", trained[1] / "model.keras", *arguments)
    assert result.returncode == 0, result.stderr


def test_other_classes(run, model, other_pictures, digits_csv, fitted_on_sample, tmp_path):
    wrong = tmp_path / "wrong"
    shutil.copytree(other_pictures / "trouser", wrong / "trousers")
    shutil.copytree(other_pictures / "trouser", wrong / "ankle boot")
    for name, data, message in [
        (model, wrong, "Unknown class 'trousers'. Did you mean 'trouser'?"),
        (model, "sample", "Unknown class 'T-shirt/top'"),
        (fitted_on_sample[0], other_pictures, "Unknown class 'trouser'"),
        (fitted_on_sample[0], digits_csv, "has 784 values, but X has 64 features"),
    ]:
        result = run("evaluate", name, "--data", data, "--output", tmp_path / "out")
        assert result.returncode == 2
        assert message in result.stderr
        assert len(result.stderr.splitlines()) <= 2  # the first may be the note
        assert not (tmp_path / "out").exists()


def test_report_that_cannot_be_written(run, model, other_pictures, tmp_path):
    output = tmp_path / "out"
    (output / "report.html").mkdir(parents=True)
    result = run("evaluate", model, "--data", other_pictures, "--output", output, "--force")
    assert result.returncode == 1
    last = result.stderr.splitlines()[-1]
    assert last == f"Cannot write to {output}: {output / 'report.html'} is a folder."
    assert [path.name for path in output.iterdir()] == ["report.html"]

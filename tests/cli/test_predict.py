"""``skfashion predict``."""

import shutil

import numpy as np
import pytest
from PIL import Image


def test_predict(run, trained, pictures):
    _, output = trained
    files = [pictures / "trouser" / "3.png", pictures / "ankle boot" / "7.png"]
    result = run("predict", output / "model.keras", *files)
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    lines = result.stdout.splitlines()
    assert lines[0].startswith(f"{files[0]}: trouser (")
    assert lines[1].startswith(f"{files[1]}: ankle boot (")
    assert lines[0].endswith("%)")


def test_predict_a_photo_on_white(run, trained, pictures, tmp_path):
    _, output = trained
    with Image.open(pictures / "trouser" / "3.png") as picture:
        inverted = 255 - np.asarray(picture)
    Image.fromarray(inverted).resize((280, 280)).save(tmp_path / "photo.jpg")
    Image.new("L", (600, 400), 255).save(tmp_path / "wide.jpg")
    plain = run("predict", output / "model.keras", tmp_path / "photo.jpg", tmp_path / "wide.jpg")
    assert "2 of 2 pictures have a light ground" in plain.stderr
    assert "add --invert" in plain.stderr
    assert plain.stderr.count("\n") == 1
    result = run("predict", "--invert", output / "model.keras", tmp_path / "photo.jpg")
    assert "trouser" in result.stdout
    assert result.stderr == ""


def test_model_that_was_trained_on_inverted_pictures(run, trained, pictures, tmp_path):
    shutil.copy(trained[1] / "model.keras", tmp_path)
    (tmp_path / "metrics.json").write_text('{"invert": true}')
    model, picture = tmp_path / "model.keras", pictures / "trouser" / "3.png"
    assert run("predict", model, picture).stderr == (
        f"Note: {model} was trained with --invert: add it here too.\n"
    )
    assert run("predict", model, picture, "--invert").stderr == ""


@pytest.mark.parametrize("kind", ["device", "nested", "list"])
def test_metrics_that_are_none(run, trained, pictures, tmp_path, kind):
    """Such metrics beside the model are passed over."""
    shutil.copy(trained[1] / "model.keras", tmp_path)
    if kind == "device":
        (tmp_path / "metrics.json").symlink_to("/dev/zero")
    else:
        (tmp_path / "metrics.json").write_text("[" * 10**5 if kind == "nested" else "[]")
    result = run("predict", tmp_path / "model.keras", pictures / "trouser" / "3.png")
    assert (result.returncode, result.stderr) == (0, "")


def test_picture(run, trained, pictures, tmp_path):
    files = [pictures / "trouser" / "3.png", pictures / "ankle boot" / "7.png"]
    seen = tmp_path / "seen.png"
    result = run("predict", trained[1] / "model.keras", *files, "--picture", seen)
    assert result.returncode == 0, result.stderr
    assert result.stdout.count("%)") == 2
    with Image.open(seen) as picture:
        assert picture.width > 400
        assert len(np.unique(np.asarray(picture))) > 100
    assert [*tmp_path.iterdir()] == [seen]
    again = run("predict", trained[1] / "model.keras", files[0], "--picture", seen, "--force")
    assert again.returncode == 0, again.stderr
    assert [*tmp_path.iterdir()] == [seen]


def test_hostile_names(run, trained, pictures, tmp_path):
    """A file's name begins no line of its own; one in Arabic stays as it is."""
    names = ["x\nAccuracy 1.0.png", "\x1b[31m.png", "\u202egnp.png", "\udcff.png", "قميص.png"]
    for name in names:
        shutil.copy(pictures / "trouser" / "3.png", tmp_path / name)
    arguments = [tmp_path / name for name in names]
    result = run("predict", trained[1] / "model.keras", *arguments, "--picture", tmp_path / "a.svg")
    assert result.returncode == 0, result.stderr
    shown = [r"x\nAccuracy 1.0.png", r"\x1b[31m.png", r"\u202egnp.png", r"\udcff.png", "قميص.png"]
    for line, name in zip(result.stdout.splitlines(), shown, strict=True):
        assert line.startswith(f"{tmp_path / name}: trouser (")
    assert "\x1b" not in (tmp_path / "a.svg").read_text()


def test_wrong_picture_gets_one_line(run, trained, tmp_path):
    (tmp_path / "x.png").write_text("no picture")
    result = run("predict", trained[1] / "model.keras", tmp_path / "x.png")
    assert result.returncode == 2
    assert "x.png is not a picture that can be decoded" in result.stderr
    assert result.stderr.count("\n") == 1

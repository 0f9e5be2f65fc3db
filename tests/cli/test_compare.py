"""``skfashion compare``."""

import os

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from skfashion.baselines import list_baselines


@pytest.fixture(scope="module")
def few_digits(digits_csv, tmp_path_factory):
    """A file of some noughts and ones."""
    path = tmp_path_factory.mktemp("few") / "few.csv"
    digits = pd.read_csv(digits_csv)
    digits[digits.label < 2].to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def compared(run, few_digits, tmp_path_factory):
    """A comparison of what is compared by default."""
    output = tmp_path_factory.mktemp("compared") / "out"
    arguments = ("--data", few_digits, "--cv", 2, "--output", output)
    return run("compare", *arguments, cwd=output.parent), output


def test_compare(compared):
    result, output = compared
    assert result.returncode == 0, result.stderr
    assert result.stderr == ""
    assert {p.name for p in output.iterdir()} == {"comparison.csv", "comparison.png"}
    assert [p.name for p in output.parent.iterdir()] == ["out"]

    table = pd.read_csv(output / "comparison.csv", index_col="classifier")
    assert set(table.index) == {"fast", *list_baselines()}
    assert table["mean_score"].is_monotonic_decreasing
    folds = table[["fold_1", "fold_2"]]
    assert table["mean_score"].to_numpy() == pytest.approx(folds.mean(axis=1).to_numpy())
    assert (table["fit_seconds"] > 0).all()
    assert table["p_value"].notna().tolist() == [False] + [True] * (len(table) - 1)
    with Image.open(output / "comparison.png") as picture:
        assert min(picture.size) > 300
        assert len(np.unique(np.asarray(picture))) > 10

    assert "Test images are not touched" in result.stdout
    shown = result.stdout[result.stdout.index("mean_score") :].splitlines()[1 : len(table) + 1]
    for line, (name, row) in zip(shown, table.iterrows(), strict=True):
        assert line.split()[:2] == [name, f"{row['mean_score']:.3f}"]
    assert result.stdout.splitlines()[-1].endswith(str(output))


@pytest.fixture
def too_few(tmp_path):
    """A file of ten images: too few for five neighbours, once some are held out."""
    pixels = np.random.default_rng(0).integers(256, size=(10, 4))
    frame = pd.DataFrame(pixels, columns=[f"pixel{i}" for i in range(4)])
    path = tmp_path / "too_few.csv"
    frame.assign(label=np.arange(10) % 2).to_csv(path, index=False)
    return path


def test_one_that_fails_and_force(run_process, too_few, tmp_path):
    """Workers print nothing beside the warning."""
    output = tmp_path / "out"
    output.mkdir()
    (output / "comparison.csv").write_text("an earlier one")
    (output / "notes.txt").write_text("mine")
    arguments = ("--data", too_few, "--cv", 2, "--jobs", 2, "--output", output, "--force")
    result = run_process("compare", "knn", "dummy", *arguments)
    assert result.returncode == 0
    assert result.stderr.startswith("Warning: 'knn' failed and has no score: ValueError: Expected ")
    assert result.stderr.count("\n") == 1
    table = pd.read_csv(output / "comparison.csv", index_col="classifier")
    assert table["mean_score"].notna().to_dict() == {"dummy": True, "knn": False}
    assert table["error"]["knn"].startswith("ValueError: Expected n_neighbors")
    assert {p.name for p in output.iterdir()} == {"comparison.csv", "comparison.png", "notes.txt"}
    assert (output / "notes.txt").read_text() == "mine"


def test_all_that_fail(run, too_few):
    result = run("compare", "knn", "--data", too_few, "--cv", 2, cwd=too_few.parent)
    assert result.returncode == 2
    assert "Every classifier failed, 'knn' first: ValueError: Expected" in result.stderr
    assert result.stderr.count("\n") == 1
    assert [*too_few.parent.iterdir()] == [too_few]


@pytest.mark.parametrize(("jobs", "send"), [(1, os.killpg), (2, os.kill), (2, os.killpg)])
def test_interrupted(interrupt, jobs, send, tmp_path):
    """MLPClassifier itself would go on with a worse network."""
    output = tmp_path / "out"
    arguments = ("compare", "dummy", "mlp", "--cv", 2, "--jobs", jobs, "--output", output)
    result = interrupt(*arguments, after="dummy: ", send=send)
    assert result.returncode == 130
    assert result.stderr == (
        "Interrupted; not compared: mlp. The table, with the score in each fold, and a picture of "
        f"it are in {output}\n"
    )
    assert {p.name for p in output.iterdir()} == {"comparison.csv", "comparison.png"}
    table = pd.read_csv(output / "comparison.csv", index_col="classifier")
    assert list(table.index) == ["dummy"]
    assert table.loc["dummy", "mean_score"] == table.loc["dummy", ["fold_1", "fold_2"]].mean()
    assert result.stdout.splitlines()[-2].startswith("dummy")


def test_interrupted_twice(interrupt, tmp_path):
    """The second may come while the results of the first are saved, or before."""
    arguments = ("compare", "dummy", "mlp", "--cv", 2, "--jobs", 2)
    result = interrupt(*arguments, after="dummy: ", pause=0.3, cwd=tmp_path)
    assert result.returncode == 130
    assert result.stderr.startswith(("\nInterrupted.", "Interrupted; not compared: mlp"))
    assert "Traceback" not in result.stderr


def test_interrupted_before_the_first_result(interrupt, tmp_path):
    result = interrupt("compare", "mlp", after="Comparing ", cwd=tmp_path)
    assert result.returncode == 130
    assert result.stderr == "\nInterrupted.\n"
    assert not [*tmp_path.iterdir()]

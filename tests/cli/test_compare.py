"""``skfashion compare``."""

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

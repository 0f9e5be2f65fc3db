"""What a person is told about commands, and about mistakes in them."""

import shutil
import subprocess
import sys
import warnings

import pytest
from PIL import Image

import skfashion
from skfashion._utils.names import make_visible
from skfashion.baselines import list_baselines
from skfashion.cli import _console, main
from skfashion.cli._console import warnings_on_one_line
from skfashion.recipes import list_recipes


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
        (["train", "--output", "bad.csv"], "bad.csv is a file, not a folder"),
        (["train", "--output", "bad.csv/deeper"], "cannot write to bad.csv/deeper"),
        (["train", "--frobnicate"], "No such option"),
        (["train", "--data", "one"], "holds images of one class only, 'hat'"),
        (["train", "--data", "8x8.csv", "--recipe", "basic"], "at least 18x18 pixels, got 8x8"),
        (["train", "--data", "bad.csv", "--output", "a/b/c"], "has no column 'label'"),
        (["tune", "--recipe", "bsic"], "Did you mean 'basic'?"),
        (["tune", "--study", "mine"], "add --storage"),
        (["tune", "--jobs", "0"], "0 processes do nothing"),
        (["tune", "--timeout", "0"], "--timeout"),
        (["tune", "--output", "earlier"], "earlier holds an earlier run (report.html, trials.csv)"),
        (["tune", "--data", "8x8.csv", "--cv", "9"], "--cv: 9 folds take 9 training images"),
        (["tune", "--data", "8x8.csv", "--storage", "a/b.log"], "--storage: storage 'a/b.log'"),
        (
            ["tune", "--data", "8x8.csv", "--storage", "/dev/full"],
            "--storage: storage '/dev/full' cannot be opened: it is not a regular file",
        ),
        (["train", "--data", "/dev/full"], "'/dev/full' is neither 'sample' nor 'full' nor a file"),
        (["compare", "dummy", "knnn"], "NAME: Unknown recipe or baseline 'knnn'. Did you mean"),
        (["compare", "knn", "dummy", "knn"], "NAME: 'knn' is given twice"),
        (["compare", "knn", "--epochs", "2"], "--epochs: only networks have epochs"),
        (["compare", "--output", "earlier"], "holds an earlier run (comparison.csv)"),
        (["predict"], "Missing argument"),
        (["predict", "missing.keras", "one/hat/0.png"], "No model file 'missing.keras'"),
        (["predict", "bad.csv", "one/hat/0.png"], "is not a .keras file"),
        (
            ["predict", "m.keras", "x.png", "--picture", "bad.csv"],
            "there is a file bad.csv already",
        ),
        (["predict", "m.keras", "x.png", "--picture", "x.doc"], "x.doc must end in .png"),
        (["predict", "m.keras", "x.png", "--picture", "bad.csv/x.png"], "cannot write to bad.csv"),
        (["predict", "m.keras", "one/hat/0.png", "x.png"], "IMAGE: No picture 'x.png'"),
        (["predict", "m.keras", "one"], "one is a folder; name its pictures, such as one/*"),
        (
            ["predict", "one", "one/hat/0.png"],
            "one is a folder; name a file such as one/model.keras",
        ),
        (["evaluate"], "Missing argument"),
        (["evaluate", "missing.keras"], "No model file 'missing.keras'"),
        (["evaluate", "bad.csv"], "is not a .keras file"),
        (["evaluate", "m.keras", "--output", "bad.csv"], "cannot write to bad.csv"),
        (["evaluate", "m.keras", "--output", "earlier"], "holds an earlier run (report.html)"),
    ],
)
def test_wrong_argument_gets_one_line(run, arguments, message, digits_csv, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    shutil.copy(digits_csv, tmp_path)
    (tmp_path / "earlier").mkdir()
    for name in ("trials.csv", "comparison.csv", "report.html"):
        (tmp_path / "earlier" / name).write_text("")
    (tmp_path / "one" / "hat").mkdir(parents=True)
    for i in range(5):
        Image.new("L", (28, 28), 50 * i).save(tmp_path / "one" / "hat" / f"{i}.png")
    before = {p.relative_to(tmp_path) for p in tmp_path.rglob("*")}
    result = run(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert {p.relative_to(tmp_path) for p in tmp_path.rglob("*")} == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["train", "evaluate", "predict", "tune", "compare", "datasets"]),
        (["--help"], ["train", "evaluate", "predict", "tune", "compare", "datasets", "--version"]),
        (["train", "--help"], ["--data", "--recipe", "--epochs", "--output", "--seed", "--invert"]),
        (["evaluate", "--help"], ["MODEL", "--data", "--output", "--invert", "--force"]),
        (["predict", "--help"], ["MODEL", "IMAGE...", "--invert", "--picture"]),
        (["tune", "--help"], ["--trials", "--timeout", "--storage", "--study", "--jobs", "--cv"]),
        (
            ["compare", "--help"],
            ["[NAME...]", "--cv", "--epochs", *list_recipes(), *list_baselines()],
        ),
    ],
)
def test_help(run, arguments, words):
    result = run(*arguments)
    for word in words:
        assert word in result.stdout
    assert max(map(len, result.stdout.splitlines())) <= 100


@pytest.mark.parametrize(
    "arguments",
    [
        ["\x1b[31mtrain"],
        ["train", "--\x1b[31m"],
        ["train", "--recipe", "\x1b[31m"],
        ["train", "--data", "\x1b[31m"],
        ["train", "--epochs", "\x1b[31m"],
        ["train", "--data", "8x8.csv", "--output", "8x8.csv/\x1b[31m"],
        ["predict", "\x1b[31m", "8x8.csv"],
        ["tune", "--data", "8x8.csv", "--storage", "\x1b[31m/a"],
    ],
)
def test_errors_show_no_escape_sequences(run, arguments, digits_csv, tmp_path):
    shutil.copy(digits_csv, tmp_path)
    result = run(*arguments, cwd=tmp_path)
    assert result.returncode == 2
    assert "\x1b" not in result.stderr
    assert r"\x1b[31m" in result.stderr
    assert result.stderr.count("\n") == 1


def test_warnings_show_no_escape_sequences(capsys):
    with warnings_on_one_line():
        text = warnings.formatwarning("a \x1b[31m\u202e\nb", UserWarning, "", 0)
    assert text == "Warning: a \\x1b[31m\\u202e b\n"


def test_the_library_and_the_command_agree_on_what_is_shown():
    characters = [chr(code) for code in range(sys.maxunicode + 1)]
    assert [*map(_console.make_visible, characters)] == [*map(make_visible, characters)]


def test_help_names_the_classifiers_each_time(run):
    first = run("compare", "--help").stdout
    assert "{" not in first
    assert first == run("compare", "--help").stdout


def test_help_is_quick():
    """It imports neither what trains nor what draws."""
    code = """
import atexit, sys
from skfashion.cli import main
heavy = {"keras", "matplotlib", "numpy", "optuna", "pandas", "sklearn", "tensorflow"}
atexit.register(lambda: print(heavy & set(sys.modules)))
main([HELP])
"""
    for arguments in ('"--help"', '"train", "--help"'):
        command = [sys.executable, "-c", code.replace("HELP", arguments)]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        assert "--help" in result.stdout
        assert result.stdout.splitlines()[-1] == "set()"


def test_module(run_process):
    """It calls itself as it was called."""
    result = run_process("--version")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == f"skfashion, version {skfashion.__version__}\n"
    result = run_process("train", "--epochs", 0)
    assert result.returncode == 2
    assert result.stdout == ""
    assert result.stderr.startswith("python -m skfashion train: Invalid value for '--epochs'")


def test_main_leaves_warnings_as_they_are(run):
    before = warnings.formatwarning
    assert run("datasets", "--help").returncode == 0
    with pytest.raises(SystemExit):
        main(["train", "--frobnicate"])
    assert warnings.formatwarning is before

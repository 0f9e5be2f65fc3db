"""The command line, as a person runs it."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
import warnings

import psutil
import pytest
from PIL import Image
from sklearn.datasets import load_digits

from skfashion.cli import main
from skfashion.datasets import load_fashion_sample


@pytest.fixture(scope="session")
def run():
    """Runs a command to its end, in this process, as a process of its own would."""

    def run(*arguments, cwd="."):
        arguments = [*map(str, arguments)]
        returncode = 0
        with (
            contextlib.chdir(cwd),
            contextlib.redirect_stdout(io.StringIO()) as stdout,
            contextlib.redirect_stderr(io.StringIO()) as stderr,
            warnings_as_in_a_new_process(),
        ):
            try:
                main(arguments)
            except SystemExit as error:
                returncode = error.code
        return subprocess.CompletedProcess(
            arguments, returncode, stdout.getvalue(), stderr.getvalue()
        )

    return run


@contextlib.contextmanager
def warnings_as_in_a_new_process():
    """Print warnings, which pytest would keep or raise."""
    with warnings.catch_warnings():
        warnings.resetwarnings()
        for category in (DeprecationWarning, PendingDeprecationWarning, ResourceWarning):
            warnings.simplefilter("ignore", category)
        warnings.showwarning = print_warning
        yield


def print_warning(message, category, filename, lineno, file=None, line=None):
    sys.stderr.write(warnings.formatwarning(message, category, filename, lineno, line))


@pytest.fixture(scope="session")
def run_process():
    """Runs ``python -m skfashion`` to its end: what TensorFlow and workers print counts too."""

    def run_process(*arguments, cwd=None):
        command = [sys.executable, "-m", "skfashion", *map(str, arguments)]
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True)

    return run_process


@pytest.fixture(scope="session")
def interrupt():
    """Runs ``python -m skfashion`` and sends Ctrl-C once it has printed a text.

    It leaves no process behind.
    """

    def interrupt(*arguments, after, send=os.killpg, pause=None, cwd=None):
        command = [sys.executable, "-m", "skfashion", *map(str, arguments)]
        with subprocess.Popen(
            command,
            cwd=cwd,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            printed = ""
            while after not in printed:
                line = process.stdout.readline()
                assert line, process.stderr.read()
                printed += line
            send(process.pid, signal.SIGINT)
            if pause is not None:
                time.sleep(pause)
                send(process.pid, signal.SIGINT)
            output, errors = process.communicate(timeout=60)
        remaining = psutil.wait_procs(find_session(process.pid), timeout=5)[1]
        for other in remaining:
            other.kill()
        assert not remaining
        return subprocess.CompletedProcess(command, process.returncode, printed + output, errors)

    return interrupt


def find_session(number):
    """Find the processes of a session."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(ProcessLookupError):
            if os.getsid(process.pid) == number:
                found.append(process)
    return found


@pytest.fixture(scope="session")
def report_files():
    """Names of the files of a report on a network."""
    return {
        "metrics.json",
        "classification_report.txt",
        "confusion_matrix.png",
        "training_curves.png",
        "accuracy_curve.png",
        "loss_curve.png",
        "misclassified.png",
        "sample_predictions.txt",
        "report.html",
    }


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """A folder of two classes, 60 pictures each."""
    folder = tmp_path_factory.mktemp("pictures")
    sample = load_fashion_sample()
    for name, label in (("ankle boot", 9), ("trouser", 1)):
        (folder / name).mkdir()
        for i, image in enumerate(sample.images[sample.target == label][:60]):
            Image.fromarray(image).save(folder / name / f"{i}.png")
    return folder


@pytest.fixture(scope="session")
def digits_csv(tmp_path_factory):
    """A file of 100 images of 8x8 pixels, of ten classes."""
    path = tmp_path_factory.mktemp("digits") / "8x8.csv"
    digits = load_digits(as_frame=True).frame.rename(columns={"target": "label"})
    digits.astype(int)[:100].to_csv(path, index=False)
    return path


@pytest.fixture(scope="session")
def trained(run_process, pictures, tmp_path_factory):
    """A finished run on these pictures."""
    output = tmp_path_factory.mktemp("run") / "out"
    arguments = ("--data", pictures, "--recipe", "lenet", "--epochs", 15, "--seed", 3)
    return run_process("train", *arguments, "--output", output, cwd=output.parent), output

"""Messages to people, and standard error of this process and of its workers."""

import difflib
import os
import re
import signal
import sys
import tempfile
import warnings
from contextlib import contextmanager

import click

__all__ = [
    "echo",
    "make_visible",
    "one_line",
    "quiet_workers",
    "start_keras",
    "unknown_name",
    "warnings_on_one_line",
]

# As in the library, whose own table is private.
_HIDDEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def echo(*lines, err=False):
    """Print lines. Control characters in them, such as in a file's name, are shown as escapes."""
    click.echo("\n".join(map(make_visible, lines)), err=err)


def make_visible(text):
    r"""Return a text with control characters as escapes such as \x1b and \n."""
    return _HIDDEN.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def one_line(message):
    """Return a message on one line; of a traceback that it quotes, keep the error alone."""
    lines = [line.strip() for line in str(message).split("\n") if line.strip()]
    if any(line.startswith("Traceback (most recent call last)") for line in lines):
        lines = [lines[0], lines[-1]]
    return make_visible(" ".join(lines))


def unknown_name(kind, name, known):
    """Return a message that a name is unknown, and which one is nearest."""
    lowered = {other.lower(): other for other in known}
    nearest = difflib.get_close_matches(name.lower(), lowered, n=1)
    hint = f" Did you mean {lowered[nearest[0]]!r}?" if nearest else ""
    return f"Unknown {kind} {name!r}.{hint} Known: {', '.join(sorted(known))}."


@contextmanager
def warnings_on_one_line():
    """Show warnings without the line of code that they are about."""
    format_warning = warnings.formatwarning
    warnings.formatwarning = _format_warning
    try:
        yield
    finally:
        warnings.formatwarning = format_warning


def start_keras():
    """Import Keras, holding back the notes of its backend unless the import fails.

    TensorFlow writes them to the file descriptor before its own log level applies.
    """
    backend = os.environ.get("KERAS_BACKEND") or "tensorflow"
    if backend != "tensorflow":
        raise click.ClickException(
            f"Networks run on TensorFlow, but KERAS_BACKEND is {backend}. Set it to tensorflow."
        )
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as notes:
        os.dup2(notes.fileno(), 2)
        try:
            import skfashion.networks.fast  # noqa: F401  (imports Keras)
        except Exception:
            notes.seek(0)
            os.write(stderr, notes.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


@contextmanager
def quiet_workers(jobs, with_keras):
    """Let joblib work with processes that print no more than this one does, and end them after.

    A terminal sends Ctrl-C to them too. They ignore it, so that this process alone decides.

    Parameters
    ----------
    jobs : int
        Number of processes, as joblib counts them.
    with_keras : bool
        Whether they need Keras.
    """
    from multiprocessing import resource_tracker

    from joblib import Parallel, delayed, effective_n_jobs, parallel_config
    from joblib.externals.loky import get_reusable_executor
    from joblib.externals.loky.backend import resource_tracker as loky_resource_tracker

    with (
        parallel_config("loky", initializer=_start_worker, initargs=(with_keras,)),
        warnings.catch_warnings(),
    ):
        # joblib warns of tasks that Ctrl-C ends.
        warnings.filterwarnings("ignore", ".*You could benefit from adjusting the input task")
        if effective_n_jobs(jobs) == 1:
            yield
            return
        # Started later, they would unblock the signal.
        resource_tracker.ensure_running()
        loky_resource_tracker.ensure_running()
        with _held_back_interrupts() as held_back:
            started = Parallel(jobs, return_as="generator")([delayed(bool)()])
            executor = get_reusable_executor(reuse=True)
        try:
            if held_back:
                raise KeyboardInterrupt
            list(started)
            yield
        finally:
            with _held_back_interrupts():
                executor.terminate(kill_workers=True)
            started.close()


@contextmanager
def _held_back_interrupts():
    """Yield a list, to which Ctrl-C is added. Processes that are started here never get it."""
    held_back: list = []
    handler = signal.signal(signal.SIGINT, lambda number, frame: held_back.append(number))
    # Other threads may take the signal, but new processes inherit what this one blocks.
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield held_back
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGINT, handler)


def _start_worker(with_keras):
    # joblib starts some later, in place of those that take too much memory.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    warnings.formatwarning = _format_warning  # for as long as the worker lives
    if with_keras:
        start_keras()


def _format_warning(message, category, filename, lineno, line=None):
    return f"Warning: {one_line(message)}\n"

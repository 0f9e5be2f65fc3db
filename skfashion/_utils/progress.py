"""Progress of trainings and searches on standard output."""

from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

__all__ = ["show_progress", "show_training"]


@contextmanager
def show_progress(verbose, what, total):
    """Report how many of several fits are done.

    Parameters
    ----------
    verbose : int
        0 shows nothing, 1 one live bar (on a terminal; lines elsewhere), 2 lines.
    what : str
        Name of what is counted.
    total : int
        Number to reach.

    Yields
    ------
    report : callable
        ``report(n_done, newest, line)``: ``newest`` stands beside the live bar. ``line`` is printed
        instead if there is no bar, unless it is None.
    """
    if not verbose:
        yield lambda n_done, newest, line: None
        return
    with _show(verbose, total, f"{what} 0/{total}") as report:
        yield lambda n_done, newest, line: report(n_done, f"{what} {n_done}/{total}", newest, line)


@contextmanager
def show_training(verbose, epochs, n_steps):
    """Report the epochs of a training.

    Parameters
    ----------
    verbose : int
        0 shows nothing, 1 one live bar (on a terminal; one line per epoch elsewhere), 2 one line
        per epoch.
    epochs : range
        Epochs to come, counted from 0.
    n_steps : int
        Number of steps in each epoch.

    Yields
    ------
    report : callable
        ``report(epoch, step, logs)``, to be called after each step with ``step`` counted from 1,
        and with ``step=None`` once an epoch is complete.
    """
    if not verbose:
        yield lambda epoch, step, logs: None
        return
    with _show(verbose, len(epochs) * n_steps, _count_epoch(epochs.start, epochs)) as report:

        def report_step(epoch, step, logs):
            is_complete = step is None
            n_done = (epoch - epochs.start) * n_steps + (n_steps if is_complete else step)
            count, figures = _count_epoch(epoch, epochs), _format_logs(logs)
            report(n_done, count, figures, f"{count}  {figures}" if is_complete else None)

        yield report_step


def _count_epoch(epoch, epochs):
    return f"Epoch {epoch + 1}/{epochs.stop}"


def _format_logs(logs):
    return "  ".join(
        f"{name} {value:.4f}" for name, value in logs.items() if name != "learning_rate"
    )


@contextmanager
def _show(verbose, total, count):
    """Yield ``report(n_done, count, newest, line)``, which updates a bar or prints a line."""
    console = Console()
    if verbose > 1 or not console.is_terminal:

        def print_line(n_done, count, newest, line):
            if line is not None:
                console.print(line, markup=False, highlight=False, soft_wrap=True)

        yield print_line
        return

    columns = (
        TextColumn("{task.fields[count]}", markup=False),
        BarColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    # By rich's default, a fit of more than half a minute has no time left.
    with Progress(*columns, console=console, speed_estimate_period=3600) as progress:
        task = progress.add_task("", total=total, count=count)

        def update_bar(n_done, count, newest, line):
            progress.update(task, completed=n_done, count=count, description=newest)

        yield update_bar

"""What a person sees while a network trains."""

from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

__all__ = ["show_progress"]


@contextmanager
def show_progress(verbose, epochs, n_steps):
    """Report a training on standard output.

    Parameters
    ----------
    verbose : int
        0 shows nothing, 1 a live bar (on a terminal; a line an epoch elsewhere), 2 a line an
        epoch.
    epochs : range
        Epochs to come, counted from 0.
    n_steps : int
        Steps in each.

    Yields
    ------
    report : callable
        ``report(epoch, step, logs)``, to be called after each step with ``step`` counted from 1
        and once an epoch is complete with ``step=None``.
    """
    if not verbose:
        yield lambda epoch, step, logs: None
        return

    console = Console()
    if verbose > 1 or not console.is_terminal:

        def report_line(epoch, step, logs):
            if step is None:
                console.print(
                    f"Epoch {epoch + 1}/{epochs.stop}  {_format_logs(logs)}", soft_wrap=True
                )

        yield report_line
        return

    columns = (
        TextColumn("Epoch {task.fields[epoch]}/" + str(epochs.stop)),
        BarColumn(),
        TextColumn("{task.fields[logs]}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=len(epochs) * n_steps, epoch=epochs.start + 1, logs="")

        def report_bar(epoch, step, logs):
            completed = (epoch - epochs.start) * n_steps + (n_steps if step is None else step)
            progress.update(task, completed=completed, epoch=epoch + 1, logs=_format_logs(logs))

        yield report_bar


def _format_logs(logs):
    return "  ".join(
        f"{name} {value:.4f}" for name, value in logs.items() if name != "learning_rate"
    )

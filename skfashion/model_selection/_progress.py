"""What a person sees while many fits run."""

from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

__all__ = ["show_progress"]


@contextmanager
def show_progress(verbose, what, total):
    """Report on standard output how far it is.

    Parameters
    ----------
    verbose : int
        0 shows nothing, 1 one live line (on a terminal; lines elsewhere), 2 lines.
    what : str
        What is counted.
    total : int
        How many there are.

    Yields
    ------
    report : callable
        ``report(n_done, newest, line)``: ``newest`` stands beside the live bar, ``line`` is printed
        instead where there is none, unless it is None.
    """
    if not verbose:
        yield lambda n_done, newest, line: None
        return

    console = Console()
    if verbose > 1 or not console.is_terminal:

        def report_line(n_done, newest, line):
            if line is not None:
                console.print(line, markup=False, highlight=False, soft_wrap=True)

        yield report_line
        return

    columns = (
        TextColumn(what + " {task.completed}/{task.total}"),
        BarColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    )
    # By rich's default, what takes more than half a minute has no time left.
    with Progress(*columns, console=console, speed_estimate_period=3600) as progress:
        task = progress.add_task("", total=total)

        def report_live(n_done, newest, line):
            progress.update(task, completed=n_done, description=newest)

        yield report_live

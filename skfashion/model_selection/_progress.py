"""What a person sees while a search runs."""

from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

__all__ = ["show_trials"]


@contextmanager
def show_trials(verbose, n_trials):
    """Report a search on standard output.

    Parameters
    ----------
    verbose : int
        0 shows nothing, 1 one live line (on a terminal; a line a trial elsewhere), 2 a line a
        trial.
    n_trials : int
        Trials in all.

    Yields
    ------
    report : callable
        ``report(n_done, text, best_score)``, to be called after each trial; ``best_score`` is None
        as long as there is none.
    """
    if not verbose:
        yield lambda n_done, text, best_score: None
        return

    console = Console()
    if verbose > 1 or not console.is_terminal:

        def report_line(n_done, text, best_score):
            console.print(f"Trial {n_done}/{n_trials}  {text}  {_format_best(best_score)}")

        yield report_line
        return

    columns = (
        TextColumn("Trial {task.completed}/{task.total}"),
        BarColumn(),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(elapsed_when_finished=False),
    )
    with Progress(*columns, console=console, speed_estimate_period=3600) as progress:
        task = progress.add_task("", total=n_trials)

        def report_live(n_done, text, best_score):
            progress.update(task, completed=n_done, description=_format_best(best_score))

        yield report_live


def _format_best(score):
    return "" if score is None else f"best {score:.4f}"

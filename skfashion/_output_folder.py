"""Folders that results are written to, all of them or none."""

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

__all__ = ["check_writable", "write_all_or_none"]


def check_writable(folder):
    """Make sure, before long work, that files can be written to a folder; leaves none behind.

    Raises
    ------
    OSError
        If they cannot.
    """
    folder = Path(folder)
    created = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        pass
    for each in created:
        each.rmdir()


@contextmanager
def write_all_or_none(folder, names):
    """Yield a folder for files, which are moved to ``folder`` at the end.

    Parameters
    ----------
    folder : str or path-like
        Created if need be.
    names : sequence of str
        Files of these names are moved; those that were not written are deleted from ``folder``,
        where they would be an earlier run's.

    Raises
    ------
    OSError
        If they cannot be written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".unfinished-") as unfinished:
        yield Path(unfinished)
        for name in names:
            if Path(unfinished, name).exists():
                os.replace(Path(unfinished, name), folder / name)
            else:
                (folder / name).unlink(missing_ok=True)

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
    with _made(folder, keep=False) as folder, tempfile.TemporaryFile(dir=folder):
        pass


@contextmanager
def write_all_or_none(folder, names):
    """Yield a folder for files, which are moved to ``folder`` at the end.

    Parameters
    ----------
    folder : str or path-like
        Created if need be, and removed again if something goes wrong.
    names : sequence of str
        Files of these names are moved; those that were not written are deleted from ``folder``,
        where they would be an earlier run's.

    Raises
    ------
    OSError
        If they cannot be written.
    """
    with _made(folder, keep=True) as folder:
        for name in names:
            if (folder / name).is_dir():
                raise IsADirectoryError(f"{folder / name} is a folder.")
        with tempfile.TemporaryDirectory(dir=folder, prefix=".unfinished-") as unfinished:
            yield Path(unfinished)
            for name in names:
                if Path(unfinished, name).exists():
                    os.replace(Path(unfinished, name), folder / name)
                else:
                    (folder / name).unlink(missing_ok=True)


@contextmanager
def _made(folder, keep):
    """Yield a folder that exists for the duration, and stays if it existed or ``keep`` is true."""
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file, not a folder")
    created = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
        yield folder
    except BaseException:
        keep = False
        raise
    finally:
        for each in () if keep else created:
            if each.is_dir() and not any(each.iterdir()):
                each.rmdir()

"""Folders and files that commands write their results to."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

import click

__all__ = ["OutputOptions", "check_writable", "write_all_or_none"]


@dataclass(frozen=True)
class OutputOptions:
    """Options that say where results go."""

    folder: Path
    force: bool

    def check(self, names):
        """Make sure, before the long work, that files of these names may and can be written."""
        earlier = [name for name in names if (self.folder / name).exists()]
        if earlier and not self.force:
            raise click.BadParameter(
                f"{self.folder} holds an earlier run ({', '.join(earlier[:2])}"
                f"{', ...' if len(earlier) > 2 else ''}). Name another folder, or add --force to "
                "overwrite it.",
                param_hint="--output",
            )
        try:
            check_writable(self.folder)
        except OSError as error:
            raise click.BadParameter(
                f"cannot write to {self.folder}: {error.strerror or error}.", param_hint="--output"
            ) from error


def check_writable(folder):
    """Raise OSError unless files can be written to a folder, which need not exist yet."""
    nearest = next(place for place in (folder, *folder.parents) if place.exists())
    if not nearest.is_dir():
        raise NotADirectoryError(f"{nearest} is a file, not a folder")
    with tempfile.TemporaryFile(dir=nearest):
        pass


def write_all_or_none(folder, contents):
    """Write files, of which all appear or none.

    Parameters
    ----------
    folder : pathlib.Path
        Folder for the files, which is made if it does not exist.
    contents : dict of str to bytes
        Content of each file by its name.
    """
    try:
        for name in contents:
            if (folder / name).is_dir():
                raise IsADirectoryError(f"{folder / name} is a folder.")
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".unfinished-") as unfinished:
            for name, content in contents.items():
                Path(unfinished, name).write_bytes(content)
            for name in contents:
                os.replace(Path(unfinished, name), folder / name)
    except OSError as error:
        raise click.ClickException(f"Cannot write to {folder}: {error}") from error

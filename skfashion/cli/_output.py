"""The folder that a command writes its results to."""

import os
import tempfile
from contextlib import contextmanager
from pathlib import Path

import click

__all__ = ["check_output", "write_all_or_none"]


def check_output(output, names, force):
    """Make sure, before the long work, that results may and can be written."""
    earlier = [name for name in names if (output / name).exists()]
    if earlier and not force:
        raise click.BadParameter(
            f"{output} holds an earlier run ({', '.join(earlier)}). Name another folder, or add "
            "--force to overwrite it.",
            param_hint="--output",
        )
    try:
        created = [folder for folder in (output, *output.parents) if not folder.exists()]
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=output):
            pass
        for folder in created:
            folder.rmdir()
    except OSError as error:
        raise click.BadParameter(
            f"cannot write to {output}: {error.strerror}.", param_hint="--output"
        ) from error


@contextmanager
def write_all_or_none(output, names):
    """Yield a folder for files of these names, which are moved to ``output`` at the end."""
    try:
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=output, prefix=".unfinished-") as unfinished:
            yield Path(unfinished)
            for name in names:
                os.replace(Path(unfinished) / name, output / name)
    except OSError as error:
        raise click.ClickException(f"Cannot write to {output}: {error}") from error

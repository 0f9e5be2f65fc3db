"""The folder that a command writes its results to."""

from contextlib import contextmanager

import click

from skfashion._utils import output_folder as _output_folder

__all__ = ["check_output", "write_all_or_none"]


def check_output(output, names, force):
    """Make sure, before the long work, that results may and can be written."""
    earlier = [name for name in names if (output / name).exists()]
    if earlier and not force:
        raise click.BadParameter(
            f"{output} holds an earlier run ({', '.join(earlier[:2])}"
            f"{', ...' if len(earlier) > 2 else ''}). Name another folder, or add --force to "
            "overwrite it.",
            param_hint="--output",
        )
    try:
        _output_folder.check_writable(output)
    except OSError as error:
        raise click.BadParameter(
            f"cannot write to {output}: {error.strerror or error}.", param_hint="--output"
        ) from error


@contextmanager
def write_all_or_none(output, names):
    """Yield a folder for files of these names, which are moved to ``output`` at the end."""
    try:
        with _output_folder.write_all_or_none(output, names) as folder:
            yield folder
    except OSError as error:
        raise click.ClickException(f"Cannot write to {output}: {error}") from error

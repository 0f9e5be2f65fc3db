"""Options that several commands share, and their grouping into objects."""

import dataclasses
import functools
from pathlib import Path

import click

__all__ = [
    "cv_option",
    "data_option",
    "epochs_option",
    "force_option",
    "grouped",
    "invert_option",
    "jobs_option",
    "output_option",
    "recipe_option",
    "seed_option",
]

data_option = click.option(
    "--data",
    default="sample",
    show_default=True,
    metavar="sample|full|PATH",
    help="What to train on: the bundled sample (6,000 images), all of Fashion-MNIST (60,000), or "
    "your own: a folder with Fashion-MNIST's four IDX files, a folder with a folder of pictures "
    "for each class (or with such folders named train and test), or a CSV file with a column "
    "named label and one for each pixel. Pictures become grey images of 28x28 pixels. "
    "Where there are no test images, a fifth of each class is held out.",
)

recipe_option = click.option(
    "--recipe",
    default="fast",
    show_default=True,
    metavar="NAME",
    help="Configuration to train, such as basic, lenet, small or vgg3 (all are named by "
    '"skfashion compare --help"). small and vgg3 mirror images, which harms letters and digits.',
)

epochs_option = click.option(
    "--epochs", type=click.IntRange(min=1), metavar="N", help="Epochs, if not the recipe's."
)

seed_option = click.option(
    "--seed",
    type=click.IntRange(min=0, max=2**32 - 1),
    default=0,
    show_default=True,
    metavar="N",
    help="Seed of everything random.",
)

invert_option = click.option(
    "--invert",
    is_flag=True,
    help="Exchange light and dark in your own pictures, so that photos on a white ground get a "
    "dark one. Give it to the other commands too, then.",
)

force_option = click.option("--force", is_flag=True, help="Overwrite an earlier run in DIR.")


def output_option(default, holds):
    """Return the option that says where results go."""
    return click.option(
        "--output",
        "folder",
        type=click.Path(path_type=Path),
        default=Path(default),
        show_default=True,
        metavar="DIR",
        help=f"Folder for {holds}.",
    )


def cv_option(default):
    """Return the option that says how often each setting or classifier is fitted."""
    return click.option(
        "--cv",
        type=click.IntRange(min=2),
        default=default,
        show_default=True,
        metavar="K",
        help="Folds of the training images: each is left out once, and scored.",
    )


def jobs_option(remark):
    """Return the option that says how many processes work."""
    return click.option(
        "--jobs",
        type=int,
        default=1,
        show_default=True,
        metavar="N",
        callback=_check_jobs,
        help=f"Processes at a time, -1 for one on each processor. {remark}",
    )


def _check_jobs(context, parameter, jobs):
    if jobs == 0:
        raise click.BadParameter("0 processes do nothing; give 1 or more, or -1.")
    return jobs


def grouped(**groups):
    """Decorate a command so that it gets some of its options as objects.

    Parameters
    ----------
    **groups : dataclass
        By the name of the command's parameter. Each field of a dataclass is the option of its name;
        several dataclasses may have a field in common.

    Returns
    -------
    decorator : callable
        It stands below the decorators of the options.
    """
    fields = {name: [f.name for f in dataclasses.fields(kind)] for name, kind in groups.items()}
    grouped_options = {field for names in fields.values() for field in names}

    def decorate(command):
        @functools.wraps(command)
        def wrapper(**options):
            objects = {
                name: kind(**{field: options[field] for field in fields[name]})
                for name, kind in groups.items()
            }
            others = {k: value for k, value in options.items() if k not in grouped_options}
            return command(**objects, **others)

        return wrapper

    return decorate

"""The ``skfashion`` command."""

import signal
import sys

import click

import skfashion
from skfashion.cli._compare import compare
from skfashion.cli._console import echo, one_line, warnings_on_one_line
from skfashion.cli._data import datasets
from skfashion.cli._evaluate import evaluate
from skfashion.cli._predict import predict
from skfashion.cli._train import train
from skfashion.cli._tune import tune
from skfashion.errors import SkfashionError

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(skfashion.__version__, prog_name="skfashion")
def cli():
    """Train convolutional networks on small images, test them, use them, tune them, and hold them
    against classical classifiers.

    Start with "skfashion train", which trains on a bundled sample of Fashion-MNIST.
    """


for command in (train, evaluate, predict, tune, compare, datasets):
    cli.add_command(command)


def main(arguments=None):
    """Run the command; errors and warnings are one line each on standard error.

    Parameters
    ----------
    arguments : list of str, default=None
        Name of the command, its arguments and its options; None takes those of this process.
    """
    try:
        with warnings_on_one_line():
            cli.main(arguments, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        echo(*error.format_message().split("\n"))
        sys.exit(2)
    except click.ClickException as error:
        command = f"{error.ctx.command_path}: " if getattr(error, "ctx", None) else ""
        echo(f"{command}{one_line(error.format_message())}", err=True)
        sys.exit(error.exit_code)
    except click.Abort as error:
        if arguments is None:
            # Another Ctrl-C would interrupt Python while it ends, and show a traceback.
            signal.signal(signal.SIGINT, signal.SIG_IGN)
        echo(one_line(str(error) or "Interrupted."), err=True)
        sys.exit(130)
    except SkfashionError as error:
        echo(one_line(error), err=True)
        sys.exit(1)

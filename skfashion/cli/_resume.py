"""Checkpoints of ``skfashion train``, and trainings that go on from them."""

import json
import os
import shlex
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import click

__all__ = ["CheckpointOptions", "ResumableCommand", "checkpoint_option", "resume_option"]

_OPTIONS_FILE, _CHECKPOINT_FILE = "training.json", "checkpoint.keras"
_NAMED_DATA = ("sample", "full")

checkpoint_option = click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Keep the best epoch, and the training as it is after each epoch, in this .keras file. "
    f"Without it they are in {_CHECKPOINT_FILE} in DIR until the training is done.",
)

resume_option = click.option(
    "--resume",
    is_flag=False,
    flag_value="",
    metavar="[DIR]",
    help="Go on with a training that was interrupted or killed: that in DIR, with the options it "
    "was begun with. Without DIR, that in the folder of --output or in the file of --checkpoint; "
    "if there is none, begin.",
)


class ResumableCommand(click.Command):
    """Command whose ``--resume`` brings back the options of the call that it goes on with."""

    def parse_args(self, ctx, args):
        given, _, _ = self.make_parser(ctx).parse_args(list(args))
        if "resume" in given:
            named = given["resume"] if isinstance(given["resume"], str) else ""
            self._recall(ctx, named, given.get("folder"))
        return super().parse_args(ctx, args)

    def _recall(self, ctx, named, output):
        if named and output:
            raise click.BadParameter(
                "name the folder once, here or in --output.", ctx, param_hint="--resume"
            )
        default = next(option.default for option in self.params if option.name == "folder")
        folder = Path(named or output or default)
        options = _read_options(folder)
        if named and options is None:
            raise click.BadParameter(
                f"{folder} holds no unfinished training.", ctx, param_hint="--resume"
            )
        ctx.default_map = {**(options or {}), "folder": str(folder)}


def _read_options(folder):
    try:
        options = json.loads((folder / _OPTIONS_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return options if isinstance(options, dict) else None


@dataclass(frozen=True)
class CheckpointOptions:
    """Options that say where a training is kept while it runs, and whether to go on with it."""

    folder: Path
    checkpoint: Path | None
    resume: str | None

    @property
    def path(self):
        """pathlib.Path: the checkpoint."""
        return self.checkpoint or self.folder / _CHECKPOINT_FILE

    @property
    def is_begun(self):
        """bool: it is a training in the folder that is to go on."""
        return self.resume is not None and (self.folder / _OPTIONS_FILE).exists()

    def check(self, force):
        """Make sure that no earlier training is lost, unless ``force`` is true."""
        if force or self.resume is not None:
            return
        if (self.folder / _OPTIONS_FILE).exists():
            raise click.BadParameter(
                f"{self.folder} holds an unfinished training. Add --resume to go on with it, or "
                "--force to begin again.",
                param_hint="--output",
            )
        if self.checkpoint is not None and self.checkpoint.exists():
            raise click.BadParameter(
                f"{self.checkpoint} exists. Add --resume to go on with the training in it, or "
                "--force to overwrite it.",
                param_hint="--checkpoint",
            )

    @contextmanager
    def kept(self, data, network):
        """Keep the options of this call and the checkpoint until a training is done.

        Yields
        ------
        goes_on : bool
            Whether there is a training to go on with.
        """
        goes_on = self.is_begun or (self.resume is not None and self.path.exists())
        if not self.is_begun:
            self._write_options(data, network)
        try:
            yield goes_on
        except BaseException:
            if not self.path.exists():
                self._forget()
            raise
        self._remove()

    def _write_options(self, data, network):
        options = {**asdict(data), **asdict(network)}
        if data.data not in _NAMED_DATA:
            options["data"] = os.path.abspath(data.data)
        if self.checkpoint is not None:
            options["checkpoint"] = os.path.abspath(self.checkpoint)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if self.resume is None:
                self.path.unlink(missing_ok=True)
            (self.folder / _OPTIONS_FILE).write_text(json.dumps(options), encoding="utf-8")
        except OSError as error:
            raise click.ClickException(f"Cannot write to {self.folder}: {error}") from error

    def describe_beginning(self):
        """Say where a training goes on."""
        if not self.path.exists():
            return f"There is no checkpoint {self.path}: the training begins again."
        return f"The training in {self.path} goes on."

    def describe_rest(self):
        """Say what is left of a training that was interrupted."""
        if not self.path.exists():
            return "There is no checkpoint to go on from."
        return f"To go on: skfashion train --resume {shlex.quote(str(self.folder))}"

    def _remove(self):
        """Remove what a finished training does not need."""
        (self.folder / _OPTIONS_FILE).unlink(missing_ok=True)
        if self.checkpoint is None:
            self.path.unlink(missing_ok=True)

    def _forget(self):
        """Leave nothing behind of a training without a finished epoch."""
        self._remove()
        if not any(self.folder.iterdir()):
            self.folder.rmdir()

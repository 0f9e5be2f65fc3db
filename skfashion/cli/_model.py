"""Model files that commands use."""

import json

import click

from skfashion.cli._console import echo, start_keras
from skfashion.errors import SkfashionError

__all__ = ["check_takes_pictures", "load_model", "note_light_ground", "read_training", "to_scale"]

_N_LOOKED_AT = 50


def load_model(path):
    """Load the classifier in a model file."""
    from skfashion import FashionCNNClassifier

    if path.is_dir():
        raise click.BadParameter(
            f"{path} is a folder; name a file such as {path / 'model.keras'}.", param_hint="MODEL"
        )
    if not path.is_file():
        raise click.BadParameter(f"No model file {str(path)!r}.", param_hint="MODEL")
    start_keras()
    try:
        return FashionCNNClassifier.load(path)
    except (SkfashionError, OSError) as error:
        raise click.BadParameter(str(error), param_hint="MODEL") from error


def read_training(model):
    """Read the metrics beside a model file; an empty dict if there are none."""
    path = model.parent / "metrics.json"
    try:
        metrics = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (OSError, RecursionError, ValueError):
        return {}
    return metrics if isinstance(metrics, dict) else {}


def check_takes_pictures(classifier, path):
    """Make sure that a classifier was fitted on pixels that picture files have."""
    lowest, highest = classifier.pixel_range_
    if lowest < 0 or 1 < highest < 32 or highest > 255:
        raise click.BadParameter(
            f"{path} was fitted on pixels from {lowest:g} to {highest:g}; those of picture files "
            "are from 0 to 255, or scaled to 0-1.",
            param_hint="MODEL",
        )
    channels = classifier.image_shape_[2]
    if channels not in (1, 3):
        raise click.BadParameter(
            f"{path} takes images of {channels} channels; picture files have 1 or 3.",
            param_hint="MODEL",
        )


def to_scale(classifier, pixels):
    """Scale pixels from 0 to 255 to 0-1 if the classifier was fitted on such."""
    return pixels / 255 if classifier.pixel_range_[1] <= 1 < pixels.max() else pixels


def note_light_ground(model, paths, invert):
    """Print a note if pictures seem to have another background than those a model was trained on.

    Parameters
    ----------
    model : pathlib.Path
        File of the model.
    paths : sequence of str or pathlib.Path
        Pictures, of which a few are looked at.
    invert : bool
        Whether the pictures are inverted.
    """
    if invert:
        return
    if read_training(model).get("invert"):
        echo(f"Note: {model} was trained with --invert: add it here too.", err=True)
        return
    looked_at = paths[:: len(paths) // _N_LOOKED_AT + 1]
    n_light = sum(map(_has_light_ground, looked_at))
    if n_light:
        echo(
            f"Note: {n_light} of {len(looked_at)} pictures have a light ground. If the model was "
            "trained on a dark one, as Fashion-MNIST's is, add --invert.",
            err=True,
        )


def _has_light_ground(path):
    """Return whether the outermost pixels of a picture are light."""
    import numpy as np

    from skfashion.datasets import read_image

    image = read_image(path, image_shape=None)
    border = [image[0], image[-1], image[1:-1, 0], image[1:-1, -1]]
    return np.concatenate(border).mean() > 127

"""Model files that commands use."""

import click

from skfashion.cli._keras import start_keras
from skfashion.errors import SkfashionError

__all__ = ["check_takes_pictures", "load_model", "scale_pixels"]


def load_model(path):
    """The classifier in a model file."""
    from skfashion.classifier import FashionCNNClassifier

    if not path.is_file():
        raise click.BadParameter(f"No model file {str(path)!r}.", param_hint="MODEL")
    start_keras()
    try:
        return FashionCNNClassifier.load(path)
    except (SkfashionError, OSError) as error:
        raise click.BadParameter(str(error), param_hint="MODEL") from error


def check_takes_pictures(classifier, path):
    """Make sure that it was fitted on pixels that picture files have."""
    lowest, highest = classifier._pixel_range
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


def scale_pixels(classifier, pixels):
    """Pixels from 0 to 255, as the classifier takes them."""
    return pixels / 255 if classifier._pixel_range[1] <= 1 else pixels

"""``skfashion predict``."""

from pathlib import Path

import click

from skfashion.cli._keras import start_keras
from skfashion.errors import SkfashionError

__all__ = ["predict"]


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.argument(
    "images", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="IMAGE..."
)
@click.option(
    "--invert",
    is_flag=True,
    help="Exchange light and dark first: for dark things on a light ground, if the model was "
    "trained on light things on black, as Fashion-MNIST's are.",
)
def predict(model, images, invert):
    """Name the class of each picture IMAGE, by the model file MODEL."""
    import numpy as np

    from skfashion.classifier import FashionCNNClassifier
    from skfashion.datasets import read_image

    if not model.is_file():
        raise click.BadParameter(f"No model file {str(model)!r}.", param_hint="MODEL")
    start_keras()
    try:
        classifier = FashionCNNClassifier.load(model)
    except (SkfashionError, OSError) as error:
        raise click.BadParameter(str(error), param_hint="MODEL") from error
    lowest, highest = classifier._pixel_range
    if lowest < 0 or 1 < highest < 32 or highest > 255:
        raise click.BadParameter(
            f"{model} was fitted on pixels from {lowest:g} to {highest:g}; those of picture files "
            "are from 0 to 255, or scaled to 0-1.",
            param_hint="MODEL",
        )
    height, width, channels = classifier.image_shape_
    if channels not in (1, 3):
        raise click.BadParameter(
            f"{model} takes images of {channels} channels; picture files have 1 or 3.",
            param_hint="MODEL",
        )
    try:
        pixels = np.stack(
            [
                read_image(path, image_shape=(height, width), color=channels == 3, invert=invert)
                for path in images
            ]
        )
    except (SkfashionError, OSError) as error:
        raise click.BadParameter(str(error), param_hint="IMAGE") from error

    if not invert:
        for path in images:
            if _has_light_ground(path):
                click.echo(
                    f"Note: {path} has a light ground. If the model was trained on a dark one, as "
                    "Fashion-MNIST's is, add --invert.",
                    err=True,
                )
    if highest <= 1:
        pixels = pixels / 255
    probabilities = classifier.predict_proba(pixels)
    names = classifier.target_names_ or classifier.classes_
    for path, row in zip(images, probabilities, strict=True):
        best = row.argmax()
        click.echo(f"{path}: {names[best]} ({row[best]:.1%})")


def _has_light_ground(path):
    """Whether the outermost pixels of a picture are light."""
    import numpy as np
    from PIL import Image

    with Image.open(path) as picture:
        image = np.asarray(picture.convert("L"))
    border = [image[0], image[-1], image[1:-1, 0], image[1:-1, -1]]
    return np.concatenate(border).mean() > 127

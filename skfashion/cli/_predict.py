"""``skfashion predict``."""

from pathlib import Path

import click

from skfashion.cli._model import check_takes_pictures, load_model, scale_pixels
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
@click.option(
    "--picture",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Draw, into a new file such as seen.png, what the network gets of each picture and where "
    "in it it looked (Grad-CAM).",
)
def predict(model, images, invert, picture):
    """Name the class of each picture IMAGE, by the model file MODEL."""
    import numpy as np

    from skfashion.datasets import read_image

    if picture is not None:
        _check_picture(picture)
    classifier = load_model(model)
    check_takes_pictures(classifier, model)
    height, width, channels = classifier.image_shape_
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
    pixels = scale_pixels(classifier, pixels)
    probabilities = classifier.predict_proba(pixels)
    if picture is not None:
        _draw(picture, classifier, pixels)
    names = classifier.target_names_ or classifier.classes_
    for path, row in zip(images, probabilities, strict=True):
        best = row.argmax()
        click.echo(f"{path}: {names[best]} ({row[best]:.1%})")


def _check_picture(path):
    """Make sure, before any work, that the picture can be written and replaces none."""
    from matplotlib.backend_bases import FigureCanvasBase

    known = FigureCanvasBase.get_supported_filetypes()
    problem = None
    if path.exists():
        problem = f"there is a file {path} already; name another."
    elif path.suffix.lower().removeprefix(".") not in known:
        problem = f"{path} must end in .png or another of {', '.join(sorted(known))}."
    elif not path.parent.is_dir():
        problem = f"there is no folder {path.parent}."
    if problem:
        raise click.BadParameter(problem, param_hint="--picture")


def _draw(path, classifier, pixels):
    import matplotlib as mpl

    from skfashion.inspection import GradCAMDisplay

    mpl.use("agg")  # no window system is asked for
    try:
        GradCAMDisplay.from_estimator(classifier, pixels).figure_.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        raise click.BadParameter(f"cannot draw {path}: {error}", param_hint="--picture") from error


def _has_light_ground(path):
    """Whether the outermost pixels of a picture are light."""
    import numpy as np
    from PIL import Image

    with Image.open(path) as picture:
        image = np.asarray(picture.convert("L"))
    border = [image[0], image[-1], image[1:-1, 0], image[1:-1, -1]]
    return np.concatenate(border).mean() > 127

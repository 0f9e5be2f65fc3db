"""``skfashion predict``."""

import io
from pathlib import Path

import click

from skfashion.cli._console import echo, make_visible
from skfashion.cli._model import check_takes_pictures, load_model, note_light_ground, to_scale
from skfashion.cli._output import check_writable, write_all_or_none
from skfashion.errors import SkfashionError

__all__ = ["predict"]

_PICTURE_SUFFIXES = (".png", ".jpg", ".pdf", ".svg")
# Characters of a file's name over its picture.
_MAX_TITLE = 20


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
    "in it it looked (Grad-CAM; coarse for small images).",
)
@click.option("--force", is_flag=True, help="Overwrite FILE.")
def predict(model, images, invert, picture, force):
    """Name the class of each picture IMAGE, by the model file MODEL."""
    import numpy as np

    from skfashion.datasets import read_image

    if picture is not None:
        _check_picture(picture, force)
    for path in images:
        if path.is_dir():
            raise click.BadParameter(
                f"{path} is a folder; name its pictures, such as {path}/*.", param_hint="IMAGE"
            )
        if not path.exists():
            raise click.BadParameter(f"No picture {str(path)!r}.", param_hint="IMAGE")
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

    note_light_ground(model, images, invert)
    pixels = to_scale(classifier, pixels)
    probabilities = classifier.predict_proba(pixels)
    names = classifier.target_names_ or classifier.classes_
    for path, row in zip(images, probabilities, strict=True):
        best = row.argmax()
        echo(f"{path}: {names[best]} ({row[best]:.1%})")
    if picture is not None:
        _draw(picture, classifier, images, pixels)


def _check_picture(path, force):
    """Make sure, before any work, that the picture can be written."""
    problem = None
    if path.exists() and not force:
        problem = f"there is a file {path} already; name another, or add --force to overwrite it."
    elif path.suffix.lower() not in _PICTURE_SUFFIXES:
        problem = f"{path} must end in {', '.join(_PICTURE_SUFFIXES)}."
    else:
        try:
            check_writable(path.parent)
        except OSError as error:
            problem = f"cannot write to {path.parent}: {error.strerror or error}."
    if problem:
        raise click.BadParameter(problem, param_hint="--picture")


def _draw(path, classifier, images, pixels):
    import matplotlib as mpl

    from skfashion.inspection import GradCAMDisplay

    mpl.use("agg")  # no window system is asked for
    try:
        display = GradCAMDisplay.from_estimator(classifier, pixels)
        titled = [ax for ax in display.axes_.flat if ax.get_title()]
        for ax, image in zip(titled, images, strict=True):
            ax.set_title(f"{_as_title(image.name)}\n{ax.get_title()}", fontsize="small")
        picture = io.BytesIO()
        display.figure_.savefig(picture, format=path.suffix[1:].lower(), dpi=150)
    except (TypeError, ValueError) as error:
        raise click.ClickException(f"{path} cannot be drawn: {error}") from error
    write_all_or_none(path.parent, {path.name: picture.getvalue()})


def _as_title(name):
    """Shorten the name of a file, and keep matplotlib from reading it as a formula."""
    name = make_visible(name)
    if len(name) > _MAX_TITLE:
        name = name[: _MAX_TITLE - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return name.replace("$", r"\$")

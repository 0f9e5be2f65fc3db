"""The ``skfashion`` command."""

import json
import os
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

import click

import skfashion
from skfashion.errors import SkfashionError

__all__ = ["main"]

_RESULT_FILES = (
    "model.keras",
    "metrics.json",
    "classification_report.txt",
    "training_curves.png",
    "confusion_matrix.png",
)
# Share of each class to test on where the data has no test images of its own.
_TEST_FRACTION = 0.2


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(skfashion.__version__, prog_name="skfashion")
def cli():
    """Train convolutional networks on small images, and use them.

    Start with "skfashion train", which trains on a bundled sample of Fashion-MNIST.
    """


@cli.command()
@click.option(
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
@click.option(
    "--recipe",
    default="fast",
    show_default=True,
    help="Configuration to train, such as basic, lenet, small or vgg3. "
    "The last two mirror images, which is not for letters or digits.",
)
@click.option("--epochs", type=click.IntRange(min=1), help="Epochs, if not the recipe's.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=Path("skfashion-run"),
    show_default=True,
    metavar="DIR",
    help="Folder for the model, metrics, report and pictures.",
)
@click.option(
    "--seed",
    type=click.IntRange(min=0, max=2**32 - 1),
    default=0,
    show_default=True,
    help="Seed of everything random.",
)
@click.option(
    "--invert",
    is_flag=True,
    help="Exchange light and dark in your own pictures, so that photos on a white ground get a "
    'dark one. Give it to "skfashion predict" too, then.',
)
@click.option("--force", is_flag=True, help="Overwrite an earlier run in DIR.")
def train(data, recipe, epochs, output, seed, invert, force):
    """Train a network, test it, and save it with its results."""
    from skfashion.recipes import make_recipe

    overrides = {"random_state": seed, "verbose": 1}
    if epochs is not None:
        overrides["epochs"] = epochs
    try:
        classifier = make_recipe(recipe, **overrides)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--recipe") from error
    _check_output(output, force)
    try:
        training, test, description = _load(data, seed, invert)
    except (SkfashionError, OSError, ValueError) as error:
        raise click.BadParameter(str(error), param_hint="--data") from error

    click.echo(
        f"Training recipe {recipe} on {len(training.target):,} images of "
        f"{len(training.target_names)} classes: {description}."
    )
    _start_keras()
    versions = _versions()
    started = time.perf_counter()
    try:
        classifier.fit(training.data, training.target)
    except (OSError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    fit_seconds = time.perf_counter() - started
    metrics, report, predicted = _evaluate(classifier, test, training.target_names)
    metrics = {
        "recipe": recipe,
        "data": data,
        "seed": seed,
        "n_train": len(training.target),
        "epochs": classifier.n_epochs_,
        "fit_seconds": round(fit_seconds, 1),
        **metrics,
        "versions": versions,
    }
    try:
        _write_results(
            output, classifier, test.target, predicted, training.target_names, metrics, report
        )
    except OSError as error:
        raise click.ClickException(f"Cannot write to {output}: {error}") from error
    click.echo(report)
    click.echo(
        f"Test accuracy {metrics['accuracy']:.4f} on {metrics['n_test']:,} images never trained "
        f"on; model, metrics and pictures are in {output}"
    )


@cli.command()
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
    """Name the class of each picture file IMAGE, by the model file MODEL."""
    import numpy as np

    from skfashion.classifier import FashionCNNClassifier
    from skfashion.datasets import read_image

    if not model.is_file():
        raise click.BadParameter(f"No model file {str(model)!r}.", param_hint="MODEL")
    _start_keras()
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


def _check_output(output, force):
    """Make sure, before the long work, that results may and can be written."""
    earlier = [name for name in _RESULT_FILES if (output / name).exists()]
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


def _load(data, seed, invert):
    """Training images, test images, and a description of both; at least two classes."""
    training, test, description = _read(data, seed, invert)
    if len(set(training.target)) < 2:
        raise ValueError(f"{data} holds images of one class only, {training.target_names[0]!r}.")
    return training, test, description


def _read(data, seed, invert):
    from skfashion.datasets import (
        fetch_fashion_mnist,
        load_fashion_sample,
        read_image_csv,
        read_image_folder,
    )

    loaders = {"sample": load_fashion_sample, "full": fetch_fashion_mnist}
    if data in loaders:
        load = loaders[data]
        return (
            load(),
            load(subset="test"),
            {"sample": "the sample", "full": "all"}[data] + (" of Fashion-MNIST"),
        )
    path = Path(data).expanduser()
    if not path.exists():
        raise ValueError(f"{data!r} is neither 'sample' nor 'full' nor a file or folder.")
    if path.is_file():
        return _split(read_image_csv(path), seed, path)
    if any(path.glob("*idx?-ubyte*")):
        parts = [fetch_fashion_mnist(subset=subset, source=path) for subset in ("train", "test")]
        return *parts, f"IDX files in {path}"
    if (path / "train").is_dir() and (path / "test").is_dir():
        training, test = (
            read_image_folder(path / part, invert=invert) for part in ("train", "test")
        )
        if training.target_names != test.target_names:
            raise ValueError(f"{path / 'train'} and {path / 'test'} hold different classes.")
        return training, test, f"pictures in {path}"
    return _split(read_image_folder(path, invert=invert), seed, path)


def _split(bunch, seed, path):
    """Hold out test images, stratified."""
    from sklearn.model_selection import train_test_split
    from sklearn.utils import Bunch

    split = train_test_split(
        bunch.data, bunch.target, test_size=_TEST_FRACTION, stratify=bunch.target, random_state=seed
    )
    training, test = (
        Bunch(data=split[i], target=split[i + 2], target_names=bunch.target_names) for i in (0, 1)
    )
    return training, test, f"{path}, with a fifth of each class held out for the test"


def _evaluate(classifier, test, target_names):
    """Metrics as they go into metrics.json, a report to read, and the predicted classes."""
    from sklearn.metrics import classification_report, log_loss

    probabilities = classifier.predict_proba(test.data)
    predicted = classifier.classes_[probabilities.argmax(axis=1)]
    arguments = {"labels": classifier.classes_, "target_names": target_names}
    per_class = classification_report(
        test.target, predicted, output_dict=True, zero_division=0, **arguments
    )
    metrics = {
        "n_test": len(test.target),
        "accuracy": float((predicted == test.target).mean()),
        "log_loss": float(log_loss(test.target, probabilities, labels=classifier.classes_)),
        "per_class": {name: per_class[name] for name in target_names},
    }
    report = classification_report(test.target, predicted, digits=3, zero_division=0, **arguments)
    return metrics, report, predicted


def _versions():
    import keras
    import sklearn

    backend = keras.backend.backend()
    return {
        "skfashion": skfashion.__version__,
        "keras": keras.__version__,
        backend: import_module(backend).__version__,
        "scikit-learn": sklearn.__version__,
    }


def _write_results(output, classifier, target, predicted, target_names, metrics, report):
    """Write all result files, or none of them."""
    from matplotlib.figure import Figure
    from sklearn.metrics import ConfusionMatrixDisplay

    from skfashion.inspection import TrainingHistoryDisplay

    output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=output, prefix=".unfinished-") as directory:
        unfinished = Path(directory)
        classifier.save(unfinished / "model.keras", target_names=target_names)
        text = json.dumps(metrics, indent=2)
        (unfinished / "metrics.json").write_text(text + "\n", encoding="utf-8")
        (unfinished / "classification_report.txt").write_text(report, encoding="utf-8")

        # Figures of their own, so that no window system is asked for and pyplot holds nothing.
        curves = Figure(figsize=(9, 3.6), layout="constrained")
        TrainingHistoryDisplay.from_estimator(classifier, axes=curves.subplots(1, 2))
        curves.savefig(unfinished / "training_curves.png", dpi=120)

        n_classes = len(target_names)
        size = 3 + 0.5 * min(n_classes, 40)
        matrix = Figure(figsize=(size + 0.6, size), layout="constrained")
        ConfusionMatrixDisplay.from_predictions(
            target,
            predicted,
            labels=classifier.classes_,
            display_labels=target_names,
            xticks_rotation=45,
            cmap="Blues",
            include_values=n_classes <= 20,
            ax=matrix.subplots(),
        )
        matrix.axes[0].set_title(
            f"{metrics['n_test']:,} test images, accuracy {metrics['accuracy']:.3f}"
        )
        matrix.savefig(unfinished / "confusion_matrix.png", dpi=120)
        for name in _RESULT_FILES:
            os.replace(unfinished / name, output / name)


def _start_keras():
    """Import Keras, holding back the notes its backend prints unless the import fails.

    TensorFlow writes them to the file descriptor before its own log level applies.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as notes:
        os.dup2(notes.fileno(), 2)
        try:
            import keras  # noqa: F401
        except BaseException:
            notes.seek(0)
            os.write(stderr, notes.read())
            raise
        finally:
            os.dup2(stderr, 2)
            os.close(stderr)


def main():
    """Run the command; errors are one line on standard error."""
    try:
        cli.main(standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        sys.exit(2)
    except click.ClickException as error:
        command = f"{error.ctx.command_path}: " if getattr(error, "ctx", None) else ""
        message = " ".join(error.format_message().split())
        click.echo(f"{command}{message}", err=True)
        sys.exit(error.exit_code)
    except click.Abort:
        click.echo("Interrupted.", err=True)
        sys.exit(130)
    except SkfashionError as error:
        click.echo(str(error), err=True)
        sys.exit(1)


if __name__ == "__main__":
    main()

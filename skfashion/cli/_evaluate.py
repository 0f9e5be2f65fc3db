"""``skfashion evaluate``."""

import re
from pathlib import Path

import click

from skfashion.cli._console import echo, unknown_name
from skfashion.cli._data import fingerprint, last_part, load_test_data
from skfashion.cli._model import load_model, note_light_ground, read_training, to_scale
from skfashion.cli._options import force_option, grouped, invert_option, output_option
from skfashion.cli._output import OutputOptions

__all__ = ["evaluate"]


@click.command()
@click.argument("model", type=click.Path(path_type=Path))
@click.option(
    "--data",
    default="sample",
    show_default=True,
    metavar="sample|full|PATH",
    help="What to test on: the sample's 1,000 test images, all 10,000 of Fashion-MNIST, or your "
    "own: a folder or CSV file as for train. Of data that has test images, those; otherwise all "
    "of it, which must be images that the model was not trained on.",
)
@output_option("skfashion-evaluation", holds="the report: figures and pictures")
@invert_option
@force_option
@grouped(output=OutputOptions)
def evaluate(model, data, output, invert):
    """Test the model file MODEL, and write a report.

    Classes are matched by their names; a folder T-shirt_top is of class T-shirt/top. "skfashion
    train" writes such a report already, on the test images or those that it held out.
    """
    from skfashion.evaluation import ClassifierEvaluation, evaluate_classifier

    output.check(ClassifierEvaluation.report_files)
    classifier = load_model(model)
    test = load_test_data(data, classifier, model, invert)
    if not test.are_test_images:
        _check_not_trained_on(model, data, test.bunch)
    bunch = test.bunch
    target, names = _match_classes(bunch, classifier)

    echo(f"Testing {model} on {len(target):,} images: {test.description}.")
    if test.are_own_pictures:
        note_light_ground(model, bunch.filenames, invert)
    if not test.are_test_images:
        echo("Note: if it was trained on some of them, the figures flatter it.", err=True)
    try:
        evaluation = evaluate_classifier(
            classifier, to_scale(classifier, bunch.data), target, target_names=names
        )
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--data") from error
    try:
        evaluation.save(output.folder, about={"model": model.name, "data": last_part(data)})
    except OSError as error:
        raise click.ClickException(f"Cannot write to {output.folder}: {error}") from error
    echo(*evaluation.classification_report().split("\n"))
    low, high = evaluation.accuracy_interval
    echo(
        f"Accuracy {evaluation.accuracy:.4f} (95 % interval {low:.4f} to {high:.4f}) on "
        f"{evaluation.n_test:,} images; the report is {output.folder / 'report.html'}"
    )


def _check_not_trained_on(model, data, bunch):
    """Refuse data that holds most of the images that a model was trained on."""
    training = read_training(model)
    known = set(str(training.get("training_fingerprint", "")).split())
    seen = known & set(fingerprint(bunch.data, n_digests=None))
    # Earlier versions wrote the path.
    is_same_path = training.get("data") == str(Path(data).expanduser().resolve())
    if is_same_path or 2 * len(seen) > len(known):
        raise click.BadParameter(
            f"{model} was trained on {data}. The report on the images that were held out is "
            f"{model.parent / 'report.html'}; give images that it has not seen.",
            param_hint="--data",
        )


def _match_classes(bunch, classifier):
    """Return labels that the classifier knows, and the names of its classes."""
    import numpy as np

    labels, positions = np.unique(bunch.target, return_inverse=True)
    names = bunch.target_names
    if len(names) != len(labels):  # a class has no image, and labels are positions among the names
        names = [names[label] for label in labels]
    classes, known = classifier.classes_, classifier.target_names_
    if known is None and np.array_equal(labels, classes):  # saved without names
        return bunch.target, names
    known = known or [str(label) for label in classes]
    plain = {_simplify(name): name for name in known}
    names = [name if name in known else plain.get(_simplify(name), name) for name in names]
    for name in names:
        if name not in known:
            raise click.BadParameter(
                f"the model does not know all classes. {unknown_name('class', name, known)}",
                param_hint="--data",
            )
    return classes[[known.index(name) for name in names]][positions], known


def _simplify(name):
    """Keep of a class's name what its folder's name keeps too: T-shirt_top and T-shirt/top."""
    return re.sub(r"[\W_]+", "", name.lower())

"""Files of a report on a classifier."""

import base64
import io
import json
from datetime import datetime
from importlib.resources import files

import numpy as np

from skfashion._utils.names import make_visible
from skfashion.evaluation._metrics import METRICS
from skfashion.inspection._pictures import as_pictures, as_text
from skfashion.inspection._predictions_display import find_grid, select_images
from skfashion.inspection._training_history_display import QUANTITIES, unplotted_history

__all__ = ["REPORT_FILES", "without_nan", "write_report"]

REPORT_FILES = (
    "metrics.json",
    "classification_report.txt",
    "confusion_matrix.png",
    "training_curves.png",
    "accuracy_curve.png",
    "loss_curve.png",
    "misclassified.png",
    "sample_predictions.txt",
    "report.html",
)
# Number of images among the errors, and among the samples.
_N_SHOWN = 20
# With more classes, the numbers in the cells are too small to read.
_MAX_CLASSES_WITH_NUMBERS = 20
_N_CALIBRATION_BINS = 10
# Fewer images make the calibration curve a zigzag.
_MIN_CALIBRATION_IMAGES = 100


def write_report(evaluation, folder, about):
    """Write ``REPORT_FILES``, those of the training only if there is a history of it.

    Parameters
    ----------
    evaluation : ClassifierEvaluation
    folder : pathlib.Path
        An existing folder.
    about : dict
        Further entries of the metrics and the report.
    """
    figures = evaluation.to_dict()
    clashing = sorted(about.keys() & figures.keys())
    if clashing:
        raise ValueError(f"about must not have the keys of figures, got {clashing}.")
    _write_text(
        folder / "metrics.json",
        json.dumps({**without_nan(about), **figures}, indent=2, default=str),
    )
    _write_text(folder / "classification_report.txt", evaluation.classification_report())
    samples = _tabulate_samples(evaluation)
    _write_text(folder / "sample_predictions.txt", samples.to_string(float_format="{:.3f}".format))

    errors = _select(evaluation, only_errors=True)
    pictures = {
        "confusion_matrix.png": _draw_confusion_matrix(evaluation),
        "misclassified.png": _draw_predictions(errors),
        **_draw_training(evaluation.estimator),
    }
    if evaluation.probabilities is not None and evaluation.n_test >= _MIN_CALIBRATION_IMAGES:
        pictures["calibration.png"] = _draw_calibration(evaluation)
    pictures = {name: _to_png(figure) for name, figure in pictures.items()}
    for name in set(REPORT_FILES) & set(pictures):
        (folder / name).write_bytes(pictures[name])
    images = {"errors": errors, "samples": _select(evaluation, only_errors=False)}
    _write_text(folder / "report.html", _render(evaluation, about, figures, pictures, images))


def without_nan(value):
    """Return a dict, list or number with None for NaN and infinity, which JSON lacks."""
    if isinstance(value, dict):
        return {key: without_nan(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [without_nan(entry) for entry in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _write_text(path, text):
    path.write_text(text.rstrip() + "\n", encoding="utf-8")


def _sample_rows(evaluation):
    """Return rows that are evenly spread, so that sorted images yield all classes."""
    n_samples = min(_N_SHOWN, evaluation.n_test)
    return np.linspace(0, evaluation.n_test - 1, n_samples).round().astype(int)


def _tabulate_samples(evaluation):
    import pandas as pd

    rows = _sample_rows(evaluation)
    names = np.asarray([make_visible(name) for name in evaluation.class_names], dtype=object)
    true, predicted = (
        names[np.searchsorted(evaluation.classes, labels[rows])]
        for labels in (evaluation.y_true, evaluation.y_pred)
    )
    table = pd.DataFrame({"true": true, "predicted": predicted}, index=pd.Index(rows, name="image"))
    if evaluation.confidence is not None:
        table["probability"] = evaluation.confidence[rows]
    is_right = evaluation.y_true[rows] == evaluation.y_pred[rows]
    table["right"] = np.where(is_right, "yes", "NO")
    return table


def _new_figure(size):
    """Return a figure outside pyplot, which would look for a window system and keep it."""
    from matplotlib.figure import Figure

    return Figure(figsize=size, layout="compressed")


def _draw_confusion_matrix(evaluation):
    from sklearn.metrics import ConfusionMatrixDisplay

    n_classes = len(evaluation.class_names)
    size = 3 + 0.5 * min(n_classes, 40)
    figure = _new_figure((size + 0.6, size))
    ConfusionMatrixDisplay(
        evaluation.confusion_matrix,
        display_labels=[as_text(name) for name in evaluation.class_names],
    ).plot(
        ax=figure.subplots(),
        xticks_rotation=45,
        cmap="Blues",
        include_values=n_classes <= _MAX_CLASSES_WITH_NUMBERS,
        values_format="d",
    )
    ax = figure.axes[0]
    ax.set(xlabel="Predicted class", ylabel="True class")
    ax.set_title(f"{evaluation.n_test:,} test images, accuracy {evaluation.accuracy:.3f}")
    for label in ax.get_xticklabels():
        label.set(ha="right", rotation_mode="anchor")
    return figure


def _select(evaluation, only_errors):
    """Return the display of the most confident errors, or of samples."""
    rows = slice(None) if only_errors else _sample_rows(evaluation)
    confidence = evaluation.confidence
    return select_images(
        evaluation.images[rows],
        evaluation.y_true[rows],
        evaluation.y_pred[rows],
        None if confidence is None else confidence[rows],
        evaluation.classes,
        evaluation.class_names,
        n_images=_N_SHOWN,
        only_errors=only_errors,
    )


def _draw_predictions(display):
    shape, size = find_grid(len(display.images))
    figure = _new_figure(size)
    display.plot(ax=figure.subplots(*shape))
    figure.suptitle(display.heading, fontsize="medium")
    return figure


def _draw_training(estimator):
    """Return figures of the training by file name; none if the estimator has no history."""
    display = unplotted_history(estimator)
    if display is None:
        return {}
    together = _new_figure((12.6, 3.4))
    display.plot(ax=together.subplots())
    figures = {"training_curves.png": together}
    for quantity in display.known_quantities():
        alone = _new_figure((5.6, 4))
        display.plot(ax=alone.subplots(), quantities=[quantity])
        figures[f"{quantity}_curve.png"] = alone
    return figures


def _draw_calibration(evaluation):
    from sklearn.calibration import CalibrationDisplay

    figure = _new_figure((5, 4.6))
    CalibrationDisplay.from_predictions(
        evaluation.y_true == evaluation.y_pred,
        np.clip(evaluation.confidence, 0, 1),
        pos_label=True,
        n_bins=_N_CALIBRATION_BINS,
        strategy="quantile",
        ax=figure.subplots(),
    )
    figure.axes[0].set(xlabel="Probability of the predicted class", ylabel="Share that is right")
    figure.axes[0].legend(["perfectly calibrated", "images, grouped by probability"])
    return figure


def _render(evaluation, about, figures, pictures, displays):
    from jinja2 import Environment, StrictUndefined

    def show(value):
        return value if hasattr(value, "__html__") else make_visible(str(value))

    source = files("skfashion.evaluation").joinpath("report.html.jinja").read_text("utf-8")
    environment = Environment(
        autoescape=True,
        finalize=show,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.from_string(source).render(
        evaluation=evaluation,
        metrics=METRICS,
        about=about,
        estimator=figures["estimator"],
        versions=figures["versions"],
        made=datetime.now().astimezone(),
        pictures={name.removesuffix(".png"): _embed(png) for name, png in pictures.items()},
        curves=[f"{name}_curve" for name in QUANTITIES if f"{name}_curve.png" in pictures],
        images={name: _tabulate_images(display) for name, display in displays.items()},
        errors_heading=displays["errors"].heading,
    )


def _tabulate_images(display):
    """Return picture, predicted and true name and probability of each image."""
    from PIL import Image

    if not len(display.images):
        return []
    shown = []
    for i, picture in enumerate(as_pictures(display.images)):
        png = io.BytesIO()
        Image.fromarray(np.uint8(np.round(255 * picture))).save(png, format="png")
        probability = None if display.probabilities is None else float(display.probabilities[i])
        names = display.predicted_names[i], display.true_names[i]
        shown.append((_embed(png.getvalue()), *names, probability))
    return shown


def _embed(png):
    """Return a data URL of a PNG."""
    return "data:image/png;base64," + base64.b64encode(png).decode("ascii")


def _to_png(figure):
    png = io.BytesIO()
    figure.savefig(png, format="png", dpi=120)
    return png.getvalue()

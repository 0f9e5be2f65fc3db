"""Networks that are trained, tested once, and saved with their results."""

import json
import time
from importlib import import_module
from typing import Any, NamedTuple

import click

import skfashion

__all__ = ["TRAINING_FILES", "TestedNetwork", "make_network", "train_and_test"]

TRAINING_FILES = (
    "model.keras",
    "metrics.json",
    "classification_report.txt",
    "training_curves.png",
    "confusion_matrix.png",
)


def make_network(recipe, epochs, seed):
    """A classifier that shows how its training goes on."""
    from skfashion.recipes import make_recipe

    overrides = {"random_state": seed, "verbose": 1}
    if epochs is not None:
        overrides["epochs"] = epochs
    try:
        return make_recipe(recipe, **overrides)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--recipe") from error


class TestedNetwork(NamedTuple):
    """A fitted classifier, and what it made of the test images."""

    classifier: Any
    target: Any
    predicted: Any
    target_names: list
    metrics: dict
    report: str

    def write(self, folder):
        """Write the TRAINING_FILES."""
        from matplotlib.figure import Figure
        from sklearn.metrics import ConfusionMatrixDisplay

        from skfashion.inspection import TrainingHistoryDisplay

        self.classifier.save(folder / "model.keras", target_names=self.target_names)
        text = json.dumps(self.metrics, indent=2)
        (folder / "metrics.json").write_text(text + "\n", encoding="utf-8")
        (folder / "classification_report.txt").write_text(self.report, encoding="utf-8")

        # Figures of their own, so that no window system is asked for and pyplot holds nothing.
        curves = Figure(figsize=(9, 3.6), layout="constrained")
        TrainingHistoryDisplay.from_estimator(self.classifier, axes=curves.subplots(1, 2))
        curves.savefig(folder / "training_curves.png", dpi=120)

        n_classes = len(self.target_names)
        size = 3 + 0.5 * min(n_classes, 40)
        matrix = Figure(figsize=(size + 0.6, size), layout="constrained")
        ConfusionMatrixDisplay.from_predictions(
            self.target,
            self.predicted,
            labels=self.classifier.classes_,
            display_labels=self.target_names,
            xticks_rotation=45,
            cmap="Blues",
            include_values=n_classes <= 20,
            ax=matrix.subplots(),
        )
        matrix.axes[0].set_title(
            f"{self.metrics['n_test']:,} test images, accuracy {self.metrics['accuracy']:.3f}"
        )
        matrix.savefig(folder / "confusion_matrix.png", dpi=120)

    def summarize(self):
        """The accuracy, in words."""
        return (
            f"Test accuracy {self.metrics['accuracy']:.4f} on {self.metrics['n_test']:,} images "
            "never trained on"
        )


def train_and_test(classifier, training, test, **about):
    """Fit the classifier and test it; ``about`` goes into the metrics too."""
    versions = _versions()
    started = time.perf_counter()
    try:
        classifier.fit(training.data, training.target)
    except (OSError, ValueError) as error:
        raise click.UsageError(str(error)) from error
    fit_seconds = time.perf_counter() - started
    metrics, report, predicted = _evaluate(classifier, test, training.target_names)
    metrics = {
        **about,
        "n_train": len(training.target),
        "epochs": classifier.n_epochs_,
        "fit_seconds": round(fit_seconds, 1),
        **metrics,
        "versions": versions,
    }
    return TestedNetwork(classifier, test.target, predicted, training.target_names, metrics, report)


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

"""Which labels and weights images are trained with, and which images are held out."""

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils.class_weight import compute_class_weight

from skfashion._sklearn_compat import check_sample_weight
from skfashion._utils.randomness import Purpose, derive_seed

__all__ = ["check_classes", "check_known_labels", "check_weights", "split_rows"]


def check_classes(classes, name):
    if len(classes) < 2:
        raise ValueError(
            f"{name} must have at least 2 classes, got 1 class: {classes.tolist()[0]!r}."
        )


def check_known_labels(labels, classes, name, known_name):
    known = set(np.asarray(classes).tolist())  # to NumPy the text "7" may be the number 7
    unknown = [label for label in np.unique(labels).tolist() if label not in known]
    if unknown:
        raise ValueError(
            f"{name} has labels that {known_name} has not: {unknown[:20]}. Known: "
            f"{', '.join(map(repr, classes[:20].tolist()))}{', ...' if len(classes) > 20 else ''}."
        )


def check_weights(sample_weight, class_weight, X, y, classes):
    """Weights of the images: those given times those of their classes."""
    weights = check_sample_weight(sample_weight, X, ensure_non_negative=True)
    rows = np.flatnonzero(weights)
    if class_weight == "balanced":
        classes = np.unique(y[rows])
    weight_of_class = compute_class_weight(class_weight, classes=classes, y=y[rows])
    if not (weight_of_class >= 0).all() or np.isinf(weight_of_class).any():
        raise ValueError(f"class_weight must be finite and not negative, got {class_weight!r}.")
    weights = weights.copy()
    weights[rows] *= weight_of_class[np.searchsorted(classes, y[rows])]
    if not weights.any():
        raise ValueError("sample_weight times class_weight is 0 for every image.")
    return weights


def split_rows(rows, y_index, classes, validation_fraction, seed):
    """Rows to train on and rows to hold out, stratified."""
    labels, counts = np.unique(y_index[rows], return_counts=True)
    n_validation = int(np.ceil(validation_fraction * len(rows)))
    if counts.min() < 2 or min(n_validation, len(rows) - n_validation) < len(labels):
        rare = classes[labels[counts.argmin()]]
        raise ValueError(
            f"early_stopping=True holds out validation_fraction={validation_fraction}, "
            f"which leaves a class without images: {n_validation} of {len(rows)} images, for "
            f"{len(labels)} classes, the rarest ({rare}) with {counts.min()} images. Give more "
            "images, another validation_fraction, or X_val and y_val."
        )
    return train_test_split(
        rows,
        test_size=n_validation,
        stratify=y_index[rows],
        random_state=derive_seed(seed, Purpose.VALIDATION_SPLIT),
    )

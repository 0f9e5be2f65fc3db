"""Images to train on, with their labels and weights, and images to validate on."""

import hashlib
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import train_test_split
from sklearn.utils.class_weight import compute_class_weight

from skfashion._images import PixelScaler
from skfashion._sklearn_compat import check_sample_weight
from skfashion._utils.randomness import Purpose, derive_seed

__all__ = ["LabelledImages", "TrainingData", "check_weights", "digest_data", "split_rows"]

_IMAGES_AT_ONCE = 4096


@dataclass(frozen=True, eq=False)
class LabelledImages:
    """Images with labels and weights; batches are cut from them where they lie.

    Attributes
    ----------
    X : ndarray
        Raw images in any of the accepted shapes.
    y : ndarray of shape (n,) of int
        Position of each image's class among the classes.
    weights : ndarray of shape (n,) of float32
        Sample weights.
    rows : ndarray of int
        The rows to use of all the above.
    """

    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    rows: np.ndarray


@dataclass(frozen=True, eq=False)
class TrainingData:
    """Everything that a training gets to see.

    Attributes
    ----------
    training : LabelledImages
    validation : LabelledImages or None
    scaler : PixelScaler
        Standardisation of both.
    classes : ndarray of shape (n_classes,)
        Sorted class labels.
    feature_names : ndarray of shape (n_features,) or None
        Column names of the training images.
    """

    training: LabelledImages
    validation: LabelledImages | None
    scaler: PixelScaler
    classes: np.ndarray
    feature_names: np.ndarray | None


def check_weights(sample_weight, class_weight, X, y, classes):
    """Return the weight of each image: the given one times that of its class."""
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
    """Return the rows to train on and the rows to hold out, stratified."""
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


def digest_data(images, validation, classes, image_shape):
    """Return digests of everything that a training is given, by argument.

    Parameters
    ----------
    images : LabelledImages
        Training images, those that will be held out included.
    validation : LabelledImages or None
        The user's validation images.
    classes : ndarray of shape (n_classes,)
    image_shape : ImageShape

    Returns
    -------
    digests : dict of str to str
        They depend on values, not on data types and containers.
    """
    labels = classes if classes.dtype.kind in "biuf" else np.array(list(map(repr, classes)))
    digests = {
        "X": _digest(np.array(image_shape), images.X),
        "y": _digest(images.y, labels),
        "sample_weight": _digest(images.weights),
    }
    if validation is not None:
        digests |= {"X_val": _digest(validation.X), "y_val": _digest(validation.y)}
    return digests


def _digest(*arrays):
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(str(len(array)).encode())
        for first in range(0, len(array), _IMAGES_AT_ONCE):
            part = array[first : first + _IMAGES_AT_ONCE].reshape(-1)
            if part.dtype.kind in "biuf":
                part = part.astype(np.float64)
            digest.update(part.tobytes())
    return digest.hexdigest()

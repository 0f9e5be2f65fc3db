"""Class labels, and what people call them."""

import numpy as np

from skfashion._sklearn_compat import column_or_1d

__all__ = ["as_text", "check_labels", "name_classes"]


def check_labels(labels, n_images, name):
    """Labels as an array of shape (n_images,).

    Raises
    ------
    ValueError
        If they are of another shape.
    """
    labels = column_or_1d(labels, input_name=name)
    if len(labels) != n_images:
        raise ValueError(f"X has {n_images} images, but {name} {len(labels)} labels.")
    return labels


def name_classes(labels, target_names, classifier=None):
    """A name for each label.

    Parameters
    ----------
    labels : ndarray of shape (n_labels,)
        Sorted class labels.
    target_names : sequence of str or None
        As many names as labels, in their order; or a name for each integer from 0, of which
        ``labels`` are some, as in the bunches of data loaders. None takes those that the classifier
        was loaded with, if any, and the labels themselves otherwise.
    classifier : classifier, default=None
        Fitted, and known by these labels.

    Returns
    -------
    names : list of str

    Raises
    ------
    ValueError
        If the names fit in neither way, or one is there twice.
    """
    if target_names is None:
        target_names = getattr(classifier, "target_names_", None)
    if target_names is None:
        return [str(label) for label in labels]
    names = [str(name) for name in target_names]
    repeated = {name for name in names if names.count(name) > 1}
    if repeated:
        raise ValueError(f"target_names must differ, got {sorted(repeated)} more than once.")
    if len(names) == len(labels):
        return names
    if (
        len(labels)
        and np.issubdtype(labels.dtype, np.integer)
        and 0 <= labels.min() <= labels.max() < len(names)
    ):
        return [names[label] for label in labels]
    raise ValueError(
        f"target_names must have a name for each of the {len(labels)} classes "
        f"{labels.tolist()}, got {len(names)} names."
    )


def as_text(name, n_characters=30):
    """A name as matplotlib draws it: shortened, and never read as a formula."""
    if len(name) > n_characters:
        name = name[: n_characters - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return name.replace("$", r"\$")

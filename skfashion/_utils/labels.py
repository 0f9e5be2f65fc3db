"""Checks of class labels."""

import numpy as np

__all__ = ["check_classes", "check_known_labels"]


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

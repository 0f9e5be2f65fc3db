"""Names: checks of what users give by name, and names that are safe to show."""

import difflib
import re
from numbers import Integral

import numpy as np

__all__ = ["check_classes", "check_known_labels", "check_name", "find_layer", "make_visible"]

# Control characters, line separators, bidirectional controls and lone surrogates. Joiners and
# variation selectors are parts of real names.
_HIDDEN = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
# A longer name is no slip of the pen, and takes long to compare.
_MAX_COMPARED = 100


def check_name(kind, name, known):
    """Raise ValueError, naming the nearest, unless ``name`` is one of the known."""
    if name in known:
        return
    lowered = {other.lower(): other for other in known}
    nearest = difflib.get_close_matches(str(name)[:_MAX_COMPARED].lower(), lowered, n=1)
    hint = f" Did you mean {lowered[nearest[0]]!r}?" if nearest else ""
    raise ValueError(f"Unknown {kind} {name!r}.{hint} Known: {', '.join(sorted(known))}.")


def find_layer(layer, names):
    """Return the position, from 0, of the layer with this name or position."""
    if not isinstance(layer, Integral):
        check_name("layer", layer, names)
        return names.index(layer)
    if int(layer) not in range(-len(names), len(names)):
        raise ValueError(f"layer must be a position among {len(names)}, got {layer}.")
    return int(layer) % len(names)


def check_classes(classes, name):
    """Raise ValueError unless there are at least two classes."""
    if len(classes) < 2:
        raise ValueError(
            f"{name} must have at least 2 classes, got 1 class: {classes.tolist()[0]!r}."
        )


def check_known_labels(labels, classes, name, known_name):
    """Raise ValueError, naming them, if some labels are not among the classes."""
    known = set(np.asarray(classes).tolist())  # to NumPy the text "7" may be the number 7
    unknown = [label for label in np.unique(labels).tolist() if label not in known]
    if unknown:
        raise ValueError(
            f"{name} has labels that {known_name} has not: {unknown[:20]}. Known: "
            f"{', '.join(map(repr, classes[:20].tolist()))}{', ...' if len(classes) > 20 else ''}."
        )


def make_visible(name):
    r"""Return a name with control characters as escapes such as \x1b.

    A terminal would obey them, and some reorder the text around them.
    """
    return _HIDDEN.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), name)

"""Things that users pick by name."""

import difflib
from numbers import Integral

__all__ = ["check_name", "find_layer"]


def check_name(kind, name, known):
    """Raise ValueError, naming the nearest, unless ``name`` is one of the known."""
    if name in known:
        return
    lowered = {other.lower(): other for other in known}
    nearest = difflib.get_close_matches(str(name).lower(), lowered, n=1)
    hint = f" Did you mean {lowered[nearest[0]]!r}?" if nearest else ""
    raise ValueError(f"Unknown {kind} {name!r}.{hint} Known: {', '.join(sorted(known))}.")


def find_layer(layer, names):
    """Position, from 0, of the layer of this name or position among layers of these names."""
    if not isinstance(layer, Integral):
        check_name("layer", layer, names)
        return names.index(layer)
    if int(layer) not in range(-len(names), len(names)):
        raise ValueError(f"layer must be a position among {len(names)}, got {layer}.")
    return int(layer) % len(names)

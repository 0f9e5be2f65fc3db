"""Things that users pick by name."""

import difflib

__all__ = ["check_name"]


def check_name(kind, name, known):
    """Raise ValueError, naming the nearest, unless ``name`` is one of the known."""
    if name in known:
        return
    lowered = {other.lower(): other for other in known}
    nearest = difflib.get_close_matches(str(name).lower(), lowered, n=1)
    hint = f" Did you mean {lowered[nearest[0]]!r}?" if nearest else ""
    raise ValueError(f"Unknown {kind} {name!r}.{hint} Known: {', '.join(sorted(known))}.")

"""What a person at a terminal is told."""

import warnings

__all__ = ["one_line", "show_warnings_on_one_line"]


def one_line(message):
    """A message on one line; of a traceback that it quotes, the error alone."""
    lines = [line.strip() for line in str(message).splitlines() if line.strip()]
    if any(line.startswith("Traceback (most recent call last)") for line in lines):
        lines = [lines[0], lines[-1]]
    return " ".join(lines)


def show_warnings_on_one_line():
    """Leave out of warnings which line of code they are about, in this process."""
    warnings.formatwarning = _format_warning


def _format_warning(message, category, filename, lineno, line=None):
    return f"Warning: {one_line(message)}\n"

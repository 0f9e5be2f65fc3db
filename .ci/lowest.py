"""Print the lowest supported version of every direct dependency, one requirement per line.

Run: python .ci/lowest.py [NAME ...]

Each NAME is a package of the extra ``test`` to be printed too. pyproject.toml is the only source.
"""

import re
import sys
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"


def lowest(requirement):
    """Return ``name[extras]==version`` for ``name[extras]>=version``, and the name alone."""
    match = re.fullmatch(r"(([\w.-]+)(?:\[[\w,-]+\])?)>=([\w.]+)", requirement)
    if match is None:
        raise SystemExit(f"{requirement!r} in pyproject.toml must have the form 'name>=version'.")
    return f"{match[1]}=={match[3]}", match[2]


def main(wanted):
    project = tomllib.loads(PYPROJECT.read_text())["project"]
    for requirement in project["dependencies"]:
        print(lowest(requirement)[0])
    in_test = project["optional-dependencies"]["test"]
    pins = {name: pin for pin, name in map(lowest, filter(lambda r: ">=" in r, in_test))}
    for name in wanted:
        print(pins[name])


if __name__ == "__main__":
    main(sys.argv[1:])

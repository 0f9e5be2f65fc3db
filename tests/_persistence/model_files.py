"""Model files with other members than ``save`` writes, and processes that load many of them."""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

from skfashion._persistence.archive import write_archive


def read_members(path):
    """The content of each member by name, without the checksum over all."""
    with zipfile.ZipFile(path) as archive:
        return {n: archive.read(n) for n in archive.namelist() if n != "skfashion.sha256"}


def write_members(path, members):
    """Write members with a checksum that is right, as an attacker would."""
    with open(path, "wb") as file:
        write_archive(file, members)


def change_member(path, name, change):
    """Replace a member by what ``change`` makes of it, with a right checksum."""
    members = read_members(path)
    members[name] = change(members[name])
    write_members(path, members)


def run_script(name, *arguments):
    """Run a script of this folder in a process of its own; return the JSON that it prints."""
    result = subprocess.run(
        [sys.executable, name, *map(str, arguments)],
        cwd=Path(__file__).parent,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        check=False,
        timeout=1800,
    )
    assert result.returncode == 0, result.stderr[-2000:]
    return json.loads(result.stdout)

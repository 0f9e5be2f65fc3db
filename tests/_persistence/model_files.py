"""Model files with other members than ``save`` writes."""

import zipfile

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

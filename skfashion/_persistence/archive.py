"""The zip archive that a model file is: members read within bounds, and one checksum over all."""

import hashlib
import json
import struct
import zipfile

__all__ = [
    "CHECKSUM",
    "compute_checksum",
    "open_archive",
    "read_all",
    "read_json",
    "read_member",
    "write_archive",
]

CHECKSUM = "skfashion.sha256"

# End of central directory: signature, numbers of disks and entries, size and offset, comment.
_END = struct.Struct("<4s4H2LH")
_ZIP64_LOCATOR = 20
_MAX_DIRECTORY_BYTES = 2**20
# Room for the history of 20,000 epochs, the column names of 256x256 pixels, and 1,000 layers.
_MAX_JSON_BYTES, _MAX_JSON_VALUES = 2**22, 2**17


def open_archive(file, kind, max_members):
    """Open a zip archive, if reading its directory and its members takes little memory.

    Parameters
    ----------
    file : file object
        Open for reading in binary mode.
    kind : str
        Name of such files, for messages.
    max_members : int
        Number of members that it may have.

    Returns
    -------
    archive : zipfile.ZipFile

    Raises
    ------
    ValueError
        If it is not a zip archive whose members are stored without compression.
    """
    file.seek(0)
    starts_well = file.read(4) == b"PK\3\4"
    size = file.seek(0, 2)
    file.seek(max(0, size - _END.size - _ZIP64_LOCATOR))
    locator, end = file.read(_ZIP64_LOCATOR), file.read()
    if size < _END.size + _ZIP64_LOCATOR or not starts_well or not end.startswith(b"PK\5\6"):
        raise ValueError(f"it is not a {kind}, or is damaged")
    _, _, _, _, n_members, directory_size, _, comment_size = _END.unpack(end)
    is_plain = comment_size == 0 and not locator.startswith(b"PK\6\7")
    if not is_plain or n_members > max_members or directory_size > _MAX_DIRECTORY_BYTES:
        raise ValueError(f"it is damaged, or no {kind} that skfashion wrote")
    archive = zipfile.ZipFile(file)
    members = archive.infolist()
    for member in members:
        is_stored = member.compress_type == zipfile.ZIP_STORED
        if not is_stored or member.file_size != member.compress_size:
            raise ValueError(f"its member {member.filename!r} is compressed")
    if sum(member.file_size for member in members) > size:
        raise ValueError("its members overlap")
    if len(archive.NameToInfo) < len(members):
        raise ValueError("two of its members have the same name")
    return archive


def read_member(archive, name):
    """Return the bytes of a member, whose checksum zipfile compares."""
    try:
        return archive.read(name)
    except KeyError:
        raise ValueError(f"it has no {name}") from None


def read_json(archive, name):
    """Return the parsed JSON of a member of limited size."""
    content = b""
    if archive.getinfo(name).file_size <= _MAX_JSON_BYTES:
        content = read_member(archive, name)
    n_values = sum(content.count(character) for character in b",[{")
    if not content or n_values > _MAX_JSON_VALUES:
        raise ValueError(f"its member {name!r} is empty or too long")
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError(f"its member {name!r} is nested too deeply") from None
    except ValueError as error:
        raise ValueError(f"its member {name!r} is damaged: {error}") from None


def read_all(archive, *, has_checksum):
    """Return all members by name, and compare the checksum over them."""
    contents = {name: read_member(archive, name) for name in archive.namelist()}
    if has_checksum:
        stored = contents.pop(CHECKSUM, b"")
        if stored != compute_checksum(contents):
            raise ValueError("its checksum does not match its content")
    return contents


def write_archive(file, contents):
    """Write members and the checksum over them."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in {**contents, CHECKSUM: compute_checksum(contents)}.items():
            archive.writestr(name, content)


def compute_checksum(contents):
    """Return the checksum over members, given by name, as it is stored."""
    digest = hashlib.sha256()
    for name, content in sorted(contents.items()):
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest().encode()

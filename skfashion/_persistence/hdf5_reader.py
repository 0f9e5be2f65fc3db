"""Arrays of HDF5 files of the one form that Keras has written with h5py.

The HDF5 library follows what a file says, in C: to other files, in circles, and into crashes. This
reader knows only groups and uncompressed arrays, visits each part once, and refuses the rest.
"""

import struct

import numpy as np

__all__ = ["find_arrays"]

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
# Version 0 of everything, and addresses and lengths of 8 bytes.
_SUPERBLOCK = struct.Struct("<5x2B")
_ROOT_HEADER = 64
_OBJECT_HEADER, _MESSAGE = struct.Struct("<BxHII4x"), struct.Struct("<HHB3x")
_TREE_NODE, _SYMBOLS = struct.Struct("<4sBBH16x"), struct.Struct("<4sBxH")
_SYMBOL, _HEAP = struct.Struct("<QQI20x"), struct.Struct("<4s4xQQQ")
_TWO_SIZES, _ADDRESS = struct.Struct("<QQ"), struct.Struct("<Q")

# Messages of object headers.
_DATASPACE, _DATATYPE, _EXTERNAL, _LAYOUT, _FILTERS, _CONTINUATION, _GROUP = (
    *(0x01, 0x03, 0x07, 0x08, 0x0B, 0x10, 0x11),
)
_KINDS = {(0, 0): "u", (0, 8): "i", (1, 0): "f"}
_UNDEFINED = 2**64 - 1
_MAX_NAME = 255
_MAX_DEPTH = 30
# A file of 2,000 weights has about 50,000: objects, messages, and nodes of groups.
_MAX_PARTS = 2**18


def find_arrays(content):
    """Return where the arrays of an HDF5 file are.

    Parameters
    ----------
    content : bytes
        The file.

    Returns
    -------
    arrays : dict of str to (dtype, tuple of int, int)
        Type, shape and offset in bytes of each array, by its path.

    Raises
    ------
    ValueError
        If the file is damaged or has another form.
    """
    if content[:8] != _SIGNATURE or content[8:13] != bytes(5):
        raise ValueError("its HDF5 file has another form than Keras writes")
    try:
        if _SUPERBLOCK.unpack_from(content, 8) != (8, 8):
            raise ValueError("its HDF5 file has another form than Keras writes")
        (root,) = _ADDRESS.unpack_from(content, _ROOT_HEADER)
        return _Reader(content).read(root)
    except struct.error:  # beyond the end
        raise ValueError("its HDF5 file is damaged") from None


class _Reader:
    """Reads one file."""

    def __init__(self, content):
        self._content = content
        self._seen: set = set()
        self._n_parts = 0

    def _visit(self, address):
        """Refuse parts that belong to two others, and so circles."""
        if address in self._seen:
            raise ValueError("its HDF5 file has links")
        self._seen.add(address)
        self._count()
        return address

    def _count(self):
        self._n_parts += 1
        if self._n_parts > _MAX_PARTS:
            raise ValueError("its HDF5 file has too many parts")

    def read(self, root):
        """Return the places of all arrays below a group."""
        found, groups = {}, [("", root)]
        while groups:
            path, address = groups.pop()
            messages = self._read_messages(address)
            if _GROUP in messages:
                if path.count("/") > _MAX_DEPTH:
                    raise ValueError("its HDF5 file has groups in groups without end")
                members = self._read_group(messages[_GROUP])
                groups += [(f"{path}/{name}", member) for name, member in members]
            else:
                found[path] = _describe_array(path, messages)
        return found

    def _read_messages(self, address):
        """Return the content of the messages of an object by kind."""
        content = self._content
        version, n_messages, _, size = _OBJECT_HEADER.unpack_from(content, self._visit(address))
        if version != 1:
            raise ValueError("its HDF5 file has another form than Keras writes")
        messages: dict = {}
        blocks, n_read = [(address + _OBJECT_HEADER.size, size)], 0
        while blocks:
            start, size = blocks.pop()
            end = start + size
            while start < end and n_read < n_messages:
                self._count()
                kind, length, _ = _MESSAGE.unpack_from(content, start)
                start += _MESSAGE.size
                messages[kind] = content[start : start + length]
                if kind == _CONTINUATION:
                    block, size = _TWO_SIZES.unpack_from(messages[kind])
                    blocks.append((self._visit(block), size))
                start += length
                n_read += 1
        return messages

    def _read_group(self, message):
        """Yield name and address of the members of a group."""
        tree, heap = _TWO_SIZES.unpack_from(message)
        signature, _, _, names = _HEAP.unpack_from(self._content, self._visit(heap))
        nodes = [tree]
        while nodes:
            node = self._visit(nodes.pop())
            kind, node_type, level, n_children = _TREE_NODE.unpack_from(self._content, node)
            if (signature, kind, node_type) != (b"HEAP", b"TREE", 0):
                raise ValueError("its HDF5 file is damaged")
            for i in range(n_children):
                place = node + _TREE_NODE.size + 8 + 16 * i
                (child,) = _ADDRESS.unpack_from(self._content, place)
                if level:
                    nodes.append(child)
                else:
                    yield from self._read_symbols(child, names)

    def _read_symbols(self, node, names):
        kind, version, n_symbols = _SYMBOLS.unpack_from(self._content, self._visit(node))
        if (kind, version) != (b"SNOD", 1):
            raise ValueError("its HDF5 file is damaged")
        for i in range(n_symbols):
            place = node + _SYMBOLS.size + _SYMBOL.size * i
            offset, address, cache = _SYMBOL.unpack_from(self._content, place)
            start = names + offset
            name, end, _ = self._content[start : start + _MAX_NAME].partition(b"\0")
            if not end or cache not in (0, 1):
                raise ValueError("its HDF5 file has links, or names without end")
            yield name.decode("ascii"), address


def _describe_array(path, messages):
    """Return type, shape and offset of an array from the messages of its header."""
    space, kind, layout = (messages.get(key, b"") for key in (_DATASPACE, _DATATYPE, _LAYOUT))
    is_plain = space[:1] == b"\1" and layout[:2] == b"\3\1"  # version 1; version 3, contiguous
    if not is_plain or not kind or {_EXTERNAL, _FILTERS} & messages.keys():
        raise ValueError(f"{path!r} in its HDF5 file is not stored as it is")
    shape = struct.unpack_from(f"<{space[1]}Q", space, 8)
    character = _KINDS.get((kind[0] & 15, kind[1] & 8 if kind[0] & 15 == 0 else 0))
    size = int.from_bytes(kind[4:8], "little")
    if character is None or kind[1] & 1 or size not in (1, 2, 4, 8):
        raise ValueError(f"{path!r} in its HDF5 file has another type")
    (offset,) = _ADDRESS.unpack_from(layout, 2)
    if offset == _UNDEFINED:
        raise ValueError(f"{path!r} in its HDF5 file has no values")
    return np.dtype(f"<{character}{size}"), shape, offset

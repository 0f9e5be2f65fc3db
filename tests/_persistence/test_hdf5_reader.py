"""The reader of HDF5 files that are not trusted."""

import io

import h5py
import numpy as np
import pytest

from skfashion._persistence.hdf5_reader import find_arrays


def write(change, **options):
    """Return an HDF5 file that ``change`` has written to."""
    content = io.BytesIO()
    with h5py.File(content, "w", **options) as file:
        change(file)
    return content.getvalue()


def many_arrays(file):
    """Write groups of many members, so that their trees have levels, with attributes."""
    rng = np.random.default_rng(0)
    for i in range(300):
        group = file.create_group(f"layers/layer_{i}/vars")
        group.attrs["name"] = f"layer {i}"
        for j, dtype in enumerate(["f4", "f2", "f8", "i8", "u4", "u1"][: i % 7]):
            group[str(j)] = rng.normal(size=(i % 5 + 1, j + 1)).astype(dtype)
            group[str(j)].attrs.update({f"attribute {k}": "x" * 50 for k in range(i % 9)})
    file["number"] = np.float32(2)


def test_finds_what_h5py_finds():
    content = write(many_arrays)
    expected = {}

    def note(path, member):
        if isinstance(member, h5py.Dataset):
            expected[f"/{path}"] = (member.dtype, member.shape, member.id.get_offset())

    with h5py.File(io.BytesIO(content)) as file:
        file.visititems(note)
    assert find_arrays(content) == expected
    assert len(expected) > 800


def link(file, to):
    file["a/b"] = np.ones(3)
    file["a/again"] = to(file)


BAD = {
    "a group in itself": lambda file: link(file, lambda file: file["a"]),
    "an array of two names": lambda file: link(file, lambda file: file["a/b"]),
    "a soft link": lambda file: link(file, lambda file: h5py.SoftLink("/a/b")),
    "an external link": lambda file: link(file, lambda file: h5py.ExternalLink("b.h5", "/")),
    "chunks": lambda file: file.create_dataset("a", data=np.ones(99), chunks=(9,)),
    "compression": lambda file: file.create_dataset("a", data=np.ones(99), compression="gzip"),
    "no values": lambda file: file.create_dataset("a", (10**12,), "f4"),
    "another file": lambda file: file.create_dataset("a", (4,), "f4", external="b.bin"),
    "a virtual array": lambda file: file.create_virtual_dataset(
        "a", h5py.VirtualLayout((4,), "f4")
    ),
    "strings": lambda file: file.create_dataset("a", data=["x", "y"]),
    "records": lambda file: file.create_dataset("a", data=np.zeros(2, "f4,i4")),
    "big endian": lambda file: file.create_dataset("a", data=np.ones(2, ">f4")),
    "a long name": lambda file: file.create_dataset("a" * 300, data=np.ones(2)),
    "a type": lambda file: file.__setitem__("a", np.dtype("f4")),
    "depth": lambda file: file.create_dataset("a/" * 40 + "b", data=np.ones(2)),
}


@pytest.mark.parametrize("kind", BAD)
def test_all_else_is_refused(kind):
    with pytest.raises(ValueError, match="its HDF5 file"):
        find_arrays(write(BAD[kind]))


def test_damaged_files():
    content = write(many_arrays)
    for bad in (b"", b"x" * 1000, content[:300], write(many_arrays, libver="latest")):
        with pytest.raises(ValueError, match="its HDF5 file"):
            find_arrays(bad)

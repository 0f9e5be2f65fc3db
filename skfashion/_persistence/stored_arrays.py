"""Arrays of a model file, read as plain data: nothing is unpickled, and nothing allocated first."""

import hashlib
import io
import math

import h5py
import numpy as np

from skfashion._persistence.archive import open_archive, read_member

__all__ = ["locate_weights", "read_array", "read_hdf5", "read_npz"]

# Networks of Keras' applications have up to 2,000 weights, optimizers three values for each.
_MAX_ARRAYS = 20_000
_MAX_PARTS = 20_000


def read_array(content, dtype, shape, offset=0, order="C"):
    """Return an array that begins at an offset of some bytes, without a copy.

    Raises
    ------
    ValueError
        If the bytes end before it, it holds no numbers, or they are not finite.
    """
    dtype = np.dtype(dtype)
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise ValueError(f"an array has the type {dtype.str!r:.100}")
    if min(shape, default=0) < 0 or offset < 0 or len(shape) > 32:
        raise ValueError(f"an array has the shape {shape!r:.100}")
    size = math.prod(shape)
    if offset + size * dtype.itemsize > len(content):
        raise ValueError("an array is larger than the file")
    array = np.frombuffer(content, dtype, size, offset).reshape(shape, order=order)
    if dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError("an array has values that are infinite or not numbers")
    return array.astype(dtype.newbyteorder("="), copy=False)


def read_npz(content):
    """Return the arrays that ``np.savez`` wrote without names, in their order."""
    arrays = []
    with open_archive(io.BytesIO(content), max_members=_MAX_ARRAYS) as archive:
        for i in range(len(archive.namelist())):
            member = read_member(archive, f"arr_{i}.npy")
            file = io.BytesIO(member)
            if np.lib.format.read_magic(file) != (1, 0):
                raise ValueError("an array has another form than NumPy's first")
            shape, is_fortran, dtype = np.lib.format.read_array_header_1_0(file)
            order = "F" if is_fortran else "C"
            arrays.append(read_array(member, dtype, shape, file.tell(), order))
    return arrays


def read_hdf5(content):
    """Return the arrays of an HDF5 file by path.

    Links to other files and arrays that are kept elsewhere are refused before they are followed.
    """
    with h5py.File(io.BytesIO(content), "r") as file:
        return {
            path: read_array(content, dataset.dtype, dataset.shape, _find_offset(path, dataset))
            for path, dataset in _walk_datasets(file)
        }


def locate_weights(content, weights):
    """Find weights in the HDF5 file that Keras wrote of them.

    They are found by their bytes, wherever Keras puts the weights of which layer.

    Parameters
    ----------
    content : bytes
        The HDF5 file.
    weights : sequence of ndarray

    Returns
    -------
    places : list of dict
        ``dtype``, ``shape`` and ``offset``, in bytes, of each weight.

    Raises
    ------
    ValueError
        If the file does not hold a weight as it is.
    """
    with h5py.File(io.BytesIO(content), "r") as file:
        offsets = {
            _digest(dataset[...]): _find_offset(path, dataset)
            for path, dataset in _walk_datasets(file)
        }
    try:
        return [
            {"dtype": w.dtype.str, "shape": w.shape, "offset": offsets[_digest(w)]} for w in weights
        ]
    except KeyError:
        raise ValueError("Keras stores its weights in another form") from None


def _digest(array):
    return array.dtype.str, array.shape, hashlib.sha256(array.tobytes()).digest()


def _walk_datasets(file):
    """Yield path and dataset of all arrays, by hard links alone."""
    groups, n_seen = [("", file)], 0
    while groups:
        path, group = groups.pop()
        n_seen += len(group)
        if n_seen > _MAX_PARTS:
            raise ValueError("its HDF5 file has too many parts")
        for name in group:
            here = f"{path}/{name}"
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{here!r} in its HDF5 file is a link")
            member = group[name]
            if isinstance(member, h5py.Group):
                groups.append((here, member))
            elif isinstance(member, h5py.Dataset):
                yield here, member
            else:
                raise ValueError(f"{here!r} in its HDF5 file is neither group nor array")


def _find_offset(path, dataset):
    """Return where the numbers of an array begin in its file."""
    is_plain = not (dataset.external or dataset.is_virtual or dataset.chunks)
    offset = dataset.id.get_offset() if is_plain else None
    if offset is None:
        raise ValueError(f"{path!r} in its HDF5 file is not stored as it is")
    return offset

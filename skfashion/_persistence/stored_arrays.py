"""Arrays of a model file, read as plain data: nothing is unpickled, and nothing allocated first."""

import hashlib
import io
import math

import h5py
import numpy as np

from skfashion._persistence.archive import open_archive, read_member
from skfashion._persistence.hdf5_reader import find_arrays

__all__ = ["locate_weights", "open_hdf5", "read_array", "read_hdf5", "read_npz"]

# Networks of Keras' applications have up to 2,000 weights, optimizers three values for each.
_MAX_ARRAYS = 20_000


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
    with open_archive(io.BytesIO(content), "npz file", _MAX_ARRAYS) as archive:
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
    """Return the arrays of an HDF5 file that is not trusted, by path."""
    return {
        path: read_array(content, dtype, shape, offset)
        for path, (dtype, shape, offset) in find_arrays(content).items()
    }


def locate_weights(content, weights):
    """Find weights in the HDF5 file that Keras has just written of them.

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
    offsets = {_digest(array): offset for array, offset in open_hdf5(content).values()}
    places = []
    for i, weight in enumerate(weights):
        offset = offsets.get(_digest(weight))
        if offset is None:
            raise ValueError(
                f"The classifier cannot be saved: weight {i} has the type {weight.dtype}, which "
                "Keras does not store as it is."
            )
        places.append({"dtype": weight.dtype.str, "shape": weight.shape, "offset": offset})
    return places


def _digest(array):
    return array.dtype.str, array.shape, hashlib.sha256(array.tobytes()).digest()


def open_hdf5(content):
    """Return array and offset, by path, of an HDF5 file that was written by this process.

    The offset is None if the array is not stored as it is.
    """
    found = {}

    def note(path, member):
        if isinstance(member, h5py.Dataset):
            found[f"/{path}"] = member[...], None if member.chunks else member.id.get_offset()

    with h5py.File(io.BytesIO(content), "r") as file:
        file.visititems(note)
    return found

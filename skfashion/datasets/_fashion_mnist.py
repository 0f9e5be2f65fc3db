"""All of Fashion-MNIST, from wherever it can be had."""

import hashlib
import os
from pathlib import Path

import numpy as np
from sklearn.utils import Bunch

from skfashion.datasets._bunch import FASHION_CLASSES, as_bunch, check_subset
from skfashion.datasets._idx import open_idx
from skfashion.errors import DatasetError, DatasetNotFoundError

__all__ = ["fetch_fashion_mnist", "find_fashion_mnist"]

_MIRRORS = (
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
    "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
)
_SYSTEM = Path("/usr/share/datasets/fashion-mnist")

# sha256 of each published file's content, and of the published file itself. Distributions
# compress the same content anew, so that only the former tells whether theirs is the real thing.
_FILES = {
    "train-images-idx3-ubyte": (
        "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    ),
    "train-labels-idx1-ubyte": (
        "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    ),
    "t10k-images-idx3-ubyte": (
        "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    ),
    "t10k-labels-idx1-ubyte": (
        "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    ),
}
_SHAPES = {
    "train-images-idx3-ubyte": (60_000, 28, 28),
    "train-labels-idx1-ubyte": (60_000,),
    "t10k-images-idx3-ubyte": (10_000, 28, 28),
    "t10k-labels-idx1-ubyte": (10_000,),
}
_PREFIXES = {"train": "train", "test": "t10k"}

_DESCRIPTION = """\
Fashion-MNIST: 60,000 training and 10,000 test images of 10 classes of clothes, 28x28 pixels, grey,
light on black. Copyright (c) 2017 Zalando SE, MIT licence. H. Xiao, K. Rasul, R. Vollgraf,
"Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms",
arXiv:1708.07747."""


def fetch_fashion_mnist(
    *,
    subset="train",
    data_home=None,
    source="auto",
    download_if_missing=True,
    return_X_y=False,
    as_frame=False,
):
    """Load Fashion-MNIST, downloading it if it is not on this machine.

    The content of every file is checked against the published one before it is used.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        The 60,000 training images, the 10,000 test images, or both in this order.
    data_home : str or path-like, default=None
        Folder in whose ``fashion-mnist`` downloads are kept; None is ``skfashion`` in the user's
        cache folder.
    source : {"auto", "system", "keras", "download"} or path-like, default="auto"
        "auto" tries ``data_home``, the system package, Keras' cache and the download, in this
        order. "system" is Debian's package ``dataset-fashion-mnist``, "keras" what
        ``keras.datasets.fashion_mnist`` has downloaded, "download" is ``data_home`` filled from
        the mirrors. Anything else is a directory with the four IDX files, compressed or not.
    download_if_missing : bool, default=True
        Whether to use the network at all.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` alone.
    as_frame : bool, default=False
        Whether ``data`` is a pandas data frame with columns ``pixel1`` to ``pixel784`` and
        ``target`` a series.

    Returns
    -------
    bunch : Bunch
        ``data`` (n, 784) and ``images`` (n, 28, 28) of ``uint8``, from 0 to 255; ``target`` (n,)
        of ``int64``, from 0 to 9; ``target_names``; ``DESCR``.
    (data, target) : tuple if ``return_X_y`` is True

    Raises
    ------
    DatasetNotFoundError
        If the images are nowhere to be had; the message lists what was tried and what to do. Also
        if ``source`` is a directory that is missing or lacks a file.
    DatasetError
        If a file of the given ``source`` is damaged or is not Fashion-MNIST's.
    ValueError
        If ``subset`` is none of the above.

    See Also
    --------
    load_fashion_sample : 7,000 of the images, bundled.
    find_fashion_mnist : Find and check the copies on this machine.

    Examples
    --------
    >>> from skfashion.datasets import fetch_fashion_mnist
    >>> X, y = fetch_fashion_mnist(return_X_y=True)  # doctest: +SKIP
    >>> X.shape  # doctest: +SKIP
    (60000, 784)
    """
    parts = check_subset(subset)
    arrays = _load_parts(parts, data_home, source, download_if_missing)
    images, target = (
        np.concatenate([part[i] for part in arrays]) if len(parts) > 1 else arrays[0][i]
        for i in (0, 1)
    )
    return as_bunch(
        images,
        target,
        FASHION_CLASSES,
        _DESCRIPTION,
        return_X_y=return_X_y,
        as_frame=as_frame,
    )


def find_fashion_mnist(*, data_home=None):
    """Find and check the copies of Fashion-MNIST on this machine.

    All 70,000 images are read. Nothing is downloaded.

    Parameters
    ----------
    data_home : str or path-like, default=None
        Folder in whose ``fashion-mnist`` downloads are kept, as in :func:`fetch_fashion_mnist`.

    Returns
    -------
    copies : dict of str to Bunch
        One for each source "download", "system" and "keras", in the order in which
        :func:`fetch_fashion_mnist` tries them. Each has ``directory``, the folder in which the
        source keeps its files, and ``problem``: None if the copy is complete, otherwise a sentence
        that says what is wrong with it.

    See Also
    --------
    fetch_fashion_mnist : Load the images.

    Examples
    --------
    >>> from skfashion.datasets import find_fashion_mnist
    >>> copies = find_fashion_mnist(data_home="nowhere")
    >>> list(copies)
    ['download', 'system', 'keras']
    >>> copies["download"].problem
    'no such folder'
    """
    return {
        name: Bunch(directory=directory, problem=_find_problem(directory))
        for name, directory in _source_directories(data_home).items()
    }


def _source_directories(data_home):
    """Return the local folder of each source, in the order in which they are tried."""
    import pooch

    keras_home = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
    return {
        "download": Path(data_home or pooch.os_cache("skfashion")).expanduser() / "fashion-mnist",
        "system": _SYSTEM,
        "keras": Path(keras_home, "datasets", "fashion-mnist"),
    }


def _find_problem(directory):
    """Return a sentence on what is wrong with a copy of Fashion-MNIST, or None."""
    if not directory.is_dir():
        return "no such folder"
    try:
        for part in _PREFIXES:
            _read_part(part, directory)
    except (OSError, DatasetError) as error:
        return str(error)
    return None


def _load_parts(parts, data_home, source, download_if_missing):
    """Images and labels of each part, from the first source that has them."""
    directories = _source_directories(data_home)
    cache = directories["download"]
    is_name = isinstance(source, str) and source in ("auto", *directories)
    if not is_name:
        directory = Path(source).expanduser()
        if not directory.is_dir():
            raise DatasetNotFoundError(
                f"source={str(source)!r} is neither a directory nor one of 'auto', "
                f"{', '.join(map(repr, directories))}."
            )
        return [_read_part(part, directory) for part in parts]

    tried = []
    for name, directory in directories.items():
        if source not in ("auto", name):
            continue
        try:
            return [_read_part(part, directory) for part in parts]
        except OSError as error:
            tried.append(str(error))
        except DatasetError as error:
            if name == "download":
                _discard_damaged(cache, parts)
            elif source == name:
                raise
            tried.append(str(error))
    if source in ("auto", "download"):
        if download_if_missing:
            failures = _download(parts, cache)
            if not failures:
                return [_read_part(part, cache) for part in parts]
            tried += failures
        else:
            tried.append("the mirrors: not asked, download_if_missing=False")
    raise DatasetNotFoundError(
        "Fashion-MNIST is not to be had. Tried:\n"
        + "".join(f"  - {attempt}\n" for attempt in tried)
        + "What you can do:\n"
        "  - on Debian or Ubuntu: apt-get install dataset-fashion-mnist\n"
        "  - copy the four files *-ubyte.gz into a directory and pass it as source\n"
        "  - use the bundled sample: skfashion.datasets.load_fashion_sample()"
    )


def _file_names(part):
    """Names of a part's images and labels files."""
    return [name for name in _FILES if name.startswith(_PREFIXES[part])]


def _read_part(part, directory):
    """Images and labels of one part, checked against the published content."""
    images, labels = (_read_verified(name, directory) for name in _file_names(part))
    return images, labels


def _read_verified(name, directory):
    path = _find_file(name, directory)
    with open_idx(path) as idx:
        if (idx.shape, idx.dtype) == (_SHAPES[name], np.uint8):  # no other is worth reading
            array = idx.read()
            digest = hashlib.sha256(idx.header)
            digest.update(array)
            if digest.hexdigest() == _FILES[name][0]:
                return array
    raise DatasetError(
        f"{path} is an IDX file of shape {idx.shape}, but its content is not "
        f"Fashion-MNIST's {name}; it may be MNIST's digits, which have the same file names."
    )


def _find_file(name, directory):
    for candidate in (f"{name}.gz", name):
        if Path(directory, candidate).is_file():
            return Path(directory, candidate)
    raise DatasetNotFoundError(f"{directory}: no {name}.gz")


def _discard_damaged(cache, parts):
    """Delete what is not Fashion-MNIST's from the cache, so that it is downloaded anew."""
    for part in parts:
        for name in _file_names(part):
            try:
                _read_verified(name, cache)
            except OSError:
                pass
            except DatasetError:
                _find_file(name, cache).unlink()


def _download(parts, cache):
    """Fill the cache from the mirrors; returns what went wrong, nothing if all is there."""
    import pooch

    downloader = pooch.HTTPDownloader(progressbar=True, timeout=30)
    for part in parts:
        for name in _file_names(part):
            failures = []
            for mirror in _MIRRORS:
                try:
                    pooch.retrieve(
                        f"{mirror}{name}.gz",
                        known_hash=f"sha256:{_FILES[name][1]}",
                        fname=f"{name}.gz",
                        path=cache,
                        downloader=downloader,
                    )
                    break
                except (OSError, ValueError) as error:
                    failures.append(f"{mirror}{name}.gz: {error}")
            else:
                return failures
    return []

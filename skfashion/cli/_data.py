"""Images that commands work on, and ``skfashion datasets``."""

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import click

from skfashion.cli._console import echo
from skfashion.cli._model import check_takes_pictures
from skfashion.errors import SkfashionError

__all__ = ["DataOptions", "TestData", "datasets", "fingerprint", "last_part", "load_test_data"]

# Share of each class to test on if the data has no test images.
_TEST_FRACTION = 0.2
_N_DIGESTS = 16


@click.command()
def datasets():
    """Say which images are on this machine, and how to get the others.

    What is there is read and checked, all 70,000 images.
    """
    from skfashion.datasets import find_fashion_mnist

    echo("sample  7,000 images of Fashion-MNIST, bundled: --data sample")
    echo("full    all 70,000 images of Fashion-MNIST: --data full, from the first that works")
    copies = find_fashion_mnist()
    for name, copy in copies.items():
        echo(f"  {name:8}  {copy.directory}: {copy.problem or 'complete'}")
    if all(copy.problem for copy in copies.values()):
        echo(
            "  --data full downloads 30 MB into the first. Or, on Debian and Ubuntu:",
            "  apt-get install dataset-fashion-mnist. Or give a folder with the four files",
            "  *-ubyte.gz as --data.",
        )
    echo(
        "yours   a folder with a folder of pictures for each class, or a CSV file: --data PATH,",
        '        see "skfashion train --help"',
    )


@dataclass(frozen=True)
class DataOptions:
    """Options that say which images to train on."""

    data: str
    seed: int
    invert: bool

    def load(self):
        """Load training images of at least two classes, and test images.

        Returns
        -------
        images : LoadedImages
        """
        try:
            images = LoadedImages(*_read(self.data, self.seed, self.invert))
        except (SkfashionError, OSError, ValueError) as error:
            raise click.BadParameter(str(error), param_hint="--data") from error
        if len(set(images.training.target)) < 2:
            raise click.BadParameter(
                f"{self.data} holds images of one class only, {images.class_names[0]!r}.",
                param_hint="--data",
            )
        return images


class LoadedImages(NamedTuple):
    """Images to train on, and images to test on.

    Attributes
    ----------
    training, test : Bunch
        Images with their labels.
    description : str
        Their name, to show.
    """

    training: Any
    test: Any
    description: str

    @property
    def class_names(self):
        """list of str: names of the classes."""
        return self.training.target_names

    def __str__(self):
        return (
            f"{len(self.training.target):,} images of {len(self.class_names)} classes: "
            f"{self.description}"
        )

    def check_folds(self, cv):
        """Make sure that each fold gets images of each class."""
        import numpy as np

        n_images = np.unique(self.training.target, return_counts=True)[1]
        if n_images.min() < cv:
            raise click.BadParameter(
                f"{cv} folds take {cv} training images of each class, and there are "
                f"{n_images.min()} of {self.class_names[n_images.argmin()]!r}.",
                param_hint="--cv",
            )


class TestData(NamedTuple):
    """Images to test a model on.

    Attributes
    ----------
    bunch : Bunch
        Images with their labels.
    description : str
        Their name, to show.
    are_test_images : bool
        Whether the data itself sets them apart to test on.
    are_own_pictures : bool
        Whether they were read from picture files.
    """

    bunch: Any
    description: str
    are_test_images: bool
    are_own_pictures: bool


def load_test_data(data, classifier, model, invert):
    """Load images to test the classifier in the file ``model`` on.

    Pictures are read in the classifier's size and colours.
    """
    from skfashion.datasets import read_image_csv, read_image_folder

    height, width, channels = classifier.image_shape_
    try:
        load, description = _find_loader(data)
        if load is not None:
            check_takes_pictures(classifier, model)
            test = load(subset="test")
            return TestData(test, f"the test images of {description}", True, False)
        path = _check_path(data)
        if path.is_file():
            table = read_image_csv(path, image_shape=classifier.image_shape_)
            return TestData(table, f"all of {path}", False, False)
        check_takes_pictures(classifier, model)
        is_split = (path / "test").is_dir()
        folder = path / "test" if is_split else path
        pictures = read_image_folder(
            folder, image_shape=(height, width), color=channels == 3, invert=invert
        )
        return TestData(pictures, f"pictures in {folder}", is_split, True)
    except (SkfashionError, OSError, ValueError) as error:
        raise click.BadParameter(str(error), param_hint="--data") from error


def fingerprint(images, n_digests=_N_DIGESTS):
    """Return the smallest digests of images: a sample that does not depend on their order.

    Parameters
    ----------
    images : ndarray of shape (n, n_pixels) of uint8
    n_digests : int or None
        None returns those of all images.

    Returns
    -------
    digests : list of str
    """
    return sorted({hashlib.sha256(image.tobytes()).hexdigest()[:8] for image in images})[:n_digests]


def last_part(data):
    """Return what ``--data`` names without the folders above it."""
    return data if data in ("sample", "full") else Path(data).expanduser().resolve().name


def _read(data, seed, invert):
    """Return training images, test images and a description of both."""
    from skfashion.datasets import read_image_csv, read_image_folder

    load, description = _find_loader(data)
    if load is not None:
        return load(), load(subset="test"), description
    path = _check_path(data)
    if path.is_file():
        return _split(read_image_csv(path), seed, path)
    if (path / "train").is_dir() and (path / "test").is_dir():
        training, test = (
            read_image_folder(path / part, invert=invert) for part in ("train", "test")
        )
        if training.target_names != test.target_names:
            raise ValueError(f"{path / 'train'} and {path / 'test'} hold different classes.")
        return training, test, f"pictures in {path}"
    return _split(read_image_folder(path, invert=invert), seed, path)


def _find_loader(data):
    """Return a function that loads Fashion-MNIST or a part, and a description; or None twice."""
    from functools import partial

    from skfashion.datasets import fetch_fashion_mnist, load_fashion_sample

    if data == "sample":
        return load_fashion_sample, "the sample of Fashion-MNIST"
    if data == "full":
        return fetch_fashion_mnist, "all of Fashion-MNIST"
    path = Path(data).expanduser()
    if any(path.glob("*idx?-ubyte*")):
        return partial(fetch_fashion_mnist, source=path), f"IDX files in {path}"
    return None, None


def _check_path(data):
    path = Path(data).expanduser()
    if not path.is_file() and not path.is_dir():
        raise ValueError(f"{data!r} is neither 'sample' nor 'full' nor a file or folder.")
    return path


def _split(bunch, seed, path):
    """Hold out test images, stratified."""
    from sklearn.model_selection import train_test_split
    from sklearn.utils import Bunch

    split = train_test_split(
        bunch.data, bunch.target, test_size=_TEST_FRACTION, stratify=bunch.target, random_state=seed
    )
    training, test = (
        Bunch(data=split[i], target=split[i + 2], target_names=bunch.target_names) for i in (0, 1)
    )
    return training, test, f"{path}, with a fifth of each class held out for the test"

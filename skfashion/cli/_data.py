"""Images that commands work on."""

from pathlib import Path
from typing import Any, NamedTuple

import click

from skfashion.cli._model import check_takes_pictures
from skfashion.errors import SkfashionError

__all__ = ["check_folds", "load_data", "load_test_data"]

# Share of each class to test on where the data has no test images of its own.
_TEST_FRACTION = 0.2


def load_data(data, seed, invert):
    """Training images, test images, and a description of both; at least two classes."""
    try:
        training, test, description = _read(data, seed, invert)
    except (SkfashionError, OSError, ValueError) as error:
        raise click.BadParameter(str(error), param_hint="--data") from error
    if len(set(training.target)) < 2:
        raise click.BadParameter(
            f"{data} holds images of one class only, {training.target_names[0]!r}.",
            param_hint="--data",
        )
    return training, test, description


class TestData(NamedTuple):
    """Images to test a model on.

    Attributes
    ----------
    bunch : Bunch
        Images with their labels.
    description : str
        What they are.
    are_test_images : bool
        Whether the data itself has them apart, to test on.
    are_own_pictures : bool
        Whether they were read from picture files.
    """

    bunch: Any
    description: str
    are_test_images: bool
    are_own_pictures: bool


def load_test_data(data, classifier, model, invert):
    """Images to test the classifier in the file ``model`` on.

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


def check_folds(cv, training):
    """Make sure that each fold gets images of each class."""
    import numpy as np

    n_images = np.unique(training.target, return_counts=True)[1]
    if n_images.min() < cv:
        raise click.BadParameter(
            f"{cv} folds take {cv} training images of each class, and there are {n_images.min()} "
            f"of {training.target_names[n_images.argmin()]!r}.",
            param_hint="--cv",
        )


def _read(data, seed, invert):
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
    """A function that loads Fashion-MNIST or a part of it, and a description; or None and None."""
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
    if not path.exists():
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

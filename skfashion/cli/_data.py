"""Images that commands work on."""

from pathlib import Path

import click

from skfashion.errors import SkfashionError

__all__ = ["check_folds", "load_data"]

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
    from skfashion.datasets import (
        fetch_fashion_mnist,
        load_fashion_sample,
        read_image_csv,
        read_image_folder,
    )

    loaders = {"sample": load_fashion_sample, "full": fetch_fashion_mnist}
    if data in loaders:
        load = loaders[data]
        return (
            load(),
            load(subset="test"),
            {"sample": "the sample", "full": "all"}[data] + (" of Fashion-MNIST"),
        )
    path = Path(data).expanduser()
    if not path.exists():
        raise ValueError(f"{data!r} is neither 'sample' nor 'full' nor a file or folder.")
    if path.is_file():
        return _split(read_image_csv(path), seed, path)
    if any(path.glob("*idx?-ubyte*")):
        parts = [fetch_fashion_mnist(subset=subset, source=path) for subset in ("train", "test")]
        return *parts, f"IDX files in {path}"
    if (path / "train").is_dir() and (path / "test").is_dir():
        training, test = (
            read_image_folder(path / part, invert=invert) for part in ("train", "test")
        )
        if training.target_names != test.target_names:
            raise ValueError(f"{path / 'train'} and {path / 'test'} hold different classes.")
        return training, test, f"pictures in {path}"
    return _split(read_image_folder(path, invert=invert), seed, path)


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

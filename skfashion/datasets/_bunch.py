"""The form in which every loader returns images."""

import numpy as np
from sklearn.utils import Bunch

__all__ = ["FASHION_CLASSES", "as_bunch", "check_subset"]

FASHION_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def check_subset(subset):
    """The parts, of "train" and "test", that ``subset`` names."""
    parts = {"train": ("train",), "test": ("test",), "all": ("train", "test")}
    if subset not in parts:
        raise ValueError(f"subset must be one of 'train', 'test', 'all'; got {subset!r}.")
    return parts[subset]


def as_bunch(
    images, target, target_names, description, *, return_X_y=False, as_frame=False, **more
):
    """Images with their labels, flattened and not, as scikit-learn's loaders give them.

    Parameters
    ----------
    images : ndarray of shape (n, height, width) or (n, height, width, channels) of uint8
    target : array-like of shape (n,) of int
    target_names : sequence of str
    description : str
    return_X_y, as_frame : bool
        As in scikit-learn's loaders.
    **more
        Further entries.

    Returns
    -------
    bunch : Bunch, or tuple (data, target) if ``return_X_y``
    """
    data = images.reshape(len(images), -1)
    target = np.asarray(target, dtype=np.int64)
    if as_frame:
        import pandas as pd

        columns = [f"pixel{i}" for i in range(1, data.shape[1] + 1)]
        data = pd.DataFrame(data, columns=columns)
        target = pd.Series(target, name="label")
    if return_X_y:
        return data, target
    return Bunch(
        data=data,
        images=images,
        target=target,
        target_names=list(target_names),
        DESCR=description,
        **more,
    )

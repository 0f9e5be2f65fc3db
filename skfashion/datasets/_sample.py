"""The bundled sample of Fashion-MNIST."""

from importlib.resources import files

import numpy as np

from skfashion.datasets._bunch import FASHION_CLASSES, as_bunch, check_subset

__all__ = ["load_fashion_sample"]

_DESCRIPTION = """\
Sample of Fashion-MNIST: the first 600 training and the first 100 test images of each of the 10
classes, in the order of the published files, which "indices" point into. 28x28 pixels, grey, light
clothes on black. Copyright (c) 2017 Zalando SE, MIT licence. H. Xiao, K. Rasul, R. Vollgraf,
"Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms",
arXiv:1708.07747."""


def load_fashion_sample(*, subset="train", return_X_y=False, as_frame=False):
    """Load the sample of Fashion-MNIST that comes with skfashion.

    It is stratified, 600 training and 100 test images of each class, and needs no download.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        The 6,000 training images, the 1,000 test images, or both in this order.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` alone.
    as_frame : bool, default=False
        Whether ``data`` is a pandas data frame with columns ``pixel1`` to ``pixel784`` and
        ``target`` a series.

    Returns
    -------
    bunch : Bunch
        ``data`` (n, 784) and ``images`` (n, 28, 28) of ``uint8``, from 0 to 255; ``target`` (n,)
        of ``int64``, from 0 to 9; ``target_names``; ``indices`` (n,), positions in the published
        training or test file; ``DESCR``.
    (data, target) : tuple if ``return_X_y`` is True

    Raises
    ------
    ValueError
        If ``subset`` is none of the above.

    See Also
    --------
    fetch_fashion_mnist : All 70,000 images.

    Examples
    --------
    >>> from skfashion.datasets import load_fashion_sample
    >>> sample = load_fashion_sample()
    >>> sample.images.shape, sample.target_names[sample.target[0]]
    ((6000, 28, 28), 'Ankle boot')
    """
    parts = check_subset(subset)
    with (
        files("skfashion.datasets").joinpath("data", "fashion_sample.npz").open("rb") as file,
        np.load(file) as arrays,
    ):
        images, target, indices = (
            np.concatenate([arrays[f"{part}_{name}"] for part in parts])
            for name in ("images", "labels", "indices")
        )
    return as_bunch(
        images,
        target,
        FASHION_CLASSES,
        _DESCRIPTION,
        return_X_y=return_X_y,
        as_frame=as_frame,
        indices=indices,
    )

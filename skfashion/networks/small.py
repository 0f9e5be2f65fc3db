"""A residual network of fewer than 100,000 parameters."""

from skfashion.networks._shared import build_residual

__all__ = ["build"]


def build(image_shape, n_classes, *, dropout=0.0, width=24):
    """Build ``small``: a stem and three residual stages, then global max pooling.

    Conv(24), then Conv-Conv, Pool-Conv-Conv and Pool-Conv-Conv, with a shortcut over the second of
    each two, and 24, 44 and 60 channels; 3x3, batch normalisation and ReLU. Takes images of any
    size. On 28x28 grey images with 10 classes it has 95,402 parameters.

    Parameters
    ----------
    image_shape : tuple of 3 int
        Height, width and channels.
    n_classes : int
        Number of classes.
    dropout : float, default=0.0
        Fraction of the pooled features dropped in training.
    width : int, default=24
        Channels of the stem and of the first stage. The second stage has eleven sixths as many, the
        third five halves.

    Returns
    -------
    network : keras.Model
    """
    return build_residual(
        "small",
        image_shape,
        n_classes,
        stem=width,
        stages=[width, 11 * width // 6, 5 * width // 2],
        dropout=dropout,
        pool_first=False,
    )

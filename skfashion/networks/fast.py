"""A small residual network of high accuracy in little CPU time."""

from skfashion.networks._shared import build_residual

__all__ = ["build"]


def build(image_shape, n_classes, *, dropout=0.0, width=48, depth=2):
    """Build ``fast``: a stem and three residual stages, then global max pooling.

    Conv(32), then three times Pool-Conv-Conv with a shortcut over the second, with 48, 96 and 192
    channels; 3x3, batch normalisation and ReLU. Takes images of any size. On 28x28 grey images with
    10 classes it has 661,674 parameters.

    Parameters
    ----------
    image_shape : tuple of 3 int
        Height, width and channels.
    n_classes : int
        Number of classes.
    dropout : float, default=0.0
        Fraction of the pooled features dropped in training.
    width : int, default=48
        Channels of the first stage. Each later stage has twice as many as the one before, the stem
        has two thirds. Multiples of 16 use the processor's vector units best.
    depth : int, default=2
        Convolutions of each stage, at least 2, with the shortcut over all but the first. The stem
        has one fewer. With 3, an epoch takes about 1.7 times as long, and accuracy is higher.

    Returns
    -------
    network : keras.Model
    """
    return build_residual(
        "fast",
        image_shape,
        n_classes,
        stem=max(1, 2 * width // 3),
        stages=[width, 2 * width, 4 * width],
        depth=depth,
        dropout=dropout,
    )

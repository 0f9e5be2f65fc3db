"""A residual network of fewer than 100,000 parameters."""

from skfashion.networks._residual import build_residual

__all__ = ["build"]


def build(image_shape, n_classes, *, dropout=0.0, width=48):
    """Build ``small``: a stem and two residual stages, then global max pooling.

    Conv(24), then twice Pool-Conv-Conv with a shortcut over the second, with 48 and 64 channels;
    3x3, batch normalisation and ReLU. Takes images of any size. On 28x28 grey images with 10
    classes it has 97,474 parameters.

    Parameters
    ----------
    image_shape : tuple of 3 int
        Height, width and channels.
    n_classes : int
        Number of classes.
    dropout : float, default=0.0
        Fraction of the pooled features dropped in training.
    width : int, default=48
        Channels of the first stage; the second has four thirds as many, the stem half.

    Returns
    -------
    network : keras.Model
    """
    return build_residual(
        "small",
        image_shape,
        n_classes,
        stem=max(1, width // 2),
        stages=[width, 4 * width // 3],
        depth=2,
        dropout=dropout,
    )

"""MobileNet version 2, from Keras' applications, with ImageNet's weights."""

import keras

from skfashion.networks._pretrained import build_on_backbone

__all__ = ["build"]


def build(image_shape, n_classes, *, weights="imagenet", trainable=True, dropout=0.2, size=96):
    """Build ``mobilenetv2``: images resized, MobileNetV2, global average pooling, softmax.

    Takes images of any size. On 28x28 grey images with 10 classes it has 2,270,794 parameters.

    Parameters
    ----------
    image_shape : tuple of 3 int
        Height, width and channels. One channel is repeated; otherwise there must be 3.
    n_classes : int
        Number of classes.
    weights : "imagenet", str, path-like or None, default="imagenet"
        Initial weights of the backbone: ImageNet's, from Keras' cache or else downloaded
        (9 MB); a file that ``save_weights`` wrote for ``keras.applications.MobileNetV2``
        without its top; or random weights.
    trainable : bool, default=True
        Whether the backbone learns. If not, only the last layer does.
    dropout : float, default=0.2
        Fraction of the backbone's features dropped in training.
    size : int, default=96
        Height and width that images are resized to, at least 32 pixels. Time grows with its square.

    Returns
    -------
    network : keras.Model

    References
    ----------
    .. [1] M. Sandler, A. Howard, M. Zhu, A. Zhmoginov, L.-C. Chen, "MobileNetV2: Inverted Residuals
       and Linear Bottlenecks", arXiv:1801.04381, 2018.
    """
    return build_on_backbone(
        "mobilenetv2",
        keras.applications.MobileNetV2,
        image_shape,
        n_classes,
        weights=weights,
        trainable=trainable,
        dropout=dropout,
        size=size,
    )

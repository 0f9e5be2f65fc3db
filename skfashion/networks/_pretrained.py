"""Networks on top of a backbone from Keras' applications."""

import os
from pathlib import Path

import keras
from keras import layers

__all__ = ["build_on_backbone"]

# Mean and standard deviation of ImageNet's pixels, about, on the scale [-1, 1] that applications of
# the V2 families take.
_MEAN, _STD = -0.1, 0.45

_SMALLEST = 32

# Momentum of batch normalisation. With the applications' own, 0.99 and 0.999, the running averages
# hardly move in the few steps of a fine-tuning.
_MOMENTUM = 0.9


def build_on_backbone(
    architecture, application, image_shape, n_classes, *, weights, trainable, dropout, size
):
    """Build a network that resizes images, extracts features with a backbone and classifies these.

    Parameters
    ----------
    architecture : str
        Name of the architecture, for messages.
    application : callable
        A function of ``keras.applications``.
    image_shape : tuple of 3 int
        Height, width and channels. One channel is repeated; otherwise there must be 3.
    n_classes : int
        Number of classes.
    weights : "imagenet", str, path-like or None
        Initial weights of the backbone.
    trainable : bool
        Whether the backbone learns.
    dropout : float
        Fraction of the backbone's features dropped in training.
    size : int
        Height and width, in pixels, that images are resized to.

    Returns
    -------
    network : keras.Model

    Raises
    ------
    ValueError
        If images have neither 1 nor 3 channels, ``size`` is too small, or the weights belong to
        another architecture.
    TypeError
        If ``weights`` is of another type.
    FileNotFoundError
        If there is no such weights file.
    OSError
        If ImageNet's weights are neither on this machine nor can be downloaded.
    """
    channels = image_shape[2]
    if channels not in (1, 3):
        raise ValueError(
            f"Architecture {architecture!r} takes images of 1 or 3 channels, got {channels}."
        )
    if size < _SMALLEST:
        raise ValueError(
            f"size of architecture {architecture!r} must be at least {_SMALLEST} pixels, got "
            f"{size}."
        )
    inputs = keras.Input(image_shape, name="images")
    x = layers.Concatenate(name="repeat")([inputs] * 3) if channels == 1 else inputs
    x = layers.Resizing(size, size, name="resize")(x)
    x = layers.Rescaling(_STD, _MEAN, name="scale")(x)
    backbone = _build_backbone(architecture, application, x, weights)
    for layer in backbone.layers:
        layer.trainable = trainable
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = _MOMENTUM
    x = layers.GlobalAveragePooling2D(name="features")(backbone.output)
    x = layers.Dropout(dropout, name="dropout")(x)
    outputs = layers.Dense(n_classes, activation="softmax", name="probabilities")(x)
    return keras.Model(inputs, outputs, name=architecture)


def _build_backbone(architecture, application, images, weights):
    arguments = {"include_top": False, "input_tensor": images, "input_shape": images.shape[1:]}
    if weights == "imagenet":
        try:
            return application(weights="imagenet", **arguments)
        except Exception as error:
            if type(error) is not Exception:  # Keras raises a bare Exception if it cannot download
                raise
            cache = Path(os.environ.get("KERAS_HOME") or Path.home() / ".keras", "models")
            raise OSError(
                f"ImageNet's weights for architecture {architecture!r} are not on this machine and "
                "could not be downloaded. Download the file that is named at the end of this "
                f"message elsewhere and put it into {cache}, or give its path as "
                "architecture__weights. With architecture__weights=None and freeze_epochs=0 it "
                f"begins with random weights. Keras said: {error}"
            ) from None
    if not (weights is None or isinstance(weights, (str, os.PathLike))):
        raise TypeError(
            f"weights of architecture {architecture!r} must be 'imagenet', the path of a file or "
            f"None, got {weights!r}."
        )
    backbone = application(weights=None, **arguments)
    if weights is not None:
        _load(architecture, backbone, Path(weights))
    return backbone


def _load(architecture, backbone, path):
    if not path.is_file():
        raise FileNotFoundError(
            f"No weights file {str(path)!r} for architecture {architecture!r}; weights are "
            "'imagenet', the path of a file or None. (A path is not taken from a model file.)"
        )
    try:
        backbone.load_weights(path)
    except Exception as error:  # Keras and h5py raise many kinds
        lines = [line for line in str(error).splitlines() if line.strip()]
        reason = " ".join(lines[:2])[:300]  # the rest lists all tensors and layers
        raise ValueError(
            f"{path} does not hold the weights of {backbone.name}, the backbone of architecture "
            f"{architecture!r} (keras.applications, include_top=False): {reason}"
        ) from error

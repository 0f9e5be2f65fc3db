"""Write a small model file of each architecture, and what each predicts.

Run it once for each format version, with the skfashion that writes that version and the lowest
Keras that it supports: an older Keras cannot read what a newer one wrote. Later versions read these
files in ``tests/_persistence/test_format_versions.py``.

    python tests/_persistence/data/make_model_files.py tests/_persistence/data/format_3
"""

import lzma
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

import keras
import numpy as np
from keras import layers

from skfashion import FashionCNNClassifier
from skfashion.networks import list_networks

IMAGE_SHAPE = (18, 18, 1)
OPTIONS = {
    "fast": {"width": 3, "depth": 3},
    "small": {"width": 3},
    "vgg2": {"width": 2},
    "vgg3": {"width": 2},
    "mobilenetv2": {"weights": None, "size": 32},
    "resnet50v2": {"weights": None, "size": 32},
}


def sequential(image_shape, n_classes, units=4):
    """Build a network as in Keras' tutorials, with layers that have no names."""
    return keras.Sequential(
        [
            keras.Input(image_shape),
            layers.Conv2D(units, 3, activation="relu", kernel_regularizer="l2"),
            layers.MaxPooling2D(),
            layers.RandomFlip("horizontal"),
            layers.Flatten(),
            layers.Dense(n_classes, activation="softmax"),
        ]
    )


def functional(image_shape, n_classes, dropout=0.1):
    """Build a network with a shared layer, a network inside, and an addition."""
    inputs = x = keras.Input(image_shape)
    block = keras.Sequential(
        [
            keras.Input((*image_shape[:2], 4)),
            layers.DepthwiseConv2D(3, padding="same"),
            layers.BatchNormalization(),
        ],
        name="block",
    )
    x = layers.Conv2D(4, 3, padding="same", name="stem")(inputs)
    activate = layers.Activation("gelu")
    x = layers.Add()([activate(x), activate(block(x))])
    x = layers.Concatenate()([layers.GlobalAveragePooling2D()(x), layers.GlobalMaxPooling2D()(x)])
    x = layers.Dropout(dropout)(x)
    return keras.Model(inputs, layers.Dense(n_classes, activation="softmax")(x))


def simplify(weights):
    """Return weights that compress well: the networks of Keras' applications are large."""
    pattern = np.random.default_rng(0).normal(size=97).astype(np.float32)
    return [
        np.resize(pattern, w.shape) * np.sqrt(2 / w[..., 0].size).astype(np.float32)
        if w.ndim > 1
        else np.abs(1 + np.resize(pattern, w.shape) / 10)
        for w in weights
    ]


def main(folder):
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    X, y = rng.integers(0, 256, (30, *IMAGE_SHAPE), dtype=np.uint8), np.arange(30) % 3
    expected = {"X": X}
    architectures = {name: name for name in list_networks()}
    architectures |= {"sequential": sequential, "functional": functional}
    for name, architecture in architectures.items():
        classifier = FashionCNNClassifier(architecture, optimizer="sgd", epochs=1, random_state=0)
        routed = {f"architecture__{key}": value for key, value in OPTIONS.get(name, {}).items()}
        classifier.set_params(**routed).fit(X, y)
        *weights, kernel, bias = simplify(classifier.weights_)
        classifier.weights_ = [*weights, kernel, 0 * bias]
        while classifier.predict_proba(X).max() > 0.9:  # so that a small change shows
            kernel = kernel / 2
            classifier.weights_ = [*weights, kernel, 0 * bias]
        with tempfile.TemporaryDirectory() as temporary:
            path = Path(temporary, f"{name}.keras")
            classifier.save(path, target_names=["a", "b", "c"])
            (folder / f"{name}.keras.xz").write_bytes(lzma.compress(path.read_bytes(), preset=9))
        expected[name] = classifier.predict_proba(X)
        digest = sha256(b"".join(weight.tobytes() for weight in classifier.weights_))
        expected[f"{name}_weights"] = digest.hexdigest()
    np.savez_compressed(folder / "expected.npz", **expected)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""A fit leaves the process as it found it."""

import subprocess
import sys

import pytest

# What a person would notice: the next random numbers, and everything global that can be read.
CODE = """
import os, random, sys, warnings
import keras, matplotlib, numpy as np, tensorflow as tf
from sklearn.datasets import load_digits
from sklearn.model_selection import cross_val_score
from tensorflow.python.eager import context
from tensorflow.python.framework import config
from skfashion import FashionCNNClassifier

X, y = load_digits(return_X_y=True)
X, y = X[:100], y[:100]

def network(image_shape, n_classes, dropout):
    inputs = keras.Input(image_shape)
    x = keras.layers.Dropout(dropout)(keras.layers.Flatten()(inputs))
    return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))

def readable():
    return (
        context.global_seed(),
        config.is_op_determinism_enabled(),
        dict(os.environ),
        matplotlib.get_backend(),
        list(warnings.filters),
        os.getcwd(),
        os.listdir(),
        keras.config.floatx(),
        keras.config.image_data_format(),
        keras.config.dtype_policy(),
        tf.config.threading.get_intra_op_parallelism_threads(),
        tf.config.functions_run_eagerly(),
    )

def draw():
    return (
        random.random(),
        np.random.rand(),
        keras.random.uniform(()).numpy(),
        tf.random.uniform(()).numpy(),
    )

def use(random_state):
    for architecture in ("fast", network):
        model = FashionCNNClassifier(
            architecture, dropout=0.2, epochs=1, early_stopping=True, validation_fraction=0.2,
            random_state=random_state,
        )
        cross_val_score(model, X, y, cv=2)
        model.fit(X, y).predict(X)
        model.transform(X)
        model.model_
    model = FashionCNNClassifier(epochs=1, random_state=random_state)
    model.partial_fit(X, y, classes=range(10))
    model.save("../model.keras")
    FashionCNNClassifier.load("../model.keras").predict(X)
    os.remove("../model.keras")

for random_state in (0, None):
    keras.utils.set_random_seed(5)
    expected = draw()
    keras.utils.set_random_seed(5)
    before = readable()
    use(random_state)
    assert readable() == before
    assert draw() == expected
print("unchanged")
"""


@pytest.mark.slow  # a process that fits eight networks
def test_nothing_global_changes(tmp_path):
    (tmp_path / "here").mkdir()
    result = subprocess.run(
        [sys.executable, "-c", CODE], cwd=tmp_path / "here", capture_output=True, text=True
    )
    assert result.stdout.splitlines()[-1:] == ["unchanged"], result.stderr

"""Keras backends other than TensorFlow."""

import importlib
import os
import subprocess
import sys

import keras
import pytest


def test_another_backend_is_refused(monkeypatch):
    monkeypatch.delitem(sys.modules, "skfashion._training.steps", raising=False)
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(RuntimeError, match=r"backend of Keras is 'jax'.*KERAS_BACKEND=tensorflow"):
        importlib.import_module("skfashion._training.steps")


def test_another_backend_is_refused_before_keras_looks_for_it():
    code = (
        "import numpy as np\n"
        "from skfashion import FashionCNNClassifier\n"
        "FashionCNNClassifier().fit(np.eye(64), np.arange(64) % 2)"
    )
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    for command, message in (
        (["-c", code], "RuntimeError: skfashion trains and predicts with TensorFlow"),
        (
            ["-m", "skfashion", "compare", "lenet"],
            "but KERAS_BACKEND is jax. Set it to tensorflow.",
        ),
    ):
        result = subprocess.run(
            [sys.executable, *command], env=environment, capture_output=True, text=True
        )
        assert message in result.stderr.splitlines()[-1]

"""Keras backends other than TensorFlow."""

import importlib
import sys

import keras
import pytest


def test_another_backend_is_refused(monkeypatch):
    monkeypatch.delitem(sys.modules, "skfashion._training.steps", raising=False)
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    with pytest.raises(RuntimeError, match=r"backend of Keras is 'jax'.*KERAS_BACKEND=tensorflow"):
        importlib.import_module("skfashion._training.steps")

"""The Muon optimizer."""

import keras
import numpy as np
import pytest

from skfashion._training.muon import Muon
from skfashion._training.optimizers import specify_optimizer


def step(optimizer, shapes, seed=0):
    """What one step adds to weights of these shapes, which begin at 0."""
    rng = np.random.default_rng(seed)
    variables = [keras.Variable(np.zeros(shape, np.float32)) for shape in shapes]
    gradients = [keras.ops.convert_to_tensor(rng.normal(size=v.shape)) for v in variables]
    optimizer.apply([keras.ops.cast(g, "float32") for g in gradients], variables)
    return [np.asarray(variable) for variable in variables]


@pytest.mark.parametrize("shape", [(3, 3, 8, 16), (3, 3, 1, 16), (1, 1, 16, 4), (20, 12)])
def test_updates_of_kernels_are_orthogonal(shape):
    kernel, _ = step(Muon(0.01), [shape, (4, 3)])
    singular_values = np.linalg.svd(kernel.reshape(-1, shape[-1]), compute_uv=False)
    # The iteration brings singular values near 1, not to it.
    assert singular_values.max() < 2 * singular_values.min()
    # As large as an update of Adam times 0.2, whatever the shape.
    assert np.sqrt(np.mean(kernel**2)) == pytest.approx(0.002, rel=0.3)


@pytest.mark.parametrize("n_steps", [1, 5, 10])
@pytest.mark.parametrize("spectrum", ["flat", "decaying", "rank 4"])
@pytest.mark.parametrize("shape", [(432, 96), (9, 32)])
def test_iteration_is_that_of_keras(shape, spectrum, n_steps):
    n_values = min(shape)
    singular_values = {
        "flat": np.ones(n_values),
        "decaying": np.logspace(0, -6, n_values),
        "rank 4": np.arange(n_values) < 4,
    }[spectrum]
    rng = np.random.default_rng(0)
    left, right = (np.linalg.qr(rng.normal(size=(n, n_values)))[0] for n in shape)
    matrix = keras.ops.convert_to_tensor((left * singular_values @ right.T).astype(np.float32))
    expected = keras.optimizers.Muon().zeropower_via_newtonschulz5(matrix, n_steps)
    found = Muon().zeropower_via_newtonschulz5(matrix, n_steps)
    # Where all singular values are 0 but for rounding, what becomes of them is noise.
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_last_depthwise_and_vectors_are_left_to_adam():
    shapes = [(3, 3, 2, 4), (4,), (3, 3, 4, 1), (4, 3), (3,)]
    ours = step(Muon(0.01), shapes)
    adam = step(keras.optimizers.Adam(0.01), shapes)
    assert not np.allclose(ours[0], adam[0], atol=1e-3)
    for found, expected in zip(ours[1:], adam[1:], strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_layers_can_be_left_to_adam():
    shapes = [(3, 3, 2, 4), (4, 3)]
    ours = step(Muon(0.01, exclude_layers=["variable"]), shapes)
    for found, expected in zip(ours, step(keras.optimizers.Adam(0.01), shapes), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-3)


def test_specified_alike():
    """A fit goes on with the optimizer's state however the optimizer was given."""
    keys = {specify_optimizer(given, {}).key() for given in ("muon", Muon, Muon(0.02))}
    assert len(keys) == 1


def test_config_makes_the_same_optimizer():
    optimizer = Muon(0.02, momentum=0.9, rms_rate=None)
    config = keras.saving.serialize_keras_object(optimizer)
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is Muon
    shapes = [(3, 3, 2, 4), (4, 3)]
    for found, expected in zip(step(again, shapes), step(optimizer, shapes), strict=True):
        np.testing.assert_array_equal(found, expected)

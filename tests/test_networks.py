"""Architectures."""

import numpy as np
import pytest

from skfashion.networks import build_network, list_networks


@pytest.mark.parametrize(("name", "n_parameters"), [("basic", 93_322), ("fast", 112_682)])
def test_number_of_parameters(name, n_parameters):
    assert build_network(name, (28, 28, 1), 10).count_params() == n_parameters


@pytest.mark.parametrize("name", list_networks())
@pytest.mark.parametrize("options", [{}, {"dropout": 0.3}])
def test_gives_probabilities(name, options):
    network = build_network(name, (32, 28, 3), 4, **options)
    images = np.random.default_rng(0).normal(size=(5, 32, 28, 3)).astype(np.float32)
    probabilities = np.asarray(network(images))
    assert probabilities.shape == (5, 4)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("image_shape", [(1, 1, 1), (1, 4, 1), (8, 8, 1), (5, 31, 3)])
def test_fast_takes_images_of_any_size(image_shape):
    images = np.zeros((2, *image_shape), np.float32)
    assert np.asarray(build_network("fast", image_shape, 3)(images)).shape == (2, 3)


def test_basic_needs_18_pixels():
    assert build_network("basic", (18, 18, 1), 10)
    with pytest.raises(ValueError, match="'basic' takes images of at least 18x18 pixels, got 8x8"):
        build_network("basic", (8, 8, 1), 10)


def test_unknown_name_and_option():
    with pytest.raises(ValueError, match=r"'bsic'\. Did you mean 'basic'\?"):
        build_network("bsic", (28, 28, 1), 10)
    with pytest.raises(TypeError, match="'basic' has no option 'width'; it has: dropout"):
        build_network("basic", (28, 28, 1), 10, width=3)

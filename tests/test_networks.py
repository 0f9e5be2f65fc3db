"""Architectures."""

import keras
import numpy as np
import pytest

from skfashion.networks import build_network, list_networks


@pytest.mark.parametrize(
    ("name", "n_parameters"),
    [
        ("basic", 93_322),
        ("fast", 661_674),
        ("lenet", 107_598),
        ("small", 95_402),
        ("vgg2", 871_402),
        ("vgg3", 1_216_074),
    ],
)
def test_number_of_parameters(name, n_parameters):
    assert build_network(name, (28, 28, 1), 10).count_params() == n_parameters


PRETRAINED = ("mobilenetv2", "resnet50v2")


@pytest.mark.parametrize("name", list_networks())
@pytest.mark.parametrize("options", [{}, {"dropout": 0.3}])
def test_gives_probabilities(name, options):
    if name in PRETRAINED:
        options = {**options, "weights": None, "size": 32}
    network = build_network(name, (32, 28, 3), 4, **options)
    images = np.random.default_rng(0).normal(size=(5, 32, 28, 3)).astype(np.float32)
    probabilities = np.asarray(network(images))
    assert probabilities.shape == (5, 4)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("name", ["fast", "small"])
@pytest.mark.parametrize("image_shape", [(1, 1, 1), (1, 4, 1), (8, 8, 1), (5, 31, 3)])
def test_ours_take_images_of_any_size(image_shape, name):
    images = np.zeros((2, *image_shape), np.float32)
    assert np.asarray(build_network(name, image_shape, 3)(images)).shape == (2, 3)


@pytest.mark.parametrize(
    ("name", "smallest"), [("basic", 18), ("lenet", 4), ("vgg2", 4), ("vgg3", 4)]
)
def test_smallest_images(name, smallest):
    assert build_network(name, (smallest, smallest, 1), 10)
    message = (
        f"'{name}' takes images of at least {smallest}x{smallest} pixels, got 40x{smallest - 1}"
    )
    with pytest.raises(ValueError, match=message):
        build_network(name, (40, smallest - 1, 1), 10)
    with pytest.raises(ValueError, match=r"got 1x784\. Flattened images .* need image_shape="):
        build_network(name, (1, 784, 1), 10)


@pytest.mark.parametrize("name", ["vgg2", "vgg3"])
def test_dropout_is_the_same_everywhere_if_given(name):
    def rates(**options):
        layers = build_network(name, (28, 28, 1), 10, **options).layers
        return [layer.rate for layer in layers if isinstance(layer, keras.layers.Dropout)]

    assert len(set(rates())) > 1
    assert set(rates(dropout=0.1)) == {0.1}


def convolutions(name, **options):
    """Resolution and channels of each convolution."""
    layers = build_network(name, (28, 28, 1), 10, **options).layers
    convolutions = [layer for layer in layers if isinstance(layer, keras.layers.Conv2D)]
    return [layer.output.shape[2:] for layer in convolutions]


def test_depth():
    full, half, quarter, eighth = (28, 4), (14, 6), (7, 12), (4, 24)
    expected = [full, *2 * [half], *2 * [quarter], *2 * [eighth]]
    assert convolutions("fast", width=6, depth=2) == expected
    expected = [*2 * [full], *3 * [half], *3 * [quarter], *3 * [eighth]]
    assert convolutions("fast", width=6, depth=3) == expected
    with pytest.raises(ValueError, match="depth of architecture 'fast' must be at least 2, got 1"):
        build_network("fast", (28, 28, 1), 10, depth=1)


def test_small_has_its_first_stage_at_full_resolution():
    assert convolutions("small") == [*3 * [(28, 24)], *2 * [(14, 44)], *2 * [(7, 60)]]


def test_width_and_l2():
    network = build_network("vgg2", (28, 28, 1), 10, width=8, l2=0.01)
    kernels = [v for v in network.trainable_variables if len(v.shape) == 4]
    assert [kernel.shape[-1] for kernel in kernels] == [8, 8, 16, 16]
    expected = sum(0.01 * np.square(kernel).sum() for kernel in kernels)
    assert float(sum(network.losses)) == pytest.approx(expected, rel=1e-4)


def test_unknown_name_and_option():
    with pytest.raises(ValueError, match=r"'bsic'\. Did you mean 'basic'\?"):
        build_network("bsic", (28, 28, 1), 10)
    with pytest.raises(TypeError, match="'basic' has no option 'width'; it has: dropout"):
        build_network("basic", (28, 28, 1), 10, width=3)

"""Registered architectures."""

import re
import sys

import keras
import numpy as np
import pytest
from numpydoc.docscrape import FunctionDoc

from skfashion import networks
from skfashion.networks import build_network, list_networks
from skfashion.networks._registry import default_options, get_architecture


def build_untrained(name, *arguments, **options):
    """Build a network without downloading weights, and with small images for its backbone."""
    known = default_options(name)
    quick = {k: v for k, v in {"weights": None, "size": 32}.items() if k in known}
    return build_network(name, *arguments, **quick, **options)


@pytest.mark.parametrize("name", list_networks())
def test_number_of_parameters(name):
    """The docstring says how many there are."""
    doc = " ".join(get_architecture(name).__doc__.split())
    (documented,) = re.findall(
        r"On 28x28 grey images with 10 classes it has ([\d,]+) parameters\.", doc
    )
    assert f"{build_untrained(name, (28, 28, 1), 10).count_params():,}" == documented


@pytest.mark.parametrize("name", list_networks())
@pytest.mark.parametrize("options", [{}, {"dropout": 0.3}])
def test_gives_probabilities(name, options):
    network = build_untrained(name, (32, 28, 3), 4, **options)
    images = np.random.default_rng(0).normal(size=(5, 32, 28, 3)).astype(np.float32)
    probabilities = np.asarray(network(images))
    assert probabilities.shape == (5, 4)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.parametrize("name", ["fast", "small"])
@pytest.mark.parametrize("image_shape", [(1, 1, 1), (1, 4, 1), (8, 8, 1), (5, 31, 3)])
def test_ours_take_images_of_any_size(image_shape, name):
    images = np.zeros((2, *image_shape), np.float32)
    assert np.asarray(build_network(name, image_shape, 3)(images)).shape == (2, 3)


def smallest_image(name):
    """Return the smallest height and width, in pixels, that the docstring allows."""
    (image_shape,) = (
        entry
        for entry in FunctionDoc(get_architecture(name))["Parameters"]
        if entry.name == "image_shape"
    )
    limit = re.search(r"at least (\d+) pixels", " ".join(image_shape.desc))
    return int(limit[1]) if limit else 1


@pytest.mark.parametrize("name", list_networks())
def test_smallest_images(name):
    smallest = smallest_image(name)
    assert build_untrained(name, (smallest, smallest, 1), 10)
    if smallest == 1:
        return
    message = (
        f"'{name}' takes images of at least {smallest}x{smallest} pixels, got 40x{smallest - 1}"
    )
    with pytest.raises(ValueError, match=message):
        build_network(name, (40, smallest - 1, 1), 10)
    with pytest.raises(ValueError, match=r"got 1x784\. Flattened images .* need image_shape="):
        build_network(name, (1, 784, 1), 10)


def dropout_rates(network):
    return {layer.rate for layer in network.layers if isinstance(layer, keras.layers.Dropout)}


@pytest.mark.parametrize("name", list_networks())
def test_dropout_is_the_same_everywhere_if_given(name):
    """The classifier's ``dropout`` changes the rate of all these layers."""
    assert dropout_rates(build_untrained(name, (28, 28, 1), 10, dropout=0.1)) == {0.1}


@pytest.mark.parametrize("name", ["vgg2", "vgg3"])
def test_dropout_differs_by_default(name):
    assert len(dropout_rates(build_network(name, (28, 28, 1), 10))) > 1


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


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    """Add a module to the package, and return the name of the architecture."""
    (tmp_path / "tiny.py").write_text(
        """
import keras

def build(image_shape, n_classes, *, dropout=0.0, width=2):
    inputs = keras.Input(image_shape)
    x = keras.layers.GlobalMaxPooling2D()(keras.layers.Conv2D(width, 3)(inputs))
    x = keras.layers.Dropout(dropout, name="regularization")(x)
    return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))
"""
    )
    monkeypatch.setattr(networks, "__path__", [*networks.__path__, str(tmp_path)])
    yield "tiny"
    del sys.modules["skfashion.networks.tiny"], networks.tiny


def test_a_module_is_all_that_a_new_architecture_needs(tiny, make_small, digits):
    assert tiny in list_networks()
    assert default_options(tiny) == {"dropout": 0.0, "width": 2}
    assert build_network(tiny, (8, 8, 1), 3, width=4).output_shape == (None, 3)
    classifier = make_small(architecture=tiny, dropout=0.1).set_params(architecture__width=3)
    assert classifier.fit(*digits).weights_[0].shape == (3, 3, 1, 3)


def test_dropout_layers_of_any_name_read_the_rate(tiny, make_small, digits):
    """The second and third fit borrow the engine that the first compiled."""
    losses = [
        make_small(architecture=tiny, dropout=rate).fit(*digits).history_["loss"]
        for rate in (0.1, 0.9, 0.1)
    ]
    assert losses[0] == losses[2]
    assert losses[0] != losses[1]


def test_private_modules_are_no_architectures():
    assert not [name for name in list_networks() if name.startswith("_")]
    with pytest.raises(ValueError, match="Unknown architecture '_shared'"):
        build_network("_shared", (8, 8, 1), 3)

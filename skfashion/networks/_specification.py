"""Which network a classifier was fitted with."""

import inspect
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from skfashion.networks._registry import build_network, get_architecture

__all__ = ["NetworkSpecification"]


@dataclass(frozen=True)
class NetworkSpecification:
    """All that determines a network but its weights.

    Attributes
    ----------
    architecture : str or callable
        A registered name, or ``(image_shape, n_classes, **options) -> keras.Model``.
    image_shape : tuple of 3 int
    n_classes : int
    options : dict
        The architecture's options that differ from its defaults.
    """

    architecture: Any
    image_shape: tuple
    n_classes: int
    options: dict

    def key(self):
        """A hashable value, equal for equal networks.

        Raises
        ------
        ValueError
            If the architecture's name is unknown.
        TypeError
            If the architecture is not hashable.
        """
        architecture = self.architecture
        if isinstance(architecture, str):
            architecture = get_architecture(architecture)
        elif isinstance(architecture, partial):  # clone() copies it, so identity will not do
            keywords = tuple(sorted(architecture.keywords.items()))
            architecture = (architecture.func, architecture.args, keywords)
        try:
            hash(architecture)
        except TypeError as error:
            raise TypeError(
                f"architecture={self.architecture!r} must be hashable, so that its compiled "
                "network is found again."
            ) from error
        return architecture, self.image_shape, self.n_classes, *sorted(self.options.items())

    def build(self):
        """A new, untrained network.

        Raises
        ------
        ValueError
            If the architecture cannot take such images, or gives a network of other shapes or
            without a softmax at its end.
        TypeError
            If the architecture takes other arguments, or gives no Keras model.
        """
        import keras

        arguments = (self.image_shape, self.n_classes)
        if isinstance(self.architecture, str):
            return build_network(self.architecture, *arguments, **self.options)
        if isinstance(self.architecture, keras.Model):
            raise TypeError(
                "architecture must be a function that returns a Keras model, not a model."
            )
        try:
            inspect.signature(self.architecture).bind(*arguments, **self.options)
        except TypeError as error:
            names = ", ".join(["image_shape", "n_classes", *self.options])
            raise TypeError(
                f"architecture={self.architecture!r} cannot be called with ({names}): {error}."
            ) from error
        network = self.architecture(*arguments, **self.options)
        if not isinstance(network, keras.Model):
            raise TypeError(
                f"architecture={self.architecture!r} must return a keras.Model, got {network!r}."
            )
        try:
            shapes = (network.input_shape, network.output_shape)
        except (AttributeError, ValueError) as error:
            raise ValueError(
                f"architecture={self.architecture!r} must return a network of known shapes; let it "
                "begin with keras.Input(image_shape)."
            ) from error
        expected = ((None, *self.image_shape), (None, self.n_classes))
        if shapes != expected:
            raise ValueError(
                f"architecture={self.architecture!r} must return a network from images "
                f"{expected[0]} to class probabilities {expected[1]}; its shapes are {shapes[0]} "
                f"to {shapes[1]}."
            )
        images = np.random.default_rng(0).normal(size=(2, *self.image_shape)).astype(np.float32)
        outputs = keras.ops.convert_to_numpy(network(images, training=False))
        if outputs.min() < 0 or not np.allclose(outputs.sum(axis=1), 1, atol=1e-3):
            raise ValueError(
                f"architecture={self.architecture!r} must return a network that ends in a softmax; "
                f"its outputs for an image are {outputs[0]}, not probabilities."
            )
        return network

"""Which network a classifier was fitted with."""

import inspect
import os
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from skfashion._utils.identity import function_key
from skfashion.networks._registry import build_network, default_options, get_architecture

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
        Options for the architecture.
    """

    architecture: Any
    image_shape: tuple
    n_classes: int
    options: dict

    @property
    def dropout(self):
        """Rate of the layers of a registered architecture whose names begin with "dropout"."""
        return (self.options.get("dropout") or 0.0) if isinstance(self.architecture, str) else 0.0

    def with_options(self, **options):
        """The same with these options instead of its own."""
        return replace(self, options={**self.options, **options})

    def without_pretraining(self):
        """The same network, to be given weights that were trained already."""
        if isinstance(self.architecture, str) and "weights" in default_options(self.architecture):
            return self.with_options(weights=None)
        return self

    def for_prediction(self):
        """What predicts the same: without the options of registered ones that training reads."""
        if not isinstance(self.architecture, str):
            return self
        options = self.without_pretraining().options
        kept = {k: v for k, v in options.items() if k not in ("dropout", "trainable")}
        return replace(self, options=kept)

    def training_key(self):
        """A hashable value, equal for networks that begin with the same weights and learn the same.

        For networks that are equal :meth:`for_prediction`; dropout apart.
        """
        options = self.options
        if isinstance(self.architecture, str):
            options = {**default_options(self.architecture), **options}
        weights = options.get("weights")
        if isinstance(weights, (str, os.PathLike)) and os.path.isfile(weights):
            weights = os.fspath(weights), os.stat(weights).st_mtime_ns  # it may be written anew
        return weights, options.get("trainable")

    def key(self):
        """A hashable value, equal for equal networks.

        Raises
        ------
        ValueError
            If the architecture's name is unknown.
        TypeError
            If the architecture or an option is not hashable.
        """
        architecture = self.architecture
        if isinstance(architecture, str):
            architecture = get_architecture(architecture)
        elif isinstance(architecture, partial):  # clone() copies it, so identity will not do
            keywords = tuple(sorted(architecture.keywords.items()))
            architecture = (function_key(architecture.func), architecture.args, keywords)
        else:
            architecture = function_key(architecture)
        options = tuple(sorted(self.options.items()))
        for name, value in (("architecture", architecture), ("options of architecture", options)):
            try:
                hash(value)
            except TypeError as error:
                raise TypeError(
                    f"{name} must be hashable, so that the compiled network is found again; got "
                    f"{value!r}."
                ) from error
        return architecture, self.image_shape, self.n_classes, options

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
        if network.compiled:
            raise ValueError(
                f"architecture={self.architecture!r} must return a network that is not compiled: "
                "optimizer, learning rate and loss are the classifier's parameters."
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
        if not network.trainable_variables:
            raise ValueError(
                f"architecture={self.architecture!r} must return a network with weights to train."
            )
        images = np.random.default_rng(0).normal(size=(2, *self.image_shape)).astype(np.float32)
        outputs = keras.ops.convert_to_numpy(network(images, training=False))
        if outputs.min() < 0 or not np.allclose(outputs.sum(axis=1), 1, atol=1e-3):
            raise ValueError(
                f"architecture={self.architecture!r} must return a network that ends in a softmax; "
                f"its outputs for an image are {outputs[0]}, not probabilities."
            )
        return network

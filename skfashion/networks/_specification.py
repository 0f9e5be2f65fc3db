"""The network of a classifier: architecture, image shape, number of classes and options."""

import os
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from skfashion._utils.identity import function_key
from skfashion.networks._registry import build_version, default_options, get_architecture

__all__ = ["NetworkSpecification"]


@dataclass(frozen=True)
class NetworkSpecification:
    """Everything that determines a network, except its weights.

    Attributes
    ----------
    architecture : str or callable
        A registered name, or ``(image_shape, n_classes, **options) -> keras.Model``.
    image_shape : tuple of 3 int
        Height, width and channels.
    n_classes : int
        Number of classes.
    options : dict
        Options of the architecture; those not given have their defaults.
    version : int or None, default=None
        Version of a registered architecture's definition. None is the current one.
    """

    architecture: Any
    image_shape: tuple
    n_classes: int
    options: dict
    version: int | None = None

    @property
    def dropout(self):
        """Rate given for all ``keras.layers.Dropout`` layers of a registered architecture, or 0.0.

        It is 0.0 too if no rate was given, or if the architecture is a function.
        """
        return (self.options.get("dropout") or 0.0) if isinstance(self.architecture, str) else 0.0

    def with_options(self, **options):
        """Return the same network with these options changed."""
        return replace(self, options={**self.options, **options})

    def without_pretraining(self):
        """Return the same network with random initial weights."""
        if isinstance(self.architecture, str) and "weights" in self._defaults():
            return self.with_options(weights=None)
        return self

    def _defaults(self):
        return default_options(self.architecture, self.version)

    def for_prediction(self):
        """Return the network that predicts the same: without the options that only training reads.

        Only the options of registered architectures are known to be such.
        """
        if not isinstance(self.architecture, str):
            return self
        options = self.without_pretraining().options
        kept = {k: v for k, v in options.items() if k not in ("dropout", "trainable")}
        return replace(self, options=kept)

    def training_key(self):
        """Return a hashable value for the initial weights and for what is trained.

        It tells networks apart that are equal :meth:`for_prediction`, unless only their dropout
        differs.
        """
        options = self.options
        if isinstance(self.architecture, str):
            options = {**self._defaults(), **options}
        weights = options.get("weights")
        if isinstance(weights, (str, os.PathLike)) and os.path.isfile(weights):
            weights = os.fspath(weights), os.stat(weights).st_mtime_ns  # the file may change
        return weights, options.get("trainable")

    def key(self):
        """Return a hashable value that is equal for equal networks.

        Raises
        ------
        ValueError
            If the architecture's name is unknown.
        TypeError
            If the architecture or an option is not hashable.
        """
        architecture = self.architecture
        if isinstance(architecture, str):
            architecture = get_architecture(architecture, self.version)
        elif isinstance(architecture, partial):  # clone() copies it, so its identity changes
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
        """Build a new, untrained network.

        Returns
        -------
        network : keras.Model

        Raises
        ------
        ValueError
            If the architecture cannot take such images, or returns a network of other shapes or
            without a softmax at its end.
        TypeError
            If the architecture takes other arguments, or returns no Keras model.
        """
        network = self.create()
        if not isinstance(self.architecture, str):
            from skfashion.networks._custom import check_custom  # it imports Keras

            check_custom(self.architecture, network, self.image_shape, self.n_classes)
        return network

    def infer_shapes(self):
        """Return the shapes of the network's weights.

        They take no memory, unless the architecture is a function, which may do anything.

        Returns
        -------
        shapes : NetworkShapes

        Raises
        ------
        Exception
            What the architecture raises if it cannot build such a network.
        """
        from skfashion.networks._saved_architecture import SavedArchitecture  # it imports Keras
        from skfashion.networks._shapes import get_shapes, infer_shapes

        if isinstance(self.architecture, (str, SavedArchitecture)):
            return infer_shapes(self.create)
        return get_shapes(self.create())

    def create(self):
        """Build a new, untrained network without the checks that :meth:`build` makes of it."""
        from skfashion.networks._custom import call_custom  # it imports Keras
        from skfashion.networks._shapes import single_precision

        with single_precision():
            if isinstance(self.architecture, str):
                return build_version(
                    self.architecture, self.version, self.image_shape, self.n_classes, self.options
                )
            return call_custom(self.architecture, self.image_shape, self.n_classes, self.options)

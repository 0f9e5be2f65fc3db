"""Compile once, fit many: networks with their compiled functions, kept for the next fit.

Tracing a Keras network takes longer than fitting it to a few hundred images, and what was traced
is never freed. So a fitted classifier is only arrays; the network, its optimizer and its compiled
functions live here, in an :class:`Engine` that any fit of the same configuration borrows, fills
with its own weights and gives back.
"""

import threading
from collections import OrderedDict
from contextlib import contextmanager

import keras
import numpy as np

from skfashion.training.randomness import Purpose, derive_seed, fixed_keras_seeds

__all__ = ["Engine", "borrow_engine", "compose_model"]

_MAX_IDLE_ENGINES = 8

_idle_engines: OrderedDict = OrderedDict()  # (key, serial number) -> Engine, oldest first
_idle_lock = threading.Lock()


@contextmanager
def borrow_engine(key, make_engine):
    """An engine for ``key`` that nobody else uses meanwhile.

    Parameters
    ----------
    key : hashable
        Everything that the compiled functions depend on.
    make_engine : callable
        Called without arguments when no engine for ``key`` is idle.

    Yields
    ------
    engine : Engine
        Its weights are whatever the last borrower left. An engine whose borrower raised is
        dropped.
    """
    with _idle_lock:
        entry = next((entry for entry in reversed(_idle_engines) if entry[0] == key), None)
        engine = _idle_engines.pop(entry) if entry else None
    if engine is None:
        engine = make_engine()
    yield engine
    with _idle_lock:
        _idle_engines[key, id(engine)] = engine
        while len(_idle_engines) > _MAX_IDLE_ENGINES:
            _idle_engines.popitem(last=False)


class Engine:
    """A network, its optimizer and their compiled functions.

    Parameters
    ----------
    build : callable
        Returns a new untrained network that gives class probabilities.
    optimizer : str
        Keras' name of an optimizer.
    decay_weights : bool
        Whether training steps apply weight decay to kernels.

    Attributes
    ----------
    network : keras.Model
        Takes standardised images.
    optimizer : keras.optimizers.Optimizer
        Its ``learning_rate`` may be assigned at any time.
    train_step : callable
        ``(images, targets, weights) -> (loss, n_correct)``, on NumPy arrays. Changes the network.
    predict_step : callable
        ``images -> probabilities``, on NumPy arrays.
    loaded : object or None
        What the network's weights were last loaded from; None after a training step.
    """

    def __init__(self, build, optimizer, decay_weights):
        with fixed_keras_seeds():
            self.network = build()
        try:
            self.optimizer = keras.optimizers.get(optimizer)
        except ValueError as error:
            raise ValueError(
                "optimizer must be Keras' name of one, such as 'adam', 'adamw' or 'sgd', got "
                f"{optimizer!r}."
            ) from error
        if self.optimizer.weight_decay is not None:  # AdamW has one of its own
            self.optimizer.weight_decay = 0.0
        self.optimizer.build(self.network.trainable_variables)
        self.loaded = None
        self._optimizer_start = _to_arrays(self.optimizer.variables)
        self._initial_weights = _to_arrays(self.network.weights)
        self._initializers = _find_initializers(self.network)
        weights = {id(v) for v in self.network.weights}
        self._seed_states = [v for v in self.network.variables if id(v) not in weights]
        if keras.backend.backend() == "tensorflow":
            from skfashion.training._steps_tensorflow import make_steps
        else:
            from skfashion.training._steps_portable import make_steps
        # A variable, so that another strength is not another compilation.
        self._weight_decay = keras.Variable(0.0, trainable=False, name="weight_decay")
        self.train_step, self.predict_step = make_steps(
            self.network, self.optimizer, self._decay_weights if decay_weights else None
        )

    def start(self, seed, learning_rate, weight_decay):
        """Make the network untrained, with initial weights drawn by ``seed``."""
        weights = list(self._initial_weights)
        for i, initializer in self._initializers.items():
            config = {
                **initializer.get_config(),
                "seed": derive_seed(seed, Purpose.INITIAL_WEIGHTS, i),
            }
            drawn = type(initializer).from_config(config)(weights[i].shape)
            weights[i] = keras.ops.convert_to_numpy(drawn)
        self.load(weights)
        for variable, value in zip(self.optimizer.variables, self._optimizer_start, strict=True):
            variable.assign(value)
        self.optimizer.learning_rate = learning_rate
        self._weight_decay.assign(weight_decay)

    def _decay_weights(self):
        """Shrink the kernels; biases and normalisation are left alone, as is usual."""
        rate = self.optimizer.learning_rate * self._weight_decay
        for variable in self.network.trainable_variables:
            if variable.name not in ("bias", "beta", "gamma"):
                variable.assign(variable - rate * variable)

    def start_epoch(self, seed, epoch):
        """Let dropout and other random layers draw what belongs to this epoch."""
        for i, state in enumerate(self._seed_states):
            state.assign([derive_seed(seed, Purpose.DROPOUT, epoch, i), 0])

    def load(self, weights):
        """Give the network these weights, a list of arrays in Keras' order."""
        if self.loaded is not weights:
            for variable, value in zip(self.network.weights, weights, strict=True):
                variable.assign(value)
            self.loaded = weights

    def weights(self):
        """The network's weights as new arrays, read-only because :meth:`load` knows them again."""
        weights = _to_arrays(self.network.weights)
        for array in weights:
            array.setflags(write=False)
        return weights


def _to_arrays(variables):
    """The values of Keras variables, as arrays of their own memory."""
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def _walk_layers(layer):
    """A layer and all layers inside it."""
    yield layer
    values = [layer.layers] if isinstance(layer, keras.Model) else vars(layer).values()
    for value in values:
        members = value.values() if isinstance(value, dict) else value
        for member in members if isinstance(value, (list, tuple, dict)) else [value]:
            if isinstance(member, keras.Layer):
                yield from _walk_layers(member)


def _find_initializers(network):
    """Which weights an initializer drew, and which initializer it was.

    An initializer with a seed draws the same again, so comparing values tells, whatever the
    layer is called and whichever weights a pretrained network has loaded since.

    Returns
    -------
    initializers : dict of int to keras.initializers.Initializer
        Keyed by position in ``network.weights``.
    """
    positions = {id(v): i for i, v in enumerate(network.weights)}
    found = {}
    for layer in _walk_layers(network):
        initializers = [
            value
            for value in vars(layer).values()
            if isinstance(value, keras.initializers.Initializer) and hasattr(value, "seed")
        ]
        for variable in layer.weights:
            position = positions.get(id(variable))
            if position is None or position in found:
                continue
            for initializer in initializers:
                try:
                    drawn = initializer(variable.shape, dtype=variable.dtype)
                except (TypeError, ValueError):
                    continue  # an initializer for weights of another rank
                if np.array_equal(keras.ops.convert_to_numpy(drawn), *_to_arrays([variable])):
                    found[position] = initializer
                    break
    return found


def compose_model(network, scale, offset):
    """A Keras model that takes raw pixels and shares the network's weights.

    Parameters
    ----------
    network : keras.Model
        Takes standardised images, gives class probabilities.
    scale, offset : ndarray of shape (n_channels,)
        Pixels times ``scale`` plus ``offset`` are standardised.

    Returns
    -------
    model : keras.Model
    """
    inputs = keras.Input(network.input_shape[1:], name="pixels")
    standardize = keras.layers.Rescaling(scale.tolist(), offset.tolist(), name="standardize")
    return keras.Model(inputs, network(standardize(inputs)), name="skfashion_classifier")

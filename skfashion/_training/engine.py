"""Compile once, fit many: networks with their compiled functions, kept for the next fit.

Tracing a Keras network takes longer than fitting it to a few hundred images, and what was traced
is never freed. So a fitted classifier is only arrays; the network, its optimizer and its compiled
functions live here, in an :class:`Engine` that any fit of the same configuration borrows, fills
with its own weights and gives back.
"""

import math
import threading
from contextlib import contextmanager
from dataclasses import dataclass

import keras
import numpy as np

from skfashion._utils.forks import check_not_forked
from skfashion._utils.randomness import Purpose, derive_seed, fixed_keras_seeds

if keras.backend.backend() == "tensorflow":
    from skfashion._training._steps_tensorflow import make_prediction_step, make_training_step
else:
    from skfashion._training._steps_portable import make_prediction_step, make_training_step

__all__ = ["Engine", "StepValues", "borrow_engine", "compose_model"]

_MAX_IDLE_ENGINES = 8
# Values of weights and optimizer state, 4 bytes each, and as many again to start from.
_MAX_IDLE_VALUES = 100_000_000

_idle_engines: list = []  # (network key, training key, engine), the last used last
_idle_lock = threading.Lock()

_OTHER_NETWORK = (
    "The weights that were fitted are not those of the network that the architecture builds now. "
    "To start anew with it, call fit with warm_start=False."
)
_OTHER_OPTIMIZER = (
    "The optimizer's state from before is that of another optimizer or of other trainable weights. "
    "To start the optimizer anew, call fit with warm_start=True."
)

# Other backends compile what a step reads from a variable as a constant.
_STEPS_READ_VARIABLES = keras.backend.backend() == "tensorflow"


@dataclass(frozen=True)
class StepValues:
    """Numbers that a compiled training step reads, so that another is not another compilation.

    Attributes
    ----------
    learning_rate : float
        The highest, where there is a schedule.
    weight_decay : float
        Each step shrinks kernels by ``learning_rate * weight_decay``.
    l2 : float
        Strength of the L2 penalty on kernels.
    dropout : float
        ``NetworkSpecification.dropout``.
    """

    learning_rate: float
    weight_decay: float
    l2: float
    dropout: float


@contextmanager
def borrow_engine(network, optimizer=None, values=None):
    """An engine that nobody else uses meanwhile.

    Parameters
    ----------
    network : NetworkSpecification
    optimizer : OptimizerSpecification, default=None
        What is to train the network; None to predict only.
    values : StepValues, default=None
        For training.

    Yields
    ------
    engine : Engine
        Its weights are whatever the last borrower left. An engine whose borrower raised is
        dropped.
    """
    check_not_forked()
    network_key = network.for_prediction().key()
    training_key: tuple | None = None
    if optimizer is not None:
        compiled = (values.weight_decay > 0, values.l2, network.options.get("dropout"))
        if _STEPS_READ_VARIABLES:
            dropout = "any" if values.dropout else network.options.get("dropout")
            compiled = (values.weight_decay > 0, values.l2 > 0, dropout)
        training_key = (optimizer.kind, optimizer.key(), *network.training_key(), *compiled)
    with _idle_lock:
        for i in reversed(range(len(_idle_engines))):
            key, other, engine = _idle_engines[i]
            if key == network_key and training_key in (None, other):
                training_key = other
                del _idle_engines[i]
                break
        else:
            engine = None
    if engine is None:
        engine = Engine(network if optimizer else network.for_prediction(), optimizer, values)
    yield engine
    with _idle_lock:
        _idle_engines.append((network_key, training_key, engine))
        del _idle_engines[:-_MAX_IDLE_ENGINES]
        while sum(idle.n_values for *_, idle in _idle_engines[:-1]) > _MAX_IDLE_VALUES:
            del _idle_engines[0]


class Engine:
    """A network, its optimizer and their compiled functions.

    Parameters
    ----------
    network : NetworkSpecification
        What to build.
    optimizer : OptimizerSpecification, default=None
        What trains it; None makes an engine that only predicts.
    values : StepValues, default=None
        Those that are 0 are compiled away, the others may change.

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
    n_values : int
        Size of the network's weights and of the optimizer's state.
    loaded : object or None
        What the network's weights were last loaded from; None after a training step.
    """

    def __init__(self, network, optimizer=None, values=None):
        with fixed_keras_seeds():
            self.network = network.build()
        self.loaded = None
        self.n_values = self.network.count_params()
        self.predict_step = make_prediction_step(self.network)
        self._layer_steps: dict = {}
        if optimizer is not None:
            self._prepare_training(optimizer, values)

    def _prepare_training(self, optimizer, values):
        self._initial_weights = _to_arrays(self.network.weights)
        self._initializers = _find_initializers(self.network)
        weights = {id(v) for v in self.network.weights}
        self._seed_states = [v for v in self.network.variables if id(v) not in weights]
        self._kernels = [
            v for v in self.network.trainable_variables if v.name not in ("bias", "beta", "gamma")
        ]
        self._weight_decay, self._l2, self._dropout = (
            keras.Variable(0.0, trainable=False, name=name)
            for name in ("weight_decay", "l2", "dropout")
        )
        if values.l2:
            for kernel in self._kernels:
                kernel.regularizer = self._penalty(kernel.regularizer)
        if values.dropout:
            self._let_dropout_layers_read_the_rate()
        self.optimizer = optimizer.build()
        if self.optimizer.weight_decay is not None:  # AdamW has one of its own
            self.optimizer.weight_decay = 0.0
        if hasattr(self.optimizer, "adam_weight_decay"):  # and Muon two
            self.optimizer.adam_weight_decay = None
        self._build_optimizer_state()
        self.n_values += sum(state.size for state in self._optimizer_start)
        self.train_step = make_training_step(
            self.network, self.optimizer, self._decay_weights if values.weight_decay else None
        )

    def _build_optimizer_state(self):
        """Build it on random weights, so that state which starts from a weight shows."""
        rng = np.random.default_rng(0)
        weights = [rng.normal(size=v.shape) for v in self.network.trainable_variables]
        _assign(self.network.trainable_variables, weights, _OTHER_NETWORK)
        self.optimizer.build(self.network.trainable_variables)
        weights = _to_arrays(self.network.trainable_variables)
        self._optimizer_start = _to_arrays(self.optimizer.variables)
        self._state_from_weights = {
            i: j
            for i, state in enumerate(self._optimizer_start)
            for j, weight in enumerate(weights)
            if np.array_equal(state, weight)
        }

    def start(self, seed):
        """Make the network untrained, with initial weights drawn by ``seed``."""
        weights = list(self._initial_weights)
        for i, initializer in self._initializers.items():
            config = {
                **initializer.get_config(),
                "seed": derive_seed(seed, Purpose.INITIAL_WEIGHTS, i),
            }
            drawn = type(initializer).from_config(config)(weights[i].shape)
            weights[i] = np.array(keras.ops.convert_to_numpy(drawn))
        self.load(tuple(weights))

    def start_training(self, values, optimizer_state=None):
        """Prepare for training steps.

        Parameters
        ----------
        values : StepValues
            What the steps shall read.
        optimizer_state : list of ndarray, default=None
            From :meth:`optimizer_state`, to go on where it was taken; None starts anew.
        """
        if optimizer_state is None:
            optimizer_state = list(self._optimizer_start)
            for i, j in self._state_from_weights.items():
                optimizer_state[i] = _to_arrays([self.network.trainable_variables[j]])[0]
        _assign(self.optimizer.variables, optimizer_state, _OTHER_OPTIMIZER)
        self.optimizer.learning_rate = values.learning_rate
        self._weight_decay.assign(values.weight_decay)
        self._l2.assign(values.l2)
        self._dropout.assign(values.dropout)

    def optimizer_state(self):
        """The optimizer's variables as new arrays."""
        return _to_arrays(self.optimizer.variables)

    @contextmanager
    def averaged_weights(self):
        """Meanwhile the network has the averages that ``use_ema`` keeps, if it does."""
        if not self.optimizer.use_ema:
            yield
            return
        weights = _to_arrays(self.network.trainable_variables)
        self.finish_training()
        yield
        _assign(self.network.trainable_variables, weights, _OTHER_NETWORK)
        self.loaded = None

    def finish_training(self):
        """Let the optimizer have its last word: the averaged weights of ``use_ema``."""
        self.optimizer.finalize_variable_values(self.network.trainable_variables)
        self.loaded = None

    def n_features(self):
        """Number of values that go into the last layer with weights, for each image."""
        return math.prod(self._features().shape[1:])

    def _features(self):
        return [layer for layer in self.network.layers if layer.weights][-1].input

    def layer_step(self, position=None):
        """``images -> output`` of a layer; None means the input of the last that has weights."""
        if position not in self._layer_steps:
            output = self._features() if position is None else self.network.layers[position].output
            model = keras.Model(self.network.inputs, output)
            self._layer_steps[position] = make_prediction_step(model)
        return self._layer_steps[position]

    def _penalty(self, own):
        """A regularizer: the L2 penalty, after the architecture's own if it has one."""

        def penalize(kernel):
            penalty = self._l2 * keras.ops.sum(keras.ops.square(kernel))
            return penalty if own is None else own(kernel) + penalty

        return penalize

    def _let_dropout_layers_read_the_rate(self):
        """As ``keras.random.dropout``, which takes no variable."""

        def make_call(layer):
            def call(inputs, training=False):
                if not training:
                    return inputs
                kept = 1 - self._dropout
                draws = keras.random.uniform(keras.ops.shape(inputs), seed=layer.seed_generator)
                return keras.ops.where(draws < kept, inputs / kept, 0.0)

            return call

        for layer in self.network.layers:
            if isinstance(layer, keras.layers.Dropout) and layer.name.startswith("dropout"):
                layer.call = make_call(layer)

    def _decay_weights(self):
        """Shrink the kernels; biases and normalisation are left alone, as is usual."""
        rate = self.optimizer.learning_rate * self._weight_decay
        for kernel in self._kernels:
            kernel.assign(kernel - rate * kernel)

    def start_epoch(self, seed, epoch):
        """Let dropout and other random layers draw what belongs to this epoch."""
        for i, state in enumerate(self._seed_states):
            state.assign([derive_seed(seed, Purpose.DROPOUT, epoch, i), 0])

    def load(self, weights, optimizer_state=None):
        """Give the network these weights, and the optimizer this state, if there is one.

        Raises
        ------
        ValueError
            If the weights are not those of such a network.
        """
        if self.loaded is not weights:
            _assign(self.network.weights, weights, _OTHER_NETWORK)
            self.loaded = _read_only(weights)
        if optimizer_state is not None:
            _assign(self.optimizer.variables, optimizer_state, _OTHER_OPTIMIZER)

    def weights(self):
        """The network's weights as new arrays, read-only: :meth:`load` knows them again."""
        return _read_only(_to_arrays(self.network.weights))


def _assign(variables, values, complaint):
    if [variable.shape for variable in variables] != [value.shape for value in values]:
        raise ValueError(complaint)
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _read_only(arrays):
    for array in arrays:
        array.setflags(write=False)
    return tuple(arrays)


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

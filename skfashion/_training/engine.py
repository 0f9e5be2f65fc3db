"""Compile once, fit many: a network with its optimizer and its compiled functions.

Tracing a Keras network takes longer than fitting it to a few hundred images, and what was traced
is never freed. So a fitted classifier is only arrays; the network, its optimizer and its compiled
functions live here, in an :class:`Engine` that any fit of the same configuration borrows from the
pool, fills with its own weights and gives back.
"""

import math
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import compress

import keras
import numpy as np

from skfashion._training.initial_weights import InitialWeights, to_arrays
from skfashion._training.steps import make_prediction_step, make_training_step
from skfashion._utils.randomness import Purpose, derive_seed, fixed_keras_seeds
from skfashion.networks._shapes import single_precision

__all__ = ["Engine", "StepValues", "build_model", "compose_model"]

_OTHER_NETWORK = (
    "The weights that were fitted are not those of the network that the architecture builds now. "
    "To train it from scratch, call fit with warm_start=False."
)
_OTHER_OPTIMIZER = (
    "The optimizer's state from before is that of another optimizer or of other trainable weights. "
    "To reset the optimizer, call fit with warm_start=True."
)


@dataclass(frozen=True)
class StepValues:
    """Numbers that a compiled training step reads, so that another is not another compilation.

    Attributes
    ----------
    learning_rate : float
        Learning rate; the highest one if there is a schedule.
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


class Engine:
    """A network, its optimizer and their compiled functions.

    The engine alone knows whether the network still has the weights that were last loaded: every
    method that changes the network forgets them. (Callbacks change it behind the engine's back,
    during a training, which ends with :meth:`finish_training`.)

    Parameters
    ----------
    network : NetworkSpecification
        The network to build.
    optimizer : OptimizerSpecification, default=None
        Optimizer that trains it; None makes an engine that only predicts.
    values : StepValues, default=None
        Those that are 0 are compiled away, the others may change.

    Attributes
    ----------
    network : keras.Model
        Takes standardised images.
    optimizer : keras.optimizers.Optimizer
        Its ``learning_rate`` may be assigned at any time.
    predict_step : callable
        ``images -> probabilities``, on NumPy arrays.
    n_values : int
        Size of the network's weights and of the optimizer's state.
    """

    def __init__(self, network, optimizer=None, values=None):
        with fixed_keras_seeds():
            self.network = network.build()
        self._loaded = None
        self.n_values = self.network.count_params()
        if optimizer is not None:
            self._prepare_training(optimizer, values)
        self.predict_step = make_prediction_step(self.network)
        self._layer_steps: dict = {}

    def _prepare_training(self, optimizer, values):
        self._initial_weights = InitialWeights(self.network)
        self._kernels = [
            v for v in self.network.trainable_variables if v.name not in ("bias", "beta", "gamma")
        ]
        self._weight_decay, self._l2, self._dropout = (
            keras.Variable(0.0, trainable=False, name=name)
            for name in ("weight_decay", "l2", "dropout")
        )
        if values.l2:
            for kernel in self._kernels:
                kernel.regularizer = _Penalty(self._l2, kernel.regularizer)
        network = self.network
        if values.dropout:
            with fixed_keras_seeds():
                network = _with_dropout_rate(network, self._dropout)
        self._weight_ids = {id(v) for v in network.weights}
        self._seed_states = [v for v in network.variables if id(v) not in self._weight_ids]
        self.optimizer = optimizer.build()
        if self.optimizer.weight_decay is not None:  # AdamW has one of its own
            self.optimizer.weight_decay = 0.0
        if hasattr(self.optimizer, "adam_weight_decay"):  # and Muon two
            self.optimizer.adam_weight_decay = None
        self._build_optimizer_state()
        self.n_values += sum(state.size for state in self._optimizer_start)
        self._compiled_step = make_training_step(
            network, self.optimizer, self._decay_weights if values.weight_decay else None
        )

    def _build_optimizer_state(self):
        """Build it on random weights, so that state which starts from a weight shows."""
        rng = np.random.default_rng(0)
        weights = [rng.normal(size=v.shape) for v in self.network.trainable_variables]
        _assign(self.network.trainable_variables, weights, _OTHER_NETWORK)
        self.optimizer.build(self.network.trainable_variables)
        weights = to_arrays(self.network.trainable_variables)
        self._optimizer_start = to_arrays(self.optimizer.variables)
        self._state_from_weights = {
            i: j
            for i, state in enumerate(self._optimizer_start)
            for j, weight in enumerate(weights)
            if np.array_equal(state, weight)
        }

    def _decay_weights(self):
        """Shrink the kernels; biases and normalisation are left alone, as is usual."""
        rate = self.optimizer.learning_rate * self._weight_decay
        for kernel in self._kernels:
            kernel.assign(kernel - rate * kernel)

    def draw_weights(self, seed):
        """Give the network initial weights drawn by ``seed``."""
        self.load(self._initial_weights.draw(seed))

    def load(self, weights):
        """Give the network these weights.

        Raises
        ------
        ValueError
            If the weights are not those of such a network.
        """
        if self._loaded is not weights:
            _assign(self.network.weights, weights, _OTHER_NETWORK)
            self._loaded = _read_only(weights)

    def weights(self):
        """Return the network's weights as new arrays, read-only."""
        self._loaded = _read_only(to_arrays(self.network.weights))
        return self._loaded

    def start_training(self, values, optimizer_state=None):
        """Prepare for training steps.

        Parameters
        ----------
        values : StepValues
            Values that the steps read.
        optimizer_state : list of ndarray, default=None
            From :meth:`optimizer_state`, to go on where it was taken; None starts from scratch.
        """
        if optimizer_state is None:
            optimizer_state = list(self._optimizer_start)
            for i, j in self._state_from_weights.items():
                optimizer_state[i] = to_arrays([self.network.trainable_variables[j]])[0]
        self.load_optimizer_state(optimizer_state)
        self.optimizer.learning_rate = values.learning_rate
        self._weight_decay.assign(values.weight_decay)
        self._l2.assign(values.l2)
        self._dropout.assign(values.dropout)

    def optimizer_state(self):
        """Return the optimizer's variables as new arrays."""
        return to_arrays(self.optimizer.variables)

    def load_optimizer_state(self, optimizer_state):
        """Give the optimizer's variables these values.

        Raises
        ------
        ValueError
            If they are not those of such an optimizer.
        """
        # Muon counts the network's last kernel among its variables; that is not its to change.
        variables = self.optimizer.variables
        own = [id(variable) not in self._weight_ids for variable in variables]
        _check_shapes(variables, optimizer_state, _OTHER_OPTIMIZER)
        for variable, value in compress(zip(variables, optimizer_state, strict=True), own):
            variable.assign(value)

    def start_epoch(self, seed, epoch):
        """Let dropout and other random layers draw what belongs to this epoch."""
        for i, state in enumerate(self._seed_states):
            state.assign([derive_seed(seed, Purpose.DROPOUT, epoch, i), 0])

    def train_step(self, images, targets, weights):
        """Train on a batch, and return its loss and its number of correct predictions."""
        self._loaded = None
        return self._compiled_step(images, targets, weights)

    @contextmanager
    def averaged_weights(self):
        """Give the network, meanwhile, the averages that ``use_ema`` keeps, if it does.

        Weights that are set meanwhile stay.
        """
        if not self.optimizer.use_ema:
            yield
            return
        variables = self.network.trainable_variables
        trained = to_arrays(variables)
        self.finish_training()
        averages = to_arrays(variables)
        yield
        if all(map(np.array_equal, averages, to_arrays(variables))):
            _assign(variables, trained, _OTHER_NETWORK)
        self._loaded = None

    def finish_training(self):
        """Let the optimizer have its last word: the averaged weights of ``use_ema``."""
        self.optimizer.finalize_variable_values(self.network.trainable_variables)
        self._loaded = None

    def n_features(self):
        """Return the number of values that enter the last layer with weights, for each image."""
        return math.prod(self._features().shape[1:])

    def _features(self):
        return [layer for layer in self.network.layers if layer.weights][-1].input

    def layer_step(self, position=None):
        """Return ``images -> output`` of a layer; None means the input of the last with weights."""
        if position not in self._layer_steps:
            output = self._features() if position is None else self.network.layers[position].output
            model = keras.Model(self.network.inputs, output)
            self._layer_steps[position] = make_prediction_step(model)
        return self._layer_steps[position]


class _Penalty(keras.regularizers.Regularizer):
    """The L2 penalty, after the architecture's own if it has one."""

    def __init__(self, strength, own):
        self._strength, self._own = strength, own

    def __call__(self, kernel):
        penalty = self._strength * keras.ops.sum(keras.ops.square(kernel))
        return penalty if self._own is None else self._own(kernel) + penalty


class _VariableDropout(keras.layers.Dropout):
    """Dropout with a rate that is read at each step, which ``keras.random.dropout`` cannot do."""

    def call(self, inputs, training=False):
        if not training:
            return inputs
        kept = 1 - self.read_rate()
        draws = keras.random.uniform(keras.ops.shape(inputs), seed=self.seed_generator)
        return keras.ops.where(draws < kept, inputs / kept, 0.0)


def _with_dropout_rate(network, rate):
    """Return a copy of a network whose dropout layers read their rate from a variable.

    Its other layers are those of the network itself, and so are its weights.
    """

    def exchange(layer):
        if type(layer) is not keras.layers.Dropout:
            return layer
        dropout = _VariableDropout.from_config(layer.get_config())
        dropout.read_rate = lambda: rate  # as a plain attribute it would be one of its weights
        return dropout

    return keras.models.clone_model(network, clone_function=exchange)


def _assign(variables, values, complaint):
    _check_shapes(variables, values, complaint)
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def _check_shapes(variables, values, complaint):
    if [variable.shape for variable in variables] != [value.shape for value in values]:
        raise ValueError(complaint)


def _read_only(arrays):
    for array in arrays:
        array.setflags(write=False)
    return arrays if isinstance(arrays, tuple) else tuple(arrays)


def compose_model(network, scaler):
    """Return a Keras model that takes raw pixels and shares the network's weights.

    Parameters
    ----------
    network : keras.Model
        Takes standardised images, gives class probabilities.
    scaler : PixelScaler

    Returns
    -------
    model : keras.Model
    """
    with single_precision():
        inputs = keras.Input(network.input_shape[1:], name="pixels")
        standardize = keras.layers.Rescaling(**scaler.rescaling(), name="standardize")
        return keras.Model(inputs, network(standardize(inputs)), name="skfashion_classifier")


def build_model(state):
    """Return a new Keras model of a trained state, from raw pixels to probabilities."""
    with fixed_keras_seeds():
        network = state.network.build()
    network.set_weights(state.weights)
    return compose_model(network, state.scaler)

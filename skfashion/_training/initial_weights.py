"""Initial weights as a function of the seed, for a network that was built only once."""

import keras
import numpy as np

from skfashion._utils.randomness import Purpose, derive_seed

__all__ = ["InitialWeights", "to_arrays"]


class InitialWeights:
    """Initial weights of a network: those that initializers drew can be drawn with any seed.

    Parameters
    ----------
    network : keras.Model
        Just built. Weights that no initializer drew, such as pretrained ones, stay as they are.
    """

    def __init__(self, network):
        self._weights = to_arrays(network.weights)
        self._initializers = _find_initializers(network)

    def draw(self, seed):
        """Return the initial weights for a seed, as a tuple of arrays."""
        weights = list(self._weights)
        for i, initializer in self._initializers.items():
            config = {
                **initializer.get_config(),
                "seed": derive_seed(seed, Purpose.INITIAL_WEIGHTS, i),
            }
            drawn = type(initializer).from_config(config)(weights[i].shape)
            weights[i] = np.array(keras.ops.convert_to_numpy(drawn))
        return tuple(weights)


def to_arrays(variables):
    """Return the values of Keras variables as arrays with memory of their own."""
    return [np.array(keras.ops.convert_to_numpy(variable)) for variable in variables]


def _find_initializers(network):
    """Find out which weights an initializer drew.

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
                if _has_drawn(initializer, variable):
                    found[position] = initializer
                    break
    return found


def _has_drawn(initializer, variable):
    try:
        drawn = initializer(variable.shape, dtype=variable.dtype)
    except (TypeError, ValueError):
        return False  # an initializer for weights of another rank
    return np.array_equal(keras.ops.convert_to_numpy(drawn), *to_arrays([variable]))


def _walk_layers(layer):
    """Yield a layer and all layers inside it."""
    yield layer
    values = [layer.layers] if isinstance(layer, keras.Model) else vars(layer).values()
    for value in values:
        members = value.values() if isinstance(value, dict) else value
        for member in members if isinstance(value, (list, tuple, dict)) else [value]:
            if isinstance(member, keras.Layer):
                yield from _walk_layers(member)

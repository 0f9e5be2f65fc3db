"""Network architectures: functions from an image shape to an untrained Keras model.

Every public module of this package is an architecture. Its function ``build`` makes the network,
and the options of that function are the options of the architecture: see for instance
``help("skfashion.networks.fast")``.
"""

from skfashion.networks._registry import build_network, list_networks

__all__ = ["build_network", "list_networks"]

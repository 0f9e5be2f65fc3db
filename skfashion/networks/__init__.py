"""Network architectures: functions from an image shape to an untrained Keras model."""

from skfashion.networks._registry import build_network, list_networks

__all__ = ["build_network", "list_networks"]

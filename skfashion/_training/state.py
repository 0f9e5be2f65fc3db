"""The fitted state of a classifier, as a value."""

from dataclasses import dataclass

import numpy as np

from skfashion._images import PixelScaler
from skfashion.networks._specification import NetworkSpecification

__all__ = ["TrainedState"]


@dataclass(frozen=True, eq=False)
class TrainedState:
    """Everything that a fitted classifier knows besides its parameters.

    A fit returns one, the classifier adopts it, a model file holds it, and a later fit goes on
    from it. Nothing in it is ever changed.

    Attributes
    ----------
    network : NetworkSpecification
        The network that the weights belong to; it starts from no pretrained weights.
    weights : tuple of ndarray
        The network's weights in Keras' order, read-only.
    n_features_out : int
        Number of values that enter the last layer with weights.
    scaler : PixelScaler
        Standardisation of the images.
    classes : ndarray of shape (n_classes,)
        Sorted class labels.
    target_names : list of str or None
        Names of the classes for people, in the order of ``classes``.
    feature_names : ndarray of shape (n_features,) or None
        Column names of the training images, if they were a data frame.
    history : dict of str to list of float
        One value per epoch.
    best_epoch : int
        Epoch that the weights are from, counted from 1.
    seed : int
        Seed of everything random.
    optimizer_key : str
        Description of the optimizer and of what it trained.
    optimizer_state : list of ndarray
        The optimizer's variables.
    """

    network: NetworkSpecification
    weights: tuple[np.ndarray, ...]
    n_features_out: int
    scaler: PixelScaler
    classes: np.ndarray
    target_names: list[str] | None
    feature_names: np.ndarray | None
    history: dict[str, list[float]]
    best_epoch: int
    seed: int
    optimizer_key: str
    optimizer_state: list[np.ndarray]

    def __post_init__(self):
        self.classes.setflags(write=False)

    @property
    def n_epochs(self):
        """Number of epochs trained, over all fits that went on."""
        return len(self.history["loss"])

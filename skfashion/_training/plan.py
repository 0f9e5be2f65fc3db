"""From a classifier's parameters to the plan of a training."""

import inspect
from dataclasses import dataclass, replace
from types import NoneType
from typing import Any

import keras

from skfashion._training.batches import Variation
from skfashion._training.callbacks import check_callbacks, make_callbacks
from skfashion._training.engine import StepValues
from skfashion._training.optimizers import OptimizerSpecification, specify_optimizer
from skfashion.networks._registry import default_options
from skfashion.networks._specification import NetworkSpecification

__all__ = ["TrainingPlan"]

# A pretrained network as a whole learns more slowly than its last layer did.
_FINE_TUNING = 0.1

# Constant learning rates are commonly about a tenth of the highest of a schedule.
_WITHOUT_SCHEDULE = 0.1


@dataclass(frozen=True)
class TrainingPlan:
    """Everything that a training needs to know besides images and an earlier state.

    Attributes
    ----------
    network : NetworkSpecification
        Network to train.
    optimizer : OptimizerSpecification
    values : StepValues
        Values that training steps read.
    variation : Variation
        Changes of the training images from epoch to epoch.
    epochs : int
        Number of epochs, at most.
    batch_size : int or "auto"
    schedule : str, keras.optimizers.schedules.LearningRateSchedule or None
    label_smoothing : float
    callbacks : list of keras.callbacks.Callback
        Callbacks of this training alone.
    verbose : int
    patience : int or None
        Stop after this number of epochs without a lower validation loss, and restore the weights
        of the lowest; None trains all epochs and keeps the last weights.
    freeze_epochs : int
        Number of epochs, of ``epochs``, in which the last layer learns alone.
    is_frozen : bool
        Whether the last layer learns alone in all epochs.
    keeps_optimizer : bool
        Whether the optimizer goes on from the earlier state, as the weights do.
    checkpoint : object or None
        With ``observe(state, figure)`` and ``write(progress)``, called after each epoch.
    seed : int
        Seed of everything random. It is drawn last, after everything else was checked.
    """

    network: NetworkSpecification
    optimizer: OptimizerSpecification
    values: StepValues
    variation: Variation
    epochs: int
    batch_size: int | str
    schedule: Any
    label_smoothing: float
    callbacks: list[keras.callbacks.Callback]
    verbose: int
    patience: int | None = None
    freeze_epochs: int = 0
    is_frozen: bool = False
    keeps_optimizer: bool = False
    checkpoint: Any = None
    seed: int = 0

    @classmethod
    def for_fit(cls, classifier, network, checkpoint=None):
        """Plan what :meth:`FashionCNNClassifier.fit` does.

        Parameters
        ----------
        classifier : FashionCNNClassifier
            Has the parameters.
        network : NetworkSpecification
        checkpoint : object, default=None

        Raises
        ------
        ValueError
            If parameters contradict each other.
        TypeError
            If the schedule, the optimizer or a callback is not one.
        """
        _check_schedule(classifier)
        if classifier.freeze_epochs:
            _check_freezable(classifier)
        parts = _common_parts(classifier, network)
        check_callbacks(parts["callbacks"], classifier.schedule, classifier.freeze_epochs)
        return cls(
            **parts,
            epochs=classifier.epochs,
            schedule=classifier.schedule,
            patience=classifier.patience if classifier.early_stopping else None,
            freeze_epochs=classifier.freeze_epochs,
            checkpoint=checkpoint,
        )

    @classmethod
    def for_partial_fit(cls, classifier, network):
        """Plan what :meth:`FashionCNNClassifier.partial_fit` does: one more epoch.

        The learning rate is constant, and the optimizer's state goes on.

        Raises
        ------
        ValueError
            If the schedule is one of Keras', or as for :meth:`for_fit`.
        """
        if not isinstance(classifier.schedule, (str, NoneType)):
            raise ValueError(
                f"partial_fit does not support schedule={type(classifier.schedule).__name__}, "
                "which gives the learning rate of each step of one training. Set schedule=None, "
                "and learning_rate."
            )
        if classifier.freeze_epochs:
            _check_freezable(classifier)
        parts = _common_parts(classifier, network)
        check_callbacks(parts["callbacks"], schedule=None, freeze_epochs=0)
        plan = cls(
            **parts,
            epochs=1,
            schedule=None,
            keeps_optimizer=True,
        )
        if classifier.freeze_epochs:
            plan = plan.with_rate_factor(_FINE_TUNING)
        falls = classifier.schedule in ("one_cycle", "cosine")
        return plan.with_rate_factor(_WITHOUT_SCHEDULE) if falls else plan

    def stages(self, continues):
        """Return the plans of the stages: the last layer alone, then the whole network.

        Parameters
        ----------
        continues : bool
            Whether there is an earlier state; then nothing is frozen.
        """
        n_frozen = 0 if continues else min(self.freeze_epochs, self.epochs)
        stages = []
        if n_frozen:
            stages.append(replace(self, epochs=n_frozen, is_frozen=True))
        if n_frozen < self.epochs:
            whole = replace(self, epochs=self.epochs - n_frozen)
            stages.append(whole.with_rate_factor(_FINE_TUNING) if self.freeze_epochs else whole)
        return stages

    def with_rate_factor(self, factor):
        """Return the same plan with a learning rate multiplied by ``factor``."""
        values = replace(self.values, learning_rate=factor * self.values.learning_rate)
        return replace(self, values=values)

    def network_to_build(self, continues):
        """Return the network as it is built: without pretrained weights if it is to get others."""
        network = self.network.with_options(trainable=False) if self.is_frozen else self.network
        return network.without_pretraining() if continues else network

    def choose_batch_size(self, n_images):
        """Return the maximum number of images per training step."""
        if self.batch_size == "auto":
            return min(256, max(16, n_images // 50))
        return self.batch_size


def _common_parts(classifier, network):
    """Return the parts of a plan that every training has."""
    network.key()  # refuses unknown architectures, and options without a hash
    optimizer = specify_optimizer(classifier.optimizer, classifier._routed_to("optimizer"))
    return {
        "network": network,
        "optimizer": optimizer,
        "values": StepValues(
            _given(classifier.learning_rate, optimizer.learning_rate),
            _given(classifier.weight_decay, optimizer.weight_decay),
            classifier.l2,
            network.dropout,
        ),
        "variation": Variation(
            classifier._augmenter(network.image_shape), classifier.mixup, classifier.cutmix
        ),
        "batch_size": classifier.batch_size,
        "label_smoothing": classifier.label_smoothing,
        "callbacks": make_callbacks(classifier.callbacks, classifier._routed_to("callbacks")),
        "verbose": int(classifier.verbose),
    }


def _given(value, otherwise):
    return otherwise if value is None else value


def _check_schedule(classifier):
    schedule = classifier.schedule
    if isinstance(schedule, (str, NoneType)):
        return
    if not isinstance(schedule, keras.optimizers.schedules.LearningRateSchedule):
        raise TypeError(
            "schedule must be a name, a keras.optimizers.schedules.LearningRateSchedule or "
            f"None, got {schedule!r}."
        )
    for name, without in (("learning_rate", None), ("freeze_epochs", 0)):
        value = getattr(classifier, name)
        if value:
            raise ValueError(
                f"schedule={type(schedule).__name__} gives the learning rate of each step "
                f"itself: instead of {name}={value}, set {name}={without}."
            )


def _check_freezable(classifier):
    architecture, n_epochs = classifier.architecture, classifier.freeze_epochs
    if isinstance(architecture, str):
        takes_it = "trainable" in default_options(architecture)
    else:
        parameters = inspect.signature(architecture).parameters.values()
        takes_it = any(p.name == "trainable" or p.kind is p.VAR_KEYWORD for p in parameters)
    if not takes_it:
        raise ValueError(
            f"freeze_epochs={n_epochs} is for pretrained architectures; {architecture!r} has no "
            "option trainable."
        )
    options = classifier._routed_to("architecture")
    if options.get("weights", "pretrained") is None:
        raise ValueError(
            f"freeze_epochs={n_epochs} would train the last layer on top of random weights, for "
            "architecture__weights=None. Set freeze_epochs=0, or give weights."
        )
    if options.get("trainable") is False:
        raise ValueError(
            "architecture__trainable=False freezes the backbone for good, "
            f"freeze_epochs={n_epochs} for so many epochs. Set freeze_epochs=0, or "
            "architecture__trainable=True."
        )

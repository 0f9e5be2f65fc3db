"""From a classifier's parameters to a trained network.

Imports Keras. What changes in the classifier is its fitted state alone.
"""

import copy
import inspect
from pathlib import Path
from types import NoneType

import keras
import numpy as np

from skfashion._persistence import check_savable, save_classifier
from skfashion._training.batches import Variation
from skfashion._training.callbacks import make_callbacks
from skfashion._training.engine import StepValues, borrow_engine
from skfashion._training.loop import train
from skfashion._training.optimizers import specify_optimizer
from skfashion.networks._registry import default_options

__all__ = [
    "check_checkpoint",
    "check_continuing_parameters",
    "check_training_parameters",
    "continue_fit",
    "fit_network",
]

# A pretrained network as a whole learns more slowly than its last layer did.
_FINE_TUNING = 0.1

# Constant learning rates are commonly about a tenth of the highest of a schedule.
_WITHOUT_SCHEDULE = 0.1

# What a fitted classifier has of the epoch that early stopping kept.
_OF_AN_EPOCH = ("weights_", "best_epoch_", "_optimizer_state", "_optimizer_key")


def check_training_parameters(classifier):
    """Refuse what cannot be trained, before anything changes.

    Parameters
    ----------
    classifier : FashionCNNClassifier

    Raises
    ------
    ValueError
        If parameters contradict each other.
    TypeError
        If the schedule is none.
    """
    schedule = classifier.schedule
    if not isinstance(schedule, (str, NoneType)):
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
    if classifier.freeze_epochs:
        _check_freezable(classifier)


def check_continuing_parameters(classifier):
    """Refuse what cannot be trained by :meth:`FashionCNNClassifier.partial_fit`.

    Parameters
    ----------
    classifier : FashionCNNClassifier

    Raises
    ------
    ValueError
        If the schedule is one of Keras', or parameters contradict each other.
    """
    if not isinstance(classifier.schedule, (str, NoneType)):
        raise ValueError(
            f"partial_fit does not support schedule={type(classifier.schedule).__name__}, which "
            "gives the learning rate of each step of one training. Set schedule=None, and "
            "learning_rate."
        )
    check_training_parameters(classifier)


def check_checkpoint(classifier, *, continues, validates):
    """Refuse a checkpoint that cannot be written, or that was best by a figure now missing.

    Parameters
    ----------
    classifier : FashionCNNClassifier
        With a ``checkpoint``.
    continues : bool
        Whether this fit goes on from an earlier one.
    validates : bool
        Whether there are validation images.

    Raises
    ------
    ValueError
        If there is a file, and earlier epochs have validation losses, but this fit would not; or
        as :func:`skfashion._persistence.check_savable`.
    """
    check_savable(classifier, classifier.checkpoint, "checkpoint")
    had_validation = continues and np.isfinite(classifier.history_.get("val_loss", [])).any()
    if had_validation and not validates and Path(classifier.checkpoint).exists():
        raise ValueError(
            f"checkpoint={str(classifier.checkpoint)!r} holds the epoch with the lowest validation "
            "loss, which this fit would not have. Give X_val and y_val, set early_stopping=True, "
            "or name another checkpoint."
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


def fit_network(classifier, training, validation):
    """Train with the classifier's epochs, schedule, stopping and checkpoint.

    Parameters
    ----------
    classifier : FashionCNNClassifier
        With ``classes_``, ``image_shape_`` and what standardises images. If it is fitted, its
        weights go on.
    training : LabelledImages
    validation : LabelledImages or None
    """
    continues = classifier.__sklearn_is_fitted__()
    network = classifier._network_to_train()
    n_frozen = 0 if continues else min(classifier.freeze_epochs, classifier.epochs)
    stages = []
    if n_frozen:
        stages.append((network.with_options(trainable=False), n_frozen, 1.0))
        network = network.without_pretraining()  # it has the first stage's weights
    if n_frozen < classifier.epochs:
        stages.append((network, classifier.epochs - n_frozen, _rate_factor(classifier)))
    checkpoint = None if classifier.checkpoint is None else _Checkpoint(classifier.checkpoint)
    best_loss, best = np.inf, {}
    try:
        for stage_network, epochs, rate_factor in stages:
            _train(
                classifier,
                stage_network,
                training,
                validation,
                epochs=epochs,
                schedule=classifier.schedule,
                rate_factor=rate_factor,
                patience=classifier.patience if classifier.early_stopping else None,
                checkpoint=checkpoint,
            )
            if classifier.early_stopping:
                loss = classifier.history_["val_loss"][classifier.best_epoch_ - 1]
                if loss < best_loss:
                    best_loss = loss
                    best = {name: getattr(classifier, name) for name in _OF_AN_EPOCH}
    except BaseException:
        if not continues:  # nor is it fitted by the first of two stages
            classifier.__dict__.pop("weights_", None)
        raise
    vars(classifier).update(best)


def continue_fit(classifier, training):
    """Train one more epoch, with a constant learning rate and the optimizer's last state.

    Parameters
    ----------
    classifier : FashionCNNClassifier
        As for :func:`fit_network`.
    training : LabelledImages
    """
    falls = classifier.schedule in ("one_cycle", "cosine")
    _train(
        classifier,
        classifier._network_to_train(),
        training,
        None,
        epochs=1,
        schedule=None,
        rate_factor=_rate_factor(classifier) * (_WITHOUT_SCHEDULE if falls else 1.0),
        keep_optimizer=True,
    )


def _rate_factor(classifier):
    """Of the learning rate while all of the network learns."""
    return _FINE_TUNING if classifier.freeze_epochs else 1.0


def _train(
    classifier,
    network,
    training,
    validation,
    *,
    epochs,
    schedule,
    rate_factor,
    patience=None,
    checkpoint=None,
    keep_optimizer=False,
):
    optimizer = specify_optimizer(classifier.optimizer, classifier._routed_to("optimizer"))
    values = StepValues(
        rate_factor * _given(classifier.learning_rate, optimizer.learning_rate),
        _given(classifier.weight_decay, optimizer.weight_decay),
        classifier.l2,
        network.dropout,
    )
    continues = classifier.__sklearn_is_fitted__()
    earlier = classifier.history_ if continues else {}
    first_epoch = classifier.n_epochs_ if continues else 0
    augmenter = classifier._augmenter(classifier.image_shape_)
    # While the last layer alone learns, the optimizer has another state.
    optimizer_key = f"{optimizer.key()} trainable={network.options.get('trainable', True)}"
    with borrow_engine(network, optimizer, values) as engine:
        if continues:
            engine.load(classifier.weights_)
        else:
            engine.start(classifier._seed)
        has_state = continues and keep_optimizer and classifier._optimizer_key == optimizer_key
        engine.start_training(values, classifier._optimizer_state if has_state else None)

        def record(fitted, history, best_epoch):
            """Note in a classifier what the engine and the training are at now."""
            fitted.weights_ = engine.weights()
            fitted.history_ = _append_history(earlier, history)
            fitted.n_epochs_ = len(fitted.history_["loss"])
            fitted.best_epoch_ = best_epoch
            fitted._network = classifier._specify_network().without_pretraining()
            fitted._n_features_out = engine.n_features()
            fitted._optimizer_key = optimizer_key
            fitted._optimizer_state = engine.optimizer_state()
            fitted._model = None

        def write_checkpoint(history):
            figure = "loss" if validation is None else "val_loss"
            if not checkpoint.exists() or _is_best(_append_history(earlier, history), figure):
                best = copy.copy(classifier)
                best.checkpoint = None  # or a cross-validation of what is loaded would write it
                record(best, history, first_epoch + len(history["loss"]))
                checkpoint.write(best)

        history, best_epoch = train(
            engine,
            training,
            validation,
            classifier._standardization(),
            Variation(augmenter, classifier.mixup, classifier.cutmix),
            n_classes=len(classifier.classes_),
            seed=classifier._seed,
            first_epoch=first_epoch,
            epochs=epochs,
            batch_size=_choose_batch_size(classifier.batch_size, len(training.rows)),
            learning_rate=values.learning_rate,
            schedule=schedule,
            label_smoothing=classifier.label_smoothing,
            patience=patience,
            callbacks=make_callbacks(classifier.callbacks, classifier._routed_to("callbacks")),
            on_epoch_end=None if checkpoint is None else write_checkpoint,
            verbose=int(classifier.verbose),
        )
        record(classifier, history, best_epoch)
        engine.loaded = classifier.weights_


class _Checkpoint:
    """The file of the best epoch; its Keras model is built once for all that are written."""

    def __init__(self, path):
        self._path = Path(path)
        self._model = None

    def exists(self):
        return self._path.exists()

    def write(self, classifier):
        if self._model is None:
            self._model = classifier._compose_model()
        self._model.layers[-1].set_weights(classifier.weights_)
        save_classifier(classifier, self._path, model=self._model)


def _is_best(history, figure):
    """Whether the last epoch is the best of all that the network was trained."""
    *earlier, last = history[figure]
    return last < np.nanmin([np.inf, *earlier])


def _choose_batch_size(batch_size, n_images):
    return min(256, max(16, n_images // 50)) if batch_size == "auto" else batch_size


def _given(value, otherwise):
    return otherwise if value is None else value


def _append_history(earlier, later):
    """One history after the other; NaN where an epoch has no such figure."""

    def pad(history, name):
        return history.get(name, [np.nan] * len(history["loss"]))

    if not earlier:
        return {name: list(values) for name, values in later.items()}
    return {name: pad(earlier, name) + pad(later, name) for name in {**earlier, **later}}

"""The training loop: epochs, batches, learning rate, validation, early stopping."""

import math
from contextlib import closing
from typing import Any

import keras
import numpy as np

from skfashion._images import standardize
from skfashion._training.batches import BatchMaker
from skfashion._training.engine import compose_model
from skfashion._training.schedules import make_schedule
from skfashion._utils.progress import show_training
from skfashion.errors import TrainingDivergedError

__all__ = ["predict_in_batches", "predict_probabilities", "train"]

# Images times pixels times channels in one call of the prediction step: large enough to use the
# processor well, small enough for its memory whatever the image size.
_PREDICTION_PIXELS = 2**20
_PREDICTION_BATCH = 1024


def train(
    engine,
    training,
    validation,
    standardization,
    variation,
    *,
    n_classes,
    seed,
    first_epoch,
    epochs,
    batch_size,
    learning_rate,
    schedule,
    label_smoothing,
    patience,
    callbacks,
    on_epoch_end,
    verbose,
):
    """Train an engine's network.

    Parameters
    ----------
    engine : Engine
        With the weights to begin with, after ``engine.start_training``.
    training : LabelledImages
    validation : LabelledImages or None
    standardization : tuple (image_shape, scale, offset)
        See :func:`skfashion._images.standardize`.
    variation : Variation
        Of the training images.
    first_epoch : int
        Epochs that this network was trained before.
    epochs : int
        Epochs to train now, at most.
    patience : int or None
        Stop after so many epochs without a lower validation loss, and restore the weights of the
        lowest; None trains all epochs and keeps the last weights.
    callbacks : list of keras.callbacks.Callback
        Called as Keras does.
    on_epoch_end : callable or None
        ``on_epoch_end(history)`` is called after each epoch, while the engine has the weights that
        were validated.

    Returns
    -------
    history : dict of str to list of float
        One value an epoch.
    best_epoch : int
        The epoch of the final weights, counted from 1 at the network's beginning.

    Raises
    ------
    TrainingDivergedError
        If the loss is infinite or NaN.
    """
    # Smoothed one-hot vectors, a row for each class.
    targets = np.full((n_classes, n_classes), label_smoothing / n_classes, dtype=np.float32)
    targets[np.diag_indices(n_classes)] += 1 - label_smoothing
    batches = BatchMaker(
        training, standardization, targets, variation, batch_size=batch_size, seed=seed
    )
    n_steps = batches.n_steps
    rates = make_schedule(schedule, learning_rate, epochs * n_steps)
    rate = learning_rate
    callback_list, live_model = _start_callbacks(
        callbacks, engine, standardization, epochs=epochs, steps=n_steps, verbose=verbose
    )

    history: dict = {}
    best_loss, best_epoch, best_weights, best_optimizer_state = math.inf, first_epoch, None, None
    callback_list.on_train_begin()
    last_epoch = first_epoch + epochs
    progress_bar = show_training(verbose, range(first_epoch, last_epoch), n_steps)
    with closing(batches), progress_bar as report:
        for epoch in range(first_epoch, last_epoch):
            callback_list.on_epoch_begin(epoch)
            engine.start_epoch(seed, epoch)
            loss_sum, n_correct, n_seen = 0.0, 0.0, 0
            for step, batch in enumerate(batches.epoch(epoch)):
                callback_list.on_train_batch_begin(step)
                if rates is not None:
                    if live_model is not None:
                        _check_rate(engine, rate, schedule)
                    rate = rates.rate((epoch - first_epoch) * n_steps + step)
                    engine.optimizer.learning_rate = rate
                loss, correct = engine.train_step(*batch)
                _check_finite(loss, f"loss of epoch {epoch + 1}, step {step + 1}", engine)
                n_images = len(batch[0])
                loss_sum += float(loss) * n_images
                n_correct += float(correct)
                n_seen += n_images
                logs = {"loss": loss_sum / n_seen, "accuracy": n_correct / n_seen}
                callback_list.on_train_batch_end(step, logs)
                report(epoch, step + 1, logs)
            engine.loaded = None
            logs["learning_rate"] = float(engine.optimizer.learning_rate)
            with engine.averaged_weights():
                if validation is not None:
                    logs["val_loss"], logs["val_accuracy"] = _evaluate(
                        engine, validation, standardization
                    )
                    _check_finite(logs["val_loss"], f"validation loss of epoch {epoch + 1}", engine)
                for name, value in logs.items():
                    history.setdefault(name, []).append(value)
                loss = logs.get("val_loss", logs["loss"])
                if patience is not None and loss < best_loss:
                    best_loss, best_epoch = loss, epoch + 1
                    best_weights = engine.weights()
                    best_optimizer_state = engine.optimizer_state()
                if on_epoch_end is not None:
                    on_epoch_end(history)
            if rates is not None:
                rates.end_epoch(loss)
            report(epoch, None, logs)
            callback_list.on_epoch_end(epoch, logs)
            if live_model is not None and live_model.stop_training:
                break
            if patience is not None and epoch + 1 - best_epoch >= patience:
                break
    callback_list.on_train_end()
    if best_weights is not None:
        engine.load(best_weights, best_optimizer_state)
    else:
        engine.finish_training()
    # The last step's loss was computed before its update.
    few = training.rows[:batch_size]
    probabilities = predict_probabilities(engine, training.X, standardization, few)
    _check_finite(probabilities.sum(), "probability of an image", engine)
    return history, epoch + 1 if best_weights is None else best_epoch


def predict_in_batches(step, X, standardization, rows=None, view=None):
    """What a prediction step gives for images, as one array of single precision.

    ``view``, if given, changes raw images ``(n, height, width, channels)`` first.
    """
    n_images = len(X) if rows is None else len(rows)
    pixels = math.prod(standardization[0])
    batch_size = max(1, min(_PREDICTION_BATCH, _PREDICTION_PIXELS // pixels))
    outputs = []
    for start in range(0, n_images, batch_size):
        batch = slice(start, start + batch_size)
        images = X[batch if rows is None else rows[batch]]
        if view is not None:
            images = view(images.reshape(-1, *standardization[0]))
        outputs.append(step(standardize(images, *standardization)))
    return np.concatenate(outputs)


def predict_probabilities(engine, X, standardization, rows=None, views=(None,)):
    """Class probabilities of images, computed in batches and averaged over views of them.

    Returns
    -------
    probabilities : ndarray of shape (n, n_classes) of float64
        Rows sum to 1.
    """
    probabilities: Any = 0.0
    for view in views:
        output = predict_in_batches(engine.predict_step, X, standardization, rows, view)
        probabilities = probabilities + output.astype(np.float64)
    return probabilities / probabilities.sum(axis=1, keepdims=True)


def _check_finite(value, what, engine):
    if not math.isfinite(value):
        rate = float(engine.optimizer.learning_rate)
        raise TrainingDivergedError(
            f"The {what} became {value} at a learning rate of {rate:g}. A lower one usually helps."
        )


def _check_rate(engine, rate, schedule):
    """Refuse callbacks that change what the next step would change back."""
    if not math.isclose(float(engine.optimizer.learning_rate), rate, rel_tol=1e-5):
        raise ValueError(
            f"A callback changed the learning rate, but schedule={schedule!r} sets it in every "
            "step. Use schedule=None with such callbacks."
        )


def _evaluate(engine, images, standardization):
    """Weighted mean cross-entropy, and accuracy."""
    probabilities = predict_probabilities(engine, images.X, standardization, images.rows)
    y = images.y[images.rows]
    # Keras' clipping, so that one hopeless image does not make the mean infinite.
    of_truth = np.maximum(probabilities[np.arange(len(y)), y], keras.config.epsilon())
    loss = np.average(-np.log(of_truth), weights=images.weights[images.rows])
    return float(loss), float(np.mean(probabilities.argmax(axis=1) == y))


def _start_callbacks(callbacks, engine, standardization, **parameters):
    """Users' callbacks as Keras runs them, on a live model that takes raw pixels."""
    if not callbacks:
        return keras.callbacks.CallbackList([]), None
    model = compose_model(engine.network, *standardization[1:])
    model.compile(optimizer=engine.optimizer, loss="categorical_crossentropy")
    model.stop_training = False
    return keras.callbacks.CallbackList(callbacks, model=model, **parameters), model

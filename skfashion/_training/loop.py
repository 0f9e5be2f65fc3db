"""The training loop: from a plan, data and an earlier state to a trained state."""

from contextlib import closing
from dataclasses import replace

import keras
import numpy as np

from skfashion._training.batches import BatchMaker
from skfashion._training.callbacks import start_callbacks
from skfashion._training.epochs import (
    EarlyStopping,
    RunningFigures,
    append_epoch,
    check_finite,
)
from skfashion._training.pool import borrow_engine
from skfashion._training.prediction import predict_probabilities
from skfashion._training.schedules import LearningRate
from skfashion._training.state import TrainedState
from skfashion._utils.progress import show_training

__all__ = ["fit"]


def fit(plan, data, state=None):
    """Train a network.

    Parameters
    ----------
    plan : TrainingPlan
    data : TrainingData
    state : TrainedState, default=None
        State that the training goes on from; None starts from scratch.

    Returns
    -------
    state : TrainedState

    Raises
    ------
    TrainingDivergedError
        If the loss is infinite or NaN.
    """
    states = []
    for stage in plan.stages(continues=state is not None):
        state = _train_stage(stage, data, state)
        states.append(state)
    if plan.patience is None:
        return state
    best = min(states, key=lambda state: state.validation_loss)
    return replace(best, history=state.history)


def _train_stage(plan, data, state):
    """Train one stage of a plan, and return the trained state."""
    network = plan.network_to_build(continues=state is not None)
    with borrow_engine(network, plan.optimizer, plan.values) as engine:
        return _Stage(plan, data, state, engine).train()


class _Stage:
    """One stage of a training: one engine, one schedule, one set of layers that learn.

    Parameters
    ----------
    plan : TrainingPlan
    data : TrainingData
    state : TrainedState or None
        State to go on from.
    engine : Engine
    """

    def __init__(self, plan, data, state, engine):
        self.plan, self.data, self.state, self.engine = plan, data, state, engine
        self.first_epoch = 0 if state is None else state.n_epochs
        self.history: dict = {} if state is None else state.history
        self.stopping = EarlyStopping(plan.patience)
        trainable = not plan.is_frozen and plan.network.options.get("trainable", True)
        # While the last layer alone learns, the optimizer has another state.
        self.optimizer_key = f"{plan.optimizer.key()} trainable={trainable}"

    def _load_engine(self):
        """Give the engine the weights and the optimizer's state to begin with."""
        state, optimizer_state = self.state, None
        if state is None:
            self.engine.draw_weights(self.plan.seed)
        else:
            self.engine.load(state.weights)
            if self.plan.keeps_optimizer and state.optimizer_key == self.optimizer_key:
                optimizer_state = state.optimizer_state
        self.engine.start_training(self.plan.values, optimizer_state)

    def train(self):
        """Train epoch after epoch, and return the trained state."""
        plan, engine = self.plan, self.engine
        self._load_engine()
        with closing(self._make_batches()) as batches:
            callbacks = start_callbacks(plan, engine, self.data.scaler, batches.n_steps)
            rate = LearningRate(
                engine.optimizer,
                plan,
                plan.epochs * batches.n_steps,
                is_watched=callbacks.is_live,
            )
            epochs = range(self.first_epoch, self.first_epoch + plan.epochs)
            callbacks.on_train_begin()
            with show_training(plan.verbose, epochs, batches.n_steps) as report:
                for epoch in epochs:
                    callbacks.on_epoch_begin(epoch)
                    logs = self._train_epoch(epoch, batches, rate, callbacks, report)
                    with engine.averaged_weights():
                        logs |= self._validate(epoch)
                        self.history = append_epoch(self.history, logs)
                        loss = logs.get("val_loss", logs["loss"])
                        self.stopping.observe(epoch, loss, engine)
                        self._write_checkpoint("val_loss" if "val_loss" in logs else "loss")
                    rate.end_epoch(loss)
                    report(epoch, None, logs)
                    callbacks.on_epoch_end(epoch, logs)
                    if self.stopping.is_over or callbacks.is_stopped:
                        break
            callbacks.on_train_end()
        self.stopping.finish(engine)
        self._check_probabilities()
        return self.current_state(self.stopping.best_epoch)

    def current_state(self, best_epoch=None):
        """Return the state that the engine is in now."""
        state, data, engine = self.state, self.data, self.engine
        return TrainedState(
            network=self.plan.network.without_pretraining(),
            weights=engine.weights(),
            n_features_out=engine.n_features(),
            scaler=data.scaler,
            classes=data.classes,
            target_names=None if state is None else state.target_names,
            feature_names=data.feature_names,
            history=self.history,
            best_epoch=best_epoch or len(self.history["loss"]),
            seed=self.plan.seed,
            optimizer_key=self.optimizer_key,
            optimizer_state=engine.optimizer_state(),
        )

    def _make_batches(self):
        plan, training = self.plan, self.data.training
        n_classes = len(self.data.classes)
        # Smoothed one-hot vectors, a row for each class.
        targets = np.full((n_classes, n_classes), plan.label_smoothing / n_classes, np.float32)
        targets[np.diag_indices(n_classes)] += 1 - plan.label_smoothing
        return BatchMaker(
            training,
            self.data.scaler,
            targets,
            plan.variation,
            batch_size=plan.choose_batch_size(len(training.rows)),
            seed=plan.seed,
        )

    def _train_epoch(self, epoch, batches, rate, callbacks, report):
        """Train on every image once, and return the epoch's figures."""
        engine, figures, logs = self.engine, RunningFigures(), {}
        engine.start_epoch(self.plan.seed, epoch)
        first_step = (epoch - self.first_epoch) * batches.n_steps
        for step, batch in enumerate(batches.epoch(epoch)):
            callbacks.on_train_batch_begin(step)
            rate.start_step(first_step + step)
            loss, n_correct = engine.train_step(*batch)
            check_finite(loss, f"loss of epoch {epoch + 1}, step {step + 1}", engine)
            logs = figures.add(loss, n_correct, len(batch[0]))
            callbacks.on_train_batch_end(step, logs)
            report(epoch, step + 1, logs)
        logs["learning_rate"] = float(engine.optimizer.learning_rate)
        return logs

    def _validate(self, epoch):
        """Return the weighted mean cross-entropy and the accuracy of the validation images."""
        images, scaler = self.data.validation, self.data.scaler
        if images is None:
            return {}
        probabilities = predict_probabilities(self.engine, images.X, scaler, images.rows)
        y = images.y[images.rows]
        # Keras' clipping, so that one hopeless image does not make the mean infinite.
        of_truth = np.maximum(probabilities[np.arange(len(y)), y], keras.config.epsilon())
        loss = float(np.average(-np.log(of_truth), weights=images.weights[images.rows]))
        check_finite(loss, f"validation loss of epoch {epoch + 1}", self.engine)
        accuracy = float(np.mean(probabilities.argmax(axis=1) == y))
        return {"val_loss": loss, "val_accuracy": accuracy}

    def _write_checkpoint(self, figure):
        checkpoint = self.plan.checkpoint
        if checkpoint is not None and checkpoint.is_due(self.history[figure]):
            checkpoint.write(self.current_state())

    def _check_probabilities(self):
        """Refuse final weights that predict nothing: the last loss is from before its update."""
        training = self.data.training
        few = training.rows[: self.plan.choose_batch_size(len(training.rows))]
        found = predict_probabilities(self.engine, training.X, self.data.scaler, few)
        check_finite(found.sum(), "probability of an image", self.engine)

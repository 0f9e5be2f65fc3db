"""The training loop: from a plan, data and an earlier state to a trained state."""

from contextlib import closing, contextmanager
from dataclasses import replace

import numpy as np

from skfashion._training.batches import BatchMaker
from skfashion._training.callbacks import start_callbacks
from skfashion._training.epochs import (
    Patience,
    RunningFigures,
    ValidationFigures,
    append_epoch,
    check_finite,
    check_weights,
)
from skfashion._training.pool import borrow_engine
from skfashion._training.prediction import choose_batch_size, predict_probabilities
from skfashion._training.schedules import LearningRate
from skfashion._training.state import TrainedState
from skfashion._training.training_progress import TrainingProgress
from skfashion._utils.progress import show_training
from skfashion.errors import TrainingDivergedError

__all__ = ["Training"]


class Training:
    """A training that may end after any epoch, and go on there to the same bits.

    Parameters
    ----------
    plan : TrainingPlan
    data : TrainingData
    start : TrainedState or None
        State that the training begins with; None begins from scratch.
    tasks : object
        With ``begin_epoch()``, and ``end_epoch(state)``, which returns whether to stop.
    progress : TrainingProgress, default=None
        Where an earlier training with the same plan, data and start has ended.

    Attributes
    ----------
    progress : TrainingProgress or None
        State after the last epoch that was finished.
    """

    def __init__(self, plan, data, start, tasks, progress=None):
        self.plan, self.data, self.start, self.tasks = plan, data, start, tasks
        self.progress = progress
        self.is_warm = start is not None if progress is None else progress.is_warm

    def run(self):
        """Train to the end.

        Raises
        ------
        TrainingDivergedError
            If the loss is infinite or NaN.
        """
        for number, plan in enumerate(self.plan.stages(continues=self.is_warm)):
            progress = self.progress
            if progress is not None and progress.is_stopped:
                break
            if progress and (progress.stage, progress.is_stage_over) >= (number, True):
                continue
            network = plan.network_to_build(continues=bool(progress or self.start))
            with borrow_engine(network, plan.optimizer, plan.values) as engine:
                _Stage(self, number, plan, engine).train()


class _Stage:
    """One stage of a training: one engine, one schedule, one set of layers that learn.

    Parameters
    ----------
    training : Training
        Gets the progress after each epoch.
    number : int
        Position among the stages.
    plan : TrainingPlan
        Plan of this stage.
    engine : Engine
    """

    def __init__(self, training, number, plan, engine):
        self.training, self.number, self.plan, self.engine = training, number, plan, engine
        self.data, progress = training.data, training.progress
        self.start = training.start if progress is None else progress.result
        self.history: dict = {} if self.start is None else self.start.history
        self.best = None if progress is None else progress.best
        self.best_loss = np.inf if progress is None else progress.best_loss
        self.resumed = None
        self.first_epoch = 0 if self.start is None else self.start.n_epochs
        self.patience = Patience(plan.patience)
        if progress is not None and progress.stage == number:
            self.resumed = progress
            self.first_epoch, self.patience = progress.first_epoch, progress.patience
        trainable = not plan.is_frozen and plan.network.options.get("trainable", True)
        # While the last layer alone learns, the optimizer has another state.
        self.optimizer_key = f"{plan.optimizer.key()} trainable={trainable}"

    def train(self):
        """Train epoch after epoch."""
        plan, engine = self.plan, self.engine
        self._load_engine()
        stop = self.first_epoch + plan.epochs
        with closing(self._make_batches()) as batches:
            n_steps = batches.n_steps
            running = {"epochs": stop, "steps": n_steps, "verbose": plan.verbose}
            callbacks = start_callbacks(plan.callbacks, engine, self.data.scaler, **running)
            is_watched = callbacks.is_live
            rate = LearningRate(
                engine.optimizer, plan, plan.epochs * n_steps, is_watched=is_watched
            )
            if self.resumed is not None:
                rate.state = self.resumed.schedule
            callbacks.on_train_begin()
            if callbacks.restored_epoch is not None:
                rate.take_restored()
            epochs, logs = self._epochs_to_train(stop, callbacks), None
            with show_training(plan.verbose, epochs, n_steps) as report:
                for epoch in epochs:
                    with _epoch_in_errors(epoch, stop):
                        logs = self._train_epoch(epoch, batches, rate, callbacks, report)
                        logs, is_over = self._end_epoch(epoch, logs, rate, callbacks, report)
                    if is_over:
                        break
            engine.finish_training()
            callbacks.on_train_end(logs)
        self._finish(callbacks)

    def _load_engine(self):
        """Give the engine the weights and the optimizer's state to begin with."""
        plan, engine, start, resumed = self.plan, self.engine, self.start, self.resumed
        if resumed is not None:
            engine.load(resumed.weights)
            engine.start_training(plan.values)
            engine.load_optimizer_state(resumed.state.optimizer_state)
        elif start is not None:
            goes_on = plan.keeps_optimizer and start.optimizer_key == self.optimizer_key
            engine.load(start.weights)
            engine.start_training(plan.values, start.optimizer_state if goes_on else None)
        else:
            engine.draw_weights(plan.seed)
            engine.start_training(plan.values)

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

    def _epochs_to_train(self, stop, callbacks):
        """Return the epochs to come; those of a training that a callback restored are unknown."""
        n_known = self.first_epoch if self.resumed is None else self.resumed.state.n_epochs
        if self.patience.is_over:  # it was interrupted while callbacks finished it
            return range(n_known, n_known)
        first = min(max(n_known, callbacks.restored_epoch or 0), stop)
        for _ in range(n_known, first):
            self.history = append_epoch(self.history, {"loss": np.nan, "accuracy": np.nan})
        return range(first, stop)

    def _train_epoch(self, epoch, batches, rate, callbacks, report):
        """Train on every image once, and return the epoch's figures."""
        engine, figures, logs = self.engine, RunningFigures(), {}
        self.training.tasks.begin_epoch()
        callbacks.on_epoch_begin(epoch)
        engine.start_epoch(self.plan.seed, epoch)
        first_step = (epoch - self.first_epoch) * batches.n_steps
        for step, batch in enumerate(batches.epoch(epoch)):
            callbacks.on_train_batch_begin(step)
            rate.start_step(first_step + step)
            loss, n_correct = engine.train_step(*batch)
            logs = figures.add(loss, n_correct, len(batch[0]))
            callbacks.on_train_batch_end(step, logs)
            if callbacks.is_stopped:
                break
            check_finite(loss, f"loss of epoch {epoch + 1}, step {step + 1}", engine)
            report(epoch, step + 1, logs)
        logs["learning_rate"] = float(engine.optimizer.learning_rate)
        return logs

    def _validate(self, epoch, callbacks):
        """Return the weighted mean cross-entropy and the accuracy of the validation images."""
        images, scaler = self.data.validation, self.data.scaler
        if images is None:
            return {}
        figures = ValidationFigures()
        n_images, batch_size = len(images.rows), choose_batch_size(scaler.image_shape)
        callbacks.on_test_begin()
        for step, first in enumerate(range(0, n_images, batch_size)):
            rows = images.rows[first : first + batch_size]
            callbacks.on_test_batch_begin(step)
            probabilities = predict_probabilities(self.engine, images.X, scaler, rows)
            figures.add(probabilities, images.y[rows], images.weights[rows])
            if callbacks.is_live:
                callbacks.on_test_batch_end(step, figures.logs())
        logs = figures.logs()
        callbacks.on_test_end(logs)
        if not callbacks.is_stopped:
            check_finite(logs["loss"], f"validation loss of epoch {epoch + 1}", self.engine)
        return {f"val_{name}": value for name, value in logs.items()}

    def _end_epoch(self, epoch, logs, rate, callbacks, report):
        """Validate, let callbacks look, and note where the training is now.

        Returns
        -------
        logs : dict
            Figures of the epoch, with those that callbacks added.
        is_over : bool
            Whether it was the last epoch of the stage.
        """
        engine = self.engine
        with engine.averaged_weights():
            logs |= self._validate(epoch, callbacks)
            loss = logs.get("val_loss", logs["loss"])
            validated = engine.weights(), engine.optimizer_state()
            if not callbacks.is_stopped:
                check_weights(validated[0], epoch, engine)
            logs = callbacks.end_epoch(epoch, logs)
            # Callbacks may have changed both.
            now = (engine.weights(), engine.optimizer_state()) if callbacks.is_live else validated
        self.history = append_epoch(self.history, logs)
        rate.end_epoch(loss)
        self.patience = self.patience.after(loss)
        state = self._state(*validated)
        if self.plan.patience is not None and loss < self.best_loss:
            self.best, self.best_loss = state, loss
        is_last = epoch + 1 == self.first_epoch + self.plan.epochs
        self.training.progress = self._progress(
            state if now is validated else self._state(*now),
            engine.weights() if engine.optimizer.use_ema else now[0],
            schedule=rate.state,
            is_stage_over=is_last or self.patience.is_over or callbacks.is_stopped,
        )
        self._end_task()
        if self.plan.checkpoint is not None:
            self.plan.checkpoint.observe(state, "val_loss" if "val_loss" in logs else "loss")
            self._write_checkpoint(is_finishing=callbacks.is_live)
        report(epoch, None, logs)  # now that the epoch cannot be lost any more
        return logs, self.training.progress.is_stage_over

    def _end_task(self):
        """Tell scikit-learn's callbacks that the epoch is over; they may end the training."""
        training = self.training
        if training.tasks.end_epoch(training.progress.result):
            training.progress = replace(training.progress, is_stage_over=True, is_stopped=True)

    def _write_checkpoint(self, *, is_finishing):
        """Write where the training is.

        A stage is not over in the file while callbacks have yet to finish it: they may still change
        the weights.
        """
        progress = self.training.progress
        if is_finishing:
            progress = replace(progress, is_stage_over=False, is_stopped=False)
        self.plan.checkpoint.write(progress)

    def _state(self, weights, optimizer_state):
        data, start = self.data, self.start
        return TrainedState(
            network=self.plan.network.without_pretraining(),
            weights=weights,
            n_features_out=self.engine.n_features(),
            scaler=data.scaler,
            classes=data.classes,
            target_names=None if start is None else start.target_names,
            feature_names=data.feature_names,
            history=self.history,
            best_epoch=len(self.history["loss"]),
            seed=self.plan.seed,
            optimizer_key=self.optimizer_key,
            optimizer_state=optimizer_state,
        )

    def _progress(self, state, weights, **values):
        return TrainingProgress(
            state,
            weights,
            self.training.is_warm,
            self.number,
            self.first_epoch,
            self.patience,
            best=self.best,
            best_loss=self.best_loss,
            **values,
        )

    def _finish(self, callbacks):
        """Note what callbacks changed at the end, and refuse a result that predicts nothing."""
        training, engine = self.training, self.engine
        is_stopped = training.progress is not None and training.progress.is_stopped
        if callbacks.is_live and self.best is None:
            state = self._state(engine.weights(), engine.optimizer_state())
            training.progress = self._progress(
                state, state.weights, is_stage_over=True, is_stopped=is_stopped
            )
        engine.load(training.progress.result.weights)
        images = self.data.training
        few = images.rows[: self.plan.choose_batch_size(len(images.rows))]
        # The last loss is from before its update.
        found = predict_probabilities(engine, images.X, self.data.scaler, few)
        check_finite(found.sum(), "probability of an image", engine)
        if callbacks.is_live and self.plan.checkpoint is not None:
            self._write_checkpoint(is_finishing=False)


@contextmanager
def _epoch_in_errors(epoch, n_epochs):
    """Note in errors, which may be the user's own, in which epoch they happened."""
    try:
        yield
    except TrainingDivergedError:  # it says so itself
        raise
    except Exception as error:
        error.add_note(f"This happened in epoch {epoch + 1} of {n_epochs}.")
        raise

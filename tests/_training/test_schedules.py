"""Learning rate schedules."""

import keras
import numpy as np
import pytest

from skfashion._training.schedules import make_schedule


def rates(schedule, n_steps=100, learning_rate=0.5):
    made = make_schedule(schedule, learning_rate, n_steps)
    return np.array([made.rate(step) for step in range(n_steps)])


def test_one_cycle_rises_and_falls():
    found = rates("one_cycle")
    assert found.argmax() == 25
    assert found[[0, 25]].tolist() == pytest.approx([0.05, 0.5])
    assert found[-1] < 0.01


def test_cosine_falls():
    found = rates("cosine")
    assert (np.diff(found) < 0).all()
    assert found[[0, 50]].tolist() == pytest.approx([0.5, 0.25])


def test_keras_schedule_gives_the_rate_itself():
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([49], [0.3, 0.1])
    assert rates(schedule)[[0, 49, 50, 99]].tolist() == pytest.approx([0.3, 0.3, 0.1, 0.1])


def test_plateau_halves_like_keras():
    losses = [1.0, 0.9, 0.95, 0.9, 0.92, 0.8, 0.9, 0.9, 0.9, 0.9, 0.9, 0.9, 0.7]
    made = make_schedule("plateau", 0.5, 1)
    found = []
    for loss in losses:
        made.end_epoch(loss)
        found.append(made.rate(0))

    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.5), "mse")
    callback = keras.callbacks.ReduceLROnPlateau(factor=0.5, patience=3)
    callback.set_model(model)
    callback.on_train_begin()
    expected = []
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"val_loss": loss})
        expected.append(float(model.optimizer.learning_rate))
    assert found == pytest.approx(expected)
    assert min(found) == 0.5 / 8

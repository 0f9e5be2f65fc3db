"""Kill a training again and again, resume it, and compare it with one that was left alone.

    python kill_process.py FOLDER CONFIGURATION N_KILLS SEED

It prints what was seen as JSON. The trainings run in forks of this process, which imports
TensorFlow but never uses it, so that each starts at once.
"""

import json
import os
import random
import signal
import sys
import time
import traceback
from pathlib import Path

import keras
import numpy as np

from skfashion import FashionCNNClassifier
from skfashion.datasets import load_fashion_sample
from skfashion.preprocessing import ImageAugmenter


def with_backbone(image_shape, n_classes, dropout=0.0, trainable=True):
    """A network whose last layer can be trained alone."""
    inputs = keras.Input(image_shape)
    x = keras.layers.Conv2D(8, 3, strides=2, activation="relu", trainable=trainable)(inputs)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dropout(dropout)(x)
    return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))


# The learning rate of "plateau" is so high that the validation loss rises in some epochs.
CONFIGURATIONS = {
    "plain": {},
    "varied": {
        "dropout": 0.3,
        "augmentation": ImageAugmenter(),
        "mixup": 0.2,
        "early_stopping": True,
    },
    "plateau": {
        "optimizer": "adam",
        "learning_rate": 0.02,
        "schedule": "plateau",
        "early_stopping": True,
        "epochs": 12,
        "patience": 5,
    },
    "averaged": {"optimizer__use_ema": True, "optimizer__ema_momentum": 0.9, "cutmix": 1.0},
    "two stages": {
        "architecture": with_backbone,
        "architecture__dropout": 0.2,
        "freeze_epochs": 2,
        "early_stopping": True,
    },
}


def train(configuration, checkpoint, result):
    """Train, or go on, and write all that has come of it."""
    if checkpoint.exists():
        FashionCNNClassifier.load(checkpoint, **given(configuration))
    classifier = FashionCNNClassifier("basic", epochs=5, batch_size=50, random_state=0)
    classifier.set_params(**CONFIGURATIONS[configuration], checkpoint=checkpoint, resume=True)
    X, y = load_fashion_sample(return_X_y=True)
    classifier.fit(X[:3000], y[:3000])
    state = classifier._state
    arrays = {f"weight {i}": w for i, w in enumerate(state.weights)}
    arrays |= {f"optimizer {i}": w for i, w in enumerate(state.optimizer_state)}
    arrays |= {f"history {name}": values for name, values in state.history.items()}
    np.savez(result, best_epoch=state.best_epoch, **arrays)


def given(configuration):
    architecture = CONFIGURATIONS[configuration].get("architecture")
    return {} if architecture is None else {"architecture": architecture}


def fork(function, *arguments):
    """Call a function in a fork of this process, and return its number."""
    child = os.fork()
    if child:
        return child
    try:
        function(*arguments)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def has_ended(child):
    ended, status = os.waitpid(child, os.WNOHANG)
    assert status == 0, status
    return ended == child


def wait_and_kill(child, seconds, partial):
    """Kill a process after some seconds, or while it writes, and return whether it was alive."""
    started = time.monotonic()
    while time.monotonic() - started < seconds and not (partial and partial.exists()):
        if has_ended(child):
            return False
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def main(folder, configuration, n_kills, seed):
    rng = random.Random(seed)
    for name in ("alone", "killed"):
        (folder / name).mkdir()
    started = time.monotonic()
    child = fork(train, configuration, folder / "alone" / "run.keras", folder / "alone.npz")
    while not has_ended(child):
        time.sleep(0.01)
    seconds = time.monotonic() - started

    checkpoint = folder / "killed" / "run.keras"
    n_killed = n_while_writing = n_resumed = n_trainings = 0
    while True:
        n_resumed += checkpoint.exists()
        child = fork(train, configuration, checkpoint, folder / "killed.npz")
        if n_killed == n_kills:
            while not has_ended(child):
                time.sleep(0.01)
            break
        is_while_writing = rng.random() < 0.5
        partial = checkpoint.with_name(".run.partial.keras") if is_while_writing else None
        if is_while_writing:  # let some epochs pass, to be killed in another
            time.sleep(rng.uniform(0, seconds))
        if wait_and_kill(child, seconds if partial else rng.uniform(0, seconds), partial):
            n_killed += 1
            n_while_writing += partial is not None and partial.exists()
        else:  # it is done: the next one begins from scratch
            n_trainings += 1
            check_equal(folder)
            checkpoint.unlink()
    check_equal(folder)
    seen = {
        "n_killed": n_killed,
        "n_while_writing": n_while_writing,
        "n_resumed": n_resumed,
        "n_trainings": n_trainings + 1,
        "files": sorted(path.name for path in checkpoint.parent.iterdir()),
    }
    print(json.dumps(seen))


def check_equal(folder):
    with np.load(folder / "alone.npz") as alone, np.load(folder / "killed.npz") as killed:
        assert alone.files == killed.files
        for name in alone.files:
            np.testing.assert_array_equal(alone[name], killed[name], err_msg=name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))

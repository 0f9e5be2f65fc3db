"""Engines: one compilation for many fits."""

import os
import pickle
import threading
from functools import partial
from pathlib import Path

import cloudpickle
import numpy as np
import pytest
from sklearn.base import clone

from skfashion import FashionCNNClassifier
from skfashion._training import pool as pool_module
from skfashion._training.engine import Engine, StepValues
from skfashion._training.optimizers import specify_optimizer
from skfashion._training.pool import borrow_engine
from skfashion.networks import build_network
from skfashion.networks._specification import NetworkSpecification


@pytest.fixture
def engines_made(monkeypatch):
    """Empties the cache, and counts the engines made after that."""
    monkeypatch.setattr(pool_module, "_idle_engines", [])
    made = []
    original = Engine.__init__

    def counting(self, *arguments):
        made.append(self)
        original(self, *arguments)

    monkeypatch.setattr(Engine, "__init__", counting)
    return made


def test_fits_share_one_engine(engines_made, make_small, digits):
    X, y = digits
    for rate in (1e-3, 1e-2):
        for rows in (slice(200), slice(100, 300), slice(33, 210)):
            for part in (0.1, 0.2):
                values = {"learning_rate": rate, "weight_decay": part, "l2": part, "dropout": part}
                classifier = make_small(**values, epochs=1).fit(X[rows], y[rows])
                classifier.partial_fit(X[rows], y[rows]).predict(X[:7])
                pickle.loads(pickle.dumps(classifier)).predict(X[:7])
    assert len(engines_made) == 1


def test_steps_read_their_values(make_small, digits):
    """A value that another fit changed is not one that the compiled step remembers."""
    values = [
        {"dropout": 0.1, "l2": 0.01, "weight_decay": 0.1},
        {"dropout": 0.1, "l2": 0.01, "weight_decay": 9.0},
        {"dropout": 0.1, "l2": 0.5, "weight_decay": 0.1},
        {"dropout": 0.8, "l2": 0.01, "weight_decay": 0.1},
    ]
    losses = [make_small(**value, epochs=4).fit(*digits).history_["loss"][-1] for value in values]
    assert len(set(losses)) == 4
    assert losses[2] > losses[0]
    assert losses[3] > losses[0]
    assert make_small(**values[0], epochs=4).fit(*digits).history_["loss"][-1] == losses[0]


def test_large_networks_are_not_hoarded(engines_made, make_small, digits, monkeypatch):
    for n_values, n_kept in ((10**9, 2), (10**5, 1)):
        monkeypatch.setattr(pool_module, "_MAX_IDLE_VALUES", n_values)
        for image_shape in ((8, 8), (4, 16)):
            make_small(epochs=1, image_shape=image_shape).fit(*digits)
        assert len(pool_module._idle_engines) == n_kept


def test_clones_of_architectures_share_one_engine(
    engines_made, make_small, fitted, tmp_path, digits
):
    for architecture in (partial(build_network, "fast", width=16), "saved"):
        classifier = make_small(architecture=architecture, epochs=1)
        if architecture == "saved":
            classifier.set_params(architecture=partial(build_network, "fast", width=8))
            classifier.fit(*digits).save(tmp_path / "a.keras")
            classifier = FashionCNNClassifier.load(tmp_path / "a.keras")
        before = len(engines_made)
        for _ in range(3):
            clone(classifier).fit(*digits)
        assert len(engines_made) == before + 1


def test_functions_of_scripts_share_one_engine(engines_made, make_small, digits):
    """A worker process unpickles them anew for every task."""

    def network(image_shape, n_classes):
        return build_network("fast", image_shape, n_classes, width=8)

    pickled = cloudpickle.dumps(make_small(architecture=network, epochs=1))
    for _ in range(3):
        cloudpickle.loads(pickled).fit(*digits)
    assert len(engines_made) == 1


def test_another_network_is_another_engine(engines_made, make_small, digits):
    X, y = digits
    make_small(epochs=1).fit(X, y)
    make_small(epochs=1, dropout=0.5).fit(X, y)  # without dropout, its step has none
    make_small(epochs=1).fit(X, y % 5)
    make_small(epochs=1, image_shape=(4, 16)).fit(X, y)
    assert len(engines_made) == 4


def test_two_classifiers_take_turns(make_small, digits):
    X, y = digits
    first, second = make_small(random_state=0).fit(X, y), make_small(random_state=1).fit(X, y)
    expected = first.predict_proba(X), second.predict_proba(X)
    for _ in range(2):
        np.testing.assert_array_equal(first.predict_proba(X), expected[0])
        np.testing.assert_array_equal(second.predict_proba(X), expected[1])


def test_threads(make_small, digits):
    X, y = digits
    expected = [make_small(random_state=seed).fit(X, y).predict_proba(X) for seed in range(3)]
    found = [None] * 3

    def fit(seed):
        found[seed] = make_small(random_state=seed).fit(X, y).predict_proba(X)

    threads = [threading.Thread(target=fit, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i in range(3):
        np.testing.assert_array_equal(found[i], expected[i])


def tiny_network(n_classes):
    return NetworkSpecification("fast", (2, 2, 1), n_classes, {"width": 1})


def test_cache_is_bounded(engines_made):
    bound = pool_module._MAX_IDLE_ENGINES
    for n_classes in range(2, 5 + bound):
        with borrow_engine(tiny_network(n_classes)):
            pass
    assert len(pool_module._idle_engines) == bound
    made = len(engines_made)
    with borrow_engine(tiny_network(4 + bound)) as engine:
        assert engine is engines_made[-1]
    with borrow_engine(tiny_network(2)):
        assert len(engines_made) == made + 1


def test_engine_of_a_failed_fit_is_dropped(engines_made):
    def fail():
        with borrow_engine(tiny_network(2)):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    with borrow_engine(tiny_network(2)):
        assert len(engines_made) == 2


def test_traced_once_whatever_the_batches(make_small):
    traces = []

    def architecture(image_shape, n_classes):
        network = build_network("fast", image_shape, n_classes)
        call = network.call

        def counting(*arguments, **keywords):
            traces.append(arguments)
            return call(*arguments, **keywords)

        network.call = counting
        return network

    network = NetworkSpecification(architecture, (8, 8, 1), 3, {})
    engine = Engine(network, specify_optimizer("adam", {}), StepValues(1e-3, 0.0, 0.0, 0.0))
    checks = len(traces)
    for n in (10, 7, 10, 1, 64):
        images = np.zeros((n, 8, 8, 1), np.float32)
        engine.train_step(images, np.eye(3, dtype=np.float32)[[0] * n], np.ones(n, np.float32))
        engine.predict_step(images)
    assert len(traces) == checks + 2


@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="reads Linux's /proc")
def test_memory_stays_flat(make_small, digits):
    def resident_megabytes():
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGESIZE") / 1e6

    for seed in range(5):
        make_small(random_state=seed, epochs=1).fit(*digits)
    before = resident_megabytes()
    for seed in range(30):
        make_small(random_state=seed, epochs=1).fit(*digits)
    assert (resident_megabytes() - before) / 30 < 3

"""Engines: one compilation for many fits."""

import os
import threading
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from sklearn.base import clone

from skfashion import FashionCNNClassifier
from skfashion.networks import build_network
from skfashion.training import engine as engine_module
from skfashion.training.engine import Engine, borrow_engine


@pytest.fixture
def engines_made(monkeypatch):
    """Empties the cache, and counts the engines made after that."""
    monkeypatch.setattr(engine_module, "_idle_engines", type(engine_module._idle_engines)())
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
            for decay in (0.1, 0.2):
                classifier = make_small(learning_rate=rate, weight_decay=decay, epochs=1)
                classifier.fit(X[rows], y[rows]).predict(X[:7])
    assert len(engines_made) == 1


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


def test_another_network_is_another_engine(engines_made, make_small, digits):
    X, y = digits
    make_small(epochs=1).fit(X, y)
    make_small(epochs=1, dropout=0.5).fit(X, y)
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


def test_cache_is_bounded(engines_made):
    for key in range(20):
        with borrow_engine(key, lambda key=key: f"engine {key}"):
            pass
    assert len(engine_module._idle_engines) == engine_module._MAX_IDLE_ENGINES
    with borrow_engine(19, lambda: "new") as engine:
        assert engine == "engine 19"
    with borrow_engine(0, lambda: "new") as engine:
        assert engine == "new"


def test_engine_of_a_failed_fit_is_dropped(engines_made):
    def fail():
        with borrow_engine("key", lambda: "broken"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    with borrow_engine("key", lambda: "new") as engine:
        assert engine == "new"


def test_a_fit_is_traced_once_whatever_the_batches(make_small):
    traces = []

    def build():
        network = build_network("fast", (8, 8, 1), 3)
        call = network.call

        def counting(*arguments, **keywords):
            traces.append(arguments)
            return call(*arguments, **keywords)

        network.call = counting
        return network

    engine = Engine(build, "adam", False)
    for n in (10, 7, 10, 1, 64):
        images = np.zeros((n, 8, 8, 1), np.float32)
        engine.train_step(images, np.eye(3, dtype=np.float32)[[0] * n], np.ones(n, np.float32))
        engine.predict_step(images)
    assert len(traces) == 2


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

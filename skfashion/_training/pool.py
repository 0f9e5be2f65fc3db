"""Engines kept for the next fit of the same configuration."""

import threading
from contextlib import contextmanager

from skfashion._training.engine import Engine
from skfashion._utils.process import check_process

__all__ = ["borrow_engine"]

_MAX_IDLE_ENGINES = 8
# Values of weights and optimizer state, 4 bytes each, and as many again to start from.
_MAX_IDLE_VALUES = 100_000_000

_idle_engines: list = []  # (network key, training key, engine), the last used one last
_idle_lock = threading.Lock()


@contextmanager
def borrow_engine(network, optimizer=None, values=None):
    """Lend an engine that nobody else uses meanwhile.

    Parameters
    ----------
    network : NetworkSpecification
    optimizer : OptimizerSpecification, default=None
        Optimizer that trains the network; None lends an engine that predicts.
    values : StepValues, default=None
        Values for training.

    Yields
    ------
    engine : Engine
        Its weights are those that the last borrower left. An engine whose borrower raised is
        dropped.
    """
    check_process()
    network_key = network.for_prediction().key()
    training_key = None if optimizer is None else _training_key(network, optimizer, values)
    engine, training_key = _take(network_key, training_key)
    if engine is None:
        engine = Engine(network if optimizer else network.for_prediction(), optimizer, values)
    yield engine
    with _idle_lock:
        _idle_engines.append((network_key, training_key, engine))
        del _idle_engines[:-_MAX_IDLE_ENGINES]
        while sum(idle.n_values for *_, idle in _idle_engines[:-1]) > _MAX_IDLE_VALUES:
            del _idle_engines[0]


def _training_key(network, optimizer, values):
    """Return a hashable value, equal for trainings that one compiled step can serve."""
    dropout = "any" if values.dropout else network.options.get("dropout")
    compiled = (values.weight_decay > 0, values.l2 > 0, dropout)
    return (optimizer.kind, optimizer.key(), *network.training_key(), *compiled)


def _take(network_key, training_key):
    """Take the engine last used that will do, and its training key; or no engine."""
    with _idle_lock:
        for i in reversed(range(len(_idle_engines))):
            key, other, engine = _idle_engines[i]
            if key == network_key and training_key in (None, other):
                del _idle_engines[i]
                return engine, other
    return None, training_key

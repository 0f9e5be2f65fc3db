"""Storages of studies: memory, SQLite or journal files, database servers."""

import importlib.util
import os
import time
import warnings
from pathlib import Path

from optuna.exceptions import ExperimentalWarning
from optuna.storages import BaseStorage, InMemoryStorage, JournalStorage, RDBStorage, get_storage
from optuna.storages.journal import JournalFileBackend

from skfashion.errors import StudyStorageError

__all__ = ["open_storage"]

# Seconds. A process that sent no heartbeat for the grace period is taken for dead.
_HEARTBEAT_INTERVAL, _GRACE_PERIOD = 10, 60
_CONNECT_TIMEOUT = 5
_SQLITE_LOCK_TIMEOUT = 60
_SQLITE_SUFFIXES = {".db", ".sqlite", ".sqlite3"}
# Processes that begin at once may both try to make a database's tables.
_OPEN_ATTEMPTS = 4


def open_storage(storage):
    """A storage of Optuna's, from what users give.

    Parameters
    ----------
    storage : str, path-like, optuna.storages.BaseStorage or None
        A database's URL, a file, a storage, or None for memory.

    Returns
    -------
    storage : optuna.storages.BaseStorage

    Raises
    ------
    StudyStorageError
        If it cannot be reached, or is of another kind.
    """
    if storage is None:
        return InMemoryStorage()
    if isinstance(storage, BaseStorage):
        if isinstance(storage, RDBStorage):
            _lock_when_transactions_begin(storage.engine)
        return get_storage(storage)
    storage = os.fspath(storage)
    if "://" not in storage and Path(storage).suffix in _SQLITE_SUFFIXES:
        storage = f"sqlite:///{storage}"
    try:
        return _open_database(storage) if "://" in storage else _open_journal(storage)
    # Each database's driver has errors of its own.
    except Exception as error:
        raise StudyStorageError(
            f"storage {_without_password(storage)} cannot be opened: {_first_line(error)}"
        ) from error


def _open_journal(path):
    _check_file(path)
    try:
        return JournalStorage(JournalFileBackend(path))
    except ValueError as error:
        raise ValueError("it is no journal of Optuna's.") from error


def _check_file(path):
    """Raise OSError unless a path is that of a file, or of one that can be made."""
    path = Path(path)
    if not path.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {str(path.parent)!r}.")
    if path.exists() and not path.is_file():  # Optuna would read a device for ever
        raise OSError("it is not a regular file.")


def _open_database(url):
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import IntegrityError, OperationalError, ProgrammingError
    from sqlalchemy.pool import NullPool

    parsed = make_url(url)
    database = parsed.get_backend_name()
    if parsed.drivername == "postgresql" and importlib.util.find_spec("psycopg"):
        parsed = parsed.set(drivername="postgresql+psycopg")
    arguments = {}
    if database == "sqlite":
        if parsed.database in (None, "", ":memory:"):
            raise ValueError("a database in memory is what storage=None is for.")
        _check_file(parsed.database)
        arguments = {"timeout": _SQLITE_LOCK_TIMEOUT}
    elif database in ("mariadb", "mysql", "postgresql"):
        arguments = {"connect_timeout": _CONNECT_TIMEOUT}
    for attempt in range(1, _OPEN_ATTEMPTS + 1):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ExperimentalWarning)  # heartbeats are
                storage = RDBStorage(
                    parsed.render_as_string(hide_password=False),
                    # A connection that is kept may break during a long fit, and nobody closes it.
                    engine_kwargs={"connect_args": arguments, "poolclass": NullPool},
                    heartbeat_interval=_HEARTBEAT_INTERVAL,
                    grace_period=_GRACE_PERIOD,
                )
            break
        except (IntegrityError, OperationalError, ProgrammingError) as error:
            is_race = any(word in str(error).lower() for word in ("exist", "unique"))
            if attempt == _OPEN_ATTEMPTS or not is_race:
                raise
            time.sleep(0.2 * attempt)
    _lock_when_transactions_begin(storage.engine)
    return get_storage(storage)


def _lock_when_transactions_begin(engine):
    """Lock SQLite early, or two processes could both read that a trial is free and take it."""
    from sqlalchemy import event

    if engine.dialect.name == "sqlite" and not event.contains(engine, "begin", _begin_immediately):
        event.listen(engine, "begin", _begin_immediately)


def _begin_immediately(connection):
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _without_password(storage):
    if "://" not in storage:
        return repr(storage)
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        return repr(make_url(storage).render_as_string())
    except (ArgumentError, ValueError):  # the latter where the port is no number
        return "(no URL of a database)"


def _first_line(error):
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__

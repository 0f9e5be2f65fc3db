"""Searches that are killed, go on, and share their work."""

import contextlib
import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
import uuid
import warnings
from pathlib import Path

import joblib
import optuna
import pytest
import search_process
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import KFold
from sklearn.svm import SVC

from skfashion.errors import StudyMismatchError, StudyStorageError
from skfashion.model_selection import OptunaSearchCV

POSTGRESQL = os.environ.get("SKFASHION_TEST_POSTGRESQL")
SPACE = {"C": loguniform(1e-2, 1e3)}


@pytest.fixture(params=["sqlite", "journal", "postgresql"])
def storage(request, tmp_path):
    if request.param == "postgresql":
        if not POSTGRESQL:
            pytest.skip("SKFASHION_TEST_POSTGRESQL names no PostgreSQL database to test with")
        return POSTGRESQL
    return str(tmp_path / {"sqlite": "study.db", "journal": "study.log"}[request.param])


@pytest.fixture
def name():
    return f"test-{uuid.uuid4().hex}"


@pytest.fixture
def iris():
    return load_iris(return_X_y=True)


def start(*arguments, n_processes=1):
    """Start searches that begin at the same time."""
    code = "import sys, search_process; search_process.main(*sys.argv[1:])"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    options = {**dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE), "text": True}
    folder = Path(__file__).parent
    processes = [subprocess.Popen(command, cwd=folder, **options) for _ in range(n_processes)]
    for process in processes:
        assert process.stdout.readline() == "Ready\n", process.stderr.read()
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    return processes


def finish(process):
    """Return what the search found, and how many trials its process ran."""
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    *lines, results = output.splitlines()
    return json.loads(results), sum(line.startswith("Trial ") for line in lines)


@pytest.fixture
def run_here(capsys):
    """Run a search in this process; the result is that of ``finish``."""

    def run(*arguments):
        results = search_process.run(*arguments)
        lines = capsys.readouterr().out.splitlines()
        return results, sum(line.startswith("Trial ") for line in lines)

    return run


def wait_for_a_fit(process, n_trials):
    """Wait until a fit of the trial after so many trials begins."""
    lines = []
    while sum(line.startswith("Trial ") for line in lines) < n_trials or lines[-1] != "Fit\n":
        lines.append(process.stdout.readline())
        assert lines[-1], process.stderr.read()


@pytest.mark.slow
def test_killed_in_mid_trial(storage, name, run_here):
    """Run again, it has exactly the trials asked for; the dead one was tried anew."""
    (killed,) = start(storage, name, 8)
    wait_for_a_fit(killed, 3)
    killed.kill()
    killed.communicate()

    results, n_run = run_here(storage, name, 8)
    assert n_run == 5
    assert len(results["numbers"]) == len(set(results["settings"])) == 8
    assert results["states"].count("FAIL") == 1
    assert results["states"].index("FAIL") not in results["numbers"]
    assert len(results["states"]) == 9

    again, n_run = run_here(storage, name, 8)
    assert n_run == 0
    assert again == results


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_stopped_on_a_grid(number, tmp_path, name, run_here):
    """The setting that was being tried is not lost."""
    storage = str(tmp_path / "study.log")
    (stopped,) = start(storage, name, 9, "grid")
    wait_for_a_fit(stopped, 2)
    stopped.send_signal(number)
    stopped.communicate()
    results, _ = run_here(storage, name, 9, "grid")
    assert sorted(results["settings"]) == [0.1, 1.0, 10.0, 100.0]


def test_two_processes_share_a_study(storage, name):
    processes = start(storage, name, 10, n_processes=2)
    (one, n_one), (other, n_other) = map(finish, processes)
    assert n_one + n_other == 10
    assert min(n_one, n_other) > 0
    assert one == other
    assert len(one["numbers"]) == len(set(one["settings"])) == 10
    assert "FAIL" not in one["states"]


@pytest.mark.slow
def test_interrupted(tmp_path, run_here):
    """Ctrl-C keeps what was done and refits; the same call goes on from there."""
    (process,) = start(tmp_path / "study.log", "", 20)
    wait_for_a_fit(process, 3)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert "The search was interrupted after 3 of 20 trials" in errors
    results = json.loads(output.splitlines()[-1])
    assert len(results["numbers"]) == 3
    assert results["refitted"] == [0]
    results, n_run = run_here(tmp_path / "study.log", "", 6)
    assert n_run == 3
    assert results["states"].count("COMPLETE") == 6


def test_goes_on_to_more_trials(storage, name, iris):
    """Without repeating any, whatever the sampler."""
    for sampler in (None, optuna.samplers.RandomSampler(seed=0)):
        search = OptunaSearchCV(
            SVC(),
            SPACE,
            sampler=sampler,
            storage=storage,
            study_name=f"{name}-{sampler is None}",
            cv=2,
            random_state=0,
        )
        first = clone(search).set_params(n_trials=2).fit(*iris)
        second = clone(search).set_params(n_trials=4).fit(*iris)
        assert second.cv_results_["params"][:2] == first.cv_results_["params"]
        scores = second.cv_results_["split0_test_score"]
        assert scores[:2].tolist() == first.cv_results_["split0_test_score"].tolist()
        assert len({setting["C"] for setting in second.cv_results_["params"]}) == 4


@pytest.mark.parametrize("stop", [RuntimeError, KeyboardInterrupt])
def test_a_search_that_broke_does_not_hold_up_the_next(stop, tmp_path, name, iris):
    """In the same process, as in a notebook."""

    class BreakingSampler(optuna.samplers.RandomSampler):
        def before_trial(self, study, trial):
            if trial.number == 2:
                raise stop("broken")

        def sample_relative(self, study, trial, search_space):
            if trial.number == 1 and stop is KeyboardInterrupt:
                raise stop("broken")
            return {}

    search = OptunaSearchCV(
        SVC(), SPACE, n_trials=4, storage=tmp_path / "study.log", study_name=name
    )
    broken = clone(search).set_params(sampler=BreakingSampler(seed=0))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The search was interrupted")
        with contextlib.suppress(RuntimeError):
            broken.fit(*iris)
    assert len(search.fit(*iris).cv_results_["params"]) == 4


def test_trials_of_another_machine(tmp_path, name, iris):
    """Waited for as long as it gives signs of life, then tried anew."""
    with pytest.warns(optuna.exceptions.ExperimentalWarning):
        storage = optuna.storages.RDBStorage(
            f"sqlite:///{tmp_path / 'study.db'}", heartbeat_interval=1, grace_period=2
        )
    search = OptunaSearchCV(
        SVC(), SPACE, n_trials=2, storage=storage, study_name=name, random_state=0
    )
    first = clone(search).fit(*iris)
    with pytest.warns(UserWarning, match="Heartbeat of storage"):
        trial = first.study_.ask({"C": optuna.distributions.FloatDistribution(1e-2, 1e3, log=True)})
    trial.set_user_attr("skfashion:owner", ["elsewhere", 1, 0.0, "signature", True])
    storage.record_heartbeat(trial._trial_id)
    started = time.perf_counter()
    second = clone(search).set_params(n_trials=3).fit(*iris)
    assert time.perf_counter() - started > 1.5
    assert second.cv_results_["params"][-1] == trial.params
    assert second.cv_results_["trial_number"].tolist() == [0, 1, 3]


def test_a_long_fit_is_not_taken_for_dead(tmp_path, name, iris):
    """While it lasts, the process sends heartbeats."""

    class LongSVC(SVC):
        def fit(self, X, y):
            time.sleep(1.5)
            return super().fit(X, y)

    def search():
        storage = optuna.storages.RDBStorage(
            f"sqlite:///{tmp_path / 'study.db'}", heartbeat_interval=1, grace_period=2
        )
        return OptunaSearchCV(
            LongSVC(), SPACE, n_trials=1, cv=3, storage=storage, study_name=name, refit=False
        )

    with pytest.warns(optuna.exceptions.ExperimentalWarning):
        searches = [search(), search()]
    first = threading.Thread(target=searches[0].fit, args=iris)
    first.start()
    time.sleep(1)
    searches[1].fit(*iris)
    first.join()
    assert [trial.state.name for trial in searches[1].study_.trials] == ["COMPLETE"]


def test_nobody_waits_for_what_would_not_be_missed(tmp_path, name, iris):
    """A trial of another machine whose process sends no heartbeats."""
    search = OptunaSearchCV(
        SVC(), SPACE, n_trials=2, storage=tmp_path / "study.db", study_name=name, random_state=0
    )
    first = clone(search).fit(*iris)
    with pytest.warns(UserWarning, match="Heartbeat of storage"):
        trial = first.study_.ask({"C": optuna.distributions.FloatDistribution(1e-2, 1e3, log=True)})
    trial.set_user_attr("skfashion:owner", ["elsewhere", 1, 0.0, "signature", False])
    assert len(clone(search).set_params(n_trials=3).fit(*iris).cv_results_["params"]) == 2


def test_a_pickle_needs_no_storage(tmp_path, iris):
    path = tmp_path / "study.db"
    search = OptunaSearchCV(SVC(), SPACE, n_trials=3, storage=path).fit(*iris)
    study = search.study_
    pickled = pickle.dumps(search)
    assert search.study_ is study
    path.unlink()
    loaded = pickle.loads(pickled)
    assert not path.exists()
    assert (loaded.predict(iris[0]) == search.predict(iris[0])).all()
    assert [trial.params for trial in loaded.study_.trials] == loaded.cv_results_["params"]


def test_unnamed_studies_are_found_again_and_never_mixed(tmp_path, iris):
    X, y = iris
    search = OptunaSearchCV(SVC(), SPACE, n_trials=3, storage=tmp_path / "study.log")
    same = search.fit(X, y).study_.study_name
    assert clone(search).set_params(n_trials=4, verbose=0).fit(X, y).study_.study_name == same
    assert len(clone(search).fit(X[::2], y[::2]).study_.trials) == 3
    assert len(clone(search).set_params(cv=3).fit(X, y).study_.trials) == 3
    assert len(optuna.get_all_study_names(search.study_._storage)) == 3


@pytest.mark.parametrize(
    ("changed", "what"),
    [
        ({"data": 1}, "data"),
        ({"cv": KFold(3, shuffle=True, random_state=1)}, "folds"),
        ({"scoring": "f1_macro"}, "scoring"),
        ({"scoring": lambda estimator, X, y: 0.5}, "scoring"),
        ({"scoring": make_scorer(accuracy_score, normalize=False)}, "scoring"),
        ({"param_distributions": {"C": loguniform(1e-2, 1e4)}}, "param_distributions"),
        ({"estimator": SVC(kernel="linear")}, "estimator"),
        ({"estimator": LogisticRegression()}, "estimator"),
        ({"return_train_score": True}, "return_train_score"),
    ],
)
def test_what_differs_is_named(changed, what, tmp_path, name, iris):
    X, y = iris
    search = OptunaSearchCV(
        SVC(), SPACE, n_trials=2, storage=tmp_path / "study.log", study_name=name
    ).fit(X, y)
    changed = dict(changed)
    other_X = X + changed.pop("data", 0)
    with pytest.raises(StudyMismatchError, match=rf"began with other {what};"):
        clone(search).set_params(**changed).fit(other_X, y)


def test_another_of_several_metrics_is_another_search(tmp_path, name, iris):
    search = OptunaSearchCV(
        SVC(),
        SPACE,
        scoring=["accuracy", "f1_macro"],
        refit="accuracy",
        n_trials=2,
        storage=tmp_path / "study.log",
        study_name=name,
    ).fit(*iris)
    with pytest.raises(StudyMismatchError, match="began with other scoring;"):
        clone(search).set_params(refit="f1_macro").fit(*iris)


def test_studies_of_something_else(tmp_path, name, iris):
    path = tmp_path / "study.db"
    search = OptunaSearchCV(SVC(), SPACE, n_trials=2, storage=path, study_name=name)
    study = optuna.create_study(storage=f"sqlite:///{path}", study_name=name, direction="minimize")
    with pytest.raises(StudyMismatchError, match="direction minimize"):
        search.fit(*iris)
    optuna.delete_study(study_name=name, storage=f"sqlite:///{path}")
    study = optuna.create_study(storage=f"sqlite:///{path}", study_name=name, direction="maximize")
    study.optimize(lambda trial: trial.suggest_float("C", 0, 1), n_trials=1)
    with pytest.raises(StudyMismatchError, match="holds trials of something else"):
        search.fit(*iris)


def test_settings_enqueued_beforehand_are_tried_first(tmp_path, name, iris):
    path = f"sqlite:///{tmp_path / 'study.db'}"
    optuna.create_study(storage=path, study_name=name, direction="maximize").enqueue_trial({"C": 2})
    search = OptunaSearchCV(SVC(), SPACE, n_trials=3, storage=path, study_name=name).fit(*iris)
    assert search.cv_results_["params"][0] == {"C": 2}
    assert len(search.cv_results_["params"]) == 3


def test_unreachable_storage(tmp_path, iris):
    """An error in seconds, that shows no password."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        # One port where nobody listens, one where nobody answers.
        for port in (1, silent.getsockname()[1]):
            url = f"postgresql+psycopg://me:secret@127.0.0.1:{port}/studies"
            started = time.perf_counter()
            with pytest.raises(StudyStorageError, match=r"me:\*\*\*@127.0.0.1") as error:
                OptunaSearchCV(SVC(), SPACE, storage=url).fit(*iris)
            assert time.perf_counter() - started < 20
            assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("storage", "match"),
    [
        ("nowhere/study.log", "there is no folder 'nowhere'"),
        ("sqlite:///nowhere/study.db", "there is no folder 'nowhere'"),
        (__file__, "no journal of Optuna's"),
        ("sqlite://", "what storage=None is for"),
        ("nosuch://127.0.0.1/studies", "nosuch"),
        ("postgresql://me@host:54x2/studies", "cannot be opened"),
        ("://", "cannot be opened"),
    ],
)
def test_wrong_storage(storage, match, iris):
    with pytest.raises(StudyStorageError, match=match):
        OptunaSearchCV(SVC(), SPACE, storage=storage).fit(*iris)


@pytest.mark.parametrize("name", ["device", "device.db", "pipe", "pipe.sqlite3", "folder"])
@pytest.mark.parametrize("prefix", ["", "sqlite:///"])
def test_storage_that_is_no_file(name, prefix, tmp_path, iris):
    """A device would be read for ever."""
    path = tmp_path / name
    if name.startswith("device"):
        path.symlink_to("/dev/full")
    elif name.startswith("pipe"):
        os.mkfifo(path)
    else:
        path.mkdir()
    with pytest.raises(StudyStorageError, match=rf"{name}' cannot be opened: it is not a regular"):
        OptunaSearchCV(SVC(), SPACE, storage=f"{prefix}{path}").fit(*iris)


def test_on_a_dask_cluster(iris):
    distributed = pytest.importorskip("distributed")
    search = OptunaSearchCV(SVC(), SPACE, n_trials=6, random_state=0)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        search.fit(*iris)
    assert len(search.cv_results_["params"]) == 6
    assert search.best_score_ > 0.9

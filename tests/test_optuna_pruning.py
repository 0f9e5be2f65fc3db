"""A plain Optuna script prunes trials between epochs, with optuna-integration's callback."""

import keras
import optuna
import pytest
from optuna_integration import KerasPruningCallback

N_EPOCHS = 4


@pytest.fixture(params=["memory", "sqlite"])
def study(request, tmp_path):
    storage = None if request.param == "memory" else f"sqlite:///{tmp_path / 'study.db'}"
    study = optuna.create_study(
        storage=storage,
        direction="maximize",
        pruner=optuna.pruners.ThresholdPruner(lower=0.5, n_warmup_steps=1),
    )
    for learning_rate in (3e-2, 1e-6, 1e-2):
        study.enqueue_trial({"learning_rate": learning_rate})
    return study


@pytest.mark.parametrize("monitor", ["val_accuracy", "accuracy"])
def test_prunes_between_epochs(monitor, study, make_tiny, digits, unseen):
    classifiers = []

    def objective(trial):
        learning_rate = trial.suggest_float("learning_rate", 1e-6, 1.0, log=True)
        classifier = make_tiny(
            learning_rate=learning_rate,
            epochs=N_EPOCHS,
            schedule=None,
            callbacks=[KerasPruningCallback(trial, monitor)],
        )
        classifier.fit(*digits, X_val=unseen[0], y_val=unseen[1])
        classifiers.append(classifier)
        return classifier.history_[monitor][-1]

    study.optimize(objective, n_trials=3)

    complete, pruned = optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.PRUNED
    assert [trial.state for trial in study.trials] == [complete, pruned, complete]
    finished = [trial for trial in study.trials if trial.state == complete]
    for trial, classifier in zip(finished, classifiers, strict=True):
        values = [trial.intermediate_values[epoch] for epoch in range(N_EPOCHS)]
        assert values == pytest.approx(classifier.history_[monitor])
        assert trial.value == values[-1]
    assert list(study.trials[1].intermediate_values) == [0, 1]
    assert study.trials[1].value == study.trials[1].intermediate_values[1]


def test_interval(make_tiny, digits):
    study = optuna.create_study(pruner=optuna.pruners.NopPruner())

    def objective(trial):
        callback = KerasPruningCallback(trial, "loss", interval=2)
        return make_tiny(epochs=N_EPOCHS, callbacks=callback).fit(*digits).history_["loss"][-1]

    study.optimize(objective, n_trials=1)
    assert list(study.trials[0].intermediate_values) == [1, 3]


def test_a_pruned_fit_changes_nothing(make_tiny, digits):
    """A classifier that was fitted before keeps that fit, and trains again."""
    study = optuna.create_study(pruner=optuna.pruners.ThresholdPruner(upper=0.0))
    trial = study.ask()
    classifier = make_tiny(epochs=1).fit(*digits)
    classifier.set_params(callbacks=KerasPruningCallback(trial, "loss"))
    with pytest.raises(optuna.TrialPruned, match="Trial was pruned at epoch 0"):
        classifier.fit(*digits)
    assert classifier.callbacks_ == []
    classifier.set_params(callbacks=keras.callbacks.TerminateOnNaN()).fit(*digits)
    assert len(classifier.callbacks_) == 1

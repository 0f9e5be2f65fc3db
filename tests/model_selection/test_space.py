"""What can be given as a space, and what a trial makes of it."""

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from scipy import stats
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from skfashion.model_selection import default_space
from skfashion.model_selection._space import make_space, restore_parameters
from skfashion.recipes import list_recipes, make_recipe


def draw(param_distributions, n_trials=40):
    """Settings that a random sampler chooses, and those restored from what Optuna stored."""
    space = make_space(param_distributions)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    settings = []
    for _ in range(n_trials):
        trial = study.ask()
        settings.append(space.suggest(trial))
        study.tell(trial, 0.0)
    return settings, [restore_parameters(space, trial) for trial in study.trials]


@pytest.mark.parametrize(
    ("given", "low", "high"),
    [
        (FloatDistribution(2.0, 3.0), 2.0, 3.0),
        (stats.uniform(2, 3), 2.0, 5.0),
        (stats.loguniform(1e-3, 1e2), 1e-3, 1e2),
        (stats.loguniform(1.0, 4.0, loc=2.0), 3.0, 6.0),
        (stats.norm(loc=10, scale=0.1), 9.0, 11.0),
        (stats.expon(), 0.0, 20.0),
        (IntDistribution(2, 5), 2, 5),
        (stats.randint(2, 6), 2, 5),
        (stats.poisson(3), 0, 30),
    ],
)
def test_numbers(given, low, high):
    settings, restored = draw({"x": given})
    values = [setting["x"] for setting in settings]
    assert restored == settings
    assert low <= min(values) < max(values) <= high
    integral = isinstance(given, IntDistribution) or hasattr(given, "pmf")
    assert {type(value) for value in values} == {int if integral else float}


def test_scipy_distributions_keep_their_shape():
    values = [s["x"] for s in draw({"x": stats.norm(loc=10, scale=2)}, n_trials=300)[0]]
    assert stats.kstest(values, stats.norm(loc=10, scale=2).cdf).pvalue > 0.01


@pytest.mark.parametrize(
    "choices",
    [
        ["linear", "rbf"],
        [1, 2.5, None],
        np.array([1, 2, 3]),
        np.logspace(-2, 2, 3),
        (True, False),
        range(3),
        [1, True, 0, False],
        [(64,), (64, 32)],
        [LogisticRegression(), SVC()],
        [CategoricalDistribution(["a"])],
    ],
)
def test_choices_are_given_as_they_are(choices):
    settings, restored = draw({"x": choices})
    chosen = [setting["x"] for setting in settings]
    plain = [choice.item() if isinstance(choice, np.generic) else choice for choice in choices]
    assert {(type(c), str(c)) for c in chosen} == {(type(c), str(c)) for c in plain}
    assert [(type(s["x"]), str(s["x"])) for s in restored] == [(type(c), str(c)) for c in chosen]


def test_function():
    def space(trial):
        kernel = trial.suggest_categorical("kernel", ["linear", "rbf"])
        setting = {"kernel": kernel, "C": 10 ** trial.suggest_float("log_C", -2, 2)}
        if kernel == "rbf":
            setting["gamma"] = trial.suggest_float("gamma", 1e-3, 1, log=True)
        return setting

    settings, restored = draw(space)
    assert restored == settings
    assert {len(setting) for setting in settings} == {2, 3}
    assert all(1e-2 <= setting["C"] <= 1e2 for setting in settings)


@pytest.mark.parametrize("recipe", list_recipes())
def test_default_space(recipe):
    """Every setting in it is one of the recipe's classifier."""
    classifier = make_recipe(recipe)
    for setting in draw(default_space(recipe), n_trials=3)[0]:
        classifier.set_params(**setting)
    varied = any(name.startswith("augmentation__") for name in default_space(recipe))
    assert varied == hasattr(classifier.augmentation, "rotation")


def test_description_tells_spaces_apart():
    """And is the same in every process, so it holds no addresses."""

    def at_most(highest):
        return lambda trial: {"x": trial.suggest_float("x", 0, highest)}

    def steps(n_components):
        return {"x": [make_pipeline(StandardScaler(), PCA(n_components)), SVC()]}

    given = [
        {"x": [1, 2]},
        {"x": [1, 3]},
        {"x": [1.0, 2.0]},
        {"x": stats.norm(0, 1)},
        {"x": stats.norm(0, 2)},
        steps(1),
        steps(2),
        {"x": [lambda x: x, None]},
        {"x": [lambda x: -x, None]},
        at_most(1),
        at_most(2),
    ]
    descriptions = [str(make_space(space).description) for space in given]
    assert len(set(descriptions)) == len(given)
    assert not any("0x" in description for description in descriptions)
    assert str(make_space(at_most(2)).description) == descriptions[-1]


def test_default_space_of_an_unknown_recipe():
    with pytest.raises(ValueError, match="Did you mean 'basic'"):
        default_space("basics")

"""scikit-learn's own checks of what an estimator must do, for every public estimator."""

import inspect
import os
import subprocess
import sys

import pytest
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression
from sklearn.utils.estimator_checks import parametrize_with_checks

import skfashion

EXPECTED_FAILURES = {
    # Each repetition of an image has variants of its own.
    "AugmentedClassifier": {
        "check_sample_weight_equivalence_on_dense_data": "repeated images vary differently"
    },
    # Images are grouped into batches, and a weight of 2 is not the same as being in two batches.
    # scikit-learn exempts its SGDClassifier from the same check for the same reason.
    "FashionCNNClassifier": {
        "check_sample_weight_equivalence_on_dense_data": "weights are not repetitions in batches"
    },
}


def public_estimators():
    """Every estimator class that a public module of the package offers."""
    found = set()
    for name in skfashion.__all__:
        member = getattr(skfashion, name)
        names = getattr(member, "__all__", ()) if inspect.ismodule(member) else ()
        for candidate in [member, *(getattr(member, inner) for inner in names)]:
            if inspect.isclass(candidate) and issubclass(candidate, BaseEstimator):
                found.add(candidate)
    return sorted(found, key=lambda estimator: estimator.__name__)


def make(estimator_class):
    """An instance as it comes; those around another classifier need one, and searches a space."""
    arguments = {
        "estimator": LogisticRegression(),
        "param_distributions": {"C": [0.1, 1.0]},
        "n_trials": 3,
        "error_score": "raise",  # the checks give data that some folds only refuse
    }
    wanted = inspect.signature(estimator_class).parameters
    return estimator_class(**{name: arguments[name] for name in arguments if name in wanted})


# Splitting into folds, scikit-learn casts infinite labels before it refuses them.
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
# Random features, no images.
@pytest.mark.filterwarnings("ignore:X has 30 features, no square:UserWarning")
# scikit-learn 1.7's check of n_features_in_ has few samples of a class.
@pytest.mark.filterwarnings("ignore:The least populated class in y has only 4 members:UserWarning")
@parametrize_with_checks(
    [make(estimator_class) for estimator_class in public_estimators()],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES.get(type(estimator).__name__, {}),
)
def test_estimator_checks(estimator, check):
    check(estimator)


@pytest.mark.slow
def test_array_api_input():
    """The check that scikit-learn skips unless SciPy was imported with this setting."""
    environment = {**os.environ, "SCIPY_ARRAY_API": "1"}
    command = [sys.executable, "-m", "pytest", "-n0", "-q", __file__, "-k", "check_array_api_input"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert f"{len(public_estimators())} passed" in result.stdout, result.stdout

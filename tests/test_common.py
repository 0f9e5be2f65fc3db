"""scikit-learn's own checks of what an estimator must do, for every public estimator."""

import inspect

from sklearn.base import BaseEstimator
from sklearn.utils.estimator_checks import parametrize_with_checks

import skfashion

# Constructor arguments that an estimator cannot do without, and settings that make it fast.
SETTINGS: dict = {}

# Images are grouped into batches, and a weight of 2 is not the same as being in two batches.
# scikit-learn exempts its SGDClassifier from the same check for the same reason.
EXPECTED_FAILURES = {
    "FashionCNNClassifier": {
        "check_sample_weight_equivalence_on_dense_data": "weights are not repetitions in batches"
    }
}


def public_estimators():
    """Every estimator class that a public module of the package offers."""
    found = {}
    for name in skfashion.__all__:
        member = getattr(skfashion, name)
        names = getattr(member, "__all__", ()) if inspect.ismodule(member) else ()
        for candidate in [member, *(getattr(member, inner) for inner in names)]:
            if inspect.isclass(candidate) and issubclass(candidate, BaseEstimator):
                found[candidate.__name__] = candidate
    return found


@parametrize_with_checks(
    [estimator(**SETTINGS.get(name, {})) for name, estimator in public_estimators().items()],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES.get(type(estimator).__name__, {}),
)
def test_estimator_checks(estimator, check):
    check(estimator)

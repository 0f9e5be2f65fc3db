"""Spaces of a search: Optuna's distributions, scikit-learn's notations, functions."""

from collections.abc import Callable, Mapping, Sequence
from numbers import Real
from typing import Any, NamedTuple

import numpy as np
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FixedTrial
from sklearn.base import clone

from skfashion._utils.identity import describe, strip_addresses
from skfashion._utils.names import check_name

__all__ = ["check_parameters", "make_space", "restore_parameters"]

# Where a distribution without bounds, such as the normal one, is cut.
_QUANTILES = FloatDistribution(1e-6, 1 - 1e-6)


def make_space(param_distributions):
    """The settings that a search may choose from.

    Raises
    ------
    ValueError
        If there is nothing to choose from.
    TypeError
        If it is neither a dict of distributions nor a function.
    """
    if isinstance(param_distributions, Mapping):
        return _DistributionSpace(param_distributions)
    if callable(param_distributions):
        return _FunctionSpace(param_distributions)
    raise TypeError(
        "param_distributions must be a dict of parameter names to distributions, or a function "
        f"that gets a trial and returns a dict; got {param_distributions!r}."
    )


def check_parameters(estimator, parameters):
    """Raise ValueError, naming the nearest, where the estimator has no such parameter."""
    try:
        clone(estimator).set_params(**clone(parameters, safe=False))
        return
    except (AttributeError, ValueError) as error:
        failure = error
    known = estimator.get_params()
    for name, value in parameters.items():
        try:
            clone(estimator).set_params(**{name: clone(value, safe=False)})
        except (AttributeError, ValueError) as error:
            part = name.rpartition("__")[0]
            has_parameters = any(other.startswith(f"{part}__") for other in known)
            if isinstance(error, ValueError) and part in known and not has_parameters:
                raise  # it says why it has none
            check_name("parameter", name, known)
    raise failure


class _DistributionSpace:
    """A distribution for each parameter."""

    def __init__(self, param_distributions):
        if not param_distributions:
            raise ValueError("param_distributions is empty: there is no parameter to choose.")
        self._choosers = {
            name: _make_chooser(name, values) for name, values in param_distributions.items()
        }
        self.description = {
            name: [str(chooser.distribution), chooser.description]
            for name, chooser in self._choosers.items()
        }

    def check(self, estimator):
        """Raise ValueError, naming the nearest, where the estimator has no such parameter."""
        check_parameters(estimator, {name: c.decode(c.low) for name, c in self._choosers.items()})

    def suggest(self, trial):
        """Parameters as the trial's sampler chooses them."""
        return {
            name: chooser.decode(_suggest(trial, name, chooser.distribution))
            for name, chooser in self._choosers.items()
        }


class _FunctionSpace:
    """A function that asks the trial for one value after the other."""

    def __init__(self, function):
        self._function = function
        self.description = describe(function)

    def check(self, estimator):
        """Nothing is known of its parameters before a trial asks."""

    def suggest(self, trial):
        """Parameters as the trial's sampler chooses them."""
        parameters = self._function(trial)
        if not isinstance(parameters, Mapping) or not parameters:
            raise ValueError(
                "The function param_distributions must return a dict with at least one parameter, "
                f"got {parameters!r}."
            )
        return dict(parameters)


def restore_parameters(space, frozen_trial):
    """Parameters that a trial was given, by this process or another."""
    return space.suggest(FixedTrial(frozen_trial.params, frozen_trial.number))


class _Chooser(NamedTuple):
    """How Optuna chooses a parameter, and what its choice stands for."""

    distribution: Any
    decode: Callable[[Any], Any] = lambda choice: choice
    description: str = ""

    @property
    def low(self):
        """One of the choices."""
        if isinstance(self.distribution, CategoricalDistribution):
            return self.distribution.choices[0]
        return self.distribution.low


def _make_chooser(name, values):
    if isinstance(values, BaseDistribution):
        return _Chooser(values)
    if hasattr(values, "ppf") and hasattr(values, "dist"):
        return _choose_from_scipy(values)
    if isinstance(values, (Sequence, np.ndarray)) and not isinstance(values, str):
        return _choose_from_list(name, values)
    raise TypeError(
        f"param_distributions[{name!r}] must be an Optuna distribution, a list or a frozen scipy "
        f"distribution such as uniform(0, 1), got {values!r}."
    )


def _choose_from_list(name, values):
    if len(values) == 0:
        raise ValueError(f"param_distributions[{name!r}] is empty: there is nothing to choose.")
    values = [value.item() if isinstance(value, np.generic) else value for value in values]
    plain = all(value is None or isinstance(value, (str, Real)) for value in values)
    if plain and len(set(values)) == len(values):
        return _Chooser(CategoricalDistribution(values))
    # Optuna stores plain choices alone, and takes 1 and True for the same.
    labels = [f"{number}: {_shorten(value)}" for number, value in enumerate(values)]
    decode = dict(zip(labels, values, strict=True)).__getitem__
    return _Chooser(CategoricalDistribution(labels), decode, describe(values))


def _shorten(value):
    """Something to read, the same in every process."""
    text = strip_addresses(" ".join(repr(value).split()))
    return text if len(text) <= 60 else f"{text[:57]}..."


def _choose_from_scipy(frozen):
    """Ranges where Optuna has the same distribution; elsewhere it chooses a quantile."""
    name = frozen.dist.name
    low, high = (float(bound) for bound in frozen.support())
    if name == "uniform":
        return _Chooser(FloatDistribution(low, high))
    if name in ("loguniform", "reciprocal") and np.isclose(frozen.median(), (low * high) ** 0.5):
        return _Chooser(FloatDistribution(low, high, log=True))
    if name == "randint":
        return _Chooser(IntDistribution(int(low), int(high)))
    integral = hasattr(frozen, "pmf")

    def decode(quantile):
        value = frozen.ppf(quantile)
        return int(value) if integral else float(value)

    return _Chooser(_QUANTILES, decode, f"quantile of {name}{frozen.args}{frozen.kwds}")


def _suggest(trial, name, distribution):
    if isinstance(distribution, CategoricalDistribution):
        return trial.suggest_categorical(name, distribution.choices)
    suggest = (
        trial.suggest_int if isinstance(distribution, IntDistribution) else trial.suggest_float
    )
    return suggest(
        name, distribution.low, distribution.high, step=distribution.step, log=distribution.log
    )

"""Parameters of an estimator's parameters, such as ``optimizer__momentum``.

scikit-learn routes ``name__parameter`` to the estimator called ``name``. An optimizer or a callback
is given by name or by class, and made only when fitting; until then its parameters wait here.
"""

import copy
from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from sklearn.base import BaseEstimator, clone

__all__ = ["NestedParametersEstimator", "RoutedParametersEstimator"]


class NestedParametersEstimator(BaseEstimator):
    """Base estimator whose ``set_params`` names the owner of a misplaced parameter."""

    def set_params(self, **params):
        """Set parameters of this estimator.

        Parameters
        ----------
        **params : dict
            Values by name; ``augmentation__rotation=5`` sets a parameter of a parameter.

        Returns
        -------
        self : estimator instance
            This estimator.

        Raises
        ------
        ValueError
            If there is no parameter of this name.
        """
        for name in params:
            owner, delimiter, _ = name.partition("__")
            value = params.get(owner, getattr(self, owner, self))
            if delimiter and not hasattr(value, "set_params"):
                raise ValueError(
                    f"Cannot set {name}, for {owner} is {value!r}. Set {owner} itself first."
                )
        return super().set_params(**params)


class RoutedParametersEstimator(NestedParametersEstimator):
    """Base estimator that keeps routed parameters through set_params, get_params, clone and repr.

    Giving a parameter another value forgets what was routed to the old one, as it is with nested
    estimators.
    """

    # Names of the parameters that take routed ones.
    _routed_owners: ClassVar[tuple] = ()
    # Routed names that mean one of the estimator's own parameters.
    _routed_aliases: ClassVar[dict] = {}
    # Routed parameters that were set; the mapping is replaced in the instance, never changed.
    _routed: Mapping = MappingProxyType({})

    def get_params(self, deep=True):
        """Get the parameters of this estimator.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the parameters of parameters that are estimators themselves.

        Returns
        -------
        params : dict
            Values by name, routed ones included if they were set.
        """
        return {**super().get_params(deep=deep), **self._routed}

    def set_params(self, **params):
        """Set parameters of this estimator.

        Parameters
        ----------
        **params : dict
            Values by name; ``optimizer__momentum=0.9`` sets what the optimizer is made with.

        Returns
        -------
        self : estimator instance
            This estimator.

        Raises
        ------
        ValueError
            If there is no parameter of this name.
        """
        own: dict = {}
        routed: dict = {}
        for name, value in params.items():
            name = self._routed_aliases.get(name, name)
            owner, delimiter, _ = name.partition("__")
            (routed if delimiter and owner in self._routed_owners else own)[name] = value
        owners = [owner for owner in self._routed_owners if owner in own]
        changed = [owner for owner in owners if not _is_same(own[owner], getattr(self, owner))]
        super().set_params(**own)
        kept = {k: v for k, v in self._routed.items() if k.partition("__")[0] not in changed}
        if kept or routed or self._routed:
            self._routed = {**kept, **routed}
        return self

    def _routed_to(self, owner):
        """Return the parameters routed to ``owner``, by their own names."""
        prefix = f"{owner}__"
        return {k.removeprefix(prefix): v for k, v in self._routed.items() if k.startswith(prefix)}

    def __sklearn_clone__(self):
        # Without routed parameters, which the constructor does not take.
        bare = copy.copy(self)
        bare.__dict__.pop("_routed", None)
        cloned = super(RoutedParametersEstimator, bare).__sklearn_clone__()
        return cloned.set_params(**clone(dict(self._routed), safe=False))


def _is_same(value, other):
    """Return whether both are the same object or the same name.

    Other values that are equal may have another meaning.
    """
    return value is other or (isinstance(value, str) and isinstance(other, str) and value == other)

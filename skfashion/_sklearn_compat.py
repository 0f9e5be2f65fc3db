"""Private names of scikit-learn, and differences between its versions.

A private name may move or change in any release, so the rest of the package imports it from here.
``OptunaSearchCV`` also calls private methods that it inherits from ``BaseSearchCV``, which are the
same in scikit-learn 1.7 to 1.9: ``_check_refit_for_multimetric``, ``_format_results``,
``_get_routed_params_for_fit``, ``_get_scorers`` and ``_select_best_index``.
"""

from contextlib import nullcontext
from inspect import signature

import sklearn
from sklearn.base import _fit_context as fit_context
from sklearn.metrics._scorer import _MultimetricScorer as MultimetricScorer
from sklearn.model_selection._search import BaseSearchCV
from sklearn.model_selection._validation import _fit_and_score as fit_and_score
from sklearn.model_selection._validation import (
    _warn_or_raise_about_fit_failures as warn_or_raise_about_fit_failures,
)
from sklearn.utils import column_or_1d as _column_or_1d
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import _check_method_params as check_method_params
from sklearn.utils.validation import _check_sample_weight as check_sample_weight

try:
    from sklearn.callback import CallbackSupportMixin
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Mixin for estimators that support callbacks, which scikit-learn has since 1.9."""

        def set_callbacks(self, *callbacks):
            """Raise ImportError, for this scikit-learn has no callbacks."""
            raise ImportError(
                "set_callbacks needs scikit-learn 1.9 or later, and scikit-learn "
                f"{sklearn.__version__} is installed."
            )


__all__ = [
    "BaseSearchCV",
    "CallbackSupportMixin",
    "FitTasks",
    "HasMethods",
    "Interval",
    "MultimetricScorer",
    "StrOptions",
    "callback_context_of",
    "check_method_params",
    "check_sample_weight",
    "column_or_1d",
    "fit_and_score",
    "fit_context",
    "warn_or_raise_about_fit_failures",
]


def callback_context_of(estimator, *, max_subtasks):
    """Return the context in which an estimator's fit calls its scikit-learn callbacks.

    Before scikit-learn 1.9 there are no callbacks, and the context does nothing.
    """
    if hasattr(estimator, "_init_callback_context"):
        return estimator._init_callback_context(max_subtasks=max_subtasks)
    return _NoCallbacks()


def column_or_1d(y, *, input_name):
    """Return y as an array of one dimension; errors of scikit-learn 1.7 do not name it."""
    if "input_name" in signature(_column_or_1d).parameters:
        return _column_or_1d(y, input_name=input_name)
    return _column_or_1d(y)


class FitTasks:
    """Tasks of a fit for scikit-learn's callbacks: the fit, and each epoch in it.

    Parameters
    ----------
    estimator : estimator instance
        It is being fitted.
    n_epochs : int
        Number of epochs, at most.
    reconstruct : callable
        Gives the attributes of an estimator that is fitted with a state.
    **data
        ``X``, ``y`` and ``metadata`` of the fit.
    """

    def __init__(self, estimator, n_epochs, reconstruct, **data):
        self._data = {"estimator": estimator, **data}
        self._reconstruct = reconstruct
        self._fit = callback_context_of(estimator, max_subtasks=n_epochs)
        self._fit.call_on_fit_task_begin(**self._data)

    def begin_epoch(self):
        """Begin a task."""
        self._epoch = self._fit.subcontext(task_name="epoch")
        self._epoch.call_on_fit_task_begin(**self._data)

    def end_epoch(self, state):
        """End it with this state, and return whether a callback has asked to stop."""
        return self._end(self._epoch, state)

    def end(self, state):
        """End the fit with this state."""
        self._end(self._fit, state)

    def _end(self, task, state):
        return task.call_on_fit_task_end(
            **self._data, reconstruction_attributes=lambda: self._reconstruct(state)
        )


class _NoCallbacks:
    """Context of a fit without callbacks."""

    def call_on_fit_task_begin(self, **data):
        return self

    def call_on_fit_task_end(self, **data):
        return False

    def subcontext(self, **task):
        return self

    def propagate_callback_context(self, estimator):
        return nullcontext()

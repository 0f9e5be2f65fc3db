"""Training curves."""

import numpy as np

from skfashion.inspection._axes import make_axes
from skfashion.inspection._network_input import unwrap

__all__ = ["QUANTITIES", "TrainingHistoryDisplay", "unplotted_history"]

# What is shown, and its name on an axis.
QUANTITIES = {"loss": "Loss", "accuracy": "Accuracy", "learning_rate": "Learning rate"}


class TrainingHistoryDisplay:
    """Loss, accuracy and learning rate over the epochs of a training.

    It is recommended to use :meth:`from_estimator` to make one.

    Parameters
    ----------
    history : dict of str to list of float
        For each epoch any of ``loss``, ``accuracy`` and ``learning_rate``, and ``val_loss`` and
        ``val_accuracy`` if there were validation images, as in
        ``FashionCNNClassifier.history_``.
    best_epoch : int, default=None
        Epoch to mark, counted from 1.
    label_smoothing : float, default=0.0
        What the training loss was counted with, but not the validation loss. The legend says so,
        because the curves do not compare.

    Attributes
    ----------
    axes_ : ndarray of shape (n_quantities,) of matplotlib Axes
        One for each quantity.
    figure_ : matplotlib Figure
        The figure that holds them.

    See Also
    --------
    skfashion.FashionCNNClassifier : Whose ``history_`` is shown.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skfashion.inspection import TrainingHistoryDisplay
    >>> history = {"loss": [0.9, 0.5], "accuracy": [0.6, 0.8]}
    >>> TrainingHistoryDisplay(history).plot()
    <...TrainingHistoryDisplay object at ...>
    >>> plt.close()
    """

    def __init__(self, history, *, best_epoch=None, label_smoothing=0.0):
        self.history = history
        self.best_epoch = best_epoch
        self.label_smoothing = label_smoothing

    @classmethod
    def from_estimator(cls, estimator, *, quantities=None, ax=None):
        """Plot the training of a fitted classifier.

        Parameters
        ----------
        estimator : classifier
            A fitted :class:`skfashion.FashionCNNClassifier`, scikeras' ``KerasClassifier`` or
            :class:`sklearn.neural_network.MLPClassifier`; also at the end of a pipeline or in a
            search.
        quantities : str or list of {"loss", "accuracy", "learning_rate"}, default=None
            What to show; None shows all that the history has.
        ax : matplotlib Axes or array-like of them, default=None
            One axes, which is divided, or one for each quantity; None makes a new figure.

        Returns
        -------
        display : TrainingHistoryDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it has no training history.
        ValueError
            If the history lacks a quantity.
        """
        display = unplotted_history(estimator)
        if display is None:
            name = type(unwrap(estimator)[0]).__name__
            raise TypeError(
                "estimator must have a training history, as networks have; "
                f"{name} has neither history_ nor loss_curve_."
            )
        return display.plot(quantities=quantities, ax=ax)

    def known_quantities(self):
        """Return the quantities that the history has.

        Returns
        -------
        quantities : list of {"loss", "accuracy", "learning_rate"}
        """
        return [name for name in QUANTITIES if {name, f"val_{name}"} & self.history.keys()]

    def plot(self, ax=None, *, quantities=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of them, default=None
            One axes, which is divided, or one for each quantity; None makes a new figure.
        quantities : str or list of {"loss", "accuracy", "learning_rate"}, default=None
            What to show; None shows all that the history has.

        Returns
        -------
        self : TrainingHistoryDisplay

        Raises
        ------
        ValueError
            If the history lacks a quantity.
        """
        from matplotlib.ticker import MaxNLocator

        known = self.known_quantities()
        if quantities is None:
            quantities = known
        quantities = [quantities] if isinstance(quantities, str) else list(quantities)
        lacking = [name for name in quantities if name not in known]
        if lacking or not quantities:
            raise ValueError(f"quantities must be among {known}, got {quantities}.")
        n_panels = len(quantities)
        axes = make_axes(ax, 1, n_panels, (4 * n_panels + 0.6, 3.4), wspace=0.6)[0]
        for panel, quantity in zip(axes, quantities, strict=True):
            for prefix, style, name in (("", "o-", "training"), ("val_", "s--", "validation")):
                values = self.history.get(f"{prefix}{quantity}")
                if values is None:
                    continue
                if quantity == "loss" and not prefix and self.label_smoothing:
                    name += " (smoothed labels)"
                epochs = range(1, len(values) + 1)
                panel.plot(epochs, values, style, markersize=4, label=name)
            if self.best_epoch is not None:
                label = f"kept: epoch {self.best_epoch}"
                panel.axvline(self.best_epoch, color="0.4", linestyle=":", label=label)
            panel.set(xlabel="Epoch", ylabel=QUANTITIES[quantity])
            panel.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
            panel.grid(alpha=0.3)
            if quantity != "learning_rate":
                panel.legend(fontsize="small")
        self.axes_ = np.asarray(axes)
        self.figure_ = axes[0].get_figure(root=True)
        return self


def unplotted_history(estimator):
    """The display of a fitted estimator's training, or None if it has no history of it."""
    classifier, _ = unwrap(estimator)
    history = getattr(classifier, "history_", None)
    if not isinstance(history, dict):
        if not hasattr(classifier, "loss_curve_"):
            return None
        history = {"loss": classifier.loss_curve_}
        if getattr(classifier, "validation_scores_", None) is not None:
            history["val_accuracy"] = classifier.validation_scores_
    is_validated = "val_loss" in history
    display = TrainingHistoryDisplay(
        history,
        best_epoch=getattr(classifier, "best_epoch_", None) if is_validated else None,
        label_smoothing=getattr(classifier, "label_smoothing", 0.0),
    )
    return display if display.known_quantities() else None

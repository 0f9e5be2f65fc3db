"""Training curves."""

from sklearn.utils.validation import check_is_fitted

__all__ = ["TrainingHistoryDisplay"]


class TrainingHistoryDisplay:
    """Loss and accuracy over the epochs of a training.

    It is recommended to use :meth:`from_estimator` to make one.

    Parameters
    ----------
    history : dict of str to list of float
        For each epoch ``loss`` and ``accuracy``, and ``val_loss`` and ``val_accuracy`` if there
        were validation images, as in ``FashionCNNClassifier.history_``.
    best_epoch : int, default=None
        Epoch to mark, counted from 1.

    Attributes
    ----------
    axes_ : ndarray of shape (2,) of matplotlib Axes
        Loss, and accuracy.
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

    def __init__(self, history, *, best_epoch=None):
        self.history = history
        self.best_epoch = best_epoch

    @classmethod
    def from_estimator(cls, estimator, *, axes=None):
        """Plot the training of a fitted classifier.

        Parameters
        ----------
        estimator : FashionCNNClassifier
            Fitted.
        axes : sequence of 2 matplotlib Axes, default=None
            Where to plot; None makes a new figure.

        Returns
        -------
        display : TrainingHistoryDisplay

        Raises
        ------
        NotFittedError
            If the classifier is not fitted.
        """
        check_is_fitted(estimator)
        best_epoch = estimator.best_epoch_ if estimator.early_stopping else None
        return cls(estimator.history_, best_epoch=best_epoch).plot(axes=axes)

    def plot(self, axes=None):
        """Draw the curves.

        Parameters
        ----------
        axes : sequence of 2 matplotlib Axes, default=None
            Where to plot; None makes a new figure.

        Returns
        -------
        self : TrainingHistoryDisplay
        """
        import matplotlib.pyplot as plt
        import numpy as np
        from matplotlib.ticker import MaxNLocator

        if axes is None:
            _, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
        epochs = range(1, len(self.history["loss"]) + 1)
        for ax, quantity in zip(axes, ("loss", "accuracy"), strict=True):
            ax.plot(epochs, self.history[quantity], "o-", markersize=4, label="training")
            if f"val_{quantity}" in self.history:
                values = self.history[f"val_{quantity}"]
                ax.plot(epochs, values, "s--", markersize=4, label="validation")
            if self.best_epoch is not None:
                ax.axvline(
                    self.best_epoch, color="0.6", linestyle=":", label=f"best: {self.best_epoch}"
                )
            ax.set(xlabel="Epoch", ylabel=quantity.capitalize())
            ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
            ax.grid(alpha=0.3)
            ax.legend()
        self.axes_ = np.asarray(axes)
        self.figure_ = axes[0].figure
        return self

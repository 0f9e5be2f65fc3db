"""How many images each class has."""

import numpy as np
from sklearn.utils.multiclass import unique_labels

from skfashion._sklearn_compat import column_or_1d
from skfashion.inspection._labelled_predictions import name_classes, predict_labelled
from skfashion.inspection._pictures import as_text

__all__ = ["ClassDistributionDisplay"]


class ClassDistributionDisplay:
    """How many images each class has, and how many are predicted to be of it.

    It is recommended to use :meth:`from_labels`, :meth:`from_estimator` or
    :meth:`from_predictions` to make one.

    Parameters
    ----------
    counts : dict of str to array-like of shape (n_classes,)
        For each set of labels how many there are of each class.
    class_names : list of str
        What the classes are called.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The picture.
    figure_ : matplotlib Figure
        The figure that holds it.

    See Also
    --------
    ImageGridDisplay : Images of each class.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skfashion.inspection import ClassDistributionDisplay
    >>> ClassDistributionDisplay.from_labels(["bag", "coat", "bag"])
    <...ClassDistributionDisplay object at ...>
    >>> plt.close()
    """

    def __init__(self, counts, class_names):
        self.counts = counts
        self.class_names = class_names

    @classmethod
    def from_labels(cls, y, *, target_names=None, ax=None):
        """Plot how many labels there are of each class.

        Parameters
        ----------
        y : array-like of shape (n,)
            Class labels.
        target_names : sequence of str, default=None
            Names of the classes, in the order of their labels; or, as in the bunches that loaders
            return, a name for each integer from 0. None shows the labels.
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.

        Returns
        -------
        display : ClassDistributionDisplay

        Raises
        ------
        ValueError
            If ``target_names`` has another number of names than there are classes.
        """
        return cls._from_sets({"images": y}, None, target_names, ax)

    @classmethod
    def from_predictions(cls, y_true, y_pred, *, target_names=None, ax=None):
        """Plot how many images are of each class beside how many are predicted to be.

        Parameters
        ----------
        y_true, y_pred : array-like of shape (n,)
            Class labels, true and predicted.
        target_names : sequence of str, default=None
            Names of the classes, as in :meth:`from_labels`.
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.

        Returns
        -------
        display : ClassDistributionDisplay

        Raises
        ------
        ValueError
            If the labels are not of one length, or ``target_names`` has another number of names
            than there are classes.
        """
        y_true = column_or_1d(y_true, input_name="y_true")
        y_pred = column_or_1d(y_pred, input_name="y_pred")
        if len(y_true) != len(y_pred):
            raise ValueError(f"y_true has {len(y_true)} labels, but y_pred {len(y_pred)}.")
        return cls._from_sets({"true": y_true, "predicted": y_pred}, None, target_names, ax)

    @classmethod
    def from_estimator(cls, estimator, X, y, *, target_names=None, ax=None):
        """Predict images, and plot how many are of each class beside how many are predicted to be.

        Parameters
        ----------
        estimator : classifier
            Fitted.
        X : array-like of shape (n, ...)
            Images, as for the estimator's ``predict``.
        y : array-like of shape (n,)
            Class labels.
        target_names : sequence of str, default=None
            Names of the classes, as in :meth:`from_labels`; None takes those of a loaded
            :class:`skfashion.FashionCNNClassifier`, if it has any.
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.

        Returns
        -------
        display : ClassDistributionDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        ValueError
            If y is of another length than X or has labels that the classifier does not know, or
            ``target_names`` has another number of names than there are classes.
        """
        predicted = predict_labelled(estimator, X, y, target_names, with_probabilities=False)
        sets = {"true": predicted.y_true, "predicted": predicted.y_pred}
        return cls._from_sets(sets, predicted.classes, predicted.class_names, ax)

    @classmethod
    def _from_sets(cls, sets, classes, target_names, ax):
        sets = {name: column_or_1d(labels, input_name=name) for name, labels in sets.items()}
        if classes is None:
            classes = unique_labels(*sets.values())
        counts = {
            name: np.bincount(np.searchsorted(classes, labels), minlength=len(classes))
            for name, labels in sets.items()
        }
        return cls(counts, name_classes(classes, target_names)).plot(ax=ax)

    def plot(self, ax=None):
        """Draw a bar for each class, the first class on top.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.

        Returns
        -------
        self : ClassDistributionDisplay
        """
        import matplotlib.pyplot as plt

        n_classes, n_sets = len(self.class_names), len(self.counts)
        if ax is None:
            size = 6.4, 1 + n_classes * (0.12 + 0.2 * n_sets)
            _, ax = plt.subplots(figsize=size, layout="constrained")
        thickness = 0.8 / n_sets
        positions = np.arange(n_classes)
        for i, (name, counts) in enumerate(self.counts.items()):
            bars = ax.barh(positions + (i + 0.5) * thickness - 0.4, counts, thickness, label=name)
            ax.bar_label(bars, fmt="{:,.0f}", padding=3, fontsize="small")
        ax.set_yticks(positions, [as_text(name) for name in self.class_names])
        ax.invert_yaxis()
        ax.set_xlabel("Images")
        ax.margins(x=0.12)
        ax.spines[["top", "right"]].set_visible(False)
        if n_sets > 1:
            place = {"loc": "lower right", "bbox_to_anchor": (1, 1)}
            ax.legend(ncols=n_sets, frameon=False, **place)
        self.ax_ = ax
        self.figure_ = ax.get_figure(root=True)
        return self

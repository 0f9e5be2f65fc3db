"""Images with what a classifier makes of them."""

from numbers import Integral

import numpy as np
from sklearn.utils import check_scalar
from sklearn.utils.multiclass import unique_labels

from skfashion.inspection._axes import make_image_axes
from skfashion.inspection._labelled_predictions import check_labels, name_classes, predict_labelled
from skfashion.inspection._network_input import known_image_shape
from skfashion.inspection._pictures import as_images, as_pictures, as_text

__all__ = ["PredictionsDisplay", "find_grid", "select_images"]

_N_COLUMNS = 5
# Vermilion of Okabe and Ito's palette, which everybody tells from black.
_ERROR_COLOR = "#D55E00"


class PredictionsDisplay:
    """Images with their predicted class, its probability, and their true class.

    It is recommended to use :meth:`from_estimator` or :meth:`from_predictions` to make one.

    Parameters
    ----------
    images : ndarray of shape (n, height, width, channels)
        The images to show.
    true_names, predicted_names : sequence of str of length n
        Names of their classes.
    probabilities : ndarray of shape (n,), default=None
        Of the predicted classes.
    heading : str, default=''
        What is shown; it stands over a new figure.

    Attributes
    ----------
    axes_ : ndarray of shape (n_rows, n_columns) of matplotlib Axes
        One for each image; more are invisible.
    figure_ : matplotlib Figure
        The figure that holds them.

    See Also
    --------
    sklearn.metrics.ConfusionMatrixDisplay : Which classes are taken for which.
    GradCAMDisplay : Where a network looked.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skfashion.datasets import load_fashion_sample
    >>> from skfashion.inspection import PredictionsDisplay
    >>> train, test = load_fashion_sample(), load_fashion_sample(subset="test")
    >>> classifier = KNeighborsClassifier().fit(train.data, train.target)
    >>> PredictionsDisplay.from_estimator(
    ...     classifier, test.data, test.target, only_errors=True, target_names=test.target_names
    ... )
    <...PredictionsDisplay object at ...>
    >>> plt.close()
    """

    def __init__(self, images, true_names, predicted_names, *, probabilities=None, heading=""):
        self.images = images
        self.true_names = true_names
        self.predicted_names = predicted_names
        self.probabilities = probabilities
        self.heading = heading

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        y,
        *,
        n_images=20,
        only_errors=False,
        target_names=None,
        image_shape=None,
        ax=None,
    ):
        """Predict images and plot them.

        Parameters
        ----------
        estimator : classifier
            Fitted.
        X : array-like of shape (n, n_pixels), (n, height, width) or (n, height, width, channels)
            Images, as for the estimator's ``predict``.
        y : array-like of shape (n,)
            Class labels.
        n_images : int, default=20
            Images to show, at most.
        only_errors : bool, default=False
            Whether to show those alone whose predicted class is wrong, the most confident first
            if the classifier has probabilities; otherwise the first images are shown.
        target_names : sequence of str, default=None
            Names of the classes, in the order of ``classes_``; or, as in the bunches that loaders
            return, a name for each integer from 0. None takes those of a loaded
            :class:`skfashion.FashionCNNClassifier`, if it has any, and the labels otherwise.
        image_shape : tuple of 2 or 3 int, default=None
            Height, width and channels of flattened images that are not square, in pixels. None
            takes that of a :class:`skfashion.FashionCNNClassifier`.
        ax : matplotlib Axes or array-like of them, default=None
            One axes, which is divided, or a grid with at least as many as images; None makes a new
            figure, with five in a row.

        Returns
        -------
        display : PredictionsDisplay

        Raises
        ------
        NotFittedError
            If the estimator is not fitted.
        TypeError
            If it is no classifier.
        ValueError
            If y is of another length than X or has labels that the classifier does not know,
            ``target_names`` has another number of names than there are classes, or ``ax`` is a
            grid without room for the images.
        """
        check_scalar(n_images, "n_images", Integral, min_val=1)
        if image_shape is None:
            image_shape = known_image_shape(estimator, X)
        images = as_images(X, image_shape)
        n_given = len(images)
        y = check_labels(y, n_given, "y")
        if not only_errors:
            X, y, images = X[:n_images], y[:n_images], images[:n_images]
        predicted = predict_labelled(estimator, X, y, target_names)
        display = select_images(
            images,
            predicted.y_true,
            predicted.y_pred,
            predicted.confidence(),
            predicted.classes,
            predicted.class_names,
            n_images,
            only_errors,
        )
        if n_given > len(images):
            display.heading = f"The first {len(images)} of {n_given:,} images"
        return display.plot(ax=ax)

    @classmethod
    def from_predictions(
        cls,
        X,
        y_true,
        y_pred,
        *,
        probabilities=None,
        n_images=20,
        only_errors=False,
        target_names=None,
        image_shape=None,
        ax=None,
    ):
        """Plot images that were predicted.

        Parameters
        ----------
        X : array-like of shape (n, n_pixels), (n, height, width) or (n, height, width, channels)
            Images, grey or in colour.
        y_true, y_pred : array-like of shape (n,)
            Class labels, true and predicted.
        probabilities : array-like of shape (n,) or (n, n_classes), default=None
            Of the predicted classes; or of all classes, of which the highest is taken.
        n_images : int, default=20
            Images to show, at most.
        only_errors : bool, default=False
            Whether to show those alone whose predicted class is wrong, the most confident first
            if there are probabilities; otherwise the first images are shown.
        target_names : sequence of str, default=None
            Names of the classes, in the order of their labels; or, as in the bunches that loaders
            return, a name for each integer from 0. None shows the labels.
        image_shape : tuple of 2 or 3 int, default=None
            Height, width and channels of flattened images that are not square, in pixels.
        ax : matplotlib Axes or array-like of them, default=None
            One axes, which is divided, or a grid with at least as many as images; None makes a new
            figure, with five in a row.

        Returns
        -------
        display : PredictionsDisplay

        Raises
        ------
        ValueError
            If labels or probabilities are of another length than X, ``target_names`` has another
            number of names than there are classes, or ``ax`` is a grid without room for the images.
        """
        check_scalar(n_images, "n_images", Integral, min_val=1)
        images = as_images(X, image_shape)
        y_true = check_labels(y_true, len(images), "y_true")
        y_pred = check_labels(y_pred, len(images), "y_pred")
        if probabilities is not None:
            probabilities = np.asarray(probabilities)
            if probabilities.ndim not in (1, 2) or len(probabilities) != len(images):
                raise ValueError(
                    f"probabilities must have shape ({len(images)},) or ({len(images)}, n_classes),"
                    f" as X has {len(images)} images; got {probabilities.shape}."
                )
            if probabilities.ndim == 2:
                probabilities = probabilities.max(axis=1)
        classes = unique_labels(y_true, y_pred)
        names = name_classes(classes, target_names)
        display = select_images(
            images, y_true, y_pred, probabilities, classes, names, n_images, only_errors
        )
        return display.plot(ax=ax)

    def plot(self, ax=None):
        """Draw the images, wrong ones with orange titles.

        Parameters
        ----------
        ax : matplotlib Axes or array-like of them, default=None
            One axes, which is divided, or a grid with at least as many as images; None makes a new
            figure, with five in a row.

        Returns
        -------
        self : PredictionsDisplay
        """
        n_images = len(self.images)
        (n_rows, n_columns), size = find_grid(n_images)
        axes = make_image_axes(ax, n_images, n_rows, n_columns, size)
        self.axes_ = axes
        self.figure_ = axes[0, 0].get_figure(root=True)
        if ax is None:
            self.figure_.suptitle(self.heading, fontsize="medium")
        for cell in axes.flat:
            cell.set_axis_off()
        if not n_images:
            axes[0, 0].text(0.5, 0.5, "None", ha="center", va="center")
            return self
        for i, (cell, picture) in enumerate(zip(axes.flat, as_pictures(self.images), strict=False)):
            cell.imshow(picture, cmap="gray", vmin=0, vmax=1)
            true, predicted = self.true_names[i], self.predicted_names[i]
            shown = as_text(predicted, 18)
            if self.probabilities is not None:
                shown += f" ({self.probabilities[i]:.0%})"
            color = {} if true == predicted else {"color": _ERROR_COLOR}
            title = f"{shown}\ntrue: {as_text(true, 18)}"
            cell.set_title(title, fontsize="small", **color)
        return self


def select_images(
    images, y_true, y_pred, probabilities, classes, class_names, n_images, only_errors
):
    """The display of the first images, or of the most confident errors.

    Parameters
    ----------
    images : ndarray of shape (n, height, width, channels)
    y_true, y_pred : ndarray of shape (n,)
        Class labels.
    probabilities : ndarray of shape (n,) or None
        Of the predicted classes.
    classes : ndarray of shape (n_classes,)
        All labels, sorted.
    class_names : list of str
        What they are called.
    n_images : int
        Images to show, at most.
    only_errors : bool
        Whether to show errors alone.

    Returns
    -------
    display : PredictionsDisplay
        Not plotted.
    """
    errors = np.flatnonzero(y_true != y_pred)
    rows = np.arange(len(images))
    if only_errors:
        rows = errors
        if probabilities is not None:
            rows = rows[np.argsort(-probabilities[rows], kind="stable")]
    rows = rows[:n_images]
    names = np.asarray(class_names)
    return PredictionsDisplay(
        images[rows],
        names[np.searchsorted(classes, y_true[rows])].tolist(),
        names[np.searchsorted(classes, y_pred[rows])].tolist(),
        probabilities=None if probabilities is None else probabilities[rows],
        heading=_describe(len(rows), len(errors), len(images), only_errors, probabilities),
    )


def find_grid(n_images):
    """Rows and columns for so many images, and width and height, in inches, of a figure of them."""
    n_columns = min(_N_COLUMNS, max(n_images, 1))
    n_rows = max(1, -(-n_images // n_columns))
    return (n_rows, n_columns), (max(1.7 * n_columns, 5.6), 0.5 + 1.95 * n_rows)


def _describe(n_shown, n_errors, n_images, only_errors, probabilities):
    """Return the heading of the picture."""
    if not only_errors:
        return f"The first {n_shown} of {n_images:,} images"
    if not n_errors:
        return f"No errors in {n_images:,} images"
    shown = "All" if n_shown == n_errors else f"{n_shown}"
    order = "" if probabilities is None else ", the most confident first"
    return f"{shown} of the {n_errors:,} errors in {n_images:,} images{order}"

"""Classifiers side by side."""

__all__ = ["ComparisonDisplay"]

# No clock tells less, and a logarithmic axis has no zero.
_SHORTEST_SECONDS = 1e-5


class ComparisonDisplay:
    """Scores of classifiers, with their spread over the folds, against the time of a fit.

    It is recommended to use :meth:`from_comparison` or :meth:`from_estimators` to make one.

    Parameters
    ----------
    fold_scores : dict of str to list of float
        For each classifier its score in each fold.
    fold_fit_seconds : dict of str to list of float
        For each classifier the seconds that its fit took in each fold.
    score_name : str, default='score'
        What the scores are.
    failed : sequence of str, default=()
        Names of those that have no scores. They are named above the picture.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The picture.
    figure_ : matplotlib Figure
        The figure that holds it.

    See Also
    --------
    skfashion.model_selection.compare_classifiers : Makes the table that is shown.

    Notes
    -----
    Where one contender is far below the others, these are hard to tell apart:
    ``from_comparison(table.drop("dummy"))`` leaves it out.

    Names are placed for the size that the figure has when it is drawn.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skfashion.datasets import load_fashion_sample
    >>> from skfashion.inspection import ComparisonDisplay
    >>> X, y = load_fashion_sample(return_X_y=True)
    >>> contenders = {"knn": KNeighborsClassifier(), "bayes": GaussianNB()}
    >>> ComparisonDisplay.from_estimators(contenders, X[:500], y[:500])
    <...ComparisonDisplay object at ...>
    >>> plt.close()
    """

    def __init__(self, fold_scores, fold_fit_seconds, *, score_name="score", failed=()):
        self.fold_scores = fold_scores
        self.fold_fit_seconds = fold_fit_seconds
        self.score_name = score_name
        self.failed = failed

    @classmethod
    def from_comparison(cls, table, *, ax=None):
        """Plot what was compared.

        Parameters
        ----------
        table : DataFrame
            What :func:`skfashion.model_selection.compare_classifiers` returned, or some rows of it.
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.

        Returns
        -------
        display : ComparisonDisplay

        Raises
        ------
        TypeError
            If it is no table.
        ValueError
            If the table lacks the scores of the folds, as one that was read from a file does.
        """
        if not hasattr(table, "attrs"):
            raise TypeError(f"table must be what compare_classifiers returned, got {table!r}.")
        scores = table.attrs.get("fold_scores", {})
        failed = list(table.index[table["mean_score"].isna()])
        shown = [name for name in table.index if name not in failed]
        lost = [str(name) for name in shown if name not in scores]
        if lost:
            raise ValueError(
                f"table must be what compare_classifiers returned, got one without the scores of "
                f"the folds of {', '.join(lost)}. They are in its attrs, which files do not keep."
            )
        fit_seconds = table.attrs["fold_fit_seconds"]
        display = cls(
            {name: scores[name] for name in shown},
            {name: fit_seconds[name] for name in shown},
            score_name=table.attrs["scoring"],
            failed=failed,
        )
        return display.plot(ax=ax)

    @classmethod
    def from_estimators(
        cls,
        estimators,
        X,
        y,
        *,
        cv=5,
        scoring="accuracy",
        n_jobs=None,
        random_state=None,
        verbose=0,
        ax=None,
    ):
        """Compare classifiers and plot that.

        Parameters
        ----------
        estimators : dict of str to classifier, or list of (str, classifier) or of classifier
            The contenders; this and what follows is as in
            :func:`skfashion.model_selection.compare_classifiers`.
        X : array-like of shape (n_samples, ...)
            Anything that all of them take.
        y : array-like of shape (n_samples,)
            Class labels.
        cv : int, splitter or iterable of (train, test), default=5
            Folds, the same for all.
        scoring : str or callable, default='accuracy'
            Name of a score, or scorer.
        n_jobs : int, default=None
            Fits at a time; they take longer side by side.
        random_state : int, RandomState instance or None, default=None
            Seed of folds and contenders.
        verbose : int, default=0
            Whether to show progress.
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.

        Returns
        -------
        display : ComparisonDisplay
        """
        from skfashion.model_selection import compare_classifiers

        table = compare_classifiers(
            estimators,
            X,
            y,
            cv=cv,
            scoring=scoring,
            n_jobs=n_jobs,
            random_state=random_state,
            verbose=verbose,
        )
        return cls.from_comparison(table, ax=ax)

    def plot(self, ax=None):
        """Draw the scores: a large dot for a mean, small ones for the folds, a bar for their range.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Where to plot; None makes a new figure.

        Returns
        -------
        self : ComparisonDisplay
        """
        import matplotlib.pyplot as plt
        import numpy as np

        if ax is None:
            _, ax = plt.subplots(figsize=(8, 5), layout="constrained")
        ax.set_xscale("log")
        means = []
        for scores, all_seconds in zip(
            self.fold_scores.values(), self.fold_fit_seconds.values(), strict=True
        ):
            seconds = np.maximum(all_seconds, _SHORTEST_SECONDS)
            (mean,) = ax.plot(np.mean(seconds), np.mean(scores), "o", markersize=8, zorder=3)
            faint = {"color": mean.get_color(), "alpha": 0.5}
            ax.plot(seconds, scores, ".", markersize=5, **faint)
            ax.vlines(np.mean(seconds), min(scores), max(scores), **faint)
            means.append(mean)
        ax.set(xlabel="Seconds to fit", ylabel=self.score_name)
        ax.grid(alpha=0.3)
        ax.margins(0.1)
        _set_ticks(ax)
        ax.set_title("\n".join(self._describe()), fontsize="medium")
        self.ax_ = ax
        self.figure_ = ax.get_figure(root=True)
        _label(ax, means, self.fold_scores)
        return self

    def _describe(self):
        """Return the legend: one line for each kind of dot, and for what is missing."""
        if self.fold_scores:
            n_folds = len(next(iter(self.fold_scores.values())))
            yield f"Means (large dots) and ranges over {n_folds} folds"
        if self.failed:
            yield f"Failed: {', '.join(self.failed)}"


def _set_ticks(ax):
    """Enough of them on the axis of seconds, none over another."""
    from matplotlib.ticker import LogLocator

    low, high = ax.get_xlim()
    ax.xaxis.set_major_formatter("{x:g}")
    ax.xaxis.set_minor_formatter("{x:g}" if high < 3 * low else "")
    if 3 * low <= high < 100 * low:
        ax.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))


def _label(ax, means, names):
    """Write each name near its mean, where it covers the least."""
    from functools import partial
    from itertools import product

    from matplotlib.transforms import Bbox

    figure = ax.get_figure(root=True)
    figure.draw_without_rendering()  # the layout decides where dots are
    size = 8 * figure.dpi / 72
    taken = [
        Bbox.from_bounds(x - size / 2, y - size / 2, size, size)
        for line in ax.lines
        for x, y in ax.transData.transform(line.get_xydata())
    ]
    sides = [(8, 0), (-8, 0), (8, 8), (8, -8), (-8, 8), (-8, -8), (0, 8), (0, -8)]
    places = [(x * times, y * times) for times, (x, y) in product((1, 2, 3, 4, 6), sides)]

    def put(label, place):
        """Move the label, and count what it covers there."""
        x, y = label.xyann = place
        label.set_horizontalalignment("left" if x > 0 else "right" if x < 0 else "center")
        label.set_verticalalignment("bottom" if y > 0 else "top" if y < 0 else "center")
        box = label.get_window_extent()
        is_inside = (Bbox.union([box, ax.bbox]).extents == ax.bbox.extents).all()
        return box.count_overlaps(taken) + (0 if is_inside else len(taken))

    for mean, name in zip(means, names, strict=True):
        style = {"xy": mean.get_xydata()[0], "textcoords": "offset points"}
        label = ax.annotate(
            name, xytext=(0, 0), fontsize="small", color=mean.get_color(), zorder=4, **style
        )
        place = min(places, key=partial(put, label))
        put(label, place)
        taken.append(label.get_window_extent().padded(2))
        if place not in sides:
            pointer = {"arrowstyle": "-", "color": mean.get_color(), "linewidth": 0.7}
            ax.annotate("", xytext=place, arrowprops=pointer, **style)

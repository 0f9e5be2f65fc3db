"""Where displays of several panels are drawn."""

import numpy as np

__all__ = ["make_axes"]


def make_axes(ax, n_rows, n_columns, figsize, *, width_ratios=None, wspace=0.1):
    """A grid of axes: those given, the one given divided, or those of a new figure.

    Parameters
    ----------
    ax : matplotlib Axes, array-like of Axes or None
        As the user gave it.
    n_rows, n_columns : int
        Size of the grid.
    figsize : tuple of 2 float
        Width and height of a new figure, in inches.
    width_ratios : tuple of n_columns float, default=None
        How wide columns are, relative to each other; None makes all alike.
    wspace : float, default=0.1
        Room between columns where one axes is divided, as a share of their width.

    Returns
    -------
    axes : ndarray of shape (n_rows, n_columns) of matplotlib Axes

    Raises
    ------
    ValueError
        If it is not as many axes as there are panels, or cannot be divided.
    """
    import matplotlib.pyplot as plt
    from matplotlib.axes import Axes
    from matplotlib.gridspec import GridSpecFromSubplotSpec

    if ax is None:
        return plt.subplots(
            n_rows,
            n_columns,
            figsize=figsize,
            width_ratios=width_ratios,
            layout="constrained" if width_ratios else "compressed",
            squeeze=False,
        )[1]
    if not isinstance(ax, Axes):
        axes = np.asarray(ax, dtype=object)
        if axes.size != n_rows * n_columns:
            raise ValueError(
                f"ax must be one axes or as many as there are panels, {n_rows * n_columns}, "
                f"got {axes.size}."
            )
        return axes.reshape(n_rows, n_columns)
    if n_rows == n_columns == 1:
        return np.array([[ax]])
    place = ax.get_subplotspec()
    if place is None:
        raise ValueError(
            "ax can be divided only if it was made by plt.subplots or the like; give one axes for "
            f"each of the {n_rows * n_columns} panels."
        )
    ax.set_axis_off()
    grid = GridSpecFromSubplotSpec(
        n_rows, n_columns, subplot_spec=place, width_ratios=width_ratios, wspace=wspace, hspace=0.5
    )
    cells = [ax.figure.add_subplot(grid[i, j]) for i in range(n_rows) for j in range(n_columns)]
    return np.array(cells).reshape(n_rows, n_columns)

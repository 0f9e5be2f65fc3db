"""Axes for displays of several panels."""

import numpy as np

__all__ = ["make_axes", "make_image_axes"]


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


def make_image_axes(ax, n_images, n_rows, n_columns, figsize, *, n_panels=1):
    """A grid of axes for images, as :func:`make_axes` makes it, or any with room that was given.

    Parameters
    ----------
    ax : matplotlib Axes, array-like of Axes or None
        As the user gave it.
    n_images : int
        How many there are.
    n_rows, n_columns : int
        Rows and columns of images in a grid that is made.
    figsize : tuple of 2 float
        Width and height of a new figure, in inches.
    n_panels : int, default=1
        Axes for each image, one under the other.

    Returns
    -------
    axes : ndarray of shape (n_panels * n_rows, n_columns) of matplotlib Axes
        Rows and columns are those of the grid that was given, if it was.

    Raises
    ------
    ValueError
        If it is a grid without room, or one axes that cannot be divided.
    """
    from matplotlib.axes import Axes

    if ax is None or isinstance(ax, Axes):
        return make_axes(ax, n_panels * n_rows, n_columns, figsize)
    axes = np.asarray(ax, dtype=object)
    if axes.ndim != 2 and axes.size % n_panels == 0:  # as plt.subplots makes a row or column
        axes = axes.reshape(n_panels, -1)
    if axes.ndim != 2 or axes.shape[0] % n_panels or axes.size < max(n_panels * n_images, 1):
        rows = "" if n_panels == 1 else f", {n_panels} rows for each row of images"
        raise ValueError(
            f"ax must be one axes or a grid with room for {n_images} images{rows}, got one of "
            f"shape {axes.shape}. Show fewer images, or give a larger grid."
        )
    return axes

"""Spaces to search for the settings of a recipe."""

from optuna.distributions import FloatDistribution

from skfashion.preprocessing import ImageAugmenter
from skfashion.recipes import make_recipe

__all__ = ["default_space"]


def default_space(recipe):
    """Distributions that are worth searching for a recipe.

    They hold the recipe's own settings: learning rate, weight decay, label smoothing and dropout,
    and how strongly images are varied where the recipe varies them. Time per fit is the same all
    over the space.

    Parameters
    ----------
    recipe : str
        One of :func:`skfashion.recipes.list_recipes`.

    Returns
    -------
    param_distributions : dict of str to optuna.distributions.BaseDistribution
        A new dict, to be given to :class:`OptunaSearchCV` as it is or with more parameters. For a
        step of a pipeline, write its name before each: ``{f"network__{name}": values for name,
        values in default_space("basic").items()}``.

    Raises
    ------
    ValueError
        If the recipe is unknown; the message names the nearest.

    See Also
    --------
    OptunaSearchCV : Searches it.
    skfashion.recipes.make_recipe : Makes the classifier to search with.

    Examples
    --------
    >>> from skfashion.model_selection import default_space
    >>> sorted(default_space("basic"))
    ['dropout', 'label_smoothing', 'learning_rate', 'weight_decay']
    """
    classifier = make_recipe(recipe)
    # Muon's steps have a size of their own.
    low, high = (5e-3, 8e-2) if classifier.optimizer == "muon" else (2e-4, 1e-2)
    space = {
        "learning_rate": FloatDistribution(low, high, log=True),
        "weight_decay": FloatDistribution(1e-5, 1e-1, log=True),
        "label_smoothing": FloatDistribution(0.0, 0.2),
        "dropout": FloatDistribution(0.0, 0.5),
    }
    if isinstance(classifier.augmentation, ImageAugmenter):
        space["augmentation__rotation"] = FloatDistribution(0.0, 15.0)
        space["augmentation__shift"] = FloatDistribution(0.0, 0.15)
        space["augmentation__zoom"] = FloatDistribution(0.0, 0.15)
    return space

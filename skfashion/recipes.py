"""Named, complete configurations of the classifier."""

from skfashion._names import check_name
from skfashion.classifier import FashionCNNClassifier

__all__ = ["list_recipes", "make_recipe"]

_RECIPES = {
    # The reference network: three plain convolutions, Adam at its defaults, 10 epochs.
    "basic": {
        "architecture": "basic",
        "optimizer": "adam",
        "learning_rate": 1e-3,
        "schedule": None,
        "label_smoothing": 0.0,
        "batch_size": 64,
        "epochs": 10,
    },
    # Much accuracy in little CPU time: the classifier's own defaults.
    "fast": {},
}


def list_recipes():
    """Names of the recipes that :func:`make_recipe` knows.

    Returns
    -------
    names : list of str
        Sorted names.

    Examples
    --------
    >>> from skfashion.recipes import list_recipes
    >>> list_recipes()
    ['basic', 'fast']
    """
    return sorted(_RECIPES)


def make_recipe(name, **overrides):
    """A classifier with a complete, named configuration.

    Parameters
    ----------
    name : str
        "basic" is the network of the beginners' tutorials: three convolutions, Adam at a learning
        rate of 1e-3, batches of 64, 10 epochs. "fast", a small residual network with a one-cycle
        learning rate, is :class:`skfashion.FashionCNNClassifier` as it comes.
    **overrides
        Parameters of :class:`skfashion.FashionCNNClassifier` that shall differ from the recipe's;
        ``optimizer__momentum=0.9`` and the like too.

    Returns
    -------
    classifier : FashionCNNClassifier
        Not fitted.

    Raises
    ------
    ValueError
        If the name is unknown, the message names the nearest; or there is no such parameter.

    Examples
    --------
    >>> from skfashion.recipes import make_recipe
    >>> make_recipe("basic", epochs=3).epochs
    3
    """
    check_name("recipe", name, _RECIPES)
    return FashionCNNClassifier(**_RECIPES[name]).set_params(**overrides)

"""Recipes."""

import pytest

from skfashion import FashionCNNClassifier
from skfashion.recipes import list_recipes, make_recipe


@pytest.mark.parametrize("name", list_recipes())
def test_every_recipe_is_valid(name):
    make_recipe(name)._validate_params()


def test_fast_is_the_default():
    assert make_recipe("fast").get_params() == FashionCNNClassifier().get_params()


def test_overrides():
    recipe = make_recipe("basic", epochs=3, random_state=7)
    assert (recipe.architecture, recipe.epochs, recipe.random_state) == ("basic", 3, 7)


def test_unknown_name():
    with pytest.raises(ValueError, match=r"Unknown recipe 'fats'. Did you mean 'fast'\? Known"):
        make_recipe("fats")

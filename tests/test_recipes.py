"""Recipes."""

import pytest

from skfashion import FashionCNNClassifier
from skfashion.datasets import load_fashion_sample
from skfashion.recipes import list_recipes, make_recipe


# mobilenetv2 is fitted in test_pretrained.py.
@pytest.mark.parametrize("name", [name for name in list_recipes() if name != "mobilenetv2"])
def test_every_recipe_fits(name):
    X, y = load_fashion_sample(return_X_y=True)
    parameters = {"epochs": 1, "random_state": 0}
    if make_recipe(name).freeze_epochs:  # it would download the backbone's weights
        parameters |= {"architecture__weights": None, "architecture__size": 32, "freeze_epochs": 0}
    recipe = make_recipe(name, **parameters).fit(X[:200], y[:200])
    assert recipe.predict_proba(X[:5]).shape == (5, 10)


def test_fast_is_the_default():
    assert make_recipe("fast").get_params() == FashionCNNClassifier().get_params()


def test_overrides():
    recipe = make_recipe("basic", epochs=3, random_state=7)
    assert (recipe.architecture, recipe.epochs, recipe.random_state) == ("basic", 3, 7)


def test_another_optimizer_has_its_own_learning_rate():
    assert make_recipe("lenet", optimizer="Adam").learning_rate == 1e-3  # which is lenet's
    assert make_recipe("lenet", optimizer="sgd").learning_rate is None
    assert make_recipe("lenet", optimizer="sgd", learning_rate=0.1).learning_rate == 0.1


@pytest.mark.parametrize(("name", "nearest"), [("fats", "fast"), ("VGG3", "vgg3")])
def test_unknown_name(name, nearest):
    message = rf"Unknown recipe '{name}'. Did you mean '{nearest}'\? Known"
    with pytest.raises(ValueError, match=message):
        make_recipe(name)

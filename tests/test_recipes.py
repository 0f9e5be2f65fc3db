"""Recipes."""

import csv
from pathlib import Path

import pytest

from skfashion import FashionCNNClassifier, recipes
from skfashion.datasets import load_fashion_sample
from skfashion.networks import build_network
from skfashion.recipes import list_recipes, make_recipe

DOCS = Path(__file__).parents[1] / "docs"


# Recipes with a pretrained backbone are fitted in networks/test_pretrained.py.
@pytest.mark.parametrize("name", [n for n in list_recipes() if not make_recipe(n).freeze_epochs])
def test_every_recipe_fits(name):
    X, y = load_fashion_sample(return_X_y=True)
    recipe = make_recipe(name, epochs=1, random_state=0).fit(X[:200], y[:200])
    assert recipe.predict_proba(X[:5]).shape == (5, 10)


def test_fast_is_the_default():
    assert make_recipe("fast").get_params() == FashionCNNClassifier().get_params()


def test_vgg3_is_trained_as_published():
    parameters = make_recipe("vgg3").get_params()
    published = {
        "augmentation__rotation": 10,
        "augmentation__shift": 0.1,
        "augmentation__shear": 0.1,
        "augmentation__zoom": 0.1,
        "augmentation__horizontal_flip": True,
        "augmentation__probability": 1,
        "optimizer": "adam",
        "learning_rate": 1e-3,
        "schedule": "plateau",
        "batch_size": 64,
        "epochs": 50,
        "early_stopping": True,
        "patience": 10,
        "validation_fraction": 0.1,
    }
    assert published.items() <= parameters.items()


def test_small_mirrors_in_training_and_predicting():
    recipe = make_recipe("small")
    assert recipe.augmentation.horizontal_flip
    assert recipe.test_time_augmentation == "flip"


def test_documented_numbers_of_parameters():
    with (DOCS / "recipes.csv").open(newline="") as table:
        rows = list(csv.DictReader(table))
    assert rows
    for row in rows:
        recipe = make_recipe(row["recipe"])
        n_parameters = build_network(recipe.architecture, (28, 28, 1), 10).count_params()
        assert row["parameters"] == f"{n_parameters:,}", row["recipe"]


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


def test_a_function_is_all_that_a_new_recipe_needs(monkeypatch):
    monkeypatch.setattr(recipes, "_RECIPES", dict(recipes._RECIPES))

    @recipes._register
    def shorter():
        """The recipe ``vgg3`` in fewer epochs."""
        return {**recipes.vgg3(), "epochs": 7}

    assert "shorter" in list_recipes()
    assert make_recipe("shorter").epochs == 7


@pytest.mark.parametrize("name", list_recipes())
def test_every_recipe_is_a_documented_function(name):
    assert getattr(recipes, name).__doc__

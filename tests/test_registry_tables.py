"""Tables of networks, recipes and baselines in the documentation."""

import importlib
from pathlib import Path

import pytest

from skfashion import recipes
from skfashion.baselines import list_baselines
from skfashion.networks import list_networks
from skfashion.recipes import list_recipes

pytest.importorskip("sphinx", reason="needs Sphinx: pip install 'skfashion[docs]'")


@pytest.fixture
def tables(monkeypatch):
    monkeypatch.syspath_prepend(Path(__file__).parents[1] / "docs" / "_ext")
    return importlib.import_module("registry_tables")


@pytest.mark.parametrize(
    ("registry", "names"),
    [("networks", list_networks), ("recipes", list_recipes), ("baselines", list_baselines)],
)
def test_one_row_each(registry, names, tables, monkeypatch):
    monkeypatch.setattr(tables, "measure_network", lambda name: ("93,322", "18x18"))
    header, *rows = tables.ROWS[registry]()
    assert [row[0].split()[0] for row in rows] == [f":func:`{name}" for name in names()]
    assert {len(row) for row in rows} == {len(header)}
    assert all(description.endswith(".") for _, description, *_ in rows)


def test_options_and_measurements_of_a_network(tables):
    assert tables.get_options("vgg2") == {"dropout": None, "l2": 0.0, "width": 32}
    assert tables.measure_network("vgg2") == ("871,402", "4x4")


def test_without_a_measurement(tables, monkeypatch):
    monkeypatch.setattr(recipes, "_RECIPES", dict(recipes._RECIPES))
    monkeypatch.setattr(recipes, "fastest", recipes.fast, raising=False)
    recipes._RECIPES["fastest"] = recipes.fast
    rows = {row[0]: row[2] for row in tables.recipe_rows()}
    assert rows[":func:`fastest <skfashion.recipes.fastest>`"] == "not measured"
    assert rows[":func:`fast <skfashion.recipes.fast>`"].startswith("0.9")


def test_objects_of_model_files(tables):
    objects = tables.rebuilt_objects()
    assert "Conv2D" in objects["keras.layers"]
    assert "Lambda" not in objects["keras.layers"]
    assert "PiecewiseConstantDecay" in objects["keras.optimizers.schedules"]

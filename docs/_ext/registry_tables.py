"""Directives that document every network, recipe and baseline, and what model files may hold.

``registry-table`` lists them in a table, ``registry-functions`` documents their functions in full.
The argument of both is "networks", "recipes" or "baselines". Names, descriptions and options come
from the package, accuracies from the CSV files beside this folder. ``rebuilt-objects`` lists the
classes of Keras that ``load`` rebuilds from a file.
"""

import csv
import inspect
from functools import cache
from importlib import import_module
from itertools import count
from pathlib import Path

from sphinx.addnodes import desc
from sphinx.util.docutils import SphinxDirective

from skfashion._persistence.stored_parameters import OBJECTS
from skfashion.baselines import list_baselines
from skfashion.networks import build_network, list_networks
from skfashion.networks._saved_architecture import ACTIVATIONS, LAYERS, PARTS
from skfashion.recipes import list_recipes

DOCS = Path(__file__).parents[1]
NAMES = {"networks": list_networks, "recipes": list_recipes, "baselines": list_baselines}


def network_rows():
    """Yield the header and one row per network."""
    yield "network", "description", "options", "parameters", "smallest image"
    for name in list_networks():
        module = import_module(f"skfashion.networks.{name}")
        options = ", ".join(f"``{key}={value!r}``" for key, value in get_options(name).items())
        yield link("networks", name), summarize(module), options, *measure_network(name)


def recipe_rows():
    """Yield the header and one row per recipe."""
    yield "recipe", "description", "test accuracy", "epochs"
    measured = read_measurements("recipe")
    for name in list_recipes():
        row = measured.get(name, {"accuracy": "not measured", "epochs": ""})
        description = summarize(getattr(import_module("skfashion.recipes"), name))
        yield link("recipes", name), description, row["accuracy"], row["epochs"]


def baseline_rows():
    """Yield the header and one row per baseline."""
    yield "baseline", "description", "test accuracy", "claims"
    measured = read_measurements("baseline")
    for name in list_baselines():
        row = measured.get(name, {"test accuracy": "not measured", "claims": ""})
        description = summarize(getattr(import_module("skfashion.baselines"), name))
        yield link("baselines", name), description, row["test accuracy"], row["claims"]


ROWS = {"networks": network_rows, "recipes": recipe_rows, "baselines": baseline_rows}


def name_function(registry, name):
    """Return the dotted name of the function that is registered."""
    return f"skfashion.{registry}.{name}" + (".build" if registry == "networks" else "")


def link(registry, name):
    return f":func:`{name} <{name_function(registry, name)}>`"


def summarize(documented):
    """Return the summary of a docstring, on one line."""
    return inspect.getdoc(documented).partition("\n\n")[0].replace("\n", " ")


def read_measurements(kind):
    with (DOCS / f"{kind}s.csv").open(newline="") as file:
        return {row[kind]: row for row in csv.DictReader(file)}


def get_options(name):
    build = import_module(f"skfashion.networks.{name}").build
    parameters = inspect.signature(build).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}


@cache
def measure_network(name):
    """Return the number of parameters and the smallest square image, as texts."""
    options = {"weights": None} if "weights" in get_options(name) else {}
    n_parameters = build_network(name, (28, 28, 1), 10, **options).count_params()
    for side in count(1):
        try:
            build_network(name, (side, side, 1), 10, **options)
        except ValueError:  # too small
            continue
        return f"{n_parameters:,}", f"{side}x{side}"


def rebuilt_objects():
    """Return the names of all classes and functions that ``load`` rebuilds, by their module."""
    names = {"layers": LAYERS, "activations": ACTIVATIONS, **PARTS}
    names |= dict(OBJECTS.values())
    return {f"keras.{module}": sorted(found) for module, found in names.items()}


class RebuiltObjects(SphinxDirective):
    def run(self):
        self.env.note_reread()
        lines = []
        for module, names in rebuilt_objects().items():
            lines += [f"``{module}``", f"   {', '.join(f'``{name}``' for name in names)}", ""]
        return self.parse_text_to_nodes("\n".join(lines))


class RegistryTable(SphinxDirective):
    required_arguments = 1

    def run(self):
        self.env.note_reread()  # in every build: Sphinx doesn't see that the package changed
        lines = [".. list-table::", "   :header-rows: 1", "   :widths: auto", ""]
        for first, *others in ROWS[self.arguments[0]]():
            lines += [f"   * - {first}", *(f"     - {cell}" for cell in others)]
        return self.parse_text_to_nodes("\n".join(lines))


class RegistryFunctions(SphinxDirective):
    required_arguments = 1

    def run(self):
        self.env.note_reread()
        registry = self.arguments[0]
        functions = [name_function(registry, name) for name in NAMES[registry]()]
        nodes = self.parse_text_to_nodes("\n".join(f".. autofunction:: {f}" for f in functions))
        if registry == "networks":  # the page's contents would list them all as "build()"
            for node in nodes:
                for description in node.findall(desc):
                    description["no-contents-entry"] = True
        return nodes


def setup(app):
    app.add_directive("registry-table", RegistryTable)
    app.add_directive("registry-functions", RegistryFunctions)
    app.add_directive("rebuilt-objects", RebuiltObjects)
    return {"parallel_read_safe": True}

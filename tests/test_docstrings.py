"""Docstrings say what signatures do."""

import ast
import inspect
import math
import re

import pytest
from numpydoc.docscrape import FunctionDoc

import skfashion
from skfashion.networks import list_networks
from skfashion.networks._registry import get_architecture


def public_functions():
    """Functions, classes and their methods that public modules offer."""
    found = {}
    for module_name in skfashion.__all__:
        member = getattr(skfashion, module_name)
        names = getattr(member, "__all__", ()) if inspect.ismodule(member) else ()
        for name, candidate in [(module_name, member), *((n, getattr(member, n)) for n in names)]:
            if inspect.isfunction(candidate):
                found[name] = candidate
            elif inspect.isclass(candidate) and not issubclass(candidate, Exception):
                found[name] = candidate
                for method_name, method in inspect.getmembers(candidate, inspect.isroutine):
                    own = (getattr(method, "__module__", None) or "").startswith("skfashion.")
                    if own and not method_name.startswith("_"):
                        found[f"{name}.{method_name}"] = method
    return found | {f"networks.{name}": get_architecture(name) for name in list_networks()}


@pytest.mark.parametrize("name", public_functions())
def test_parameters_are_described(name):
    """Each parameter once, in order, with its default."""
    function = public_functions()[name]
    signature = inspect.signature(function)
    names = [n for n in signature.parameters if n != "self"]
    doc = FunctionDoc(function)
    described = {}
    for entry in doc["Parameters"]:
        for described_name in entry.name.replace("*", "").split(", "):
            described[described_name] = entry.type
    assert list(described) == names
    for n, parameter in signature.parameters.items():
        default = re.search(r"default=(.+)$", described.get(n, ""))
        if parameter.default is parameter.empty:
            assert default is None
        elif default is None:
            assert parameter.default is None
            assert "None" in described[n]
        elif default[1] == "np.nan":
            assert math.isnan(parameter.default)
        else:
            assert ast.literal_eval(default[1]) == parameter.default
    assert doc["Summary"]


@pytest.mark.parametrize("name", [name for name in public_functions() if "." not in name])
def test_there_is_an_example(name):
    """Doctests run it."""
    assert ">>> " in "".join(FunctionDoc(public_functions()[name])["Examples"])

"""Rules of the code base that a reader can rely on; docs/architecture.rst says why."""

import ast
import functools
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "skfashion"

MAX_FUNCTION_LINES = 60
MAX_PARAMETERS = 8
MAX_MODULE_LINES = 500

# From the bottom upwards: a module imports from its own room and from those before it.
ROOMS = [
    "errors",
    "_sklearn_compat",
    "_utils",
    "_base",
    "_images",
    "networks",
    "datasets",
    "preprocessing",
    "_training",
    "_persistence",
    "_classifier",
    "baselines",
    "recipes",
    "model_selection",
    "inspection",
    "evaluation",
    "cli",
]
KERAS_ROOMS = {"_classifier", "_persistence", "_training", "networks", "inspection"}
# The public names of evaluation were in inspection, which still hands them on.
UPWARD_IMPORTS = {("skfashion/inspection/__init__.py", "skfashion.evaluation")}


@functools.cache
def parse(path):
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def read_modules(folder=PACKAGE):
    """The name and the syntax tree of every module, by path from the repository."""
    return {path.relative_to(ROOT).as_posix(): parse(path) for path in sorted(folder.rglob("*.py"))}


def find_functions(tree, owner=""):
    """Every function with its qualified name and whether it is a method."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            name = f"{owner}{node.name}"
            if not isinstance(node, ast.ClassDef):
                yield node, name, isinstance(tree, ast.ClassDef)
            yield from find_functions(node, f"{name}.")
        else:
            yield from find_functions(node, owner)


def find_imports(path, tree):
    """Each imported name, with its line and whether the import is inside a function.

    ``from a import b`` is "a.b", because b may be a module.
    """
    lazy = {
        child
        for function, *_ in find_functions(tree)
        for child in ast.walk(function)
        if isinstance(child, ast.Import | ast.ImportFrom)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno} imports relatively"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            yield name, node.lineno, node in lazy


def get_room(path):
    """The room of a module: "_training" for skfashion/_training/loop.py."""
    return Path(path).parts[1].removesuffix(".py")


def is_private(name):
    """Whether a dotted name has a private part: dunders are public."""
    return any(part.startswith("_") and not part.endswith("__") for part in name.split("."))


def report(problems):
    return "\n".join(["", *problems])


def test_functions_are_short():
    problems = []
    for path, tree in read_modules().items():
        for function, name, _ in find_functions(tree):
            n_lines = function.end_lineno - function.lineno + 1
            if ast.get_docstring(function) is not None:
                docstring = function.body[0]
                n_lines -= docstring.end_lineno - docstring.lineno + 1
            if n_lines > MAX_FUNCTION_LINES:
                problems.append(f"{path}:{function.lineno} {name} has {n_lines} lines")
    assert not problems, report(problems)


def test_signatures_are_short():
    """Constructors apart, public ones and those of displays."""
    problems = []
    for path, tree in read_modules().items():
        for function, name, is_method in find_functions(tree):
            owner = name.rpartition(".")[0]
            is_constructor = function.name == "__init__" and not owner.startswith("_")
            is_constructor |= owner.endswith("Display") and function.name.startswith("from_")
            arguments = function.args
            n_parameters = sum(
                map(len, (arguments.posonlyargs, arguments.args, arguments.kwonlyargs))
            )
            decorators = {getattr(node, "id", None) for node in function.decorator_list}
            n_parameters -= is_method and "staticmethod" not in decorators
            if n_parameters > MAX_PARAMETERS and not is_constructor:
                problems.append(f"{path}:{function.lineno} {name} has {n_parameters} parameters")
    assert not problems, report(problems)


def test_modules_are_short():
    lengths = {path: (ROOT / path).read_bytes().count(b"\n") for path in read_modules()}
    del lengths["skfashion/_classifier.py"]  # parameters, and how each of them is documented
    problems = [f"{path} has {n} lines" for path, n in lengths.items() if n > MAX_MODULE_LINES]
    assert not problems, report(problems)


def test_module_names_are_unique():
    """Leading underscores apart, so that a name in a traceback or a search is one place."""
    paths = defaultdict(list)
    for path in read_modules():
        name = Path(path).stem
        if not name.startswith("__"):
            paths[name.strip("_")].append(path)
    for folder in PACKAGE.rglob("__init__.py"):
        if folder.parent != PACKAGE:
            paths[folder.parent.name.strip("_")].append(
                folder.parent.relative_to(ROOT).as_posix() + "/"
            )
    problems = [" and ".join(same) for same in paths.values() if len(same) > 1]
    assert not problems, report(problems)


def test_private_names_of_scikit_learn_are_in_one_module():
    problems = [
        f"{path}:{line} imports {name}"
        for path, tree in read_modules().items()
        for name, line, _ in find_imports(path, tree)
        if get_room(path) != "_sklearn_compat" and name.startswith("sklearn.") and is_private(name)
    ]
    assert not problems, report(problems)


def test_keras_and_tensorflow_stay_in_their_rooms():
    """TensorFlow in _training; Keras there, in the classifier's functions and where models are."""
    problems = []
    for path, tree in read_modules().items():
        room = get_room(path)
        for name, line, is_lazy in find_imports(path, tree):
            library = name.partition(".")[0]
            if library == "tensorflow":
                allowed = room == "_training"
            elif library == "keras":
                allowed = room in KERAS_ROOMS and (is_lazy or room != "_classifier")
            else:
                continue
            if not allowed:
                problems.append(f"{path}:{line} imports {name}")
    assert not problems, report(problems)


@pytest.mark.parametrize("folder", ["skfashion/cli", "examples"])
def test_only_public_names_are_used(folder):
    """By the command line, its own modules apart, and by the examples."""
    problems = [
        f"{path}:{line} imports {name}"
        for path, tree in read_modules(ROOT / folder).items()
        for name, line, _ in find_imports(path, tree)
        if name.startswith("skfashion.")
        and not name.startswith("skfashion.cli.")
        and is_private(name)
    ]
    assert not problems, report(problems)


def test_commands_print_through_one_function():
    """It makes control characters visible."""
    problems = [
        f"{path}:{node.lineno} calls {ast.unparse(node.func)}"
        for path, tree in read_modules(PACKAGE / "cli").items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"click.echo", "click.secho", "print"}
    ]
    assert [problem.partition(":")[0] for problem in problems] == ["skfashion/cli/_console.py"]


def test_every_room_has_its_place():
    found = {get_room(path) for path in read_modules()} - {"__init__", "__main__"}
    assert found <= set(ROOMS), sorted(found - set(ROOMS))


def test_data_flows_one_way():
    """A room imports from those below it only."""
    problems = []
    for path, tree in read_modules().items():
        room = get_room(path)
        if room not in ROOMS:  # __init__ and __main__, which everybody comes through
            continue
        for name, line, _ in find_imports(path, tree):
            package, _, inner = name.partition(".")
            other = inner.partition(".")[0].replace("FashionCNNClassifier", "_classifier")
            if package != "skfashion" or (path, f"skfashion.{other}") in UPWARD_IMPORTS:
                continue
            if other in ROOMS and ROOMS.index(other) > ROOMS.index(room):
                problems.append(f"{path}:{line} imports {name}, from a room above")
    assert not problems, report(problems)

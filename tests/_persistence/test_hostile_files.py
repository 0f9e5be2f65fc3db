"""Files that ask for more than they hold, or say what cannot be."""

import io
import json
import os
import re
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import keras
import numpy as np
import pytest
from model_files import read_members, write_members

from skfashion import FashionCNNClassifier
from skfashion.errors import ModelFileError


@pytest.fixture(scope="module")
def files(digits, tmp_path_factory):
    """Members of a file of a named architecture, and of one that was a function."""

    def function(image_shape, n_classes):
        inputs = keras.Input(image_shape)
        x = keras.layers.UpSampling2D(1, name="up")(inputs)
        x = keras.layers.Dense(4, name="hidden")(keras.layers.Flatten()(x))
        return keras.Model(inputs, keras.layers.Dense(n_classes, activation="softmax")(x))

    found = {}
    for architecture in ("small", function):
        classifier = FashionCNNClassifier(architecture, epochs=1, batch_size=150, random_state=0)
        path = tmp_path_factory.mktemp("files") / "a.keras"
        classifier.fit(*digits).save(path, target_names=list("abcdefghij"))
        found[getattr(architecture, "__name__", architecture)] = read_members(path)
    return found


@contextmanager
def bounded(seconds=1, megabytes=100):
    """Assert that a block takes little time, and little memory at any time."""

    def read(field):
        lines = Path("/proc/self/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024

    Path("/proc/self/clear_refs").write_text("5")  # the peak is now what is in use
    before, started = read("VmRSS"), time.process_time()
    yield
    assert time.process_time() - started < seconds
    assert read("VmHWM") - before < megabytes


def check_refused(path, message=None, **bounds):
    with (
        bounded(**bounds),
        pytest.raises(ModelFileError, match=message) as caught,
    ):
        FashionCNNClassifier.load(path)
    text = str(caught.value)
    assert text.startswith(f"{path} cannot be loaded: ")
    assert text.endswith(".")
    assert len(text.splitlines()) == 1
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


def edit(members, name, change):
    """Return members with another JSON; ``change`` changes what it describes."""
    fields = json.loads(members[name])
    change(fields)
    return {**members, name: json.dumps(fields).encode()}


def set_layer(members, name, **arguments):
    """Return members whose own network has other arguments of a layer."""

    def change(config):
        layers = config["config"]["layers"][2]["config"]["layers"]
        next(layer for layer in layers if layer["name"] == name)["config"].update(arguments)

    return edit(members, "config.json", change)


def set_field(*keys, value):
    def change(fields):
        *outer, last = keys
        for key in outer:
            fields = fields[key]
        fields[last] = value

    return change


def set_description(members, *keys, value):
    return edit(members, "skfashion.json", set_field(*keys, value=value))


def npz(*members, compression=zipfile.ZIP_STORED):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", compression) as archive:
        for i, member in enumerate(members):
            archive.writestr(f"arr_{i}.npy", member)
    return content.getvalue()


def npy(shape, descr="<f4", content=b"", fortran_order=False):
    header = io.BytesIO()
    fields = {"descr": descr, "fortran_order": fortran_order, "shape": shape}
    np.lib.format.write_array_header_1_0(header, fields)
    return header.getvalue() + content


def with_optimizer(content):
    return lambda files: {**files["small"], "skfashion-optimizer.npz": content}


def declare_large_weights(files):
    """A network of 4.7 GB whose description agrees with it; the arrays are not there."""
    members = set_layer(files["function"], "hidden", units=1_500_000)

    def change(fields):
        shapes = [[64, 1_500_000], [1_500_000], [1_500_000, 10], [10]]
        for array, shape in zip(fields["weights"], shapes, strict=True):
            array["shape"] = shape
        fields["n_features_out"] = 1_500_000

    return edit(members, "skfashion.json", change)


ZEROS = bytes(10**8)
BOMBS = {
    "a layer of 1.5 million units": (
        lambda f: set_layer(f["function"], "hidden", units=1_500_000),
        "weight 0 is .* of the network is ((64, 1500000)",
    ),
    "and weights declared for it": (
        declare_large_weights,
        "larger than the file",
    ),
    "a layer that enlarges": (
        lambda f: set_layer(f["function"], "up", size=[512, 512]),
        "weight 0 is .* of the network",
    ),
    "images of 144 million pixels": (
        lambda f: set_description(f["small"], "image_shape", value=[12000, 12000, 1]),
        "image_shape is not valid",
    ),
    "a million convolutions": (
        lambda f: edit(
            set_description(f["small"], "network", "architecture", value="fast"),
            "skfashion.json",
            set_field("network", "options", value={"depth": 10**6}),
        ),
        "option depth=1000000",
    ),
    "many convolutions, and many weights declared": (
        lambda f: edit(
            set_description(
                set_description(f["small"], "network", "architecture", value="fast"),
                "network",
                "options",
                value={"depth": 9000},
            ),
            "skfashion.json",
            set_field("weights", value=[{"dtype": "<f4", "shape": [], "offset": 0}] * 9000),
        ),
        "option depth=9000",
    ),
    "weights in one place": (
        lambda f: edit(
            f["small"],
            "skfashion.json",
            lambda fields: [weight.update(offset=0) for weight in fields["weights"]],
        ),
        None,
    ),
    "a million channels": (
        lambda f: set_description(f["small"], "network", "options", value={"width": 10**6}),
        "option width=1000000",
    ),
    "large labels": (
        lambda f: set_description(f["small"], "classes", "dtype", value="<U100000000"),
        "at `$.classes.dtype`",
    ),
    "a weight of 10 TB": (
        lambda f: set_description(f["small"], "weights", 0, "shape", value=[2**31, 10**3]),
        "weight 0 is ((2147483648, 1000)",
    ),
    "a weight behind the end": (
        lambda f: set_description(f["small"], "weights", 0, "offset", value=10**9),
        "larger than the file",
    ),
    "long JSON": (
        lambda f: {**f["small"], "skfashion.json": b" " * 20_000_000},
        "too long",
    ),
    "JSON of many values": (
        lambda f: {**f["small"], "skfashion.json": b"[]," * 5_000_000},
        "too long",
    ),
    "a long config.json": (
        lambda f: {**f["small"], "config.json": b"{}," * 5_000_000},
        "too long",
    ),
    "deep JSON": (
        lambda f: {**f["small"], "skfashion.json": b"[" * 100_000},
        "too deeply",
    ),
    "deep JSON, closed": (
        lambda f: {**f["small"], "config.json": b"[" * 50_000 + b"]" * 50_000},
        "too deeply",
    ),
    "a long number": (
        lambda f: {**f["small"], "skfashion.json": b"9" * 1_000_000},
        "damaged",
    ),
    "a compressed npz": (
        with_optimizer(npz(ZEROS, compression=zipfile.ZIP_DEFLATED)),
        "compressed",
    ),
    "an npz that declares 4 TB": (
        with_optimizer(npz(npy((10**12,)))),
        "larger than the file",
    ),
    "an npz with a negative shape": (
        with_optimizer(npz(npy((-1, 8), content=b"12345678"))),
        "shape (-1, 8)",
    ),
    "an npz of objects": (
        with_optimizer(npz(npy((1,), "|O", b"\x80\x04N."))),
        "type '|O'",
    ),
    "an npz with a long header": (
        with_optimizer(npz(npy((1,) * 5000))),
        "Header info length",
    ),
    "an npz with an endless type": (
        with_optimizer(npz(npy((1,), "<U100000000"))),
        "type '<U100000000'",
    ),
    "an npz of many arrays": (
        with_optimizer(npz(*[npy((1,), content=bytes(4))] * 21_000)),
        "no npz file that skfashion wrote",
    ),
    "an npz far larger than the network": (
        with_optimizer(npz(npy((20_000_000,), content=bytes(80_000_000)))),
        "too large for its network",
    ),
    "weights far larger than the network": (
        lambda f: {**f["small"], "model.weights.h5": ZEROS},
        "too large for its network",
    ),
    "predictions a billion times": (
        lambda f: set_description(f["small"], "parameters", "test_time_augmentation", value=10**9),
        "above 1024",
    ),
    "long metadata": (
        lambda f: {**f["small"], "metadata.json": ZEROS},
        "too large",
    ),
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs(bomb, files, tmp_path):
    path = tmp_path / "a.keras"
    make, message = BOMBS[bomb]
    write_members(path, make(files))
    check_refused(path, message and re.escape(message).replace(r"\.\*", ".*"))


def test_archives(files, tmp_path):
    path, members = tmp_path / "a.keras", files["small"]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    check_refused(path, "is compressed")
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
        for i in range(60_000):
            archive.writestr(str(i), b"")
    check_refused(path, "no .keras file that skfashion wrote")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("skfashion.json", members["skfashion.json"])
        archive.comment = b"x"
    check_refused(path, r"not a \.keras file|no \.keras file")
    write_members(path, {**members, "more": b""})
    check_refused(path, "it has also 'more'")
    for name in members:
        write_members(path, {n: content for n, content in members.items() if n != name})
        check_refused(path)
    with open(path, "wb") as file:
        file.truncate(10**12)  # takes no space
    check_refused(path, r"not a \.keras file")


FIELDS = [
    (["pixel_scale"], None, "Expected `array`, got `null` - at `$.pixel_scale`"),
    (["pixel_scale"], [1.0, 1.0], "pixel_scale is not valid"),
    (["pixel_scale"], [0.0], "pixel_scale is not valid"),
    (["pixel_scale"], [float("nan")], "pixel_scale is not valid"),
    (["pixel_scale"], [0.5], "pixel_scale is [0.5], but in config.json ["),
    (["pixel_offset"], [float("inf")], "pixel_offset is not valid"),
    (["pixel_range"], [16, 0], "pixel_range is not valid"),
    (["pixel_range"], ["0", "16"], "Expected `float`, got `str`"),
    (["classes", "values"], list(range(10))[::-1], "classes are not valid"),
    (["classes", "values"], [0] * 10, "classes are not valid"),
    (["classes", "values"], list(range(9)), "target_names is not valid"),
    (["classes", "values"], [[i] for i in range(10)], "Expected `bool | int | float | str`"),
    (["classes", "dtype"], "<i1000", "at `$.classes.dtype`"),
    (["classes", "dtype"], "M8[s]", "at `$.classes.dtype`"),
    (["classes", "dtype"], "<U", "at `$.classes.dtype`"),
    (["classes", "dtype"], "|O", "classes are not valid"),
    (["target_names"], ["a"], "target_names is not valid"),
    (["target_names"], list(range(10)), "Expected `str`, got `int`"),
    (["target_names"], "abcdefghij", "Expected `array | null`, got `str`"),
    (["seed"], "0", "Expected `int`, got `str`"),
    (["seed"], -1, "Expected `int` >= 0"),
    (["seed"], 2**40, "Expected `int`"),
    (["image_shape"], [8, 8], "length 3"),
    (["image_shape"], [4, 16, 1], "image_shape is [4, 16, 1], but in config.json [8, 8, 1]"),
    (["image_shape"], [8, 0, 1], "Expected `int` >= 1"),
    (["feature_names"], ["x"], "feature_names is not valid"),
    (["history"], {}, "history is not valid"),
    (["history"], {"accuracy": [1.0]}, "history is not valid"),
    (["history"], {"loss": [1.0, 0.5], "accuracy": [1.0]}, "history is not valid"),
    (["history", "loss"], ["1.0"], "Expected `float`, got `str`"),
    (["best_epoch"], 2, "best_epoch is not valid"),
    (["best_epoch"], 0, "Expected `int` >= 1"),
    (["n_features_out"], 7, "features"),
    (["optimizer"], None, "Expected `str`"),
    (["weights"], None, "weights is not valid"),
    (["weights"], [], "it has 0 weights"),
    (["weights", 0, "dtype"], "<f8", "weight 0 is"),
    (["weights", 0, "dtype"], "|O", "at `$.weights[0].dtype`"),
    (["weights", 0, "dtype"], ">f4", "at `$.weights[0].dtype`"),
    (["parameters", "class_weight"], [[2**61 - 1, 1.0]], "parameters is not valid"),
    (["parameters", "optimizer__exclude_layers"], ["(a+)+$"], "exclude_layers is '(a+)+$'"),
    (["parameters", "optimizer__ns_steps"], 10**7, "ns_steps is 10000000"),
    (["weights", 0, "offset"], -8, "Expected `int` >= 0"),
    (["format_version"], 2, "weights is not valid"),
    (["format_version"], 3.0, "no format version"),
    (["surplus"], 1, "unknown field `surplus`"),
    (["parameters", "architecture"], "rm -rf", "Unknown architecture 'rm -rf'"),
    (["parameters", "optimizer"], "os.system", "optimizer is 'os.system'"),
    (["parameters", "optimizer"], {"instance": {}}, "it lacks 'class_name'"),
    (["parameters", "schedule"], "never", "'schedule' parameter"),
    (["parameters", "epochs"], "many", "'epochs' parameter"),
    (["parameters", "surplus"], 1, "Invalid parameter 'surplus'"),
    (["parameters", "augmentation"], {"rotation": 999.0}, "'rotation' parameter"),
    (["parameters", "class_weight"], [[1]], "has length 1; 2 is required"),
    (["network", "architecture"], "no-such", "Unknown architecture 'no-such'"),
    (["network", "version"], 7, "has versions 1 to 1, not 7"),
    (["network", "options"], {"surplus": 1}, "has no option 'surplus'"),
    (["network", "options"], {"width": "wide"}, ""),
    (["network", "options"], {"width": -5}, ""),
]


@pytest.mark.parametrize(("keys", "value", "message"), FIELDS)
def test_fields_that_cannot_be(keys, value, message, files, tmp_path):
    path = tmp_path / "a.keras"
    write_members(path, set_description(files["small"], *keys, value=value))
    check_refused(path, re.escape(message) or None)


@pytest.mark.parametrize("field", ["parameters", "network", "classes", "history", "seed"])
def test_missing_fields(field, files, tmp_path):
    path = tmp_path / "a.keras"
    write_members(path, edit(files["small"], "skfashion.json", lambda fields: fields.pop(field)))
    check_refused(path, f"missing required field `{field}`")


def test_checksum(files, tmp_path):
    """A member that was changed by a tool that knows nothing of the checksum."""
    path, members = tmp_path / "a.keras", files["small"]
    write_members(path, members)
    with zipfile.ZipFile(path) as archive:
        checksum = archive.read("skfashion.sha256")
    changed = set_description(members, "history", "loss", value=[2.0])
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in {**changed, "skfashion.sha256": checksum}.items():
            archive.writestr(name, content)
    check_refused(path, "its checksum does not match its content")


def test_later_fits_write_where_the_caller_says(files, digits, tmp_path, monkeypatch):
    """Neither a checkpoint nor weights to begin with are taken from a file."""
    monkeypatch.chdir(tmp_path)
    change = {"checkpoint": str(tmp_path / "stolen.keras")}
    members = edit(files["small"], "skfashion.json", lambda f: f["parameters"].update(change))
    write_members(tmp_path / "a.keras", members)
    FashionCNNClassifier.load("a.keras").fit(*digits)
    assert [path.name for path in tmp_path.iterdir()] == ["a.keras"]

    change = {"architecture": "mobilenetv2", "architecture__weights": "/etc/passwd"}
    members = edit(files["small"], "skfashion.json", lambda f: f["parameters"].update(change))
    write_members(tmp_path / "a.keras", members)
    loaded = FashionCNNClassifier.load("a.keras")
    with pytest.raises(FileNotFoundError, match="No weights file 'left out by load'"):
        loaded.fit(*digits)


def test_a_file_that_is_replaced_while_it_is_read(files, tmp_path):
    """Each load gets all of one file or all of the other."""
    path, other = tmp_path / "a.keras", tmp_path / "b.keras"
    loaded = []
    for i, name in enumerate(("a.keras", "b.keras")):
        members = set_description(files["small"], "seed", value=i)
        write_members(tmp_path / name, members)
        loaded.append(FashionCNNClassifier.load(tmp_path / name))
    loaded[1].weights_ = [weight + 1 for weight in loaded[1].weights_]
    loaded[1].save(other)
    contents = [path.read_bytes(), other.read_bytes()]
    is_over = threading.Event()

    def replace():
        while not is_over.is_set():
            for content in contents:
                other.write_bytes(content)
                os.replace(other, path)

    with ThreadPoolExecutor(1) as executor:
        writer = executor.submit(replace)
        seen = set()
        try:
            for _ in range(120):
                read = FashionCNNClassifier.load(path)
                seed = read._state.seed
                seen.add(seed)
                assert read.weights_[0].tobytes() == loaded[seed].weights_[0].tobytes()
        finally:
            is_over.set()
        writer.result()
    assert seen == {0, 1}

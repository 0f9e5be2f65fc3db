"""How the attacks of ``attacks`` are made; ``m`` is the folder of the markers."""

import base64
import copy
import io
import json
import marshal
import os
import pickle
import tarfile
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import dataclass

import h5py
import numpy as np

from skfashion._persistence.archive import CHECKSUM, compute_checksum

WHOLE = ""
PACKAGES = ("keras_hub", "keras_cv", "keras_nlp")  # importable with marker_dir on sys.path
_EVIL = "from pathlib import Path\nPath(__file__).with_name('executed').touch()\nclass Evil: pass\n"
_PACKAGE = {"__init__.py": "", "evil.py": _EVIL}
NOWHERE = "http://127.0.0.1:9/model"
H5, NPZ, SIDE = "model.weights.h5", "skfashion-optimizer.npz", "skfashion.json"
KERNEL = "layers/functional/layers/conv2d/vars/0"


@dataclass(frozen=True)
class Attack:
    """A change of a good file's members."""

    name: str
    change: Callable


def prepare(marker_dir):
    """Make the files that attacks read: a text, weights, a tar, a SavedModel, and packages."""
    (marker_dir / "secret").write_bytes(b"secret\n" * 64)
    with h5py.File(marker_dir / "secret.weights.h5", "w") as file:
        file["vars/0"] = np.ones((3, 3, 1, 1), np.float32)
    with tarfile.open(marker_dir / "evil.tar", "w") as tar:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, str(marker_dir)
        for info in (link, *map(tarfile.TarInfo, ("../../executed", "link/executed"))):
            tar.addfile(info)
    for folder, name, text in [("saved_model", "saved_model.pb", "secret")] + [
        (package, name, text) for package in PACKAGES for name, text in _PACKAGE.items()
    ]:
        (marker_dir / folder).mkdir(exist_ok=True)
        (marker_dir / folder / name).write_text(text)


def build(attack, good, marker_dir, path):
    """Write the attack's file to ``path``, made from the members of a good file."""
    prepare(marker_dir)
    members = attack.change(dict(good), marker_dir)
    if CHECKSUM in members:  # an attacker knows how to compute it
        contents = {getattr(n, "filename", n): c for n, c in members.items() if n != CHECKSUM}
        members[CHECKSUM] = compute_checksum(contents)
    with zipfile.ZipFile(path, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name occurs twice
        for name, content in members.items():
            if name != WHOLE:
                archive.writestr(name, content)
    if WHOLE in members:
        path.write_bytes(members[WHOLE])
    for file in filter(os.path.isfile, marker_dir.rglob("*")):
        os.utime(file, (0, 1))  # the next reader moves the access time (mount option relatime)
    return path


def traces(marker_dir):
    """Return the files below ``marker_dir`` that were made or read since ``build``."""
    files = [file for file in marker_dir.rglob("*") if file.is_symlink() or not file.is_dir()]
    return sorted(str(f.relative_to(marker_dir)) for f in files if f.lstat().st_atime != 0)


# Keras configurations.


def keras_object(path, config=None, **extra):
    module, _, class_name = path.rpartition(".")
    config = {"name": "attack", "trainable": True, "dtype": "float32", **(config or {})}
    found = {"module": module, "class_name": class_name, "config": config, "registered_name": None}
    return {**found, "name": config["name"], **extra}


def layer_of(class_name, **config):
    return keras_object(f"keras.layers.{class_name}", config)


def named(path):
    module, _, name = path.rpartition(".")
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


def code(m):
    """Return a function, marshalled, that makes a marker."""
    source = f"lambda x, *a, **k: (open({str(m / 'executed')!r}, 'w').close(), x)[1]"
    return base64.b64encode(marshal.dumps(eval(source).__code__)).decode()


def literal(m):
    """Return a Python function as a Lambda layer holds it."""
    config = {"code": code(m), "defaults": None, "closure": None}
    return {"class_name": "__lambda__", "config": config}


def literal_value(m):
    """Return a Python function as any other object holds it."""
    return {"class_name": "__lambda__", "config": {"value": [code(m), None, None]}}


def lambda_layer(function, **config):
    return layer_of("Lambda", function=function, **{"arguments": {}, **config})


def call(function, inputs, /, **arguments):
    """Return a Lambda layer that calls a named function while the model is built."""
    node = {"args": [], "kwargs": {"inputs": inputs}}
    return lambda_layer(named(function), arguments=arguments) | {"inbound_nodes": [node]}


def switch(function, *operands):
    """Return an operation, beside the model's graph, that calls a named function."""
    node = {"args": [0, [named(function)], *operands], "kwargs": {}}
    switch = keras_object("keras.src.ops.core.Switch", inbound_nodes=[node])
    return switch | {"config": {"name": "attack"}, "registered_name": "Switch"}


def keras_2(layer):
    """Return a layer as Keras 2 wrote it, without its module."""
    return {key: layer[key] for key in layer if key not in ("module", "registered_name")}


def lookup(m, path="keras.layers.StringLookup", **config):
    return keras_object(path, {"vocabulary": str(m / "secret"), "dtype": "string", **config})


def tfsm(m, path="keras.layers.TFSMLayer"):
    return keras_object(
        path, {"filepath": str(m / "saved_model"), "call_endpoint": "serving_default"}
    )


class Touch:
    def __init__(self, m):
        self.path = str(m / "executed")

    def __reduce__(self):
        return open, (self.path, "w")


def torch_pickle(m, path="keras.layers.TorchModuleWrapper"):
    return keras_object(path, {"module": base64.b64encode(pickle.dumps(Touch(m))).decode()})


def get_file(m, function="keras.utils.get_file", name="secret", **arguments):
    origin = {"origin": f"file://{m / name}", "cache_dir": str(m)}
    return call(function, "executed", **{**origin, **arguments})


def gallery(m):
    image = {"class_name": "__numpy__", "config": {"value": [[[[0] * 3]]], "dtype": "uint8"}}
    target = {"path": str(m / "executed.png"), "show": False}
    return call("keras.visualization.plot_image_gallery", image, **target)


# Where an attack goes.


def edit(members, change, name="config.json"):
    config = json.loads(members[name])
    change(config)
    return {**members, name: json.dumps(config).encode()}


def as_own_network(members):
    """Return the members of a file whose architecture is its user's own function."""

    def change(side):
        kept = {key: v for key, v in side["parameters"].items() if "architecture" not in key}
        side["parameters"] = {**kept, "architecture": None}
        side["network"] = {"architecture": None, "options": {}}

    return edit(members, change, SIDE)


def network_of(config):
    return config["config"]["layers"][2]


def _insert(model, layer):
    """Put a layer behind the model's input, or beside the others if it has its own inputs."""
    layers = model["config"]["layers"]
    name, shape = layers[0]["name"], layers[0]["config"]["batch_shape"]
    if "inbound_nodes" not in layer:
        old, new = (f'"keras_history": ["{key}", 0, 0]' for key in (name, layer["name"]))
        layers[1:] = json.loads(json.dumps(layers[1:]).replace(old, new))
        tensor = {"shape": shape, "dtype": "float32", "keras_history": [name, 0, 0]}
        tensor = {"class_name": "__keras_tensor__", "config": tensor}
        layer = {**layer, "inbound_nodes": [{"args": [tensor], "kwargs": {}}]}
    layers.insert(1, copy.deepcopy(layer))


def _as_sequential(config, layer):
    network = network_of(config)
    ends = layer_of("GlobalMaxPooling2D", name="pooling"), layer_of("Dense", name="end", units=10)
    layers = [network["config"]["layers"][0], layer, *ends]
    network |= {"module": "keras", "class_name": "Sequential", "registered_name": None}
    network["config"] = {"name": "small", "layers": layers}
    config["config"]["output_layers"][1] = 0


PLACES = {
    "in the outer model": _insert,
    "in an own network": lambda config, layer: _insert(network_of(config), layer),
    "in an own Sequential": _as_sequential,
}


def in_place(name, make, place):
    def change(members, m):
        members = members if "outer" in place else as_own_network(members)
        return edit(members, lambda config: PLACES[place](config, make(m)))

    return Attack(f"{name}, {place}", change)


def setter(*keys, layer=None):
    """Return a function that sets a value below the config, or below one layer of the network."""

    def put(config, value):
        if layer is not None:
            layers = network_of(config)["config"]["layers"]
            config = next(entry for entry in layers if entry["class_name"] == layer)
        for key in keys[:-1]:
            config = config[key]
        config[keys[-1]] = value

    return put


def in_field(name, put, make):
    """Return an attack that sets an object, ``make(m)``, in the config of an own network."""
    return Attack(
        name,
        lambda members, m: edit(as_own_network(members), lambda config: put(config, make(m))),
    )


def side_value(name, *keys, value):
    return Attack(
        name, lambda members, m: edit(members, lambda side: setter(*keys)(side, value(m)), SIDE)
    )


def shared_object(members, m):
    put = setter("config", "kernel_initializer", layer="Conv2D")
    zeros = {**keras_object("keras.initializers.Zeros"), "config": {}, "shared_object_id": 7}
    members = edit(members, lambda config: put(config, zeros))
    layer = {**lambda_layer(literal(m)), "shared_object_id": 7}
    return edit(as_own_network(members), lambda config: _insert(network_of(config), layer))


def unsafe_first(members, m):
    off = call("keras.config.enable_unsafe_deserialization", 0) | {"name": "off"}

    def change(config):
        _insert(config, lambda_layer(literal(m)))
        _insert(config, off)

    return edit(members, change)


def registered(m):
    """Return a layer of a class that the caller has registered, with Keras, for something else."""
    import keras

    @keras.saving.register_keras_serializable("evil")
    class Evil(keras.layers.Layer):
        def __init__(self, **config):
            super().__init__(**config)
            (m / "executed").touch()

    return {**keras_object("evil.Evil"), "registered_name": "evil>Evil"}


# The weights, the optimizer's state and the archive.


def in_weights(name, change, drop=KERNEL):
    def changed(members, m):
        file = io.BytesIO(members[H5])
        with h5py.File(file, "r+") as weights:
            del weights[drop]
            change(weights, m)
        return {**members, H5: file.getvalue()}

    return Attack(name, changed)


def dataset(name, shape=(3, 3, 1, 1), dtype=np.float32, **options):
    return in_weights(
        name, lambda weights, m: weights.create_dataset(KERNEL, shape, dtype, **options)
    )


def with_link(name, link, at=KERNEL):
    return in_weights(
        name, lambda weights, m: weights.__setitem__(at, link(str(m / "secret.weights.h5"))), at
    )


def external(weights, m):
    stored = [(str(m / "secret"), 0, 36)]
    weights.create_dataset(KERNEL, (3, 3, 1, 1), np.float32, external=stored)


def virtual(weights, m):
    layout = h5py.VirtualLayout((3, 3, 1, 1), np.float32)
    layout[:] = h5py.VirtualSource(str(m / "secret.weights.h5"), "vars/0", shape=(3, 3, 1, 1))
    weights.create_virtual_dataset(KERNEL, layout)


def keras_2_file(m):
    """Return a model of Keras 2, in HDF5, with Python in a Lambda layer."""
    config = {
        "name": "attack",
        "dtype": "float32",
        "function": [code(m), None, None],
        "function_type": "lambda",
        "batch_input_shape": [None, 8, 8, 1],
    }
    layers = [{"class_name": "Lambda", "config": config}]
    model = {"class_name": "Sequential", "config": {"name": "model", "layers": layers}}
    file = io.BytesIO()
    with h5py.File(file, "w") as archive:
        archive.attrs.update(model_config=json.dumps(model), keras_version="2.12")
        archive.create_group("model_weights").attrs["layer_names"] = []
    return file.getvalue()


def pickled(m):
    """Return an npz of Python objects, which numpy unpickles if it is allowed to."""
    file = io.BytesIO()
    np.savez(file, __root__=np.array([Touch(m)], dtype=object))
    return file.getvalue()


def declared(m):
    """Return an npz that declares an array of petabytes and stores 36 bytes."""
    array, file = io.BytesIO(), io.BytesIO()
    header = {"descr": "<f4", "fortran_order": False, "shape": (1 << 50,)}
    np.lib.format.write_array_header_1_0(array, header)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("__root__.npy", array.getvalue() + bytes(36))
    return file.getvalue()


def with_member(attack, name, content, drop=None):
    """Return an attack that puts a member in the place of another, or of its own name."""
    return Attack(
        attack,
        lambda members, m: {
            **{key: value for key, value in members.items() if key != drop},
            name: content(m),
        },
    )


def with_added(attack, name, content=b"x", mode=0, compress=zipfile.ZIP_STORED, drop=None):
    """Return an attack that adds a member, even if its name is there already."""

    def change(members, m):
        info = zipfile.ZipInfo(name.format(m=m))
        info.external_attr, info.compress_type = mode << 16, compress
        found = content(m) if callable(content) else content
        return {key: value for key, value in members.items() if key != drop} | {info: found}

    return Attack(attack, change)

"""Model files that a loader must refuse, by the Keras advisory that each one belongs to.

``ATTACKS`` maps each advisory to its attacks. An attack has a name, and changes the members of a
good file: ``attack.change(members, marker_dir)``. Members are a dict of names (or ZipInfo, for
names that occur twice, links and compression) to bytes; the name WHOLE stands for a file that is
no archive. ``build`` writes the file. ``traces`` tells which files below ``marker_dir`` were made
or read since; for the packages, ``marker_dir`` has to be on sys.path. Nothing acts outside
``marker_dir``, but for the seed and the precision of Keras, and a connection to 127.0.0.1:9.
``payloads`` says how each attack is made.
"""

import json
import pickle
import zipfile

import h5py
import numpy as np
from payloads import (
    H5,
    KERNEL,
    NOWHERE,
    NPZ,
    PACKAGES,
    PLACES,
    SIDE,
    WHOLE,
    Attack,
    Touch,
    as_own_network,
    build,
    call,
    code,
    dataset,
    declared,
    external,
    gallery,
    get_file,
    in_field,
    in_place,
    in_weights,
    keras_2,
    keras_2_file,
    keras_object,
    lambda_layer,
    layer_of,
    literal,
    literal_value,
    lookup,
    named,
    network_of,
    pickled,
    registered,
    setter,
    shared_object,
    side_value,
    switch,
    tfsm,
    torch_pickle,
    traces,
    unsafe_first,
    virtual,
    with_added,
    with_link,
    with_member,
)

__all__ = ["ATTACKS", "as_own_network", "build", "traces"]

# fmt: off
# Objects that run, read or import something, and the fields that could hold one.
OBJECTS = {
    "a Python function": literal_value,
    "os.system": lambda m: named("os.system"),
    "a function of Keras": lambda m: named("keras.utils.set_random_seed"),
    "a Lambda layer": lambda m: lambda_layer(literal(m)),
    "a vocabulary": lookup,
    "a SavedModel": tfsm,
    "a class of keras_hub": lambda m: keras_object("keras_hub.evil.Evil"),
    "a TypeSpec": lambda m: {**keras_object("keras_nlp.evil.__typespec__"), "spec_name": "Evil",
                             "config": []},
}
_CONFIG = ("activation", "kernel_initializer", "kernel_regularizer", "activity_regularizer",
           "kernel_constraint", "dtype", "unknown")
FIELDS = {name: setter("config", name, layer="Conv2D") for name in _CONFIG} | {
    "quantization_config": setter("config", "quantization_config", layer="Dense"),
    "build_config": setter("build_config", "input_shape", layer="Conv2D"),
    "an argument of a call": setter("inbound_nodes", 0, "kwargs", "mask", layer="Conv2D"),
    "the network's loss": lambda config, value: network_of(config).update(
        compile_config={"optimizer": "sgd", "loss": value, "metrics": [value]}),
    "the outer optimizer": setter("compile_config", "optimizer"),
    "a key of the model": setter("config", "unknown"),
}

_DEFLATED = zipfile.ZIP_DEFLATED
_UP, _LINK, _ZEROS = "../" * 16 + "{m}/executed", 0o120777, bytes(1 << 26)
_DEEP = b'{"class_name": "Functional", "config": ' * 50_000 + b"1" + b"}" * 50_000
_ONE = b'{"class_name": "Sequential", "module": "keras", "config": {"layers": []}}'
_RELU, _GET = named("keras.activations.relu"), "keras.src.utils.file_utils.get_file"
_TEXT = dict.fromkeys(("standardize", "split", "ngrams", "max_tokens", "output_sequence_length"))
_TEXT |= {"output_mode": "int", "pad_to_max_tokens": False}
_LOOKUPS = "keras.src.layers.preprocessing"
_INDEX = {"max_tokens": None, "num_oov_indices": 1, "mask_token": None, "oov_token": "u",
          "vocabulary_dtype": "string"}

_LAYERS = {
    "CVE-2024-3660": {  # marshalled Python in Lambda layers
        "a Lambda layer": lambda m: lambda_layer(literal(m)),
        "a Lambda layer of Keras 2": lambda m: keras_2(lambda_layer([code(m), None, None])),
        "a Lambda layer without its module": lambda m: keras_2(lambda_layer(literal(m))),
        "a Lambda's output shape": lambda m: lambda_layer(_RELU, output_shape=literal(m)),
        "a Lambda's mask": lambda m: lambda_layer(_RELU, mask=literal(m)),
        "a Lambda's arguments": lambda m: lambda_layer(_RELU, arguments={"x": literal_value(m)}),
        "a Lambda in a wrapper": lambda m: (
            layer_of("TimeDistributed", layer=lambda_layer(literal(m)))),
        "a Lambda in Bidirectional": lambda m: (
            layer_of("Bidirectional", layer=lambda_layer(literal(m)))),
        "a Lambda as an RNN's cell": lambda m: layer_of("RNN", cell=lambda_layer(literal(m))),
        "a Lambda in a Pipeline": lambda m: layer_of("Pipeline", layers=[lambda_layer(literal(m))]),
    },
    "CVE-2024-55459": {"get_file unpacks": lambda m: get_file(m, name="evil.tar", untar=True)},
    "CVE-2025-1550": {  # any function of any module, called while the model is built
        "os.system": lambda m: call("os.system", f"touch {m / 'executed'}"),
        "subprocess.run": lambda m: call("subprocess.run", ["touch", str(m / "executed")]),
        "subprocess.run as a layer": lambda m: keras_object("subprocess.run", inbound_nodes=[
            {"args": [["touch", str(m / "executed")]], "kwargs": {"bufsize": -1}}]),
        "builtins.exec": lambda m: call("builtins.exec", f"open({str(m / 'executed')!r}, 'w')"),
        "another class that is registered": lambda m: {
            **keras_object("os.system"), "registered_name": "skfashion>Muon"},
        "a class that the caller registered": registered,
    },
    "CVE-2025-8747": {  # functions and classes of Keras and its packages
        "get_file": get_file,
        "get_file by its own module": lambda m: get_file(m, _GET),
        "get_file from the network": lambda m: get_file(m, origin=NOWHERE),
        "a class of keras.src": lambda m: keras_object("keras.src.utils.progbar.Progbar"),
        **{f"a class of {package}": lambda m, package=package: keras_object(f"{package}.evil.Evil")
           for package in PACKAGES},
    },
    "CVE-2025-9906": {  # safe mode turned off by the file
        "safe mode off": lambda m: call("keras.config.enable_unsafe_deserialization", 0),
        "safe mode off by its own module": lambda m: call(
            "keras.src.backend.common.global_state.set_global_attribute", "safe_mode_saving",
            value=False),
        "load_model": lambda m: call(
            "keras.models.load_model", str(m / "secret"), safe_mode=False),
    },
    "CVE-2025-12058": {  # vocabularies by path or URL
        "StringLookup": lookup,
        "StringLookup by URL": lambda m: lookup(m, vocabulary=NOWHERE),
        "StringLookup without its module": lambda m: keras_2(lookup(m)),
        "StringLookup by its own module": lambda m: lookup(
            m, f"{_LOOKUPS}.string_lookup.StringLookup"),
        "IntegerLookup": lambda m: lookup(m, "keras.layers.IntegerLookup", dtype="int64"),
        "TextVectorization": lambda m: lookup(
            m, "keras.layers.TextVectorization", **_TEXT),
        "IndexLookup": lambda m: lookup(m, f"{_LOOKUPS}.index_lookup.IndexLookup", **_INDEX),
    },
    "CVE-2025-12060": {"get_file unpacks": lambda m: get_file(m, name="evil.tar", extract=True)},
    "CVE-2025-12638": {"get_file unpacks, by its own module": lambda m: get_file(
        m, _GET, "evil.tar", extract=True)},
    "CVE-2025-49655": {
        "a pickle of torch": torch_pickle,
        "a pickle of torch by its own module": lambda m: torch_pickle(
            m, "keras.src.utils.torch_utils.TorchModuleWrapper"),
    },
    "CVE-2026-1462": {
        "TFSMLayer": tfsm,
        "TFSMLayer by its own module": lambda m: tfsm(m, "keras.src.export.tfsm_layer.TFSMLayer"),
    },
    "CVE-2026-12479": {"a layer named ..": lambda m: layer_of("ReLU", name="..")},
    "CVE-2026-12481": {  # layers that are made, within a call, where safe mode is not set
        "layers.deserialize": lambda m: call("keras.layers.deserialize", lambda_layer(literal(m))),
        "model_from_json": lambda m: call(
            "keras.models.model_from_json", json.dumps(lambda_layer(literal(m)))),
        "a layer of Keras 2 in a Sequential": lambda m: keras_object("keras.Sequential", {
            "layers": [keras_2(lambda_layer([code(m), None, None]))]}),
    },
    "keras#23654": {  # open: classes and functions of Keras that the file calls
        "TFSMLayer called": lambda m: call("keras.layers.TFSMLayer", str(m / "saved_model")),
        "TFSMLayer by Switch": lambda m: switch("keras.layers.TFSMLayer", str(m / "saved_model")),
        "KerasFileEditor called": lambda m: (
            call("keras.saving.KerasFileEditor", f"{m}/secret.weights.h5")),
        "KerasFileEditor by Switch": lambda m: switch(
            "keras.saving.KerasFileEditor", f"{m}/secret.weights.h5"),
        "a gallery": gallery,
        "another precision": lambda m: call("keras.config.set_floatx", "float64"),
        "another precision by Switch": lambda m: switch("keras.config.set_floatx", "float64"),
        "another seed": lambda m: call("keras.utils.set_random_seed", 0),
        "pad_sequences by Switch": lambda m: switch("keras.utils.pad_sequences", [[1]], 1000),
    },
}
_OTHERS = {
    "CVE-2025-1550": [
        *[in_field(f"{kind} as {field}", put, make)
          for field, put in FIELDS.items() for kind, make in OBJECTS.items()],
        Attack("a layer under another object's id", shared_object),
        *[side_value(f"{kind} as {name} ({form})", "parameters", name,
                value=lambda m, form=form, make=make: {form: make(m)})
          for name in ("optimizer", "schedule") for form in ("instance", "class")
          for kind, make in OBJECTS.items()],
        *[side_value(f"{kind} as learning rate", "parameters", "optimizer",
                     value=lambda m, make=make: {"instance": {
                         **keras_object("keras.optimizers.SGD"),
                         "config": {"learning_rate": make(m)}}})
          for kind, make in OBJECTS.items()],
    ],
    "CVE-2025-9905": [with_member("a model of Keras 2 in HDF5", WHOLE, keras_2_file)],
    "CVE-2025-9906": [Attack("safe mode off before a Lambda layer", unsafe_first)],
    "CVE-2026-0897": [  # shapes and compression that fill the memory
        dataset("a shape of petabytes", (1 << 25, 1 << 25), chunks=(8, 8)),
        dataset("a shape of 400 MB", (10_000, 10_000), chunks=(1000, 1000)),
        dataset("400 MB of zeros", (10_000, 10_000), chunks=(1000, 1000), compression="gzip"),
    ],
    "CVE-2026-1669": [  # data of other files, and data that are no numbers
        in_weights("external storage", external),
        with_link("an external dataset", lambda path: h5py.ExternalLink(path, "vars/0")),
        with_link("an external group", lambda path: h5py.ExternalLink(path, "/"), KERNEL[:-7]),
        with_link("an external group above", lambda path: h5py.ExternalLink(path, "/"), "layers"),
        with_link("a soft link", lambda path: h5py.SoftLink(KERNEL.replace("2d", "2d_1"))),
        with_link("a link to itself", lambda path: h5py.SoftLink("/" + KERNEL)),
        dataset("strings", dtype=h5py.string_dtype()),
        dataset("vectors", dtype=h5py.vlen_dtype(np.float32)),
        dataset("references", dtype=h5py.ref_dtype),
        dataset("records", dtype=[("a", np.float32)]),
        with_member("a pickle as weights", "model.weights.npz", pickled, H5),
        with_member("a pickle beside the weights", "model.weights.npz", pickled),
        with_member("a pickle as the optimizer's state", NPZ, pickled),
        with_member("a pickle without an npz", NPZ, lambda m: pickle.dumps(Touch(m))),
    ],
    "CVE-2026-12480": [in_weights("a virtual dataset", virtual)],
    "GHSA-hqp4-2352-xf5r": [  # members on their way to the disk
        with_added("a member above the folder", _UP),
        with_added("a member with an absolute name", "{m}/executed"),
        with_added("an asset above the folder", "assets/" + _UP),
        with_added("a name with backslashes", "assets\\..\\..\\executed"),
        with_added("a link", "assets", lambda m: bytes(m), _LINK),
        with_added("weights that are a link", H5, lambda m: bytes(m / "secret.weights.h5"), _LINK,
                   drop=H5),
        with_added("config.json twice", "config.json", _ONE),
        with_added("skfashion.json twice", SIDE, b"{}"),
        with_added("a member of no use", "assets/x"),
    ],
    "keras#23010": [  # and #23016, #23101: sizes that fill the memory or the disk
        with_added("64 MB as config.json", "config.json", _ZEROS, 0, _DEFLATED, "config.json"),
        with_added("64 MB as an asset", "assets/x", _ZEROS, compress=_DEFLATED),
        with_member("weights of petabytes", "model.weights.npz", declared, H5),
        with_member("an optimizer of petabytes", NPZ, declared),
        with_member("JSON, 50,000 levels deep", "config.json", lambda m: _DEEP),
        with_member("JSON, 50,000 levels deep, beside", SIDE, lambda m: _DEEP),
        side_value("class names of 400 MB", "classes", "dtype", value=lambda m: "<U10000000"),
    ],
}
# fmt: on
ATTACKS = {
    key: [
        *[in_place(name, make, p) for name, make in _LAYERS.get(key, {}).items() for p in PLACES],
        *_OTHERS.get(key, []),
    ]
    for key in dict.fromkeys([*_LAYERS, *_OTHERS])
}

"""Networks of a user's own function, rebuilt from a model file without the function.

A file is not trusted. So Keras never reads its configuration: this module calls the constructors of
layers, regularizers and so on that are listed here, with numbers, words and lists, and refuses
everything else.
"""

import json
import math
import re
from functools import cache, cached_property
from hashlib import sha256
from inspect import signature
from operator import attrgetter
from types import NoneType

import keras

from skfashion.networks._shapes import MAX_VALUES

__all__ = [
    "ACTIVATIONS",
    "LAYERS",
    "PARTS",
    "SavedArchitecture",
    "check_classes",
    "read_object",
    "read_value",
]

# fmt: off
# Layers that compute what their configuration says, and neither run code nor open files.
LAYERS = frozenset([
    "InputLayer", "Identity", "Activation", "Softmax", "ReLU", "LeakyReLU", "PReLU", "ELU",
    "Dense", "Conv1D", "Conv2D", "Conv1DTranspose", "Conv2DTranspose",
    "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D",
    "MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D", "GlobalMaxPooling1D",
    "GlobalMaxPooling2D", "GlobalAveragePooling1D", "GlobalAveragePooling2D",
    "BatchNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization",
    "UnitNormalization", "Rescaling", "Resizing", "CenterCrop",
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "AlphaDropout", "GaussianDropout",
    "GaussianNoise", "ActivityRegularization",
    "RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom", "RandomBrightness",
    "Flatten", "Reshape", "Permute", "RepeatVector", "ZeroPadding1D", "ZeroPadding2D",
    "Cropping1D", "Cropping2D", "UpSampling1D", "UpSampling2D",
    "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate",
    "LSTM", "GRU", "SimpleRNN",
])
ACTIVATIONS = frozenset([
    "celu", "elu", "exponential", "gelu", "hard_sigmoid", "hard_silu", "hard_tanh", "leaky_relu",
    "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid", "silu",
    "softmax", "softplus", "softsign", "tanh",
])
PARTS = {
    "initializers": frozenset([
        "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal",
        "LecunUniform", "Ones", "Orthogonal", "OrthogonalInitializer", "RandomNormal",
        "RandomUniform", "TruncatedNormal", "VarianceScaling", "Zeros",
    ]),
    "regularizers": frozenset(["L1", "L2", "L1L2"]),
    "constraints": frozenset(["MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm"]),
}
# fmt: on
_NETWORK_MODULES = ("keras", "keras.src.models.functional", "keras.src.models.sequential")
# Python's operators on Keras tensors.
_OPERATIONS = {
    "Add": keras.ops.add,
    "Subtract": keras.ops.subtract,
    "Multiply": keras.ops.multiply,
    "Divide": keras.ops.divide,
    "TrueDivide": keras.ops.true_divide,
}
_KNOWN = frozenset(["Functional", "Sequential", "DTypePolicy", "__keras_tensor__"]).union(
    LAYERS, _OPERATIONS, *PARTS.values()
)
_DTYPES = ["float16", "float32", "float64", "mixed_float16", "mixed_bfloat16"]

# Names and modes; neither paths nor regular expressions that take for ever.
_WORDS = re.compile(r"\w[\w .:,>-]{0,99}")
# Largest whole numbers. Beyond 32 bits, some of TensorFlow's functions end the process.
_LIMITS = {
    **dict.fromkeys(["pool_size", "kernel_size", "strides", "dilation_rate", "size"], 2**9),
    **{"padding": 2**9, "cropping": 2**9, "depth_multiplier": 2**4, "ns_steps": 2**6},
    "seed": 2**63,
}
_MAX_LENGTH = 2**10
# One value per channel of a picture. What Keras says of the result is wrong for more.
_MAX_SCALES = 4
# Networks of Keras' applications have up to 900 layers, each called once on one or a few others.
# Recurrent layers take four times as long to build.
_MAX_CALLS, _RECURRENT_CALLS = 1000, 4
_MAX_ARGUMENTS = 2**14
_MAX_DEPTH = 10
# Values of all layers for one image.
_MAX_VALUES_TOGETHER = 2**27


class SavedArchitecture:
    """The architecture of a loaded classifier whose own was a function.

    Parameters
    ----------
    config : dict
        The network as Keras describes it in a model file.
    options : dict
        Options that it was built with; no others are possible.
    """

    def __init__(self, config, options):
        self.config = config
        self.options = options

    @cached_property
    def _digest(self):
        """Digest of the network and its options, which each prediction compares."""
        return sha256(json.dumps([self.config, self.options]).encode()).hexdigest()

    def __getstate__(self):
        return {"config": self.config, "options": self.options}

    def __call__(self, image_shape, n_classes, **options):
        if options != self.options:
            raise ValueError(
                "The architecture was loaded from a file, without the function that built it: its "
                "options, dropout and trainable (for freeze_epochs) among them, stay "
                f"{self.options}; got {options}."
            )
        return _NetworkReader().read_layer(self.config)

    def __eq__(self, other):
        return isinstance(other, SavedArchitecture) and self._digest == other._digest

    def __repr__(self):
        return f"SavedArchitecture({self.config['config'].get('name')!r})"

    def __hash__(self):
        return hash(self._digest)


class _NetworkReader:
    """Reads one network. Networks inside it count towards the same limits."""

    def __init__(self):
        self._n_calls = self._n_arguments = self._n_values = 0
        self._n_calls_inside: dict = {}  # of networks in the network, by id

    def _read_network(self, data, depth):
        """Return the network that Keras described as ``data``."""
        if depth > _MAX_DEPTH:
            raise ValueError(f"it has networks in networks, more than {_MAX_DEPTH} deep")
        n_calls_before = self._n_calls
        config = data["config"]
        name = read_value("name", config["name"])
        if data["class_name"] == "Sequential":
            layers = [self.read_layer(layer, depth) for layer in config["layers"]]
            for layer in layers:
                self._count_call(layer)
            network = keras.Sequential(layers, name=name)
            if not network.built:
                network.build(tuple(config["build_input_shape"]))
            for layer in layers:
                self._check_sizes(layer.name, layer.output)
        else:
            inputs, outputs = self._connect(config, depth)
            network = keras.Model(inputs, outputs, name=name)
        if config.get("trainable") is False:
            network.trainable = False
        self._n_calls_inside[id(network)] = self._n_calls - n_calls_before
        return network

    def _count_call(self, layer):
        """Refuse networks that take long to build, such as networks called in networks."""
        usual = _RECURRENT_CALLS if isinstance(layer, keras.layers.RNN) else 1
        self._n_calls += self._n_calls_inside.get(id(layer), usual)
        if self._n_calls > _MAX_CALLS:
            raise ValueError(f"its layers are called more than {_MAX_CALLS} times")

    def _connect(self, config, depth):
        """Call the layers of a functional network on each other's outputs, and return its ends."""
        calls = {data["name"]: self.read_layer(data, depth) for data in config["layers"]}
        outputs: dict = {name: [] for name in calls}  # of each call of each layer
        waiting = []
        for data in config["layers"]:
            name = data["name"]
            waiting += [(name, node) for node in data["inbound_nodes"]]
            if isinstance(calls[name], keras.layers.InputLayer):
                outputs[name].append([calls[name].output])
        while waiting:
            still_waiting = []
            for name, node in waiting:
                try:
                    args, kwargs = (self._resolve(node[key], outputs) for key in ("args", "kwargs"))
                except IndexError:  # a layer that comes later in the list
                    still_waiting.append((name, node))
                    continue
                self._count_call(calls[name])
                outputs[name].append(self._check_sizes(name, calls[name](*args, **kwargs)))
            if len(still_waiting) == len(waiting):
                raise ValueError("its layers are not connected")
            waiting = still_waiting
        inputs, outputs = (
            _read_ends(config[key], calls, outputs) for key in ("input_layers", "output_layers")
        )
        return inputs, outputs

    def _resolve(self, value, outputs):
        """Return the arguments of a call, with the tensors that they name."""
        self._n_arguments += 1
        if self._n_arguments > _MAX_ARGUMENTS:
            raise ValueError("its layers are connected too often, or in no order")
        if isinstance(value, list):
            return [self._resolve(member, outputs) for member in value]
        if isinstance(value, dict):
            if value.get("class_name") == "__keras_tensor__":
                name, call, position = value["config"]["keras_history"]
                return outputs[name][call][position]
            if "class_name" in value:
                raise ValueError(f"it calls a layer with {value['class_name']!r:.100}")
            # Who calls the network says whether it is trained.
            others = {name: member for name, member in value.items() if name != "training"}
            return {name: self._resolve(member, outputs) for name, member in others.items()}
        return read_value("argument", value)

    def _check_sizes(self, name, result):
        """Return what a layer gives as a list of tensors; refuse larger ones than images have."""
        tensors = list(result) if isinstance(result, (list, tuple)) else [result]
        for tensor in tensors:
            n_values = math.prod(tensor.shape[1:])
            self._n_values += n_values
            if n_values > MAX_VALUES or self._n_values > _MAX_VALUES_TOGETHER:
                raise ValueError(f"its layer {name!r} gives {tensor.shape}, too many values")
        return tensors

    def read_layer(self, data, depth=0):
        """Return a layer, or a network or function that is called like one."""
        module, kind, config = data["module"], data["class_name"], data["config"]
        if kind in ("Functional", "Sequential") and module in _NETWORK_MODULES:
            return self._read_network(data, depth + 1)
        if kind in _OPERATIONS and module == "keras.src.ops.numpy":
            return _OPERATIONS[kind]
        if config.get("unroll") or None in config.get("batch_shape", [None])[1:]:
            raise ValueError(f"its layer {config['name']!r} is unrolled, or of an unknown shape")
        return read_object(data, f"layer {config.get('name')!r}", "layers", LAYERS)


def check_classes(data):
    """Raise ValueError if Keras' description of a model has anything that is not listed.

    What is built from a description is checked anyway. This is for descriptions of networks that
    their architecture's name builds: then Keras, which reads the same file, builds no more either.
    """
    members = data
    if isinstance(data, dict):
        kind = data.get("class_name")
        if kind is not None and kind not in _KNOWN:
            raise ValueError(f"it has a {kind!r:.100}, which is not rebuilt from a file")
        if data.get("compile_config"):
            raise ValueError("it has a compile_config, which save does not write")
        if data.get("registered_name") not in (None, kind):
            raise ValueError(f"it has a {data['registered_name']!r:.100}, a registered object")
        members = data.values()
    if isinstance(data, (dict, list)):
        for member in members:
            check_classes(member)


def read_object(data, what, module, names):
    """Return an object of a class of Keras, if the class is listed and its arguments are plain.

    Parameters
    ----------
    data : dict
        The object as Keras describes it.
    what : str
        Description of the object, for messages.
    module : str
        Public module of Keras that has the class.
    names : sequence of str
        Names of the classes that are built.

    Raises
    ------
    ValueError
        If it is an object of another class, or has an argument that is not plain.
    """
    kind = data["class_name"]
    if data["module"] != f"keras.{module}" or kind not in names or data.get("registered_name"):
        raise ValueError(f"its {what} is a {kind!r}, which is not rebuilt from a file")
    build = attrgetter(f"{module}.{kind}")(keras)
    return build(
        **{
            name: read_value(name, value)
            for name, value in data["config"].items()
            # A later Keras may have written an argument that this one lacks.
            if value is not None or name in _known_arguments(build)
        }
    )


@cache
def _known_arguments(kind):
    """Return the names of arguments of a class's constructor and its bases'."""
    constructors = [vars(base)["__init__"] for base in kind.__mro__ if "__init__" in vars(base)]
    return {name for function in constructors for name in signature(function).parameters}


def read_value(name, value):
    """Return a plain argument, or an initializer, a regularizer, a constraint or an activation.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    if isinstance(value, list):
        longest = _MAX_SCALES if name in ("scale", "offset") else _MAX_LENGTH
        is_nested = any(isinstance(member, list) for member in value)
        if len(value) > longest or (is_nested and name not in ("padding", "cropping")):
            raise ValueError(f"its {name} has too many values")
        return [read_value(name, member) for member in value]
    if isinstance(value, dict) and name != "dtype":
        module = str(value["module"]).removeprefix("keras.")
        return read_object(value, name, module, PARTS.get(module, ()))
    if name == "dtype":
        value = value["config"]["name"] if isinstance(value, dict) else value
        allowed = value in _DTYPES
    elif isinstance(value, str) and name.endswith("activation"):
        if value in ACTIVATIONS:
            return getattr(keras.activations, value)
        allowed = False
    elif isinstance(value, str):
        is_part = name.endswith(("initializer", "regularizer", "constraint"))
        allowed = bool(_WORDS.fullmatch(value)) and not is_part
    elif isinstance(value, int):
        allowed = abs(value) <= _LIMITS.get(name, MAX_VALUES)
    else:
        allowed = isinstance(value, (float, NoneType))
    if not allowed:
        raise ValueError(f"its {name} is {value!r:.100}, which is not rebuilt from a file")
    return value


def _read_ends(data, calls, outputs):
    """Return the input or output tensors of a functional network."""
    if not isinstance(data[0], str):
        return [_read_ends(member, calls, outputs) for member in data]
    name, call, position = data
    layer = calls[name]
    if isinstance(layer, keras.Model) and not isinstance(layer, keras.Sequential):
        call -= 1  # Keras counts here that a functional network was called when it was made
    return outputs[name][call][position]

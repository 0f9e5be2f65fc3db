"""Networks of a user's own function, rebuilt from a model file without the function.

A file is not trusted. So Keras never reads its configuration: this module calls the constructors of
layers, regularizers and so on that are listed here, with numbers, words and lists, and refuses
everything else.
"""

import json
import math
import re
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
    "Dense", "EinsumDense", "Conv1D", "Conv2D", "Conv1DTranspose", "Conv2DTranspose",
    "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D",
    "MaxPooling1D", "MaxPooling2D", "AveragePooling1D", "AveragePooling2D", "GlobalMaxPooling1D",
    "GlobalMaxPooling2D", "GlobalAveragePooling1D", "GlobalAveragePooling2D",
    "BatchNormalization", "LayerNormalization", "GroupNormalization", "RMSNormalization",
    "UnitNormalization", "Normalization", "Rescaling", "Resizing", "CenterCrop",
    "Dropout", "SpatialDropout1D", "SpatialDropout2D", "AlphaDropout", "GaussianDropout",
    "GaussianNoise", "ActivityRegularization",
    "RandomFlip", "RandomRotation", "RandomTranslation", "RandomZoom", "RandomBrightness",
    "Flatten", "Reshape", "Permute", "RepeatVector", "ZeroPadding1D", "ZeroPadding2D",
    "Cropping1D", "Cropping2D", "UpSampling1D", "UpSampling2D",
    "Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot",
    "Attention", "MultiHeadAttention", "LSTM", "GRU", "SimpleRNN",
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
    "regularizers": frozenset(["L1", "L2", "L1L2", "OrthogonalRegularizer"]),
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
_DTYPES = ["float16", "bfloat16", "float32", "float64", "mixed_float16", "mixed_bfloat16"]

# Names, modes and equations; nothing that is a path.
_WORDS = re.compile(r"\w[\w .:,>()+-]{0,99}")
# Networks of Keras' applications have up to 900 layers.
_MAX_LAYERS = 2000
_MAX_DEPTH = 10


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

    def __call__(self, image_shape, n_classes, **options):
        if options != self.options:
            raise ValueError(
                "The architecture was loaded from a file, without the function that built it: its "
                "options, dropout and trainable (for freeze_epochs) among them, stay "
                f"{self.options}; got {options}."
            )
        return _Reader().read_layer(self.config)

    def __eq__(self, other):
        return isinstance(other, SavedArchitecture) and vars(self) == vars(other)

    def __repr__(self):
        return f"SavedArchitecture({self.config['config'].get('name')!r})"

    def __hash__(self):
        return hash(json.dumps(self.config, sort_keys=True))


class _Reader:
    """Reads one network. Networks inside it count towards the same limits."""

    def __init__(self):
        self._n_layers = 0

    def _read_network(self, data, depth):
        """Return the network that Keras described as ``data``."""
        if depth > _MAX_DEPTH:
            raise ValueError(f"it has networks in networks, more than {_MAX_DEPTH} deep")
        kind, config = data["class_name"], data["config"]
        layers = config["layers"]
        self._n_layers += len(layers)
        if self._n_layers > _MAX_LAYERS:
            raise ValueError(f"it has more than {_MAX_LAYERS} layers")
        name = read_value("name", config["name"])
        if kind == "Sequential":
            network = keras.Sequential([self.read_layer(d, depth) for d in layers], name=name)
            if not network.built:
                network.build(tuple(config["build_input_shape"]))
        else:
            inputs, outputs = self._connect(config, depth)
            network = keras.Model(inputs, outputs, name=name)
        if config.get("trainable") is False:
            network.trainable = False
        return network

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
                    args, kwargs = (_resolve(node[key], outputs) for key in ("args", "kwargs"))
                except IndexError:  # a layer that comes later in the list
                    still_waiting.append((name, node))
                    continue
                outputs[name].append(_check_sizes(name, calls[name](*args, **kwargs)))
            if len(still_waiting) == len(waiting):
                raise ValueError("its layers are not connected")
            waiting = still_waiting
        ends = (
            _read_ends(config[key], calls, outputs) for key in ("input_layers", "output_layers")
        )
        return tuple(ends)

    def read_layer(self, data, depth=0):
        """Return a layer, or a network or function that is called like one."""
        module, kind, config = data["module"], data["class_name"], data["config"]
        if kind in ("Functional", "Sequential") and module in _NETWORK_MODULES:
            return self._read_network(data, depth + 1)
        if kind in _OPERATIONS and module == "keras.src.ops.numpy":
            return _OPERATIONS[kind]
        if config.get("unroll"):
            raise ValueError(f"its layer {config['name']!r} is unrolled")
        return read_object(data, f"layer {config.get('name')!r}", "layers", LAYERS)


def check_classes(data):
    """Raise ValueError if Keras' description of a model has anything that is not listed.

    What is built from a description is checked anyway. This is for descriptions of networks that
    their architecture's name builds: then Keras, which reads the same file, builds no more either.
    """
    members = data
    if isinstance(data, dict):
        kind = data.get("class_name")
        if (kind is not None and kind not in _KNOWN) or data.get("compile_config"):
            raise ValueError(f"it has a {kind!r:.100}, which is not rebuilt from a file")
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
    arguments = {name: read_value(name, value) for name, value in data["config"].items()}
    return attrgetter(f"{module}.{kind}")(keras)(**arguments)


def read_value(name, value):
    """Return a plain argument, or an initializer, a regularizer, a constraint or an activation.

    Raises
    ------
    ValueError
        If it is none of these.
    """
    if isinstance(value, list):
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
    else:
        allowed = isinstance(value, (bool, int, float, NoneType))
    if not allowed:
        raise ValueError(f"its {name} is {value!r:.100}, which is not rebuilt from a file")
    return value


def _resolve(value, outputs):
    """Return the arguments of a call, with the tensors that they name."""
    if isinstance(value, list):
        return [_resolve(member, outputs) for member in value]
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            name, call, position = value["config"]["keras_history"]
            return outputs[name][call][position]
        if "class_name" in value:
            raise ValueError(
                f"it has {value['class_name']!r:.100}, which is not rebuilt from a file"
            )
        return {name: _resolve(member, outputs) for name, member in value.items()}
    return read_value("argument", value)


def _read_ends(data, calls, outputs):
    """Return the input or output tensors of a functional network."""
    if not isinstance(data[0], str):
        return [_read_ends(member, calls, outputs) for member in data]
    name, call, position = data
    layer = calls[name]
    if isinstance(layer, keras.Model) and not isinstance(layer, keras.Sequential):
        call -= 1  # Keras counts here that a functional network was called when it was made
    return outputs[name][call][position]


def _check_sizes(name, result):
    """Return what a layer gives as a list of tensors; refuse larger ones than any image has."""
    tensors = list(result) if isinstance(result, (list, tuple)) else [result]
    for tensor in tensors:
        if math.prod(size or 1 for size in tensor.shape) > MAX_VALUES:
            raise ValueError(f"its layer {name!r} gives {tensor.shape}, too many values")
    return tensors

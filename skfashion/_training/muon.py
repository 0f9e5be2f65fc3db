"""The Muon optimizer, for convolutions too."""

import math
import re

import keras

__all__ = ["Muon"]

_STEPS_AT_ONCE = 3


@keras.saving.register_keras_serializable(package="skfashion")
class Muon(keras.optimizers.Muon):
    """Keras' Muon, which orthogonalises the updates of convolutions' kernels too.

    Keras' own leaves them to Adam, although Muon set its records on convolutional networks [1]_,
    where a kernel is a matrix from what a filter sees to the filters. Here the last kernel, which
    gives the classes, is left to Adam, beside the vectors.

    Parameters
    ----------
    learning_rate : float, default=0.01
        A kernel's update has about 0.2 times this as root mean square, like one of Adam's.
    adam_weight_decay, weight_decay : float, default=None
        As in ``keras.optimizers.Muon``, where they are 0.004.
    **options
        As in ``keras.optimizers.Muon``.

    References
    ----------
    .. [1] K. Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024,
       https://kellerjordan.github.io/posts/muon/.
    .. [2] J. Liu et al., "Muon is Scalable for LLM Training", arXiv:2502.16982, 2025.
    """

    def __init__(self, learning_rate=0.01, adam_weight_decay=None, weight_decay=None, **options):
        super().__init__(
            learning_rate=learning_rate,
            adam_weight_decay=adam_weight_decay,
            weight_decay=weight_decay,
            **options,
        )
        self._last_kernel = None

    def get_config(self):
        # Keras gives an empty list, so that an instance seems to differ from its class.
        return {**super().get_config(), "exclude_layers": self.exclude_layers or None}

    def build(self, variables):
        kernels = [variable for variable in variables if len(variable.shape) > 1]
        self._last_kernel = kernels[-1] if kernels else None
        super().build(variables)

    def _should_use_adamw(self, variable):
        return (
            len(variable.shape) < 2
            or variable.shape[-1] == 1  # a depthwise kernel: each channel has a filter of its own
            or variable is self._last_kernel
            or (self.exclude_embeddings and "embedding" in variable.path.lower())
            or any(re.search(name, variable.path) for name in self.exclude_layers)
        )

    def zeropower_via_newtonschulz5(self, x, steps):
        """Keras' iteration, computed on the smaller Gram matrix, which takes half the time.

        Each step multiplies the matrix by a polynomial of its Gram matrix. Some polynomials are
        multiplied with each other first; not all, for rounding makes small eigenvalues negative,
        and these would grow.
        """
        matrix = keras.ops.reshape(x, (-1, x.shape[-1]))
        is_tall = matrix.shape[0] > matrix.shape[1]
        matrix = matrix / (keras.ops.norm(matrix) + 1e-7)
        for start in range(0, steps, _STEPS_AT_ONCE):
            transposed = keras.ops.transpose(matrix)
            gram = transposed @ matrix if is_tall else matrix @ transposed
            n_steps = min(_STEPS_AT_ONCE, steps - start)
            product = self._multiply_polynomials(gram, n_steps)
            matrix = matrix @ product if is_tall else product @ matrix
        return keras.ops.reshape(matrix, x.shape)

    def _multiply_polynomials(self, gram, n_steps):
        identity = keras.ops.eye(gram.shape[0], dtype=gram.dtype)
        product = None
        for step in range(n_steps):
            factor = self.muon_a * identity + self.muon_b * gram + self.muon_c * (gram @ gram)
            product = factor if product is None else factor @ product
            if step < n_steps - 1:
                gram = factor @ gram @ factor
        return product

    def lr_adjust(self, x):
        if self.rms_rate is None:
            return x
        n_outputs = x.shape[-1]
        return x * (self.rms_rate * math.sqrt(max(math.prod(x.shape[:-1]), n_outputs)))

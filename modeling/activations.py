"""The activations a bert_config.json may name."""

import math

import keras
from keras import ops

from modeling import dense
from modeling.gradient import after, by_upstream
from modeling.tensor import Tensor

# Of the formula by tanh.
_TANH_SCALE = (2.0 / math.pi) ** 0.5
_CUBE_SHARE = 0.044715


def gelu(x: Tensor) -> Tensor:
    """Gaussian error linear unit, by the tanh formula of google-research/bert.

    Hendrycks and Gimpel, 2016 (arXiv 1606.08415), section 2. It differs from
    the exact unit by up to 5e-4. Computed in float32: the cube of a float16
    overflows.
    """
    y = keras.activations.gelu(ops.cast(x, "float32"), approximate=True)
    return ops.cast(y, x.dtype)


def gelu_exact(x: Tensor) -> Tensor:
    """The unit itself, by the error function: Hugging Face's "gelu"."""
    y = keras.activations.gelu(ops.cast(x, "float32"), approximate=False)
    return ops.cast(y, x.dtype)


def _gelu_slope(x: Tensor) -> Tensor:
    tanh = ops.tanh(_TANH_SCALE * (x + _CUBE_SHARE * x * x * x))
    inner = _TANH_SCALE * (1.0 + 3.0 * _CUBE_SHARE * x * x)
    return 0.5 * (1.0 + tanh) + 0.5 * x * (1.0 - tanh * tanh) * inner


def _gelu_exact_slope(x: Tensor) -> Tensor:
    share = 0.5 * (1.0 + ops.erf(x * 0.5**0.5))
    return share + x * ops.exp(-0.5 * x * x) * (2.0 * math.pi) ** -0.5


def project(name: str, x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    """Multiplies the activation of `x` by a kernel, and adds a bias.

    The gradient computes the activation again, and keeps `x` for it: both
    would be the largest arrays of a layer but attention's.

    Args:
        name: in `ACTIVATIONS`.
        x: [..., I].
        kernel: [I, O], of the type of `x`.
        bias: [O], of the type of `x`.

    Returns:
        [..., O].
    """
    activation, slope = ACTIVATIONS[name], _SLOPES[name]

    @ops.custom_gradient
    def run(x, kernel, bias):
        @by_upstream
        def gradient(upstream):
            # Activation and slope each compute their own tanh: where they share
            # one, a compiler keeps that, as float32.
            tied = after(upstream, x)
            of_y = dense.times(upstream, ops.transpose(kernel))
            # The product is one of the compute type: as a float32 that is
            # cast afterwards, a compiler keeps it for the sum over the bias.
            of_x = of_y * ops.cast(slope(ops.cast(tied, "float32")), x.dtype)
            return (
                of_x,
                dense.of_kernel(activation(tied), upstream),
                dense.sum_of_rows(upstream),
            )

        return dense.times(activation(x), kernel) + bias, gradient

    return run(x, kernel, bias)


ACTIVATIONS = {
    "gelu": gelu,
    "gelu_exact": gelu_exact,
    "gelu_new": gelu,
    "gelu_pytorch_tanh": gelu,
    "linear": keras.activations.linear,
    "relu": keras.activations.relu,
    "tanh": keras.activations.tanh,
}
# The derivatives, of float32.
_SLOPES = {
    "gelu": _gelu_slope,
    "gelu_exact": _gelu_exact_slope,
    "gelu_new": _gelu_slope,
    "gelu_pytorch_tanh": _gelu_slope,
    "linear": ops.ones_like,
    "relu": lambda x: ops.cast(x > 0, x.dtype),
    "tanh": lambda x: 1.0 - ops.tanh(x) ** 2,
}

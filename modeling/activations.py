"""The activations a bert_config.json may name."""

import keras
from keras import ops

from modeling.tensor import Tensor


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


ACTIVATIONS = {
    "gelu": gelu,
    "gelu_exact": gelu_exact,
    "gelu_new": gelu,
    "gelu_pytorch_tanh": gelu,
    "linear": keras.activations.linear,
    "relu": keras.activations.relu,
    "tanh": keras.activations.tanh,
}

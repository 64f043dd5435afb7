"""The activations a bert_config.json may name."""

import keras


def gelu(x):
    """Gaussian error linear unit, by the tanh formula of google-research/bert.

    Hendrycks and Gimpel, 2016 (arXiv 1606.08415), section 2. It differs from
    the exact unit by up to 5e-4.
    """
    return keras.activations.gelu(x, approximate=True)


ACTIVATIONS = {
    "gelu": gelu,
    "gelu_new": gelu,
    "gelu_pytorch_tanh": gelu,
    "linear": keras.activations.linear,
    "relu": keras.activations.relu,
    "tanh": keras.activations.tanh,
}

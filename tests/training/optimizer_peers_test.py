"""Updates equal those of Keras, PyTorch and transformers."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.training import optimizer_test
from training import adafactor, lamb, muon, optimizer

_PATHS = ("bert/a/kernel", "bert/b/kernel")
_NUM_STEPS = 50


def _difference(ours, theirs_of):
    """Trains both on the same gradients; returns the largest difference.

    Args:
        ours: an optimizer.
        theirs_of: maps first values to a function that takes gradients and
            returns the next values.
    """
    rng = np.random.default_rng(3)
    variables = optimizer_test.make_variables(rng, _PATHS)
    ours.build(variables)
    update = theirs_of([v.numpy() for v in variables])
    for _ in range(_NUM_STEPS):
        # From 1e-4 to 1e2, so that epsilon and clipping matter.
        size = 10 ** rng.uniform(-4, 2)
        gradients = [
            (size * rng.normal(size=v.shape)).astype(np.float32)
            for v in variables
        ]
        ours.apply(list(map(tf.constant, gradients)), variables)
        theirs = update(gradients)
    return max(
        np.abs(v.numpy() - wanted).max()
        for v, wanted in zip(variables, theirs, strict=True)
    )


def _keras(peer):
    def start(values):
        variables = [
            optimizer_test.variable(path, value)
            for path, value in zip(_PATHS, values, strict=True)
        ]

        def update(gradients):
            peer.apply(list(map(tf.constant, gradients)), variables)
            return [variable.numpy() for variable in variables]

        return update

    return start


def _torch(make):
    torch = pytest.importorskip("torch")

    def start(values):
        parameters = [torch.nn.Parameter(torch.tensor(v)) for v in values]
        peer = make(torch, parameters)

        def update(gradients):
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter.grad = torch.tensor(gradient)
            peer.step()
            return [parameter.detach().numpy() for parameter in parameters]

        return update

    return start


def _adamw(**settings):
    return optimizer.AdamWeightDecay(
        0.01, bias_correction=True, epsilon=1e-8, **settings
    )


def test_adamw_equals_pytorchs():
    theirs = _torch(
        lambda torch, parameters: torch.optim.AdamW(
            parameters, lr=0.01, weight_decay=0.1
        )
    )
    assert _difference(_adamw(decay=0.1), theirs) < 5e-6


def test_adamw_with_other_betas_equals_pytorchs():
    theirs = _torch(
        lambda torch, parameters: torch.optim.AdamW(
            parameters, lr=0.01, betas=(0.8, 0.98), weight_decay=0.0
        )
    )
    ours = _adamw(beta_1=0.8, beta_2=0.98, decay=0.0)
    assert _difference(ours, theirs) < 5e-6


def test_lamb_without_decay_equals_keras():
    # Keras applies its decay outside of the trust ratio, unlike the paper.
    theirs = _keras(keras.optimizers.Lamb(0.01, epsilon=1e-6))
    assert _difference(lamb.Lamb(0.01, decay=0.0), theirs) < 1e-5


def test_muon_without_decay_equals_keras():
    # Keras decays norms and biases, too, and adds epsilon before it corrects.
    theirs = keras.optimizers.Muon(
        0.01,
        epsilon=1e-12,
        weight_decay=None,
        adam_weight_decay=None,
        exclude_layers=["/b/"],
    )
    ours = muon.Muon(
        0.01,
        is_matrix=lambda variable: "/a/" in variable.path,
        decay=0.0,
        epsilon=1e-12,
    )
    assert _difference(ours, _keras(theirs)) < 1e-5


def test_adafactor_equals_transformers():
    transformers = pytest.importorskip("transformers")
    theirs = _torch(
        lambda torch, parameters: transformers.optimization.Adafactor(
            parameters, lr=0.01, relative_step=False, weight_decay=0.1
        )
    )
    assert _difference(adafactor.Adafactor(0.01, decay=0.1), theirs) < 5e-6

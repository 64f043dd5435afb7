"""Under a mixed policy matrices are multiplied low, and all else is float32."""

import numpy as np
import pytest
import tensorflow as tf
from keras import ops

from pretraining import masked_lm
from tests import tiny
from training import precision

_LOW = {"bfloat16": tf.bfloat16, "float16": tf.float16}


def _objective(mixed_precision):
    return masked_lm.MaskedLm(
        tiny.config(), use_nsp=True, seed=1, mixed_precision=mixed_precision
    )


@pytest.fixture(params=tiny.LOW_PRECISIONS)
def low(request):
    return request.param


def test_variables_and_terms_are_float32(low):
    objective = _objective(low)
    assert {v.dtype for v in objective.saved} == {"float32"}
    terms = objective.compute_terms(tiny.batch(2), tf.constant(1))
    assert {part.dtype for term in terms.values() for part in term[:2]} == {
        tf.float32
    }


def test_products_are_low_and_softmax_and_roots_are_float32(low):
    objective = _objective(low)

    @tf.function
    def gradients(batch):
        with tf.GradientTape() as tape:
            terms = objective.compute_terms(batch, tf.constant(1))
            loss = terms["masked_lm_loss"].numerator
        return tape.gradient(loss, objective.saved)

    batch = {k: tf.constant(v) for k, v in tiny.batch(4).items()}
    kinds = {}
    for operation in gradients.get_concrete_function(
        batch
    ).graph.get_operations():
        if operation.outputs:
            kinds.setdefault(operation.type, set()).add(
                operation.outputs[0].dtype
            )
    # The pooler and the head of next sentences are small and float32.
    assert kinds["BatchMatMulV2"] == {_LOW[low]}
    assert _LOW[low] in kinds["MatMul"]
    for name in ("Exp", "Rsqrt", "Tanh"):
        assert kinds[name] == {tf.float32}, name


def test_outputs_are_those_of_float32_to_the_digits_there_are(low):
    exact, mixed = (_objective(name) for name in ("none", low))
    for ours, theirs in zip(mixed.saved, exact.saved, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    batch = tiny.batch(6)
    names = ("input_ids", "input_mask", "segment_ids")
    outputs = [
        objective.encoder(*(batch[name] for name in names))
        for objective in (exact, mixed)
    ]
    digits = float(np.finfo(np.float16).eps if low == "float16" else 2**-8)
    for name in ("sequence_output", "pooled_output"):
        first, second = (
            ops.convert_to_numpy(ops.cast(output._asdict()[name], "float32"))
            for output in outputs
        )
        # The outputs are normalised: their deviation is 1.
        assert 0 < np.abs(first - second).max() < 8 * digits, name


def test_dropout_scales_by_more_digits_than_bfloat16_has(low):
    objective = _objective(low)
    layer = objective.encoder.encoder.layers[0].attention.mix.dropout
    ones = ops.ones((64, 4, 16, 16), _LOW[low])
    dropped = ops.cast(layer(ones * 0.9, seed=tf.constant(1)), "float32")
    kept = np.unique(dropped.numpy())
    np.testing.assert_allclose(kept, [0.0, 1.0], atol=2**-8)


@pytest.mark.parametrize("name", precision.POLICIES)
def test_a_choice_of_the_user_goes_before_the_devices(name, monkeypatch):
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    assert precision.choose(name, tf.distribute.get_strategy()) == name

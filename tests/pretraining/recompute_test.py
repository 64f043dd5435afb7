"""--recompute gives the same gradients, of less that is kept."""

import numpy as np
import pytest
import tensorflow as tf

from pretraining import masked_lm
from tests import tiny
from training import gradients


def _objective(recompute):
    return masked_lm.MaskedLm(
        tiny.config(), use_nsp=True, seed=1, recompute=recompute
    )


def _gradients(objective, num_parts):
    found, variables, _ = gradients.compute(
        objective.compute_terms,
        {name: tf.constant(x) for name, x in tiny.batch(4).items()},
        objective.saved,
        make_seed=lambda part: tf.cast(part, tf.uint32) + 5,
        num_parts=num_parts,
    )
    assert len(variables) == len(objective.saved)
    return found


@pytest.mark.parametrize(
    ("num_parts", "jit_compile"), [(1, True), (1, None), (2, None)]
)
def test_gradients_are_those_without(num_parts, jit_compile):
    kept, again = (
        tf.function(_gradients, jit_compile=jit_compile)(
            _objective(recompute), num_parts
        )
        for recompute in (False, True)
    )
    for one, other in zip(kept, again, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_layers_are_computed_twice_and_nothing_else():
    def count(recompute):
        graph = (
            tf.function(_gradients)
            .get_concrete_function(_objective(recompute), 1)
            .graph
        )
        operations = list(graph.get_operations())
        roots = [o for o in operations if o.type == "Rsqrt"]
        tanhs = [o for o in operations if o.type == "Tanh"]
        return len(roots), len(tanhs)

    # A norm after the embeddings, two a layer, one in the head; tanh in the
    # gelu of each layer, twice more in its gradient, of the head, and in the
    # pooler.
    assert count(False) == (1 + 2 * 2 + 1, 3 * 2 + 1 + 1)
    assert count(True) == (1 + 2 * 2 * 2 + 1, 4 * 2 + 1 + 1)

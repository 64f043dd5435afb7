"""The divergence from a teacher's words, in chunks and at once."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import special

from pretraining import soft_targets
from pretraining.soft_targets import Scorer

_ROWS, _WORDS = 13, 29


def _scorer(seed, width):
    rng = np.random.default_rng(seed)
    return Scorer(
        *(
            tf.constant(rng.normal(size=shape), tf.float32)
            for shape in ((_ROWS, width), (_WORDS, width), (_WORDS,))
        )
    )


def _formula(student, teacher, weights, temperature):
    """KL by SciPy, in float64, and its gradient by the student's parts."""
    log_q, log_p = (
        special.log_softmax(
            (np.float64(x.rows) @ np.float64(x.words).T + x.bias) / temperature,
            axis=1,
        )
        for x in (student, teacher)
    )
    of_rows = special.rel_entr(np.exp(log_p), np.exp(log_q)).sum(axis=1)
    of_logits = weights[:, None] * (np.exp(log_q) - np.exp(log_p)) / temperature
    gradient = Scorer(
        of_logits @ np.float64(student.words),
        of_logits.T @ np.float64(student.rows),
        of_logits.sum(axis=0),
    )
    return weights @ of_rows, gradient


# 29 words of 4 bytes: one row, four, all thirteen in a chunk.
@pytest.mark.parametrize("chunk_bytes", [4 * 29, 16 * 29, 2**20])
@pytest.mark.parametrize("is_compiled", [False, True])
def test_it_is_that_of_the_formula(monkeypatch, chunk_bytes, is_compiled):
    monkeypatch.setattr(soft_targets, "_CHUNK_BYTES", chunk_bytes)
    student, teacher = _scorer(1, width=6), _scorer(2, width=9)
    weights = (np.arange(_ROWS) % 3 != 0).astype(np.float32)

    @tf.function(jit_compile=is_compiled)
    def run():
        with tf.GradientTape() as tape:
            tape.watch((student, teacher))
            total = soft_targets.divergence(
                student, teacher, tf.constant(weights), 2.0
            )
            doubled = 2.0 * total
        found = tape.gradient(doubled, (student, teacher))
        assert all(x is None for x in found[1])
        return total, found[0]

    total, found = run()
    wanted, gradient = _formula(student, teacher, weights, 2.0)
    assert float(total) == pytest.approx(wanted, rel=1e-5)
    for one, other in zip(found, gradient, strict=True):
        np.testing.assert_allclose(one, 2 * other, atol=1e-5)


def test_of_a_student_that_is_its_teacher_it_is_zero():
    same = _scorer(3, width=6)
    weights = tf.ones(_ROWS)
    assert abs(float(soft_targets.divergence(same, same, weights, 1.0))) < 1e-5

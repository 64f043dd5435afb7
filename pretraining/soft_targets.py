"""The divergence of a student's words from a teacher's (Hinton et al. 2015).

    KL(teacher || student) = sum over words of p (log p - log q)

with p and q the softmax of the teacher's and of the student's logits, both
divided by a temperature. Logits of all tokens are large, [R, V], so that they
are computed for some rows at a time, together with their gradient: none is kept
for the backward pass.

Shapes: R rows, C rows of a chunk, E embedding width, V vocabulary.
"""

from typing import Any, NamedTuple, Self

import keras
import tensorflow as tf
from keras import ops

from modeling import dense
from modeling.heads import MaskedLmHead

# Of one array of logits, [C, V] in float32; a step has some six of them.
_CHUNK_BYTES = 2**27
# No share is less, so that its logarithm is finite.
_LEAST_SHARE = 1e-9


class Scorer(NamedTuple):
    """What gives rows a score for each word."""

    rows: Any  # [R, E], of the type that matrices are multiplied in.
    words: Any  # [V, E] float32
    bias: Any  # [V] float32

    @classmethod
    def of(
        cls, head: MaskedLmHead, rows: tf.Tensor, words: keras.Variable
    ) -> Self:
        """Returns that of rows of the last layer, [R, W]."""
        return cls(
            head.transform(rows),
            tf.convert_to_tensor(words),
            tf.convert_to_tensor(head.output_bias),
        )

    def log_shares(self, temperature: float) -> tf.Tensor:
        """Returns the logarithm of the share of each word, [R, V]."""
        logits = dense.times_transposed(self.rows, self.words)
        logits = ops.cast(logits, "float32") + self.bias
        return ops.log_softmax(logits / temperature, axis=-1)


def divergence(
    student: Scorer,
    teacher: Scorer,
    weights: tf.Tensor,
    temperature: float,
) -> tf.Tensor:
    """Returns the sum over rows of weight times KL(teacher || student).

    Args:
        student: a gradient goes into each of its parts.
        teacher: none goes into these.
        weights: float32 [R]; they get none.
        temperature: what logits are divided by.

    Returns:
        A float32 scalar.
    """
    num_rows, vocab_size = student.rows.shape[0], student.words.shape[0]
    num_chunks = -(-4 * num_rows * vocab_size // _CHUNK_BYTES)
    teacher_rows = _in_chunks(teacher.rows, num_chunks)
    weights = _in_chunks(weights, num_chunks)

    @tf.custom_gradient
    def run(rows, words, bias):
        student = Scorer(_in_chunks(rows, num_chunks), words, bias)

        def of_chunk(index):
            return _of_chunk(
                student._replace(rows=student.rows[index]),
                teacher._replace(rows=teacher_rows[index]),
                weights[index],
                temperature,
            )

        total, found = _sum_of_chunks(of_chunk, student)

        def gradient(upstream):
            of_rows = tf.reshape(found.rows, (-1, rows.shape[1]))[:num_rows]
            return (
                tf.cast(upstream * tf.cast(of_rows, "float32"), rows.dtype),
                upstream * found.words,
                upstream * found.bias,
            )

        return total, gradient

    return run(*student)


def divergence_of_likeliest(
    log_shares: tf.Tensor, words: tf.Tensor, shares: tf.Tensor
) -> tf.Tensor:
    """Returns KL(teacher || student) of some words and of all others as one.

    Args:
        log_shares: the student's, float32 [R, V].
        words: int32 [R, K], those of which something is known.
        shares: the teacher's, and behind them that of all other words, float32
            [R, K + 1]; rounded, so that they may not sum up to 1.

    Returns:
        Float32 [R].
    """
    log_q = ops.take_along_axis(log_shares, words, axis=-1)
    others = 1.0 - ops.sum(ops.exp(log_q), axis=-1, keepdims=True)
    log_q = ops.concatenate([log_q, _log(others)], axis=-1)
    total = ops.sum(shares, axis=-1, keepdims=True)
    p = shares / ops.maximum(total, _LEAST_SHARE)
    return ops.sum(p * (_log(p) - log_q), axis=-1)


def _log(shares):
    """Returns the logarithm, of 0 a finite one."""
    return ops.log(ops.maximum(shares, _LEAST_SHARE))


def _in_chunks(x, num_chunks):
    """Maps [R, ...] to [N, C, ...], filled up with zeros."""
    missing = -x.shape[0] % num_chunks
    padded = tf.pad(x, [[0, missing]] + [[0, 0]] * (len(x.shape) - 1))
    return tf.reshape(padded, (num_chunks, -1, *x.shape[1:]))


def _of_chunk(student, teacher, weights, temperature):
    """Returns the sum over a chunk's rows, and its gradient as a `Scorer`."""
    log_p = tf.stop_gradient(teacher.log_shares(temperature))
    with tf.GradientTape() as tape:
        tape.watch(student)
        log_q = student.log_shares(temperature)
        of_rows = tf.reduce_sum(tf.exp(log_p) * (log_p - log_q), axis=1)
        total = tf.reduce_sum(weights * of_rows)
    return total, tape.gradient(total, student)


def _sum_of_chunks(of_chunk, student):
    """Returns the sum over all chunks, and its gradient, rows [N, C, E]."""
    num_chunks = student.rows.shape[0]
    if num_chunks == 1:
        return of_chunk(0)

    def add(index, total, rows, words, bias):
        more, found = of_chunk(index)
        rows = rows.write(index, found.rows)
        return (
            *(index + 1, total + more),
            *(rows, words + found.words, bias + found.bias),
        )

    _, total, rows, words, bias = tf.while_loop(
        lambda index, *_: index < num_chunks,
        add,
        (
            tf.constant(0),
            tf.zeros(()),
            tf.TensorArray(student.rows.dtype, size=num_chunks),
            tf.zeros_like(student.words),
            tf.zeros_like(student.bias),
        ),
        parallel_iterations=1,
        maximum_iterations=num_chunks,
    )
    return total, Scorer(rows.stack(), words, bias)

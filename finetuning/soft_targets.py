"""How far a student's outputs are from its teacher's (Hinton et al. 2015).

Shapes: B batch, L labels, or whatever stands on the last axis.
"""

import tensorflow as tf


def divergence(
    teacher: tf.Tensor, student: tf.Tensor, temperature: float
) -> tf.Tensor:
    """Returns T^2 KL(softmax(teacher / T) || softmax(student / T)), [...].

    The gradient of a softened distribution falls with T^2, which the factor
    makes good, so that the share of the loss means the same at each T.

    Args:
        teacher, student: logits, float32 [..., L].
        temperature: T.
    """
    wanted = tf.nn.log_softmax(teacher / temperature)
    found = tf.nn.log_softmax(student / temperature)
    apart = tf.reduce_sum(tf.exp(wanted) * (wanted - found), axis=-1)
    return temperature**2 * apart


def binary_divergence(
    teacher: tf.Tensor, student: tf.Tensor, temperature: float
) -> tf.Tensor:
    """Returns the mean of `divergence` over L labels, each yes or no, [...].

    Args:
        teacher, student: logits of yes, float32 [..., L].
        temperature: T.
    """
    wanted, found = (
        # A sigmoid is a softmax against 0.
        tf.stack([logits, tf.zeros_like(logits)], axis=-1)
        for logits in (teacher, student)
    )
    return tf.reduce_mean(divergence(wanted, found, temperature), axis=-1)

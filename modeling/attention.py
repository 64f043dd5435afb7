"""Attention that keeps none of its weights for the backward pass.

They are computed again there, as in Dao et al. 2022 (FlashAttention), section
3.1 and appendix B.2, but without tiles: those are the compiler's.

Shapes: B batch, H heads, D head width; Q and K are T, of queries and of keys.
"""

from keras import ops


def attend(query, key, value, score_bias, drop):
    """Mixes values by the softmax of scaled scores.

    Args:
        query: [B, H, Q, D], scaled.
        key: [B, H, K, D].
        value: [B, H, K, D].
        score_bias: float32, added to the scores; broadcasts to [B, H, Q, K] and
            gets no gradient.
        drop: `drop(x, is_transposed)` multiplies each element of [B, H, Q, K],
            or of [B, H, K, Q], by a number that does not depend on it.

    Returns:
        [B, H, Q, D].
    """
    dtype = query.dtype

    @ops.custom_gradient
    def mix(query, key, value):
        weights, total = _weigh(query, key, score_bias, axis=3)
        mixed = ops.matmul(drop(weights, False), value)
        mixed = _float32(mixed) / total

        def gradient(*args, upstream=None):
            if upstream is None:
                (upstream,) = args
            # Everything is [B, H, K, Q] here. The forward pass has no such
            # array, so that no compiler takes one from there, which it would
            # have to keep until now.
            weights, total = _weigh(
                key, query, ops.swapaxes(score_bias, 2, 3), axis=2
            )
            scaled = ops.cast(_float32(upstream) / total, dtype)
            of_value = ops.matmul(drop(weights, True), scaled)
            of_weights = ops.matmul(value, ops.swapaxes(upstream, 2, 3))
            of_weights = _float32(drop(of_weights, True))
            mean = ops.sum(_float32(upstream) * mixed, axis=3)[:, :, None]
            of_scores = _float32(weights) * (of_weights - mean)
            of_scores /= ops.swapaxes(total, 2, 3)
            of_scores = ops.cast(of_scores, dtype)
            of_query = ops.matmul(ops.swapaxes(key, 2, 3), of_scores)
            return (
                ops.swapaxes(of_query, 2, 3),
                ops.matmul(of_scores, query),
                of_value,
            )

        return ops.cast(mixed, dtype), gradient

    return mix(query, key, value)


def _weigh(rows, columns, score_bias, axis):
    """Returns the softmax before its division, and its divisor [B, H, Q, 1].

    Divided is where that takes B*H*Q*D divisions, not B*H*Q*K of them.

    Args:
        rows: queries or keys.
        columns: keys or queries.
        score_bias: as the scores stand.
        axis: that of the keys.
    """
    scores = _float32(ops.matmul(rows, ops.swapaxes(columns, 2, 3)))
    scores += score_bias
    weights = ops.exp(scores - ops.max(scores, axis=axis, keepdims=True))
    total = ops.sum(weights, axis=axis)[..., None]
    return ops.cast(weights, rows.dtype), total


def _float32(x):
    return ops.cast(x, "float32")

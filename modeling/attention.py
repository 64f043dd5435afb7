"""Attention that keeps none of its weights for the backward pass.

One head and three tokens, the last of them padding. Rows ask, columns answer:

    query x key + bias                      softmax of each row = weights
              big    cat  [PAD]                       big   cat  [PAD]
    big       1.0    3.0  -9999             big      0.12  0.88  0.00
    cat       2.0    2.0  -9998             cat      0.50  0.50  0.00
    [PAD]     0.0    1.0  -9999             [PAD]    0.27  0.73  0.00

    output of big = 0.12 * value of big + 0.88 * value of cat

The bias of a padded key is -10000, so that no row looks at it. The row of [PAD]
itself is computed like the others, and nobody reads it.

The weights, [B, H, Q, K], are by far the largest array of a layer. The forward
pass keeps query, key, value and the output only, and the backward pass computes
the weights again, as in Dao et al. 2022 (FlashAttention), section 3.1 and
appendix B.2, but without tiles, which are left to the compiler.

Shapes: B batch, H heads, D head width; Q and K are T, of queries and of keys.
"""

from collections.abc import Callable

from keras import ops

from modeling.gradient import after, by_upstream
from modeling.tensor import Tensor


def attend(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    score_bias: Tensor,
    drop: Callable[[Tensor, bool], Tensor],
) -> Tensor:
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
        scores = scores_of(query, key, score_bias)
        highest = ops.max(scores, axis=3, keepdims=True)
        weights = ops.exp(scores - highest)
        total = ops.sum(weights, axis=3, keepdims=True)
        # B*H*Q*D divisions instead of B*H*Q*K.
        mixed = ops.matmul(drop(ops.cast(weights, dtype), False), value)
        mixed = ops.cast(_float32(mixed) / total, dtype)
        log_total = highest + ops.log(total)

        @by_upstream
        def gradient(upstream):
            # The gradient of a softmax takes the mean of the gradients by the
            # weights from each; that mean is upstream times the output.
            mean = ops.sum(_float32(upstream) * _float32(mixed), axis=3)
            # No score can be computed again before upstream is there: otherwise
            # a compiler does so early, and keeps those of all layers.
            tied = after(mean, query)
            # Everything here is transposed, [B, H, K, Q]. The forward pass
            # has no array of this form: otherwise a compiler would find that
            # it can reuse one, and keep it in memory until now.
            scores = scores_of(key, tied, ops.swapaxes(score_bias, 2, 3))
            weights = ops.exp(scores - ops.swapaxes(log_total, 2, 3))
            of_value = ops.matmul(
                drop(ops.cast(weights, dtype), True), upstream
            )
            of_weights = ops.matmul(value, ops.swapaxes(upstream, 2, 3))
            of_weights = _float32(drop(of_weights, True))
            of_scores = weights * (of_weights - mean[:, :, None])
            of_scores = ops.cast(of_scores, dtype)
            return (
                ops.matmul(ops.swapaxes(of_scores, 2, 3), key),
                ops.matmul(of_scores, tied),
                of_value,
            )

        return mixed, gradient

    return mix(query, key, value)


def scores_of(rows: Tensor, columns: Tensor, score_bias: Tensor) -> Tensor:
    """Returns the scores in float32, a row for each of `rows`.

    Args:
        rows: queries or keys.
        columns: keys or queries.
        score_bias: as the scores stand.
    """
    products = ops.matmul(rows, ops.swapaxes(columns, 2, 3))
    return _float32(products) + score_bias


def _float32(x: Tensor) -> Tensor:
    return ops.cast(x, "float32")

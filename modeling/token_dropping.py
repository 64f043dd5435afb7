"""Layers in the middle that compute a part of the tokens, in training.

    layer 0              a b c d e f g h     all
    layers 1 to L - 2    a   c d     g       those that are kept
    layer L - 1          a b c d e f g h     all, the others as of layer 0

Masked words, of which the loss is, and the first token of each sequence are
kept, the rest by lot; padding goes first. The model that is trained is an
ordinary one. Source: Hou et al. 2022, Token Dropping for Efficient BERT
Pretraining, which drops what is learned already; by lot as Yao et al. 2022,
Random-LTD, which draws for each layer anew.

Shapes: B batch, T tokens, K tokens that are kept, N positions, W width.
"""

import zlib
from typing import NamedTuple, Self

from keras import ops

from modeling import dropout
from modeling.gradient import by_upstream
from modeling.tensor import Tensor, rows_at

_SALT = zlib.crc32(b"token_dropping")


class Dropping(NamedTuple):
    """Which tokens are kept."""

    kept: Tensor  # [B, K] int32: their positions.
    order: Tensor  # [B, T] int32: all positions, those that are kept first.
    back: Tensor  # [B, T] int32: where in `order` each position stands.

    @classmethod
    def draw(
        cls,
        share: float,
        input_mask: Tensor,
        wanted: Tensor,
        seed: Tensor,
    ) -> Self:
        """Draws the tokens of a step.

        Args:
            share: of the tokens that go, padding among them.
            input_mask: [B, T], 0 for padding; T known beforehand.
            wanted: [B, N] int32, positions that are kept as long as there is
                room; those of padding mean nothing.
            seed: an integer scalar.
        """
        num_tokens = input_mask.shape[1]
        is_wanted = ops.any(
            wanted[:, :, None] == ops.arange(num_tokens, dtype="int32"), axis=1
        )
        is_real = input_mask > 0
        rank = ops.cast(is_real, "int32") + ops.cast(
            ops.logical_and(is_real, is_wanted), "int32"
        )
        bits = dropout.random_bits(input_mask.shape, seed, _SALT)
        lot = ops.cast(ops.right_shift(bits, 4), "int32")  # Below 2**28.
        order = ops.argsort(-(rank * 2**28 + lot), axis=1)
        order = ops.cast(order, "int32")
        back = ops.cast(ops.argsort(order, axis=1), "int32")
        return cls(order[:, : num_kept_of(share, num_tokens)], order, back)

    def part(self, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the kept tokens of [B, T, W] and the others."""
        ordered = _permuted(inputs, self.order, self.back)
        num_kept = self.kept.shape[1]
        return ordered[:, :num_kept], ordered[:, num_kept:]

    def join(self, kept: Tensor, others: Tensor) -> Tensor:
        """Returns [B, T, W] of what `part` made two."""
        ordered = ops.concatenate([kept, others], axis=1)
        return _permuted(ordered, self.back, self.order)


def num_kept_of(share: float, num_tokens: int) -> int:
    """Returns how many tokens of a row are kept, at least one."""
    return max(1, round((1 - share) * num_tokens))


def _permuted(inputs: Tensor, order: Tensor, back: Tensor) -> Tensor:
    """Puts the tokens of [B, T, W] into another order, [B, T].

    The gradient of a gather would be scattered; that of an order goes back.
    """

    @ops.custom_gradient
    def run(inputs):
        @by_upstream
        def gradient(upstream):
            return ops.reshape(rows_at(upstream, back), inputs.shape)

        return ops.reshape(rows_at(inputs, order), inputs.shape), gradient

    return run(inputs)

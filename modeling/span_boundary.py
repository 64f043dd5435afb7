"""The head that tells the words of a span by its boundary (Joshi et al. 2020).

Source: section 3.2, and facebookresearch/SpanBERT, pretraining/fairseq, whose
names below `pair_target_predictions` its variables have.

Shapes: B batch, T tokens, W width, E embedding width, P masked words,
V vocabulary, Q places of a span.
"""

from typing import Any, NamedTuple

import keras
from keras import ops

from modeling import activations, dense, transformer
from modeling.config import BertConfig
from modeling.dense import Dense
from modeling.initializers import Initializer
from modeling.tensor import Tensor, rows_at

# Words of a longer span have no place behind these.
NUM_PLACES = 20
_PLACE_WIDTH = 200


class Boundaries(NamedTuple):
    """Where the spans of masked words begin and end, int32 [B, P] each."""

    left: Tensor  # The token before the span.
    right: Tensor  # The token behind it.
    place: Tensor  # Of a word in its span, from 0 on.
    # float32: 1 for a word that the boundary is asked for, else 0.
    weights: Tensor


def boundaries(
    positions: Tensor, weights: Tensor, sequence_numbers: Tensor
) -> Boundaries:
    """Finds the span of each masked word: the run of masked ones it is in.

        position    0     1     2     3     4     5     6
        token       [CLS] the   [M]   [M]   sat   [M]   [SEP]
        left                    1     1           -
        right                   4     4           -
        place                   0     1

    Spans side by side are one. The boundary is text: a span that [CLS] or the
    last [SEP] stands beside is left out, and so are words behind the 20th.

    Args:
        positions: int32 [B, P] of the masked words, in any order.
        weights: [B, P], not 0 where there is such a word.
        sequence_numbers: int32 [B, T], 0 at padding, 1 elsewhere; 1, 2, ... in
            rows of several sequences.
    """
    num_tokens = ops.shape(sequence_numbers)[1]
    place_of = ops.arange(num_tokens, dtype="int32")
    is_here = ops.equal(positions[..., None], place_of)  # [B, P, T]
    is_here = ops.logical_and(is_here, (weights > 0)[..., None])
    is_text = ops.logical_not(ops.any(is_here, axis=1))[:, None]  # [B, 1, T]
    here = positions[..., None]
    left = ops.max(
        ops.where(ops.logical_and(is_text, place_of < here), place_of, -1), -1
    )
    right = ops.min(
        ops.where(
            ops.logical_and(is_text, place_of > here), place_of, num_tokens
        ),
        -1,
    )
    numbers = ops.pad(sequence_numbers, [[0, 0], [1, 2]])
    place = positions - left - 1
    own = ops.take_along_axis(numbers, positions + 1, axis=1)
    is_asked = ops.logical_and(weights > 0, place < NUM_PLACES)
    # Beyond the boundary the sequence goes on, so that the boundary is text.
    for beyond in (left - 1, right + 1):
        at = ops.clip(beyond + 1, 0, num_tokens + 2)
        is_inside = ops.take_along_axis(numbers, at, axis=1) == own
        is_asked = ops.logical_and(is_asked, is_inside)
    return Boundaries(
        ops.maximum(left, 0),
        ops.minimum(right, num_tokens - 1),
        ops.clip(place, 0, NUM_PLACES - 1),
        ops.cast(is_asked, "float32"),
    )


class SpanBoundaryHead(keras.layers.Layer):
    """Scores every word at each place of a span, from its boundary alone.

    The functions are SpanBERT's, whatever the encoder's are.
    """

    def __init__(
        self,
        config: BertConfig,
        initializer: Initializer,
        name: str = "pair_target_predictions",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.config = config
        self.initializer = initializer
        self.linears = [
            Dense(
                width,
                activation=activations.gelu_exact,
                kernel_initializer=initializer,
                dtype=self.dtype_policy,
                name=f"linear{number}",
            )
            # To the width of the words, with which the second is multiplied.
            for number, width in enumerate(
                (config.hidden_size, config.embedding_size), 1
            )
        ]
        self.layer_norms = [
            transformer.layer_norm(config, f"layer_norm{number}")
            for number in (1, 2)
        ]

    def build(self, sequence_shape: tuple[int | None, ...] = ()) -> None:
        width = self.config.hidden_size
        self.position_embeddings = self.add_weight(
            shape=(NUM_PLACES, _PLACE_WIDTH),
            initializer=self.initializer,
            name="position_embeddings",
        )
        with keras.name_scope("mlp_layer_norm"):
            size = 2 * width + _PLACE_WIDTH
            for linear, norm in zip(
                self.linears, self.layer_norms, strict=True
            ):
                linear.build((None, size))
                size = linear.units
                norm.build((None, size))
        self.output_bias = self.add_weight(
            shape=(self.config.vocab_size,),
            initializer="zeros",
            autocast=False,
            name="output_bias",
        )

    def call(
        self,
        sequence_output: Tensor,
        spans: Boundaries,
        word_embeddings: Tensor,
    ) -> Tensor:
        """Returns float32 logits [B, P, V].

        Args:
            sequence_output: [B, T, W].
            spans: of the masked words.
            word_embeddings: [V, E]: the output weights are the input ones.
        """
        parts = [
            rows_at(sequence_output, spans.left),
            rows_at(sequence_output, spans.right),
            ops.take(
                self.position_embeddings, ops.reshape(spans.place, (-1,)), 0
            ),
        ]
        x = ops.concatenate(
            [ops.cast(part, self.compute_dtype) for part in parts], axis=-1
        )  # [B*P, 2*W + 200]
        for linear, norm in zip(self.linears, self.layer_norms, strict=True):
            x = ops.cast(norm(linear(x)), self.compute_dtype)
        logits = dense.times_transposed(x, word_embeddings)
        logits = ops.cast(logits, "float32") + self.output_bias
        return ops.reshape(
            logits, (*ops.shape(spans.place), self.config.vocab_size)
        )

    def forward_flops(self, num_words: int) -> int:
        """Returns the arithmetic of matrix products for so many words."""
        config = self.config
        width, words = config.hidden_size, config.embedding_size
        products = (2 * width + _PLACE_WIDTH) * width
        products += width * words + words * config.vocab_size
        return 2 * num_words * products

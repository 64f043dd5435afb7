"""What an encoder owes the rest of the program.

An encoder reads rows of token ids and says something about each token and each
row. Objectives, fine-tuning, freezing, layer-wise rates, the count of
arithmetic and conversions ask it what is declared here, and know no family and
no name of a variable:

    ids, mask, segments  ->  Encoder  ->  Encoded  ->  heads

A new family is a subclass, a row in `modeling.families`, and a row in
`interop.families`.

Shapes: B batch, T tokens, S packed sequences, W width, V vocabulary,
E embedding width.
"""

import abc
from collections.abc import Sequence
from typing import NamedTuple

import keras

from modeling.config import BertConfig
from modeling.tensor import Tensor
from modeling.token_dropping import Dropping


class Encoded(NamedTuple):
    """What an encoder makes of a batch."""

    sequence_output: Tensor  # [B, T, W], of the last layer.
    # [B, W], or [B, S, W] of packed sequences; None without a pooler.
    pooled_output: Tensor | None = None
    layer_outputs: Sequence[Tensor] = ()  # [B, T, W] each, the last one last.
    embedding_output: Tensor | None = None  # [B, T, W], what layer 0 reads.


class Encoder(keras.layers.Layer, abc.ABC):
    """The base of every family's encoder."""

    config: BertConfig

    @abc.abstractmethod
    def call(
        self,
        input_ids: Tensor,
        input_mask: Tensor,
        segment_ids: Tensor,
        first_tokens: Tensor | None = None,
        dropout_seed: Tensor | None = None,
        num_layers: int | None = None,
        dropping: Dropping | None = None,
    ) -> Encoded:
        """Encodes a batch.

        With `first_tokens` a row holds several sequences, one behind another:
        none attends to another, and in each the positions begin at 0.

        Args:
            input_ids: [B, T] int32.
            input_mask: [B, T] int32, 1 for real tokens and 0 for padding; or
                the number of the sequence, from 1 on, in place of 1.
            segment_ids: [B, T] int32.
            first_tokens: [B, S] int32, where the sequences begin.
            dropout_seed: an integer scalar that no other step and replica
                uses, or None for inference.
            num_layers: how many layers compute, from the lowest on; None for
                all. What is above them stands for the layers to come.
            dropping: which tokens the layers in the middle compute, of three
                layers or more; None for all.
        """

    @property
    @abc.abstractmethod
    def word_embeddings(self) -> keras.Variable:
        """[V, E]; a masked word is scored with them, too."""

    @property
    def position_embeddings(self) -> keras.Variable | None:
        """[positions, E], a row for each place; None where there is none."""
        return None

    @property
    @abc.abstractmethod
    def layers(self) -> Sequence[keras.layers.Layer]:
        """The layers, from the one that reads the embeddings upwards."""

    @abc.abstractmethod
    def attention_scores(
        self,
        number: int,
        inputs: Tensor,
        input_mask: Tensor,
        first_tokens: Tensor | None = None,
    ) -> Tensor:
        """Returns what a layer's attention is the softmax of.

        It is computed again, without dropout. A score that no token is to look
        at is some thousands below zero.

        Args:
            number: of the layer.
            inputs: what the layer reads, [B, T, W].
            input_mask, first_tokens: as `call` takes them.

        Returns:
            Float32 [B, heads, T, T], a row for each token that looks.
        """

    @abc.abstractmethod
    def top_layers(self, count: int) -> list[keras.Variable]:
        """Returns the variables of the last `count` layers and of the pooler.

        They are what a fine-tuning trains that freezes the rest. There are
        none for a count of 0; all layers are meant where there are fewer.
        """

    @abc.abstractmethod
    def depth_of(self, path: str) -> int:
        """Returns how far a variable is from the input, by its path.

        It is 0 for the embeddings and `head_depth` for what is not the
        encoder's; layer-wise learning rates go by it.
        """

    @property
    def head_depth(self) -> int:
        """The depth of the heads, the largest of all."""
        return len(self.layers) + 2

    @abc.abstractmethod
    def forward_flops(
        self, max_seq_length: int, num_layers: int | None = None
    ) -> int:
        """Returns the arithmetic of matrix products for one sequence.

        A multiplication and an addition are two. Without `num_layers` all
        layers count.
        """

    def forward_flops_dropping(
        self, max_seq_length: int, num_kept: int, num_layers: int | None = None
    ) -> int:
        """Returns the same where the middle layers compute some tokens."""
        whole = self.forward_flops(max_seq_length, num_layers)
        num_middle = max(0, len(self.layers[:num_layers]) - 2)
        before, after = (
            self.forward_flops(number, 1) - self.forward_flops(number, 0)
            for number in (max_seq_length, num_kept)
        )
        return whole - num_middle * (before - after)

"""ELECTRA's encoder: BERT's on embeddings of a width of their own.

Clark et al. 2020. It has no pooler: a classifier of sequences begins with a
dense layer of its own, of which the exact GELU is taken.
"""

import dataclasses
from typing import Any, ClassVar

import keras
from keras import ops

from modeling import activations
from modeling.bert import BertEncoder
from modeling.config import BertConfig
from modeling.dense import Dense
from modeling.initializers import Initializer
from modeling.tensor import Tensor

# Of a published model, whatever its width.
HEAD_WIDTH = 64


@dataclasses.dataclass(frozen=True, kw_only=True)
class ElectraConfig(BertConfig):
    """BERT's keys and the width of the embeddings.

    Defaults are those of the small model, as in transformers.
    """

    model_type: ClassVar[str] = "electra"
    may_decode: ClassVar[bool] = False
    published: ClassVar[frozenset[str]] = BertConfig.published | {
        *("summary_activation", "summary_first_dropout"),
        *("summary_last_dropout", "summary_type", "summary_use_proj"),
    }
    # Of google-research/electra, too.
    gelu: ClassVar[str] = "gelu_exact"
    has_pooler: ClassVar[bool] = False
    pooler_act: ClassVar[str] = "gelu_exact"
    drops_before_pooler: ClassVar[bool] = True

    embedding_size: int = 128
    hidden_size: int = 256
    num_attention_heads: int = 4
    intermediate_size: int = 1024
    type_vocab_size: int = 2


def generator_of(
    config: ElectraConfig, hidden_size: float, layers: float
) -> ElectraConfig:
    """Returns the shape of the generator of a discriminator.

    Its embeddings are the discriminator's, and as wide. Source:
    google-research/electra, pretrain_helpers.py and training_utils.py.

    Args:
        config: of the discriminator.
        hidden_size: the share of its width.
        layers: the share of its layers.

    Raises:
        ValueError: the heads cannot share such a width.
    """
    width = max(1, round(config.hidden_size * hidden_size))
    return dataclasses.replace(
        config,
        hidden_size=width,
        num_hidden_layers=max(1, round(config.num_hidden_layers * layers)),
        num_attention_heads=max(1, width // HEAD_WIDTH),
        intermediate_size=4 * width,
    )


class ElectraEncoder(BertEncoder):
    """ELECTRA without a head."""

    scope: ClassVar[str] = "electra"


class DiscriminatorHead(keras.layers.Layer):
    """Scores of each token whether it was put in the place of another."""

    def __init__(
        self,
        config: BertConfig,
        initializer: Initializer,
        name: str = "discriminator_predictions",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.width = config.hidden_size
        self.dense = Dense(
            config.hidden_size,
            activation=activations.ACTIVATIONS[config.hidden_act],
            kernel_initializer=initializer,
            dtype=self.dtype_policy,
            name="dense",
        )
        self.score = Dense(
            1,
            kernel_initializer=initializer,
            dtype=self.dtype_policy,
            name="dense_1",
        )

    def build(
        self, sequence_shape: tuple[int | None, ...] = (None, None)
    ) -> None:
        shape = (*sequence_shape[:2], self.width)
        self.dense.build(shape)
        self.score.build(shape)

    def call(self, sequence_output: Tensor) -> Tensor:
        """Maps [B, T, W] to float32 logits [B, T]."""
        scores = self.score(self.dense(sequence_output))
        return ops.cast(ops.squeeze(scores, axis=-1), "float32")

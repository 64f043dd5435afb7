"""RoFormer: a BERT without position embeddings (Su et al. 2021).

In every layer queries and keys are turned by their place instead. What was
learned of short sequences then holds for long ones.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from modeling.bert import BertEncoder
from modeling.config import BertConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class RoFormerConfig(BertConfig):
    """BERT's keys, and what the pooler and "gelu" are in transformers."""

    model_type: ClassVar[str] = "roformer"
    only: ClassVar[Mapping[str, Any]] = {
        **{
            key: value
            for key, value in BertConfig.only.items()
            if key != "position_embedding_type"
        },
        "rotary_value": False,
    }
    gelu: ClassVar[str] = "gelu_exact"
    # Of the head of its classifiers; published models have no pooler.
    pooler_act: ClassVar[str] = "gelu_exact"
    rotates: ClassVar[bool] = True

    type_vocab_size: int = 2
    max_position_embeddings: int = 1536

    def __post_init__(self):
        super().__post_init__()
        if self.hidden_size // self.num_attention_heads % 2:
            raise ValueError(
                f"hidden_size={self.hidden_size} in num_attention_heads="
                f"{self.num_attention_heads} makes heads of an odd width, "
                "which has no pairs to turn"
            )


class RoFormerEncoder(BertEncoder):
    """RoFormer without its pretraining heads."""

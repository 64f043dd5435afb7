"""ELECTRA's encoder: BERT's on embeddings of a width of their own.

Clark et al. 2020. It has no pooler: a classifier of sequences begins with a
dense layer of its own, of which the exact GELU is taken.
"""

import dataclasses
from typing import ClassVar

from modeling.bert import BertEncoder
from modeling.config import BertConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class ElectraConfig(BertConfig):
    """BERT's keys and the width of the embeddings.

    Defaults are those of the small model, as in transformers.
    """

    model_type: ClassVar[str] = "electra"
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


class ElectraEncoder(BertEncoder):
    """ELECTRA without a head."""

    scope: ClassVar[str] = "electra"

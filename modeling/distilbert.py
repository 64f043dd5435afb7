"""DistilBERT's encoder: BERT's without segments and without a pooler.

Sanh et al. 2019. A classifier of sequences begins with a dense layer of its own
and ReLU.
"""

import dataclasses
from collections.abc import Mapping
from typing import ClassVar

from modeling.bert import BertEncoder
from modeling.config import BertConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class DistilBertConfig(BertConfig):
    """BERT's sizes under keys of its own; defaults are the published ones."""

    model_type: ClassVar[str] = "distilbert"
    may_decode: ClassVar[bool] = False
    marks: ClassVar[frozenset[str]] = frozenset({"n_layers", "hidden_dim"})
    keys: ClassVar[Mapping[str, str]] = {
        "attention_probs_dropout_prob": "attention_dropout",
        "hidden_act": "activation",
        "hidden_dropout_prob": "dropout",
        "hidden_size": "dim",
        "intermediate_size": "hidden_dim",
        "num_attention_heads": "n_heads",
        "num_hidden_layers": "n_layers",
    }
    published: ClassVar[frozenset[str]] = BertConfig.published | {
        *("sinusoidal_pos_embds", "tie_weights_"),
    }
    gelu: ClassVar[str] = "gelu_exact"
    has_pooler: ClassVar[bool] = False
    pooler_act: ClassVar[str] = "relu"

    num_hidden_layers: int = 6
    type_vocab_size: ClassVar[int] = 0  # type: ignore[misc]
    seq_classif_dropout: float = 0.2
    qa_dropout: float = 0.1

    @property
    def classifier_dropout_rate(self) -> float:
        return self.seq_classif_dropout

    @property
    def answer_dropout_rate(self) -> float:
        return self.qa_dropout


class DistilBertEncoder(BertEncoder):
    """DistilBERT without a head."""

    scope: ClassVar[str] = "distilbert"

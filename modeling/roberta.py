"""RoBERTa's encoder: BERT's with one segment and positions from row 2 on.

Liu et al. 2019. The two rows before stand in published tables and are nobody's:
they are kept as they are.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar

from modeling.bert import BertEncoder
from modeling.config import BertConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class RobertaConfig(BertConfig):
    """BERT's keys; defaults are those of the base model."""

    model_type: ClassVar[str] = "roberta"
    only: ClassVar[Mapping[str, Any]] = {
        **BertConfig.only,
        "layer_norm_eps": 1e-5,
    }
    gelu: ClassVar[str] = "gelu_exact"
    has_pooler: ClassVar[bool] = False
    drops_before_pooler: ClassVar[bool] = True
    first_position: ClassVar[int] = 2

    max_position_embeddings: int = 514
    type_vocab_size: int = 1

    def __post_init__(self):
        super().__post_init__()
        if self.num_positions < 1:
            raise ValueError(
                f"max_position_embeddings={self.max_position_embeddings} is "
                f"not more than {self.first_position}, the rows that are "
                "nobody's"
            )


class RobertaEncoder(BertEncoder):
    """RoBERTa without a head."""

    scope: ClassVar[str] = "roberta"

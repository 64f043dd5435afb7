"""SpanBERT's objective: masked words, also from the boundary of their span.

Joshi et al. 2020, section 3.2. The spans are the runs of masked words that
records of --mask_unit=span have; records of other masks have shorter ones. The
published model is the plain BERT: it alone is exported, and the head of the
boundary stays in the checkpoints.
"""

from typing import Any

import keras

from modeling.config import BertConfig
from modeling.encoder import Encoded
from modeling.span_boundary import SpanBoundaryHead, boundaries
from pretraining.masked_lm import MaskedLm, label_terms
from training import precision
from training.objective import Batch, Term

SPAN_TERMS = ("span_boundary_loss", "span_boundary_accuracy")
# SpanBERT divides by the number of words and 1.
_EPSILON = 1.0


class SpanBoundary(MaskedLm):
    """`MaskedLm` and the head of the boundary; takes the same arguments."""

    def __init__(
        self,
        architecture: BertConfig,
        *,
        mixed_precision: str = "none",
        **options: Any,
    ):
        super().__init__(
            architecture, mixed_precision=mixed_precision, **options
        )
        self.span_head = SpanBoundaryHead(
            architecture,
            self.initializer,
            dtype=precision.POLICIES[mixed_precision],
        )
        with keras.name_scope("cls"):
            self.span_head.build()

    @property
    def saved(self) -> list[keras.Variable]:
        return super().saved + self.span_head.trainable_variables

    @property
    def exported(self) -> list[keras.Variable]:
        return super().saved

    @property
    def term_names(self) -> tuple[str, ...]:
        return super().term_names + SPAN_TERMS

    def terms_of(
        self, encoded: Encoded, batch: Batch, has_pairs: bool = True
    ) -> dict[str, Term]:
        spans = boundaries(
            batch["masked_lm_positions"],
            batch["masked_lm_weights"],
            batch["input_mask"],
        )
        logits = self.span_head(
            encoded.sequence_output, spans, self.encoder.word_embeddings
        )
        return super().terms_of(encoded, batch, has_pairs) | label_terms(
            SPAN_TERMS,
            logits,
            batch["masked_lm_ids"],
            spans.weights,
            epsilon=_EPSILON,
        )

    def training_flops(
        self,
        max_seq_length: int,
        max_predictions_per_seq: int,
        num_layers: int | None = None,
    ) -> int:
        rest = super().training_flops(
            max_seq_length, max_predictions_per_seq, num_layers
        )
        return rest + 3 * self.span_head.forward_flops(max_predictions_per_seq)

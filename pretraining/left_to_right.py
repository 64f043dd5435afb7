"""Each token from those before it: "LTR & No NSP" of BERT's ablations.

Devlin et al. 2019, section 5.1. Records are those of masked words, with the
words put back. Every token but the first is told, the [SEP] at the end, too:

    reads   [CLS]  the   cat   sat
    tells   the    cat   sat   [SEP]

Scores of all tokens at once, [B, T, V], would be the largest array by far. They
are computed for some places of the rows at a time, and again in the backward
pass.

Shapes: B batch of one replica, T tokens, W width, C tokens at a time,
P predictions, V vocabulary.
"""

import dataclasses
import functools

import keras
import tensorflow as tf
from keras import ops

from data.config import MaskingConfig
from modeling import families, heads, initializers
from modeling.config import BertConfig
from pretraining.config import PretrainingConfig
from pretraining.masked_lm import label_terms
from pretraining.objective import PretrainingObjective, encode
from training import precision
from training.gradients import ComputeTerms
from training.objective import Batch, Term

TERMS = ("lm_loss", "lm_accuracy")
# C: about as many scores a row as masked words have.
_TOKENS_AT_ONCE = 32


class LeftToRight(PretrainingObjective):
    """A decoder without a pooler, and BERT's head over the words.

    Args:
        architecture: the shape of the model; a decoder's.
        seed: decides the first weights.
        mixed_precision: a key of `precision.POLICIES`.
        recompute: see `MaskedLm`.
    """

    term_names = TERMS
    shown = ("loss", "lm_accuracy")
    exported_head = "masked_lm"

    def __init__(
        self,
        architecture: BertConfig,
        *,
        seed: int,
        mixed_precision: str = "none",
        recompute: bool = False,
    ):
        initializer = initializers.TruncatedNormal(
            architecture.initializer_range, seed
        )
        policy = precision.POLICIES[mixed_precision]
        self.architecture = architecture
        self.mixed_precision = mixed_precision
        self.encoder = families.make_encoder(
            architecture,
            initializer,
            recompute=recompute,
            has_pooler=False,
            dtype=policy,
        )
        self.head = heads.MaskedLmHead(
            architecture, initializer, dtype=policy, name="predictions"
        )
        with keras.name_scope("cls"):
            self.head.build((None, None, architecture.hidden_size))

    @property
    def saved(self) -> list[keras.Variable]:
        return self.encoder.trainable_variables + self.head.trainable_variables

    def compute_terms_of(
        self, num_layers: int, has_pairs: bool = True
    ) -> ComputeTerms:
        return functools.partial(self.compute_terms, num_layers=num_layers)

    def compute_terms(
        self,
        batch: Batch,
        dropout_seed: tf.Tensor | None,
        num_layers: int | None = None,
    ) -> dict[str, Term]:
        """Returns {name: Term} of one replica's batch; see `MaskedLm`."""
        ids, numbers = whole_ids(batch), batch["input_mask"]
        read = {**batch, "input_ids": ids}
        encoded = encode(self.encoder, read, dropout_seed, num_layers)
        # None is told across the end of a sequence, nor is padding.
        is_told = (numbers[:, 1:] == numbers[:, :-1]) & (numbers[:, 1:] > 0)
        weights = ops.cast(is_told, "float32")
        sums = [ops.zeros((), "float32")] * len(TERMS)
        for first in range(0, weights.shape[1], _TOKENS_AT_ONCE):
            part = slice(first, min(first + _TOKENS_AT_ONCE, weights.shape[1]))
            # Not as arguments: a gradient is asked of each of those.
            score = functools.partial(
                self._score,
                labels=ids[:, 1:][:, part],
                weights=weights[:, part],
            )
            found = keras.remat(score)(encoded.sequence_output[:, part])
            sums = [x + y for x, y in zip(sums, found, strict=True)]
        num_told = ops.sum(weights)
        return {
            name: Term(numerator, num_told, in_loss=name.endswith("loss"))
            for name, numerator in zip(TERMS, sums, strict=True)
        }

    def _score(self, states, labels, weights):
        """Returns the numerators of the terms of [B, C, W] and [B, C] twice."""
        num_rows, num_tokens, _ = states.shape
        places = ops.arange(num_tokens, dtype="int32")[None]
        logits = self.head(
            states,
            ops.tile(places, (num_rows, 1)),
            self.encoder.word_embeddings,
        )
        terms = label_terms(TERMS, logits, labels, weights)
        return [terms[name].numerator for name in TERMS]

    def training_flops(
        self,
        max_seq_length: int,
        max_predictions_per_seq: int,
        num_layers: int | None = None,
    ) -> int:
        size = self.architecture
        word = (size.hidden_size + size.vocab_size) * size.embedding_size
        head = 2 * (max_seq_length - 1) * word
        return 3 * (
            self.encoder.forward_flops(max_seq_length, num_layers) + head
        )


def whole_ids(batch: Batch) -> tf.Tensor:
    """Returns the tokens of records before they were masked, int32 [B, T]."""
    ids = batch["input_ids"]
    place = ops.arange(ids.shape[1], dtype="int32")
    is_here = ops.logical_and(
        batch["masked_lm_positions"][..., None] == place,
        batch["masked_lm_weights"][..., None] > 0,
    )  # [B, P, T]
    words = ops.sum(
        ops.where(is_here, batch["masked_lm_ids"][..., None], 0), axis=1
    )
    return ops.where(ops.any(is_here, axis=1), words, ids)


def refuse(config: PretrainingConfig, architecture: BertConfig) -> None:
    """Refuses flags and a config that are of masked words, or of pairs."""
    given = "--objective=left_to_right"
    if config.use_nsp:
        raise ValueError(f"{given} learns nothing of pairs: give --nouse_nsp")
    if not architecture.is_decoder:
        raise ValueError(
            f"{given}: {config.bert_config_file} does not say "
            '"is_decoder": true, by which every program that reads the model '
            "knows that its tokens see those to their left alone; add it"
        )
    masks = [
        f"--{field.name}={value}"
        for field in dataclasses.fields(MaskingConfig)
        if field.name != "max_predictions_per_seq"
        and (value := getattr(config, field.name)) != field.default
    ]
    if config.masked_lm_prob_end is not None:
        masks.append(f"--masked_lm_prob_end={config.masked_lm_prob_end}")
    if masks:
        raise ValueError(
            f"{given} masks no words, so that {' '.join(masks)} has no "
            "effect; leave it out"
        )

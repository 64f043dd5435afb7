"""BERT's objective: masked words and next sentences (Devlin et al., 3.1).

Shapes: B batch of one replica, T tokens, P predictions, V vocabulary.
"""

import keras
from keras import ops

from modeling import families, heads, initializers
from training import precision, step

# google-research/bert's guard against a batch without masked words.
_EPSILON = 1e-5

MASKED_LM_TERMS = ("masked_lm_loss", "masked_lm_accuracy")
NEXT_SENTENCE_TERMS = ("next_sentence_loss", "next_sentence_accuracy")


class MaskedLm:
    """A BERT with its pretraining heads, and the terms of its loss.

    Args:
        config: a `modeling.config.BertConfig`.
        use_nsp: whether next sentence prediction counts and is reported.
        seed: decides the first weights.
        mixed_precision: what matrices are multiplied in, a name in
            `precision.POLICIES`; all else is float32.
        recompute: whether the backward pass computes the inside of each layer
            again instead of having it kept.
    """

    def __init__(
        self,
        config,
        *,
        use_nsp,
        seed,
        mixed_precision="none",
        recompute=False,
    ):
        initializer = initializers.TruncatedNormal(
            config.initializer_range, seed
        )
        self.use_nsp = use_nsp
        policy = precision.POLICIES[mixed_precision]
        self.mixed_precision = mixed_precision
        self.encoder = families.make_encoder(
            config, initializer, recompute=recompute, dtype=policy
        )
        self.heads = heads.PretrainingHeads(config, initializer, dtype=policy)
        self.heads.build()

    @property
    def variables(self):
        return self.encoder.trainable_variables + self.heads.trainable_variables

    @property
    def term_names(self):
        return MASKED_LM_TERMS + (NEXT_SENTENCE_TERMS if self.use_nsp else ())

    def compute_terms(self, batch, dropout_seed):
        """Returns {name: Term} of one replica's batch.

        Args:
            batch: a dict of the record's features, [B, T], [B, P] and [B],
                or [B, S] of S packed sequences; a row of zeros is padding and
                counts nowhere.
            dropout_seed: an integer scalar, or None for inference.
        """
        encoded = self.encoder(
            batch["input_ids"],
            batch["input_mask"],
            batch["segment_ids"],
            batch.get("next_sentence_positions"),
            dropout_seed=dropout_seed,
        )
        masked_lm_logits, next_sentence_logits = self.heads(
            encoded,
            batch["masked_lm_positions"],
            self.encoder.word_embeddings,
        )
        terms = _terms(
            MASKED_LM_TERMS,
            masked_lm_logits,
            batch["masked_lm_ids"],
            batch["masked_lm_weights"],
            epsilon=_EPSILON,
        )
        if self.use_nsp:
            weights = batch.get("next_sentence_weights")
            if weights is None:
                # The first token of a record is [CLS], never padding.
                weights = ops.cast(batch["input_mask"][:, 0], "float32")
            terms |= _terms(
                NEXT_SENTENCE_TERMS,
                next_sentence_logits,
                batch["next_sentence_labels"],
                weights,
            )
        return terms

    def metrics(self, sums):
        """Maps {name: (numerator, denominator)} to the numbers to report."""
        means = {
            name: numerator / denominator if denominator else 0.0
            for name, (numerator, denominator) in sums.items()
        }
        loss = sum(means[name] for name in means if name.endswith("_loss"))
        return {"loss": loss} | means


def _terms(names, logits, labels, weights, *, epsilon=0.0):
    """Cross entropy and accuracy of `logits` [..., V] at `labels` [...]."""
    nll = keras.losses.sparse_categorical_crossentropy(
        labels, logits, from_logits=True
    )
    is_right = ops.equal(ops.argmax(logits, axis=-1), labels)
    num_labels = ops.sum(weights)
    loss_name, accuracy_name = names
    return {
        loss_name: step.Term(
            ops.sum(weights * nll), num_labels, in_loss=True, epsilon=epsilon
        ),
        accuracy_name: step.Term(
            ops.sum(weights * ops.cast(is_right, "float32")), num_labels
        ),
    }

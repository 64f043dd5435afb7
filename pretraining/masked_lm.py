"""BERT's objective: masked words and next sentences (Devlin et al., 3.1).

Shapes: B batch of one replica, T tokens, P predictions, V vocabulary.
"""

import functools

import keras
import tensorflow as tf
from keras import ops

from modeling import families, heads, initializers, token_dropping
from modeling.config import BertConfig
from modeling.encoder import Encoded
from modeling.gradient import by_upstream
from modeling.tensor import Tensor
from modeling.token_dropping import Dropping
from pretraining.objective import PretrainingObjective, encode
from training import precision
from training.gradients import ComputeTerms
from training.objective import Batch, Term

# google-research/bert's guard against a batch without masked words.
EPSILON = 1e-5

MASKED_LM_TERMS = ("masked_lm_loss", "masked_lm_accuracy")
NEXT_SENTENCE_TERMS = ("next_sentence_loss", "next_sentence_accuracy")


class MaskedLm(PretrainingObjective):
    """A BERT with its pretraining heads, and the terms of its loss.

    Args:
        architecture: the shape of the model.
        use_nsp: whether next sentence prediction counts and is reported.
        seed: decides the first weights.
        mixed_precision: what matrices are multiplied in, a name in
            `precision.POLICIES`; all else is float32.
        recompute: whether the backward pass computes the inside of each layer
            again instead of having it kept.
        token_dropping: the share of the tokens that the layers in the middle
            leave out in training, see `modeling.token_dropping`.
    """

    def __init__(
        self,
        architecture: BertConfig,
        *,
        use_nsp: bool,
        seed: int,
        mixed_precision: str = "none",
        recompute: bool = False,
        token_dropping: float = 0.0,
    ):
        if architecture.is_decoder:
            raise ValueError(
                "--bert_config_file: is_decoder is true, and a masked word is "
                "told from both sides; give --objective=left_to_right, or a "
                "config without is_decoder"
            )
        initializer = initializers.TruncatedNormal(
            architecture.initializer_range, seed
        )
        self.initializer = initializer
        self.architecture = architecture
        self.use_nsp = use_nsp
        self.token_dropping = token_dropping
        policy = precision.POLICIES[mixed_precision]
        self.mixed_precision = mixed_precision
        self.encoder = families.make_encoder(
            architecture,
            initializer,
            recompute=recompute,
            has_pooler=architecture.has_pooler,
            dtype=policy,
        )
        self.heads = heads.PretrainingHeads(
            architecture, initializer, dtype=policy
        )
        self.heads.build()

    shown = ("loss", "masked_lm_accuracy")

    @property
    def exported_head(self) -> str:  # type: ignore[override]
        return "pretraining" if self.architecture.has_pooler else "masked_lm"

    @property
    def saved(self) -> list[keras.Variable]:
        return self.encoder.trainable_variables + self.heads.trainable_variables

    @property
    def term_names(self) -> tuple[str, ...]:
        return MASKED_LM_TERMS + (NEXT_SENTENCE_TERMS if self.use_nsp else ())

    def compute_terms_of(
        self, num_layers: int, has_pairs: bool = True
    ) -> ComputeTerms:
        return functools.partial(
            self.compute_terms, num_layers=num_layers, has_pairs=has_pairs
        )

    def compute_terms(
        self,
        batch: Batch,
        dropout_seed: tf.Tensor | None,
        num_layers: int | None = None,
        has_pairs: bool = True,
    ) -> dict[str, Term]:
        """Returns {name: Term} of one replica's batch.

        Args:
            batch: a dict of the record's features, [B, T], [B, P] and [B],
                or [B, S] of S packed sequences; a row of zeros is padding and
                counts nowhere.
            dropout_seed: an integer scalar, or None for inference.
            num_layers: see `Encoder`.
            has_pairs: whether the records are pairs; if not, nothing of the
                loss is by next sentences, and their head is not trained.
        """
        dropping = None
        if dropout_seed is not None:
            dropping = self._draw_dropping(batch, dropout_seed, num_layers)
        encoded = encode(
            self.encoder, batch, dropout_seed, num_layers, dropping
        )
        return self.terms_of(encoded, batch, has_pairs)

    def _draw_dropping(self, batch, seed, num_layers):
        """Returns what the middle layers of a step leave out, None for none."""
        if not self.token_dropping or len(self.encoder.layers[:num_layers]) < 3:
            return None
        firsts = batch.get("next_sentence_positions")
        if firsts is None:
            firsts = ops.zeros_like(batch["input_ids"][:, :1])
        wanted = ops.concatenate([firsts, batch["masked_lm_positions"]], axis=1)
        return Dropping.draw(
            self.token_dropping, batch["input_mask"], wanted, seed
        )

    def terms_of(
        self, encoded: Encoded, batch: Batch, has_pairs: bool = True
    ) -> dict[str, Term]:
        """Returns {name: Term} of an encoded batch; see `compute_terms`."""
        masked_lm_logits, next_sentence_logits = self.heads(
            encoded,
            batch["masked_lm_positions"],
            self.encoder.word_embeddings,
        )
        terms = label_terms(
            MASKED_LM_TERMS,
            masked_lm_logits,
            batch["masked_lm_ids"],
            batch["masked_lm_weights"],
            epsilon=EPSILON,
        )
        if self.use_nsp and not has_pairs:
            terms |= _no_terms(NEXT_SENTENCE_TERMS)
        elif self.use_nsp:
            weights = batch.get("next_sentence_weights")
            if weights is None:
                # The first token of a record is [CLS], never padding.
                weights = ops.cast(batch["input_mask"][:, 0], "float32")
            terms |= label_terms(
                NEXT_SENTENCE_TERMS,
                next_sentence_logits,
                batch["next_sentence_labels"],
                weights,
            )
        return terms

    def training_flops(
        self,
        max_seq_length: int,
        max_predictions_per_seq: int,
        num_layers: int | None = None,
    ) -> int:
        width = self.architecture.hidden_size
        embedding_size = self.architecture.embedding_size
        word = (width + self.architecture.vocab_size) * embedding_size
        pairs = 2 * width if self.architecture.has_pooler else 0
        heads = 2 * (max_predictions_per_seq * word + pairs)
        num_kept = token_dropping.num_kept_of(
            self.token_dropping, max_seq_length
        )
        forward = self.encoder.forward_flops_dropping(
            max_seq_length, num_kept, num_layers
        )
        return 3 * (forward + heads)


def label_terms(
    names: tuple[str, str],
    logits: Tensor,
    labels: Tensor,
    weights: Tensor,
    *,
    epsilon: float = 0.0,
) -> dict[str, Term]:
    """Returns the cross entropy and the accuracy of scores.

    Args:
        names: of the two.
        logits: float32 [..., V].
        labels: int32 [...].
        weights: float32 [...], 0 where nothing is asked.
        epsilon: see `Term`.
    """
    nll = _cross_entropy(logits, labels)
    is_right = ops.equal(first_highest(logits), labels)
    num_labels = ops.sum(weights)
    loss_name, accuracy_name = names
    return {
        loss_name: Term(
            ops.sum(weights * nll), num_labels, in_loss=True, epsilon=epsilon
        ),
        accuracy_name: Term(
            ops.sum(weights * ops.cast(is_right, "float32")), num_labels
        ),
    }


def _no_terms(names):
    """What adds nothing to a loss, and has no epsilon to be divided by."""
    zero = ops.zeros((), "float32")
    loss_name, accuracy_name = names
    return {
        loss_name: Term(zero, zero, in_loss=True, epsilon=1.0),
        accuracy_name: Term(zero, zero),
    }


def first_highest(logits: Tensor) -> Tensor:
    """Returns the argmax of `logits` [..., V], int32 [...].

    An argmax carries value and index along, which XLA does number by number.
    """
    highest = ops.max(logits, axis=-1, keepdims=True)
    index = ops.arange(logits.shape[-1], dtype="int32")
    return ops.min(
        ops.where(logits == highest, index, logits.shape[-1]), axis=-1
    )


def _cross_entropy(logits, labels):
    """Returns -log softmax(logits)[label]: [...] of [..., V] and [...].

    TensorFlow's computes the gradient with the value, and keeps it, [..., V],
    until it is asked for.
    """

    @ops.custom_gradient
    def run(logits):
        highest = ops.max(logits, axis=-1, keepdims=True)
        total = ops.sum(ops.exp(logits - highest), axis=-1, keepdims=True)
        log_total = highest + ops.log(total)
        found = ops.take_along_axis(logits, labels[..., None], axis=-1)

        @by_upstream
        def gradient(upstream):
            is_label = labels[..., None] == ops.arange(
                logits.shape[-1], dtype=labels.dtype
            )
            wanted = ops.exp(logits - log_total)
            wanted -= ops.cast(is_label, logits.dtype)
            return upstream[..., None] * wanted

        return ops.squeeze(log_total - found, axis=-1), gradient

    return run(logits)

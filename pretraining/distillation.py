"""DistilBERT's objective: masked words, as their writer and as a teacher say.

Sanh et al. 2019, section 3; huggingface's research project `distillation`,
distiller.py:

    distillation_loss   KL(teacher || student) of softened words, times the
                        square of the temperature; mean over all tokens
    masked_lm_loss      as BERT's; mean over masked words
    cosine_loss         1 - cosine of the two last hidden states; mean over
                        all tokens

Padding counts nowhere. All three are of the same rows, masks included.

Shapes: B batch of one replica, T tokens, P predictions, R rows, W width.
"""

from collections.abc import Collection

from keras import ops

from modeling.config import BertConfig
from modeling.encoder import Encoded
from modeling.tensor import rows_at
from pretraining import soft_targets, teacher
from pretraining.config import PretrainingConfig
from pretraining.masked_lm import EPSILON, MASKED_LM_TERMS, MaskedLm
from text.vocab import Vocabulary
from training.objective import Batch, Term

SOFT_TARGETS, COSINE = "distillation_loss", "cosine_loss"
# torch.nn.CosineEmbeddingLoss's, beside the square of each length.
_LENGTH_EPSILON = 1e-12


class _Student(MaskedLm):
    """BERT's heads, and weights of the terms of the loss.

    Args:
        config: has the weights of the terms.
        architecture, mixed_precision: as `MaskedLm` takes them.
    """

    def __init__(
        self,
        config: PretrainingConfig,
        architecture: BertConfig,
        mixed_precision: str,
    ):
        super().__init__(
            architecture,
            use_nsp=config.use_nsp,
            seed=config.seed,
            mixed_precision=mixed_precision,
            recompute=config.recompute,
        )
        self.config = config
        masked_lm_loss, _ = MASKED_LM_TERMS
        self.loss_weights = {
            SOFT_TARGETS: config.alpha_ce,
            masked_lm_loss: config.alpha_mlm,
            COSINE: config.alpha_cos,
        }

    @property
    def term_names(self) -> tuple[str, ...]:
        # What has no weight is not computed.
        taught = [x for x in (SOFT_TARGETS, COSINE) if self.loss_weights[x]]
        return (*super().term_names, *taught)

    def _weighted(self, terms):
        return {
            name: term._replace(weight=self.loss_weights.get(name, 1.0))
            for name, term in terms.items()
        }

    def _scorer(self, rows):
        """Returns what scores words at rows [R, W] of the last layer."""
        return soft_targets.Scorer.of(
            self.heads.masked_lm, rows, self.encoder.word_embeddings
        )

    def _divergence(self, total, weights):
        """Returns the term of a sum over rows and their weights."""
        return Term(
            self.config.distillation_temperature**2 * total,
            ops.sum(weights),
            in_loss=True,
            epsilon=EPSILON,
        )

    def training_flops(
        self,
        max_seq_length: int,
        max_predictions_per_seq: int,
        num_layers: int | None = None,
    ) -> int:
        own = super().training_flops(
            max_seq_length, max_predictions_per_seq, num_layers
        )
        num_rows = self._num_taught(max_seq_length, max_predictions_per_seq)
        return own + 6 * num_rows * _products_of_head(self.architecture)

    def _num_taught(self, max_seq_length, max_predictions_per_seq):
        """Returns at how many places of a row a teacher's words are learned."""
        if not self.loss_weights[SOFT_TARGETS]:
            return 0
        if self.config.restrict_ce_to_mask:
            return max_predictions_per_seq
        return max_seq_length


class Distillation(_Student):
    """A student with BERT's heads, and a teacher that is not trained.

    Args:
        config: names the teacher, and the weights of the terms.
        architecture: the shape of the student.
        mixed_precision: as `MaskedLm` takes it, of the teacher, too.

    Raises:
        ValueError: the teacher cannot teach this student; names the flag.
    """

    def __init__(
        self,
        config: PretrainingConfig,
        architecture: BertConfig,
        mixed_precision: str,
    ):
        model = teacher.read(config, architecture, "masked_lm")
        widths = architecture.hidden_size, model.config.hidden_size
        if config.alpha_cos and widths[0] != widths[1]:
            raise ValueError(
                f"--alpha_cos={config.alpha_cos:g} compares hidden states, but "
                f"those of --teacher_dir={config.teacher_dir} are {widths[1]} "
                f"wide and the student's {widths[0]}: set --alpha_cos=0"
            )
        super().__init__(config, architecture, mixed_precision)
        self.teacher = teacher.Teacher(
            str(config.teacher_dir), model, mixed_precision
        )

    def check_vocabulary(
        self, ours: Vocabulary | None, hashes: Collection[str]
    ) -> None:
        self.teacher.check_vocabulary(self.architecture, ours, hashes)

    def terms_of(
        self, encoded: Encoded, batch: Batch, has_pairs: bool = True
    ) -> dict[str, Term]:
        terms = super().terms_of(encoded, batch, has_pairs)
        student = encoded.sequence_output
        taught = self.teacher.encode(batch).sequence_output
        if SOFT_TARGETS in self.term_names:
            terms[SOFT_TARGETS] = self._soft_targets(student, taught, batch)
        if COSINE in self.term_names:
            terms[COSINE] = _cosine(student, taught, _tokens(batch))
        return self._weighted(terms)

    def _soft_targets(self, student, taught, batch):
        positions, weights = None, _tokens(batch)
        if self.config.restrict_ce_to_mask:
            positions = batch["masked_lm_positions"]
            weights = batch["masked_lm_weights"]
        total = soft_targets.divergence(
            self._scorer(_rows(student, positions)),
            self.teacher.scorer(_rows(taught, positions)),
            ops.reshape(weights, (-1,)),
            self.config.distillation_temperature,
        )
        return self._divergence(total, weights)

    def training_flops(
        self,
        max_seq_length: int,
        max_predictions_per_seq: int,
        num_layers: int | None = None,
    ) -> int:
        own = super().training_flops(
            max_seq_length, max_predictions_per_seq, num_layers
        )
        theirs = self.teacher.encoder.forward_flops(max_seq_length)
        num_rows = self._num_taught(max_seq_length, max_predictions_per_seq)
        head = 2 * num_rows * _products_of_head(self.teacher.config)
        return own + theirs + head


class RecordedDistillation(_Student):
    """The same where the records hold what a teacher says of masked words.

    Of each the K likeliest and their shares; the others are learned as one
    word, so that the loss is the divergence of K + 1 shares, which is never
    more than that of all words.
    """

    def terms_of(
        self, encoded: Encoded, batch: Batch, has_pairs: bool = True
    ) -> dict[str, Term]:
        terms = super().terms_of(encoded, batch, has_pairs)
        if SOFT_TARGETS in self.term_names:
            positions = batch["masked_lm_positions"]
            scorer = self._scorer(_rows(encoded.sequence_output, positions))
            weights = batch["masked_lm_weights"]
            of_rows = soft_targets.divergence_of_likeliest(
                scorer.log_shares(self.config.distillation_temperature),
                _flat(batch["teacher_words"]),
                _flat(batch["teacher_shares"]),
            )
            total = ops.sum(ops.reshape(weights, (-1,)) * of_rows)
            terms[SOFT_TARGETS] = self._divergence(total, weights)
        return self._weighted(terms)


def of_flags(
    config: PretrainingConfig, architecture: BertConfig, mixed_precision: str
) -> MaskedLm:
    """Returns the objective with the teacher that the flags name."""
    kind = RecordedDistillation if config.teacher_in_records else Distillation
    return kind(config, architecture, mixed_precision)


def _flat(x):
    """Maps [B, P, K] to [R, K]."""
    return ops.reshape(x, (-1, x.shape[-1]))


def _products_of_head(config):
    """Multiplications of the head of masked words, of one row."""
    return (config.hidden_size + config.vocab_size) * config.embedding_size


def _tokens(batch):
    """Returns 1.0 at tokens that are no padding, [B, T]."""
    return ops.cast(batch["input_mask"] > 0, "float32")


def _rows(sequence, positions):
    """Returns the rows at positions, or all; [R, W] of [B, T, W]."""
    if positions is None:
        return ops.reshape(sequence, (-1, sequence.shape[2]))
    return rows_at(sequence, positions)


def _cosine(student, taught, weights):
    """Returns the term of two [B, T, W] and the weights of tokens, [B, T]."""
    x, y = (ops.cast(states, "float32") for states in (student, taught))
    lengths = [ops.sum(z * z, axis=2) + _LENGTH_EPSILON for z in (x, y)]
    cosine = ops.sum(x * y, axis=2) * ops.rsqrt(lengths[0] * lengths[1])
    return Term(
        ops.sum(weights * (1.0 - cosine)),
        ops.sum(weights),
        in_loss=True,
        epsilon=EPSILON,
    )

"""ELECTRA's objective: tokens that a generator put in are told from the rest.

Clark et al. 2020, section 2. The generator, a small model of masked words, is
asked for those of a batch; what it samples takes their places, and the
discriminator says of every token whether it is another than was there:

    text       [CLS]  the    chef  cooked  the  meal  [SEP]
    masked     [CLS] [MASK]  chef  [MASK]  the  meal  [SEP]
    samples            the          ate
    read       [CLS]  the    chef   ate    the  meal  [SEP]
    labels       0     0      0      1      0    0      0

A sample is the highest of logit + Gumbel noise, and no gradient goes through
it. The noise is a function of the seed and of what stands in a record with its
masks, so that a sample does not depend on the step, the replica or the place in
a batch. Records that are masked anew have new noise in each epoch; of those
that were masked when they were built it is the same, and the generator moves.

Shapes: B batch of one replica, T tokens, P predictions, V vocabulary.
"""

import zlib
from types import MappingProxyType

import keras
import numpy as np
import tensorflow as tf
from keras import ops

from interop import variables
from modeling import dropout, families, heads, initializers
from modeling.electra import DiscriminatorHead, ElectraConfig
from modeling.tensor import Tensor
from pretraining import masked_lm
from pretraining.objective import Network, PretrainingObjective, encode
from training import checkpoint, precision
from training.gradients import ComputeTerms
from training.objective import Batch, Sums, Term

# google-research/electra's guard against a batch without words.
_EPSILON = 1e-6
_GENERATOR = "generator"
_NOISE = zlib.crc32(b"generator/samples")
# Logits of the discriminator are counted in bins, for the area under the curve.
_HIGHEST_LOGIT, _NUM_BINS = 10.0, 200


class ReplacedToken(PretrainingObjective):
    """A generator and a discriminator on embeddings that both share.

    Args:
        architecture: the shape of the discriminator.
        generator: that of the generator, see `modeling.electra.generator_of`.
        disc_weight: how often the discriminator's loss counts.
        seed: decides the first weights, and the samples in training.
        mixed_precision: what matrices are multiplied in, a name in
            `precision.POLICIES`; all else is float32.
        recompute: whether the backward pass computes the inside of each layer
            again instead of having it kept.
    """

    exported_head = "pretraining"
    shown = ("loss", "masked_lm_accuracy", "disc_auc")
    term_names = (
        "masked_lm_loss",
        "masked_lm_accuracy",
        "sampled_masked_lm_accuracy",
        "disc_loss",
        "disc_accuracy",
        "disc_precision",
        "disc_recall",
        "disc_auc",
        "replaced_rate",
    )
    term_lengths = MappingProxyType({"disc_auc": _NUM_BINS})

    def __init__(
        self,
        architecture: ElectraConfig,
        generator: ElectraConfig,
        *,
        disc_weight: float,
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
        self.loss_weights = MappingProxyType({"disc_loss": disc_weight})
        self._seed = seed
        options = {
            "recompute": recompute,
            "has_pooler": False,
            "dtype": policy,
        }
        self.encoder = families.make_encoder(
            architecture, initializer, **options
        )
        self.head = DiscriminatorHead(architecture, initializer, dtype=policy)
        self.head.build()
        self.generator = families.make_encoder(
            generator,
            initializer,
            embeddings=self.encoder.embeddings,
            name=_GENERATOR,
            **options,
        )
        self.generator_head = heads.MaskedLmHead(
            generator, initializer, dtype=policy, name="predictions"
        )
        with keras.name_scope("cls"):
            self.generator_head.build((None, None, generator.hidden_size))

    @property
    def exported(self) -> list[keras.Variable]:
        return self.encoder.trainable_variables + self.head.trainable_variables

    @property
    def saved(self) -> list[keras.Variable]:
        # The embeddings, which both have, once.
        both = self.exported + self._generators
        return list({id(variable): variable for variable in both}.values())

    @property
    def _generators(self) -> list[keras.Variable]:
        return (
            self.generator.trainable_variables
            + self.generator_head.trainable_variables
        )

    @property
    def networks(self) -> list[Network]:
        family = variables.family_of(self.architecture)
        scope = family.second_encoders["masked_lm"]
        by_path = checkpoint.by_path(self._generators)
        alone = {
            family.scope + path.removeprefix(scope)
            if path.startswith(scope)
            else path: variable
            for path, variable in by_path.items()
        }
        return [
            *super().networks,
            Network(_GENERATOR, self.generator.config, "masked_lm", alone),
        ]

    def compute_terms_of(
        self, num_layers: int, has_pairs: bool = True
    ) -> ComputeTerms:
        """Returns `compute_terms`.

        Raises:
            ValueError: of less than all layers; it is two networks that would
                have to grow.
        """
        num_all = self.architecture.num_hidden_layers
        if num_layers != num_all:
            raise ValueError(
                f"--stages with {num_layers} of {num_all} layers: the networks "
                "of --objective=replaced_token do not grow in layers; let "
                "stages differ in lengths and batches only"
            )
        return self.compute_terms

    def compute_terms(
        self, batch: Batch, dropout_seed: tf.Tensor | None
    ) -> dict[str, Term]:
        logits = self._words(batch, dropout_seed)
        terms = masked_lm.label_terms(
            masked_lm.MASKED_LM_TERMS,
            logits,
            batch["masked_lm_ids"],
            batch["masked_lm_weights"],
            epsilon=_EPSILON,
        )
        # In evaluation another one, whatever the run's, as it has no dropout.
        seed = 0 if dropout_seed is None else self._seed
        drawn = noise(batch, self.architecture.vocab_size, seed)
        samples = masked_lm.first_highest(ops.stop_gradient(logits) + drawn)
        is_right = ops.equal(samples, batch["masked_lm_ids"])
        weights = batch["masked_lm_weights"]
        terms["sampled_masked_lm_accuracy"] = Term(
            ops.sum(weights * ops.cast(is_right, "float32")), ops.sum(weights)
        )
        ids, is_replaced = put_in(samples, batch)
        read = {**batch, "input_ids": ids}
        encoded = encode(self.encoder, read, dropout_seed)
        return terms | _disc_terms(
            self.head(encoded.sequence_output),
            is_replaced,
            ops.cast(batch["input_mask"] > 0, "float32"),
            self.loss_weights["disc_loss"],
        )

    def _words(self, batch, dropout_seed):
        """What the generator says of the masked words, [B, P, V]."""
        # The embeddings are called twice.
        seed = dropout.of_repeat(dropout_seed, 1)
        encoded = encode(self.generator, batch, seed)
        return self.generator_head(
            encoded.sequence_output,
            batch["masked_lm_positions"],
            self.generator.word_embeddings,
        )

    def metrics(self, sums: Sums) -> dict[str, float]:
        """Maps the sums to means, and those of the bins to an area."""
        areas = {
            name: area_under_curve(*sums[name]) for name in self.term_lengths
        }
        means = super().metrics(
            {name: pair for name, pair in sums.items() if name not in areas}
        )
        return means | areas

    def training_flops(
        self,
        max_seq_length: int,
        max_predictions_per_seq: int,
        num_layers: int | None = None,
    ) -> int:
        width = self.architecture.hidden_size
        small = self.generator.config
        word = (small.hidden_size + small.vocab_size) * small.embedding_size
        token = width * (width + 1)
        forward_heads = 2 * (
            max_predictions_per_seq * word + max_seq_length * token
        )
        forward = self.encoder.forward_flops(max_seq_length, num_layers)
        forward += self.generator.forward_flops(max_seq_length)
        return 3 * (forward + forward_heads)


def noise(batch: Batch, vocab_size: int, seed: int) -> Tensor:
    """Draws Gumbel noise for each word at each mask, float32 [B, P, V].

    Of logits with noise the highest is a word's as often as it is likely.

    Args:
        batch: what stands in its rows decides, each by itself.
        vocab_size: V.
        seed: another one draws anew.
    """
    names = ("input_ids", "masked_lm_positions", "masked_lm_ids")
    rows = ops.concatenate([batch[name] for name in names], axis=1)
    seeds = dropout.seeds_of_rows(rows, seed)[:, None, None]
    shape = (1, batch["masked_lm_ids"].shape[1], vocab_size)
    bits = dropout.random_bits(shape, seeds, _NOISE)
    # In steps of 2^-23, and neither 0 nor 1.
    bits = ops.cast(ops.right_shift(bits, ops.cast(9, "uint32")), "float32")
    return -ops.log(-ops.log((bits + 0.5) * 2**-23))


def put_in(words: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Puts a word at each mask, [MASK] there or not.

    Args:
        words: int32 [B, P].
        batch: that they are of.

    Returns:
        (ids, is_replaced): int32 [B, T], and whether another token than the
        text's is there now, bool [B, T].
    """
    num_tokens = batch["input_ids"].shape[1]
    places = ops.arange(num_tokens, dtype="int32")
    # [B, P, T]; what is no mask is nowhere.
    is_there = (batch["masked_lm_positions"][..., None] == places) & (
        batch["masked_lm_weights"][..., None] > 0
    )

    def placed(values: Tensor) -> Tensor:
        return ops.max(ops.where(is_there, values[..., None], -1), axis=1)

    new = placed(words)
    ids = ops.where(new < 0, batch["input_ids"], new)
    return ids, new != placed(batch["masked_lm_ids"])


def _disc_terms(logits, is_replaced, weights, disc_weight):
    """The terms of the discriminator.

    Args:
        logits: float32 [B, T].
        is_replaced: bool [B, T].
        weights: float32 [B, T], 1 for tokens and 0 for padding.
        disc_weight: of the loss.
    """
    labels = ops.cast(is_replaced, "float32")
    losses = ops.binary_crossentropy(labels, logits, from_logits=True)
    num_tokens = ops.sum(weights)
    replaced, found = (
        weights * labels,
        weights * ops.cast(logits > 0, "float32"),
    )
    num_replaced, num_found = ops.sum(replaced), ops.sum(found)
    num_hits = ops.sum(found * labels)
    is_right = ops.cast(ops.equal(logits > 0, is_replaced), "float32")
    return {
        "disc_loss": Term(
            ops.sum(weights * losses),
            num_tokens,
            in_loss=True,
            epsilon=_EPSILON,
            weight=disc_weight,
        ),
        "disc_accuracy": Term(ops.sum(weights * is_right), num_tokens),
        "disc_precision": Term(num_hits, num_found),
        "disc_recall": Term(num_hits, num_replaced),
        "disc_auc": Term(*_counts(logits, replaced, weights - replaced)),
        "replaced_rate": Term(num_replaced, num_tokens),
    }


def _counts(logits, *kinds):
    """Counts the logits [B, T] in bins, once weighted by each of the kinds."""
    places = (logits + _HIGHEST_LOGIT) * (_NUM_BINS / (2 * _HIGHEST_LOGIT))
    places = ops.clip(places, 0, _NUM_BINS - 1)
    bins = ops.reshape(ops.cast(places, "int32"), (-1,))
    rows = ops.reshape(ops.stack(kinds), (len(kinds), -1))
    counts = ops.matmul(rows, ops.one_hot(bins, _NUM_BINS, dtype="float32"))
    return ops.stop_gradient(counts[0]), ops.stop_gradient(counts[1])


def area_under_curve(replaced: np.ndarray, others: np.ndarray) -> float:
    """Returns how likely a replaced token scores above another one.

    Of two in one bin neither is above: half counts.

    Args:
        replaced, others: how many there are in each bin, lowest first.
    """
    num_pairs = replaced.sum() * others.sum()
    if not num_pairs:
        return 0.0
    below = np.cumsum(others) - others / 2
    return float((replaced * below).sum() / num_pairs)

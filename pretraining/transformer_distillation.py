"""TinyBERT's general objective: a teacher's attention and its hidden states.

Jiao et al. 2020, section 3.1, as huawei-noah's general_distill.py has it. Of a
student of L layers and a teacher of k * L, with the states 0 (embeddings) to L:

    student    0 --- layer 0 --- 1 --- layer 1 --- 2      L = 2
    teacher    0 . . . . . . . . 3 . . . . . . . . 6      k * L = 6
                  layer 2           layer 5

    attention_loss  the scores before the softmax of layer i, beside those of
                    layer (i + 1) k - 1; mean square, summed over layers
    hidden_loss     state i, widened by one dense layer for all, beside state
                    i k; mean square, summed over states

The mean is over all elements, padding included, as published: padding makes the
loss smaller. Scores that the mask takes away count as 0 in both. A sequence of
padding alone, as it fills up an evaluation, counts nowhere.

Shapes: B batch, T tokens, H heads, W width of the student, U of the teacher.
"""

import functools
from collections.abc import Collection

import keras
import tensorflow as tf
from keras import ops

from modeling import families, initializers
from modeling.config import BertConfig
from modeling.dense import Dense
from modeling.encoder import Encoded, Encoder
from pretraining import teacher
from pretraining.config import PretrainingConfig
from pretraining.objective import PretrainingObjective, encode
from text.vocab import Vocabulary
from training import precision
from training.gradients import ComputeTerms
from training.objective import Batch, Term

# Scores at or below it are those of tokens that the mask takes away.
_TAKEN_AWAY = -100.0


class TransformerDistillation(PretrainingObjective):
    """An encoder, a map to its teacher's width, and the teacher.

    The map, `fit_dense`, is trained and saved, and not exported.

    Args:
        config: names the teacher.
        architecture: the shape of the student.
        mixed_precision: of student and teacher.

    Raises:
        ValueError: the teacher cannot teach this student; names the flag.
    """

    term_names = ("attention_loss", "hidden_loss")
    exported_head = "encoder"

    def __init__(
        self,
        config: PretrainingConfig,
        architecture: BertConfig,
        mixed_precision: str,
    ):
        model = teacher.read(config, architecture, "encoder")
        _check(config, architecture, model.config)
        initializer = initializers.TruncatedNormal(
            architecture.initializer_range, config.seed
        )
        policy = precision.POLICIES[mixed_precision]
        self.architecture = architecture
        self.mixed_precision = mixed_precision
        self.encoder = families.make_encoder(
            architecture,
            initializer,
            recompute=config.recompute,
            has_pooler=False,
            dtype=policy,
        )
        self.fit_dense = Dense(
            model.config.hidden_size,
            kernel_initializer=initializer,
            dtype=policy,
            name="fit_dense",
        )
        self.fit_dense.build((None, None, architecture.hidden_size))
        self.teacher = teacher.Teacher(
            str(config.teacher_dir), model, mixed_precision
        )

    @property
    def saved(self) -> list[keras.Variable]:
        return (
            self.encoder.trainable_variables
            + self.fit_dense.trainable_variables
        )

    @property
    def exported(self) -> list[keras.Variable]:
        return self.encoder.trainable_variables

    def check_vocabulary(
        self, ours: Vocabulary | None, hashes: Collection[str]
    ) -> None:
        self.teacher.check_vocabulary(self.architecture, ours, hashes)

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
        """Returns {name: Term} of one replica's batch; see `Objective`."""
        encoded = encode(self.encoder, batch, dropout_seed, num_layers)
        ours, theirs = _states(encoded), _states(self.teacher.encode(batch))
        step = self._layers_a_layer
        # The first token of a sequence is never padding.
        weights = ops.cast(batch["input_mask"][:, 0] > 0, "float32")
        of_attention = [
            _mean_squares(
                _scores(self.encoder, number, ours, batch),
                tf.stop_gradient(
                    _scores(
                        self.teacher.encoder,
                        (number + 1) * step - 1,
                        theirs,
                        batch,
                    )
                ),
            )
            for number in range(len(ours) - 1)
        ]
        of_states = [
            _mean_squares(self.fit_dense(state), theirs[number * step])
            for number, state in enumerate(ours)
        ]
        return {
            name: Term(
                ops.sum(weights * sum(squares)), ops.sum(weights), in_loss=True
            )
            for name, squares in zip(
                self.term_names, (of_attention, of_states), strict=True
            )
        }

    def training_flops(
        self,
        max_seq_length: int,
        max_predictions_per_seq: int,
        num_layers: int | None = None,
    ) -> int:
        depth = len(self.encoder.layers[:num_layers])
        ours, theirs = self.architecture, self.teacher.config
        widened = max_seq_length * ours.hidden_size * theirs.hidden_size
        own = self.encoder.forward_flops(max_seq_length, num_layers)
        own += depth * _flops_of_scores(ours, max_seq_length)
        own += 2 * (depth + 1) * widened
        return (
            3 * own
            + self.teacher.encoder.forward_flops(max_seq_length)
            + depth * _flops_of_scores(theirs, max_seq_length)
        )

    @property
    def _layers_a_layer(self) -> int:
        """How many layers of the teacher one of the student stands for."""
        return len(self.teacher.encoder.layers) // len(self.encoder.layers)


def _check(config, ours, theirs):
    """Refuses a teacher whose layers or heads are not those of the student."""
    named = f"--teacher_dir={config.teacher_dir}"
    if theirs.num_hidden_layers % ours.num_hidden_layers:
        raise ValueError(
            f"{named} has {theirs.num_hidden_layers} layers, no multiple of "
            f"the {ours.num_hidden_layers} of {config.bert_config_file}"
        )
    if theirs.num_attention_heads != ours.num_attention_heads:
        raise ValueError(
            f"{named} has {theirs.num_attention_heads} attention heads, "
            f"{config.bert_config_file} {ours.num_attention_heads}: their "
            "scores are compared head by head"
        )
    if config.use_nsp:
        raise ValueError(
            f"--use_nsp: --objective={config.objective} learns nothing of "
            "pairs; give --nouse_nsp"
        )
    if config.output_bias_init != "zeros":
        raise ValueError(
            f"--output_bias_init={config.output_bias_init}: --objective="
            f"{config.objective} has no head of masked words; leave it out"
        )


def _states(encoded: Encoded) -> list[tf.Tensor]:
    """Returns what each layer reads, and at last what the highest one says."""
    return [encoded.embedding_output, *encoded.layer_outputs]


def _scores(
    encoder: Encoder, number: int, states: list[tf.Tensor], batch: Batch
) -> tf.Tensor:
    """Returns the scores of a layer, [B, H, T, T], 0 where it may not look."""
    scores = encoder.attention_scores(
        number,
        states[number],
        batch["input_mask"],
        batch.get("next_sentence_positions"),
    )
    return ops.where(scores <= _TAKEN_AWAY, 0.0, scores)


def _mean_squares(x, y):
    """Returns the mean square of what two [B, ...] differ by, [B]."""
    difference = ops.cast(x, "float32") - ops.cast(y, "float32")
    return ops.mean(ops.square(difference), axis=tuple(range(1, len(x.shape))))


def _flops_of_scores(config, num_tokens):
    """Of queries, keys and their products, once more, of one layer."""
    width = config.hidden_size
    return 2 * (2 * num_tokens * width**2 + num_tokens**2 * width)

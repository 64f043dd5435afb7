"""TinyBERT's general objective: a teacher's attention and its hidden states.

Jiao et al. 2020, section 3.1, as huawei-noah's general_distill.py has it;
`modeling.layer_distillation` has the formulas. A sequence of padding alone, as
it fills up an evaluation, counts nowhere.
"""

import functools
from collections.abc import Collection

import keras
import tensorflow as tf
from keras import ops

from modeling import families, initializers, layer_distillation
from modeling.config import BertConfig
from modeling.dense import Dense
from modeling.layer_distillation import Reading
from pretraining import teacher
from pretraining.config import PretrainingConfig
from pretraining.objective import PretrainingObjective, encode
from text.vocab import Vocabulary
from training import precision
from training.gradients import ComputeTerms
from training.objective import Batch, Term


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
        of_batch = layer_distillation.differences(
            Reading(
                self.encoder,
                encode(self.encoder, batch, dropout_seed, num_layers),
            ),
            Reading(self.teacher.encoder, self.teacher.encode(batch)),
            self.fit_dense,
            batch["input_mask"],
            batch.get("next_sentence_positions"),
        )
        # The first token of a sequence is never padding.
        weights = ops.cast(batch["input_mask"][:, 0] > 0, "float32")
        return {
            name: Term(
                ops.sum(weights * values), ops.sum(weights), in_loss=True
            )
            for name, values in zip(self.term_names, of_batch, strict=True)
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


def _check(config, ours, theirs):
    """Refuses a teacher or flags that have nothing to teach."""
    layer_distillation.check(
        ours,
        theirs,
        our_name=config.bert_config_file,
        their_name=f"--teacher_dir={config.teacher_dir}",
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


def _flops_of_scores(config, num_tokens):
    """Of queries, keys and their products, once more, of one layer."""
    width = config.hidden_size
    return 2 * (2 * num_tokens * width**2 + num_tokens**2 * width)

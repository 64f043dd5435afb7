"""A model that learns what its teacher's layers do (TinyBERT, 2020, 3.2).

The first half of TinyBERT's task distillation: attention and states of the
task's own texts, no labels and no answers. The head and the pooler stay as they
begin; a second fine-tuning, from this one's --output_dir, teaches them.

Shapes: B batch, C choices, T tokens.
"""

from collections.abc import Sequence
from typing import cast

import keras
import tensorflow as tf
from keras import ops

from finetuning import teacher
from finetuning.config import FinetuningConfig
from finetuning.model import Model, encode
from finetuning.task import FEATURES, Split, Task, Tensors, Terms
from modeling import layer_distillation
from modeling.config import BertConfig
from modeling.dense import Dense
from modeling.encoder import Encoder
from modeling.initializers import TruncatedNormal
from modeling.layer_distillation import Reading
from training import precision
from training.objective import Term


class LayerStudent(Model):
    """A `Model` that is trained below its head, and a map to a wider teacher.

    The map, `fit_dense`, is saved, and the teacher is not.
    """

    teacher_encoder: Encoder
    fit_dense: Dense

    @classmethod
    def taught(
        cls,
        config: FinetuningConfig,
        architecture: BertConfig,
        task: Task,
        split: Split,
        devices: tf.distribute.Strategy,
    ) -> "LayerStudent":
        """Returns the model of --teacher_dir's student.

        Args:
            split: "train".

        Raises:
            ValueError: the teacher has other tokens, layers or heads.
        """
        model = teacher.load(config, task, devices)
        named = f"--teacher_dir={config.teacher_dir}"
        rows = model.task.make_rows("train", split.examples)
        teacher.check_rows(named, split.rows, rows, per_token=True)
        theirs = model.architecture
        layer_distillation.check(
            architecture,
            theirs,
            our_name=str(config.bert_config_file),
            their_name=named,
        )
        student = cast(
            LayerStudent, cls.of(config, architecture, task, devices)
        )
        model.encoder.trainable = False
        student.teacher_encoder = model.encoder
        with devices.scope():
            student.fit_dense = Dense(
                theirs.hidden_size,
                kernel_initializer=TruncatedNormal(
                    architecture.initializer_range, config.seed
                ),
                dtype=precision.POLICIES[student.mixed_precision],
                name="fit_dense",
            )
            student.fit_dense.build((None, None, architecture.hidden_size))
        return student

    @property
    def saved(self) -> list[keras.Variable]:
        return super().saved + self.fit_dense.trainable_variables

    @property
    def initialised(self) -> list[keras.Variable]:
        return super().saved

    @property
    def trained(self) -> list[keras.Variable]:
        return self.saved

    @property
    def term_names(self) -> Sequence[str]:
        return "attention_loss", "hidden_loss"

    def compute_terms(
        self, batch: Tensors, dropout_seed: tf.Tensor | None
    ) -> Terms:
        features = self.features(batch)
        mask = features[FEATURES.index("input_mask")]
        differences = layer_distillation.differences(
            Reading(self.encoder, encode(self.encoder, features, dropout_seed)),
            Reading(
                self.teacher_encoder, encode(self.teacher_encoder, features)
            ),
            self.fit_dense,
            ops.reshape(mask, (-1, mask.shape[-1])),
        )
        return {
            name: Term(ops.sum(found), float(found.shape[0]), in_loss=True)
            for name, found in zip(self.term_names, differences, strict=True)
        }

"""A model that learns from its teacher's outputs, too (Hinton et al. 2015).

    loss = (1 - a) label_loss + a distillation_loss

The first is the task's own, the second what `Task.distill` says, and a is
--distillation_share. The teacher is no network here: its outputs stand in the
rows, as one more label of each (`finetuning.teacher`).
"""

from collections.abc import Sequence

import tensorflow as tf

from finetuning import teacher
from finetuning.config import FinetuningConfig
from finetuning.model import Model
from finetuning.task import Task, Tensors, Terms
from modeling.config import BertConfig

_TAUGHT = "distillation_loss"


class Student(Model):
    """A `Model` whose training rows hold the outputs of a teacher."""

    temperature: float

    @classmethod
    def of(
        cls,
        config: FinetuningConfig,
        architecture: BertConfig,
        task: Task,
        devices: tf.distribute.Strategy,
    ) -> "Student":
        student = super().of(config, architecture, task, devices)
        assert isinstance(student, cls)
        share = config.distillation_share
        student.temperature = config.distillation_temperature
        student.loss_weights = {
            **dict.fromkeys(map(_own, task.term_names), 1 - share),
            _TAUGHT: share,
        }
        return student

    @property
    def term_names(self) -> Sequence[str]:
        return [*map(_own, self.task.term_names), _TAUGHT]

    def compute_terms(
        self, batch: Tensors, dropout_seed: tf.Tensor | None
    ) -> Terms:
        outputs = self.predict(batch, dropout_seed)
        terms = {
            _own(name): term
            for name, term in self.task.compute_terms(outputs, batch).items()
        }
        terms[_TAUGHT] = self.task.distill(
            outputs, teacher.outputs_in(batch), batch, self.temperature
        )
        return {
            name: term._replace(weight=self.loss_weights[name])
            for name, term in terms.items()
        }


def _own(name):
    return f"label_{name}"

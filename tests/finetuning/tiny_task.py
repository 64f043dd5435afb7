"""A task that needs no files, and a run of it."""

import dataclasses
import json
from typing import Annotated

import numpy as np
import tensorflow as tf
from sklearn import metrics

from finetuning import config, soft_targets, task, train
from modeling import task_heads
from tests import tiny
from training.objective import Term

SPECIALS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Config(config.FinetuningConfig):
    max_seq_length: Annotated[int, "Tokens a row."] = tiny.NUM_TOKENS


class WhichHalf(task.Task):
    """Says whether the tokens of a row are below or from 50 on."""

    name = "WhichHalf"
    program = "tiny_task.py"
    head = "sequence_classification"
    key_metric = "eval_accuracy"
    labels = ("below", "from")
    num_rows = {"train": 100, "eval": 37, "predict": 11}

    def __init__(self, settings):
        self.written = {}
        self.num_made = 0

    def read(self, split_name):
        return list(range(self.num_rows[split_name]))

    def make_rows(self, split_name, examples):
        self.num_made += 1
        batch = tiny.batch(len(examples), seed=len(examples), vocab_size=50)
        labels = np.arange(len(examples), dtype=np.int32) % 2
        batch["input_ids"] += 50 * labels[:, None] * batch["input_mask"]
        rows = {name: batch[name] for name in task.FEATURES}
        return rows | {"label_ids": labels}

    def describe_rows(self, split_name):
        return {"num_rows": self.num_rows[split_name]}

    def make_head(self, config, initializer):
        return task_heads.SequenceHead(config, initializer, 2)

    def compute_terms(self, outputs, batch):
        losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
            batch["label_ids"], outputs["logits"]
        )
        return {
            "loss": Term(
                tf.reduce_sum(losses),
                tf.cast(tf.shape(losses)[0], tf.float32),
                in_loss=True,
            )
        }

    def distill(self, outputs, taught, batch, temperature):
        distances = soft_targets.divergence(
            taught["logits"], outputs["logits"], temperature
        )
        count = tf.cast(tf.shape(distances)[0], tf.float32)
        return Term(tf.reduce_sum(distances), count, in_loss=True)

    def score(self, split, outputs):
        found = outputs["logits"].argmax(axis=1)
        right = metrics.accuracy_score(split.rows["label_ids"], found)
        return {"eval_accuracy": right}

    def write(self, split, outputs, directory):
        self.written[split.name] = outputs

    def examples_of_lines(self, lines, source, first):
        return lines

    def examples_of_file(self, path):
        return []

    def answers(self, split, outputs):
        return outputs["logits"].tolist()

    def settings(self):
        return {"labels": self.labels}


def write_inputs(directory):
    """Writes the shape of the model and its vocabulary."""
    (directory / "bert.json").write_text(
        json.dumps(tiny.CONFIG | {"num_hidden_layers": 1})
    )
    rows = SPECIALS + [f"w{i}" for i in range(tiny.VOCAB_SIZE - 5)]
    (directory / "vocab.txt").write_text("".join(f"{r}\n" for r in rows))


def run(directory, output, make_task=WhichHalf, **settings):
    """Runs the task; returns its scores."""
    return train.run(make_config(directory, output, **settings), make_task)


def make_config(directory, output, **settings):
    defaults = {
        "bert_config_file": str(directory / "bert.json"),
        "vocab_file": str(directory / "vocab.txt"),
        "output_dir": str(directory / output),
        "do_train": True,
        "do_eval": True,
        "train_batch_size": 10,
        "num_train_epochs": 3.0,
        "learning_rate": 3e-3,
        "save_checkpoints_steps": 7,
        "optimizer": "adamw",
        "mixed_precision": "none",
    }
    return _Config(**defaults | settings)

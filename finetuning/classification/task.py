"""Classification, regression, several labels at once, and choices.

Shapes: N examples, C choices, L labels, T tokens, B batch.
"""

import os

import numpy as np
import tensorflow as tf

from finetuning import cache, task, train
from finetuning.classification import (
    class_weights,
    kinds,
    outputs,
    reader,
    report,
    rows,
    scores,
)
from finetuning.classification.examples import Example
from storage import json_files
from text import tokenization, vocab
from training import step

_SETTINGS = {
    "labels": ([str], None),
    "texts": [str],
    "label": str,
    "class_weights": ([float], None),
}


def run(config):
    """Trains, evaluates and predicts as a `ClassifierConfig` says."""
    return train.run(config, Classification)


class Classification(task.Task):
    """The task of a `config.ClassifierConfig`."""

    program = "run_classifier.py"

    def __init__(self, config):
        self._config = config
        self._reader = reader.Reader(config)
        self._kind = kinds.KINDS[self._reader.kind]
        self._class_weights = None
        self.head = self._kind.head
        self.key_metric = scores.KEYS[self._reader.metrics[0]]
        self._check_loss_flags()
        self._vocabulary = vocab.load(config.vocab_file)
        self._tokenizer = tokenization.Tokenizer(
            self._vocabulary, config.do_lower_case, simplify=config.t2s
        )

    @property
    def labels(self):
        return self._reader.labels

    def read(self, split_name):
        found = self._reader.read(split_name)
        if split_name == "train" and self._config.class_weights:
            self._class_weights = class_weights.make(
                self._config.class_weights,
                self.labels,
                lambda: self._kind.count(
                    self._label_ids(found), len(self.labels)
                ),
            )
        return found

    def make_rows(self, split_name, examples):
        config = self._config
        num_pairs = len(examples[0].pairs)
        made = rows.make(
            [pair for example in examples for pair in example.pairs],
            self._tokenizer,
            self._vocabulary.ids,
            max_seq_length=config.max_seq_length,
            truncation=config.truncation,
        )
        if self._reader.kind == "choice":
            shape = (len(examples), num_pairs, config.max_seq_length)
            made = {name: value.reshape(shape) for name, value in made.items()}
        return made | {
            "label_ids": self._label_ids(examples),
            "is_real_example": np.ones(len(examples), np.int32),
        }

    def describe_rows(self, split_name):
        config = self._config
        paths = self._reader.paths(split_name)
        return {
            "task": "classification",
            "files": {part: cache.digest(p) for part, p in paths.items()},
            "vocabulary": self._vocabulary.sha256,
            "columns_and_labels": self._reader.settings(),
        } | {
            name: getattr(config, name)
            for name in (
                "task_name",
                "do_lower_case",
                "t2s",
                "max_seq_length",
                "truncation",
                "header",
                "choice_columns",
                "regression",
                "multi_label",
                "label_separator",
                "xnli_language",
            )
        }

    def make_head(self, config, initializer):
        num_labels = len(self.labels or ())
        return self._kind.make_head(config, initializer, num_labels)

    def compute_terms(self, outputs, batch):
        losses, weights = self._kind.losses(
            outputs["logits"],
            batch["label_ids"],
            self._class_weights,
            self._config.label_smoothing,
        )
        is_real = tf.cast(batch["is_real_example"], tf.float32)
        return {
            "loss": step.Term(
                tf.reduce_sum(losses * is_real),
                tf.reduce_sum(weights * is_real),
                in_loss=True,
            )
        }

    def score(self, split, outputs):
        decided = self._decide(outputs)
        wanted = split.rows["label_ids"]
        found = {}
        for part, chosen in _parts(split.examples).items():
            of_part = scores.compute(
                self._reader.metrics, wanted[chosen], decided[chosen]
            )
            found |= {f"{name}{part}": x for name, x in of_part.items()}
        return found

    def baseline(self, split):
        wanted = split.rows["label_ids"]
        found = {}
        for part, chosen in _parts(split.examples).items():
            decided = self._kind.most_frequent(wanted[chosen])
            if decided is None:
                continue
            of_part = scores.compute(
                self._reader.metrics,
                wanted[chosen],
                np.full_like(wanted[chosen], decided),
            )
            found |= {
                f"majority_{name.removeprefix('eval_')}{part}": x
                for name, x in of_part.items()
            }
        return found

    def symptom(self, split, outputs):
        wanted = split.rows["label_ids"]
        decided = self._decide(outputs)
        if not scores.is_constant(decided, wanted):
            return ""
        said = self._say({"logits": outputs["logits"][:1]})[0]
        said.pop("probabilities", None)
        (answer,) = said.values()
        return f"all {len(decided)} rows get the same answer, {answer!r}"

    def write(self, split, outputs, directory):
        if split.name == "eval":
            self._write_eval(split, outputs, directory)
        else:
            self._write_predictions(split, outputs, directory)

    def examples_of_lines(self, lines, source, first):
        # Tabs are between texts.
        names = self._reader.dataset.texts
        found = []
        for number, line in enumerate(lines, first):
            texts = line.split("\t")
            if len(texts) != len(names):
                raise ValueError(
                    f"{source}, line {number}: {len(texts)} columns between "
                    f"tabs, wanted {len(names)}: {', '.join(names)}"
                )
            pairs = self._reader.dataset.make_pairs(*texts)
            found.append(Example(pairs, None, number))
        return found

    def examples_of_file(self, path):
        return self._reader.read_objects(path)

    def answers(self, split, outputs):
        said = self._say(outputs)
        # Of a file that names its rows.
        return [
            {"id": example.id} | answer if example.path else answer
            for example, answer in zip(split.examples, said, strict=True)
        ]

    def _say(self, outputs):
        """Returns what is said of each row, as values for JSON."""
        probabilities = self._kind.probabilities(outputs["logits"])
        decided = self._kind.decide(probabilities)
        return [
            self._kind.answer(*pair, self.labels)
            for pair in zip(decided, probabilities, strict=True)
        ]

    def settings(self):
        return self._reader.settings() | {"class_weights": self._class_weights}

    def restore(self, settings):
        json_files.check(settings, _SETTINGS, "settings.json", "settings")
        self._reader.restore(settings)
        self._class_weights = settings["class_weights"]

    def _decide(self, outputs):
        return self._kind.decide(self._kind.probabilities(outputs["logits"]))

    def _label_ids(self, examples):
        found = [example.label for example in examples]
        return self._kind.encode(found, self.labels or ())

    def _write_eval(self, split, found, directory):
        for part, chosen in _parts(split.examples).items():
            logits = {"logits": found["logits"][chosen]}
            outputs.write_answers(
                outputs.path_of(directory, "eval_predictions.jsonl", part),
                [split.examples[row] for row in chosen],
                self._say(logits),
                with_labels=True,
            )
            if not part and self._reader.kind in ("one_label", "multi_label"):
                wanted = split.rows["label_ids"][chosen].astype(np.int32)
                decided = self._decide(logits)
                report.write(directory, wanted, decided, self.labels)

    def _write_predictions(self, split, found, directory):
        submission = self._reader.dataset.submission
        for part, chosen in _parts(split.examples).items():
            logits = {"logits": found["logits"][chosen]}
            examples = [split.examples[row] for row in chosen]
            answers = self._say(logits)
            outputs.write_probabilities(
                outputs.path_of(directory, "test_results.tsv", part),
                self._kind.probabilities(logits["logits"]),
            )
            outputs.write_answers(
                outputs.path_of(directory, "predictions.jsonl", part),
                examples,
                answers,
                with_labels=False,
            )
            if submission:
                form, names = submission
                outputs.write_submission(
                    os.path.join(directory, names[part]),
                    form,
                    examples,
                    answers,
                )

    def _check_loss_flags(self):
        config, kind = self._config, self._reader.kind
        if config.class_weights and kind in ("choice", "regression"):
            raise ValueError(
                "--class_weights is for labels, and this task has none"
            )
        if config.label_smoothing and kind == "regression":
            raise ValueError(
                "--label_smoothing is for labels, and this task has none"
            )


def _parts(examples):
    """Returns {part: the numbers of its examples}, the main part first."""
    parts = {}
    for row, example in enumerate(examples):
        parts.setdefault(example.part, []).append(row)
    return parts

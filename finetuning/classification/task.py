"""Classification, regression, several labels at once, and choices.

Shapes: N examples, C choices, L labels, T tokens, B batch.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from finetuning import cache, train
from finetuning.classification import (
    answer_files,
    class_weights,
    inputs,
    kinds,
    report,
    scores,
    soft_labels,
)
from finetuning.classification.config import ClassifierConfig
from finetuning.classification.examples import Example
from finetuning.classification.reader import Reader
from finetuning.splits import SplitName
from finetuning.task import (
    Outputs,
    Rows,
    Split,
    Task,
    Tensors,
    Terms,
    columns_of_lines,
)
from modeling import long_texts, recurrent
from modeling.config import BertConfig
from storage import json_files
from text import vocabularies
from text.tokenization import Tokenizer
from training.objective import Term

Examples = Sequence[Example]
_SETTINGS = {
    "labels": ([str], None),
    "texts": [str],
    "label": str,
    "class_weights": ([float], None),
}


def run(config: ClassifierConfig) -> dict[str, float]:
    """Trains, evaluates and predicts; see `finetuning.train.run`."""
    return train.run(config, Classification)


class Classification(Task):
    """The task of run_classifier.py."""

    name = "Classification"
    program = "run_classifier.py"

    def __init__(self, config: ClassifierConfig):
        self._config = config
        self._reader = Reader(config)
        self._kind = kinds.KINDS[self._reader.kind]
        self._class_weights: list[float] | None = None
        self.output_kind = self._reader.kind
        self.head = self._kind.head
        self.key_metric = scores.KEYS[self._reader.metrics[0]]
        kinds.check_flags(config, self._reader.kind)
        if config.long_text != "none":
            self.chunk_length = config.max_seq_length
        self._vocabulary = vocabularies.load(config)
        self._tokenizer = Tokenizer(
            self._vocabulary, config.do_lower_case, simplify=config.t2s
        )

    @property
    def answer_kind(self) -> str:
        # The columns of a file of one's own are known once it is read.
        is_pair = self.num_texts == 2 and self._reader.kind != "choice"
        return "pair_" * is_pair + self._kind.answer_kind

    @property
    def num_texts(self) -> int:
        return len(self._reader.dataset.texts)

    @property
    def labels(self) -> Sequence[str]:
        return self._reader.labels or ()

    def read(self, split_name: SplitName) -> list[Example]:
        examples = self._reader.read(split_name)
        if split_name == "train" and self._config.class_weights:
            self._class_weights = class_weights.make(
                self._config.class_weights,
                self.labels,
                lambda: self._kind.count(
                    self._label_ids(examples), len(self.labels)
                ),
            )
        return examples

    def make_rows(self, split_name: SplitName, examples: Examples) -> Rows:
        tokenizer = self._tokenizer, self._vocabulary
        features = inputs.make(
            self._config, self._reader.kind, examples, *tokenizer
        )
        return features | {
            "label_ids": self._label_ids(examples),
            "is_real_example": np.ones(len(examples), np.int32),
        }

    def describe_rows(self, split_name: SplitName) -> dict[str, Any]:
        config = self._config
        paths = self._reader.paths(split_name)
        return {
            "task": "classification",
            "files": {part: cache.digest(p) for part, p in paths.items()},
            "vocabulary": self._vocabulary.sha256,
            "columns_and_labels": self._reader.settings(),
        } | config.deciding("rows", "reading")

    def make_head(
        self, config: BertConfig, initializer: keras.Initializer
    ) -> keras.Layer:
        num_labels = len(self.labels)
        head = self._kind.make_head(config, initializer, num_labels)
        # Behind the head, whose first weights are those that it has alone.
        if self._config.classifier_head == "bilstm":
            head.read = recurrent.BilstmPooler(config, initializer)
        if self.chunk_length:
            join = long_texts.JOINS[self._config.long_text]
            head.pool = long_texts.Chunks(
                join(config, initializer), self.chunk_length
            )
        return head

    def compute_terms(self, outputs: Tensors, batch: Tensors) -> Terms:
        losses, weights = self._kind.losses(
            outputs["logits"],
            batch["label_ids"],
            self._class_weights,
            self._config.label_smoothing,
        )
        is_real = tf.cast(batch["is_real_example"], tf.float32)
        return {
            "loss": Term(
                tf.reduce_sum(losses * is_real),
                tf.reduce_sum(weights * is_real),
                in_loss=True,
            )
        }

    def distill(
        self,
        outputs: Tensors,
        taught: Tensors,
        batch: Tensors,
        temperature: float,
    ) -> Term:
        distances = self._kind.distances(
            taught["logits"], outputs["logits"], temperature
        )
        is_real = tf.cast(batch["is_real_example"], tf.float32)
        total = tf.reduce_sum(distances * is_real)
        return Term(total, tf.reduce_sum(is_real), in_loss=True)

    def read_soft_labels(self, examples: Examples) -> Outputs:
        path = self._config.soft_labels
        if not path:
            return {}
        return {"logits": soft_labels.read(path, examples, self.labels)}

    def score(self, split: Split, outputs: Outputs) -> dict[str, float]:
        decided = self._decide(outputs["logits"])
        wanted = split.rows["label_ids"]
        metrics: dict[str, float] = {}
        for part, chosen in _parts(split.examples).items():
            metrics |= self._metrics(wanted[chosen], decided[chosen], part)
        return metrics

    def baseline(self, split: Split) -> dict[str, float]:
        metrics: dict[str, float] = {}
        for part, chosen in _parts(split.examples).items():
            wanted = split.rows["label_ids"][chosen]
            most_frequent = self._kind.most_frequent(wanted)
            if most_frequent is not None:
                decided = np.full_like(wanted, most_frequent)
                metrics |= {
                    f"majority_{name.removeprefix('eval_')}": x
                    for name, x in self._metrics(wanted, decided, part).items()
                }
        return metrics

    def _metrics(self, wanted, decided, part):
        metrics = scores.compute(self._reader.metrics, wanted, decided)
        return {f"{name}{part}": x for name, x in metrics.items()}

    def symptom(self, split: Split, outputs: Outputs) -> str:
        wanted = split.rows["label_ids"]
        decided = self._decide(outputs["logits"])
        if not scores.is_constant(decided, wanted):
            return ""
        answer = self._say(outputs["logits"][:1])[0]
        answer.pop("probabilities", None)
        (said,) = answer.values()
        return f"all {len(decided)} rows get the same answer, {said!r}"

    def write(self, split: Split, outputs: Outputs, directory: str) -> None:
        is_eval = split.name == "eval"
        write = self._write_eval if is_eval else self._write_predictions
        for part, chosen in _parts(split.examples).items():
            write(
                [split.examples[row] for row in chosen],
                outputs["logits"][chosen],
                directory,
                part,
            )

    def _write_eval(self, examples, logits, directory, part):
        answer_files.write_answers(
            answer_files.path_of(directory, "eval_predictions.jsonl", part),
            examples,
            self._say(logits),
            with_labels=True,
        )
        if not part and self._reader.kind in ("one_label", "multi_label"):
            wanted = self._label_ids(examples).astype(np.int32)
            report.write(directory, wanted, self._decide(logits), self.labels)

    def _write_predictions(self, examples, logits, directory, part):
        answers = self._say(logits)
        answer_files.write_probabilities(
            answer_files.path_of(directory, "test_results.tsv", part),
            self._kind.probabilities(logits),
        )
        soft_labels.write(
            answer_files.path_of(directory, soft_labels.NAME, part),
            examples,
            logits,
            self.labels,
        )
        answer_files.write_answers(
            answer_files.path_of(directory, "predictions.jsonl", part),
            examples,
            answers,
            with_labels=False,
        )
        submission = self._reader.dataset.submission
        if submission:
            answer_files.write_submission(
                directory, part, submission, examples, answers
            )

    def examples_of_lines(
        self, lines: Sequence[str], source: str, first: int
    ) -> list[Example]:
        dataset = self._reader.dataset
        columns = columns_of_lines(
            lines, source, first, len(dataset.texts), ", ".join(dataset.texts)
        )
        return [
            Example(dataset.make_pairs(*texts), None, number)
            for number, texts in columns
        ]

    def examples_of_file(self, path: str) -> list[Example]:
        return self._reader.read_objects(path)

    def answers(self, split: Split, outputs: Outputs) -> list[dict[str, Any]]:
        # The rows of a file have ids, and lines do not.
        return [
            {"id": example.id} | answer if example.path else answer
            for example, answer in zip(
                split.examples, self._say(outputs["logits"]), strict=True
            )
        ]

    def _say(self, logits):
        """Returns the answer to each row, as values for JSON."""
        probabilities = self._kind.probabilities(logits)
        decided = self._kind.decide(probabilities)
        return [
            self._kind.answer(*pair, self.labels)
            for pair in zip(decided, probabilities, strict=True)
        ]

    def settings(self) -> dict[str, Any]:
        return self._reader.settings() | {"class_weights": self._class_weights}

    def restore(self, settings: Mapping[str, Any]) -> None:
        json_files.check(settings, _SETTINGS, "settings.json", "settings")
        self._reader.restore(settings)
        self._class_weights = settings["class_weights"]

    def _decide(self, logits):
        return self._kind.decide(self._kind.probabilities(logits))

    def _label_ids(self, examples):
        return self._kind.encode(
            [example.label for example in examples], self.labels
        )


def _parts(examples):
    """Returns {part: the numbers of its examples}, the main part first."""
    parts = {}
    for row, example in enumerate(examples):
        parts.setdefault(example.part, []).append(row)
    return parts

"""Tagging: a label for each word, and entities of the labels.

Shapes: N rows, B batch, T tokens.
"""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from typing import Any

import keras
from absl import logging
from keras import ops

from finetuning import cache, soft_targets, train
from finetuning.problems import Problems
from finetuning.splits import SplitName
from finetuning.tagging import (
    conll,
    files,
    heads,
    json_lines,
    labels,
    predictions,
    scores,
    windows,
)
from finetuning.tagging.config import TaggingConfig
from finetuning.tagging.sentences import Sentence
from finetuning.tagging.tokenization import WordTokenizer
from finetuning.task import Outputs, Rows, Split, Task, Tensors, Terms
from modeling import crf
from modeling.config import BertConfig
from storage import file_io, json_files
from text import vocabularies
from training.objective import Term

_SETTINGS = {"labels": [str], "words_are_characters": bool}
Examples = Sequence[Sentence]


def run(config: TaggingConfig) -> dict[str, float]:
    """Trains, evaluates and predicts; see `finetuning.train.run`."""
    return train.run(config, Tagging)


class Tagging(Task):
    """The task of run_ner.py."""

    name = "Tagging"
    program = "run_ner.py"
    answer_kind = "entities"
    key_metric = "eval_f1"

    def __init__(self, config: TaggingConfig):
        # Known once a file was read, or the labels of a run before.
        self._labels: tuple[str, ...] = ()
        self._scheme: labels.Scheme | labels.Plain
        self._head_layer: Any
        self.head = None
        self.output_kind = config.ner_head
        self.reads_features = config.head_layers is not None
        if config.ner_head == "softmax" and not self.reads_features:
            self.head = "token_classification"
        self._config = config
        # Whether words are single characters, as in most Chinese sets.
        self._is_cut = False
        self._vocabulary = vocabularies.load(config)
        self._tokenizer = WordTokenizer(
            self._vocabulary, config.do_lower_case, simplify=config.t2s
        )

    @property
    def labels(self) -> tuple[str, ...]:
        return self._labels

    def read(self, split_name: SplitName) -> list[Sentence]:
        known = self._labels_of_flag()
        if known and not self.labels and not self._config.do_train:
            self._take_labels(known)
        if not self.labels:
            sentences = self._read_training_data()
            if split_name == "train":
                return sentences
        sentences = self._read_file(split_name)
        if split_name == "predict":
            return self._with_labels_if_any(sentences)
        return self._with_legal_labels(sentences)

    def make_rows(self, split_name: SplitName, examples: Examples) -> Rows:
        config = self._config
        rows = windows.make_rows(
            examples,
            self._tokenizer,
            self._vocabulary,
            max_seq_length=config.max_seq_length,
            overlap=config.window_overlap,
            numbers={label: n for n, label in enumerate(self.labels)},
        )
        num_rows = len(rows["sentence"])
        if num_rows > len(examples):
            logging.info(
                "%s: %s sentences are %s rows, as some are longer than "
                "--max_seq_length=%s",
                split_name,
                len(examples),
                num_rows,
                config.max_seq_length,
            )
        return rows

    def describe_rows(self, split_name: SplitName) -> dict[str, Any]:
        config = self._config
        return {
            "task": "tagging",
            "file": cache.digest(self._path(split_name)),
            "vocabulary": self._vocabulary.sha256,
            "labels": self.labels,
        } | config.deciding("rows", "reading")

    @property
    def head_inputs(self) -> Sequence[str]:
        return crf.INPUTS if self._config.is_chain else ()

    def make_head(
        self, config: BertConfig, initializer: keras.Initializer
    ) -> keras.Layer:
        rules = None
        if self._config.constrained:
            rules = self._scheme.rules(self.labels)
        self._head_layer = heads.make(
            self._config, config, initializer, len(self.labels), rules
        )
        return self._head_layer

    def compute_terms(self, outputs: Tensors, batch: Tensors) -> Terms:
        # The mean over words, whatever the head.
        words = batch["label_weights"]
        if not self._config.is_chain:
            of_each = keras.losses.sparse_categorical_crossentropy(
                batch["label_ids"], outputs["logits"], from_logits=True
            )
            total = ops.sum(words * of_each)
        else:
            total = -ops.sum(self._head_layer.log_likelihood(outputs, batch))
        return {"loss": Term(total, ops.sum(words), in_loss=True)}

    def distill(
        self,
        outputs: Tensors,
        taught: Tensors,
        batch: Tensors,
        temperature: float,
    ) -> Term:
        words = batch["label_weights"]
        distances = soft_targets.divergence(
            taught["logits"], outputs["logits"], temperature
        )
        return Term(ops.sum(words * distances), ops.sum(words), in_loss=True)

    def score(self, split: Split, outputs: Outputs) -> dict[str, float]:
        predicted = self.tags(split, outputs)
        total, _ = self._scores(split, predicted)
        return {
            "eval_accuracy": scores.accuracy(
                [example.gold for example in split.examples], predicted
            ),
            "eval_f1": total.f1,
            "eval_precision": total.precision,
            "eval_recall": total.recall,
        }

    def symptom(self, split: Split, outputs: Outputs) -> str:
        predicted = self.tags(split, outputs)
        total, _ = self._scores(split, predicted)
        if any(map(self._scheme.entities, predicted)) or not total.num_gold:
            return ""
        return f"no entity is found, and there are {total.num_gold}"

    def write(self, split: Split, outputs: Outputs, directory: str) -> None:
        predicted = self.tags(split, outputs)
        found = split.examples, predicted, self._scheme
        if split.name == "eval":
            report = scores.report(*self._scores(split, predicted))
            for line in report:
                logging.info("%s", line)
            contents = {"entity_report.txt": report}
            contents |= predictions.scored_files(*found)
        else:
            contents = predictions.files(*found)
        for name, lines in contents.items():
            file_io.write_lines(os.path.join(directory, name), lines)

    def settings(self) -> dict[str, Any]:
        labels_of_all = list(self.labels)
        return {"labels": labels_of_all, "words_are_characters": self._is_cut}

    def restore(self, settings: Mapping[str, Any]) -> None:
        json_files.check(settings, _SETTINGS, "settings.json", "settings")
        self._take_labels(settings["labels"])
        self._is_cut = settings["words_are_characters"]

    def examples_of_lines(
        self, lines: Sequence[str], source: str, first: int
    ) -> list[Sentence]:
        # A line without words is an example, too, so that it has an answer.
        return [
            conll.split_text(line, source, number, cut=self._is_cut)
            for number, line in enumerate(lines, start=first)
        ]

    def examples_of_file(self, path: str) -> list[Sentence]:
        return json_lines.read_texts(path)

    def answers(self, split: Split, outputs: Outputs) -> list[dict[str, Any]]:
        pairs = zip(split.examples, self.tags(split, outputs), strict=True)
        return [self._entities(*pair) for pair in pairs]

    def tags(self, split: Split, outputs: Outputs) -> list[list[str]]:
        """Returns the predicted labels of the words of each example."""
        tags = outputs.get("tags")
        if tags is None:
            tags = outputs["logits"].argmax(axis=-1)
        merged = windows.merge(
            split.rows, tags, [len(x.words) for x in split.examples]
        )
        return [[self.labels[int(tag)] for tag in x] for x in merged]

    def _entities(self, sentence, tags):
        """Returns a sentence's text and the entities in it, for JSON."""
        answer = predictions.entities(sentence, self._scheme.entities(tags))
        return answer if sentence.id is None else {"id": sentence.id} | answer

    def _read_training_data(self):
        """Reads --train_file and takes the labels that are in it."""
        sentences = self._read_file("train")
        known = self._labels_of_flag()
        scheme = labels.scheme_of(known) if known else None
        scheme = scheme or conll.scheme_of(sentences)
        conll.check(sentences, scheme)
        sentences = conll.repair(sentences, scheme)
        present = {label for s in sentences for label in s.gold}
        if present == {labels.OUTSIDE}:
            raise ValueError(
                f"{self._path('train')}: every label is O, nothing to learn"
            )
        conll.check(sentences, scheme, known)
        self._take_labels(known or scheme.order(present))
        self._is_cut = conll.are_characters(sentences)
        logging.info("labels: %s", " ".join(self.labels))
        return sentences

    def _labels_of_flag(self):
        names = map(str.strip, (self._config.labels or "").split(","))
        return tuple(filter(None, names)) or None

    def _take_labels(self, names):
        self._labels = tuple(names)
        self._scheme = labels.scheme_of(self.labels)

    def _read_file(self, split_name):
        problems = Problems(self._config.strict)
        sentences = conll.read(
            self._path(split_name),
            problems,
            token_digits=self._config.token_digits,
            needs_labels=split_name != "predict",
        )
        problems.log()
        return sentences

    def _with_legal_labels(self, sentences):
        conll.check(sentences, self._scheme)
        repaired = conll.repair(sentences, self._scheme)
        conll.check(repaired, self._scheme, self.labels)
        return repaired

    def _with_labels_if_any(self, sentences):
        """Keeps the last column of what to predict where it holds labels."""
        if sentences[0].labels is None:
            return sentences
        try:
            return self._with_legal_labels(sentences)
        except ValueError as error:
            logging.warning("the last column is left aside: %s", error)
            return [dataclasses.replace(x, labels=None) for x in sentences]

    def _path(self, split_name):
        return files.find(self._config, split_name)

    def _scores(self, split, predicted):
        return scores.score(
            [self._scheme.entities(x.gold) for x in split.examples],
            [self._scheme.entities(x) for x in predicted],
        )

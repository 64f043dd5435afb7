"""Extractive question answering: where in a text the answer stands."""

import json
import os
from collections.abc import Sequence
from typing import Any

import keras
from absl import logging
from keras import ops

from finetuning import cache, soft_targets, train
from finetuning.problems import Problems
from finetuning.question_answering import (
    answers,
    examples,
    files,
    scored,
    scores,
    windows,
)
from finetuning.question_answering.answers import Answer
from finetuning.question_answering.config import QuestionAnsweringConfig
from finetuning.question_answering.examples import Example
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
from modeling import task_heads
from modeling.config import BertConfig
from storage import file_io
from text import offsets, vocabularies
from training.objective import Term

# Added to the logits of padding, so that no answer begins or ends there.
_BARRED = -1e9


def run(config: QuestionAnsweringConfig) -> dict[str, float]:
    """Trains, answers and scores; see `finetuning.train.run`."""
    return train.run(config, QuestionAnswering)


class QuestionAnswering(Task):
    """The task of run_squad.py: questions with a text each."""

    name = "QuestionAnswering"
    program = "run_squad.py"
    head = "question_answering"
    answer_kind = "answers"
    num_texts = 2
    key_metric = "f1"

    def __init__(self, config: QuestionAnsweringConfig):
        self._config = config
        self.output_kind = f"version {1 + config.version_2_with_negative}"
        self._vocabulary = vocabularies.load(config)
        self._tokenizer = offsets.Tokenizer(
            self._vocabulary, config.do_lower_case, simplify=config.t2s
        )
        # {name of a split: (its examples, their windows)}
        self._windows_of_splits: dict[
            str, tuple[Sequence[Example], windows.Windows]
        ] = {}
        # (the outputs they were read from, the answers)
        self._last_answers: tuple[Outputs | None, list[Answer]] = (None, [])

    def read(self, split_name: SplitName) -> list[Example]:
        path, flag = files.find(self._config, split_name)
        questions = examples.read(
            path,
            Problems(self._config.strict),
            version_2=self._config.version_2_with_negative,
            is_training=split_name == "train",
        )
        if split_name == "eval" and not examples.is_labelled(questions):
            raise ValueError(
                f"{path}: no question has an answer, so that --{flag} "
                "cannot be scored; set --eval_file"
            )
        logging.info(
            "%s: %s questions to %s texts",
            path,
            len(questions),
            len({question.context for question in questions}),
        )
        return questions

    def describe_rows(self, split_name: SplitName) -> dict[str, Any]:
        path, _ = files.find(self._config, split_name)
        config = self._config
        return {
            "file": cache.digest(path),
            "vocabulary": self._vocabulary.sha256,
            "is_training": split_name == "train",
        } | config.deciding("rows", "reading")

    def _windows(self, split_name, questions):
        """Returns the windows of a split's questions, made once."""
        of, rows = self._windows_of_splits.get(split_name, (None, None))
        if rows is None or of is not questions:
            rows = windows.make(
                questions,
                self._tokenizer,
                max_seq_length=self._config.max_seq_length,
                doc_stride=self._config.doc_stride,
                max_query_length=self._config.max_query_length,
            )
            self._windows_of_splits[split_name] = questions, rows
        return rows

    def make_rows(
        self, split_name: SplitName, examples: Sequence[Example]
    ) -> Rows:
        rows = windows.make_rows(
            self._windows(split_name, examples),
            examples,
            self._vocabulary,
            self._config.max_seq_length,
        )
        if not len(rows["input_ids"]):
            where = "the lines"
            if split_name != "predict":
                where, _ = files.find(self._config, split_name)
            raise ValueError(f"{where}: no text has a token")
        return rows

    def make_head(
        self, config: BertConfig, initializer: keras.Initializer
    ) -> keras.Layer:
        return task_heads.SpanHead(config, initializer)

    def compute_terms(self, outputs: Tensors, batch: Tensors) -> Terms:
        """Returns the mean cross entropy of both ends over the real tokens."""
        mask = ops.cast(batch["input_mask"], "float32")
        # A batch may be filled up with rows of zeros, which do not count.
        weights = mask[:, 0]
        loss = 0.0
        for end in ("start", "end"):
            logits = outputs[f"{end}_logits"] + (1.0 - mask) * _BARRED
            position = batch[f"{end}_positions"]
            loss += ops.logsumexp(logits, axis=-1) - ops.squeeze(
                ops.take_along_axis(logits, position[:, None], axis=1), 1
            )
        loss = ops.where(weights > 0, loss / 2.0, 0.0)
        return {"loss": Term(ops.sum(loss), ops.sum(weights), in_loss=True)}

    def distill(
        self,
        outputs: Tensors,
        taught: Tensors,
        batch: Tensors,
        temperature: float,
    ) -> Term:
        """Returns the mean divergence of both ends over the real tokens."""
        mask = ops.cast(batch["input_mask"], "float32")
        weights = mask[:, 0]
        distances = 0.0
        for name in ("start_logits", "end_logits"):
            distances += soft_targets.divergence(
                ops.where(mask > 0, taught[name], _BARRED),
                ops.where(mask > 0, outputs[name], _BARRED),
                temperature,
            )
        distances = ops.where(weights > 0, distances / 2.0, 0.0)
        return Term(ops.sum(distances), ops.sum(weights), in_loss=True)

    def is_labelled(self, split: Split) -> bool:
        return examples.is_labelled(split.examples)

    def find(self, split: Split, outputs: Outputs) -> list[Answer]:
        """Returns what is predicted for each question of a split.

        Args:
            split: its examples are questions.
            outputs: "start_logits" and "end_logits" [N, T] of all its rows.
        """
        of, predicted = self._last_answers
        if of is not outputs:
            predicted = answers.find(
                split.examples,
                self._windows(split.name, split.examples),
                outputs,
                n_best_size=self._config.n_best_size,
                max_answer_length=self._config.max_answer_length,
            )
            self._last_answers = outputs, predicted
        return predicted

    def choose(self, predicted: Sequence[Answer]) -> list[str]:
        """Returns the text to give of each answer, "" for none."""
        config = self._config
        return [
            answers.choose(
                answer,
                version_2=config.version_2_with_negative,
                threshold=config.null_score_diff_threshold,
            )
            for answer in predicted
        ]

    def examples_of_lines(
        self, lines: Sequence[str], source: str, first: int
    ) -> list[Example]:
        columns = columns_of_lines(
            lines, source, first, 2, "a question and its text"
        )
        return [
            Example(str(number), question, context)
            for number, (question, context) in columns
        ]

    def examples_of_file(self, path: str) -> list[Example]:
        return examples.read_any(
            path, version_2=self._config.version_2_with_negative
        )

    def answers(self, split: Split, outputs: Outputs) -> list[dict[str, Any]]:
        predicted = self.find(split, outputs)
        values = []
        for example, answer, text in zip(
            split.examples, predicted, self.choose(predicted), strict=True
        ):
            place = {}
            if text:
                best = answer.candidates[0]
                place = {"start": best.begin, "end": best.end}
            values.append({"id": example.id, "answer": text} | place)
        return values

    def score(self, split: Split, outputs: Outputs) -> dict[str, float]:
        predicted = self.find(split, outputs)
        version_2 = self._config.version_2_with_negative
        metric = scores.choose_metric(
            self._config.answer_metric,
            (example.context for example in split.examples),
        )
        num_unscored = sum(not x.answers for x in split.examples)
        if num_unscored and not version_2:
            logging.warning(
                "%s questions without an answer are not scored; "
                "--version_2_with_negative is for such sets",
                num_unscored,
            )
        metrics = scores.score(
            split.examples,
            self.choose(predicted),
            metric=metric,
            version_2=version_2,
        )
        if version_2:
            metrics |= scores.best_thresholds(
                split.examples,
                [answer.best_text for answer in predicted],
                [answer.null_odds for answer in predicted],
                metric=metric,
            )
        return metrics

    def symptom(self, split: Split, outputs: Outputs) -> str:
        texts = self.choose(self.find(split, outputs))
        num_gold = sum(bool(x.answers) for x in split.examples)
        if any(texts) or not num_gold:
            return ""
        return f"no question is answered, and {num_gold} have an answer"

    def write(self, split: Split, outputs: Outputs, directory: str) -> None:
        """Writes google-research/bert's JSON files of the predictions.

        Where the answers are known, a line for each question says both, too.
        """
        if self.is_labelled(split):
            is_eval = split.name == "eval"
            name = "eval_predictions.jsonl" if is_eval else "predictions.jsonl"
            lines = scored.lines(
                split.examples,
                self.answers(split, outputs),
                self.find(split, outputs),
                self._config,
            )
            file_io.write_lines(os.path.join(directory, name), lines)
        if split.name != "predict":
            return
        config = self._config
        version_2 = config.version_2_with_negative
        predicted = self.find(split, outputs)
        files: dict[str, list] = {
            "predictions.json": self.choose(predicted),
            "nbest_predictions.json": [
                answers.n_best(x, config.n_best_size, version_2=version_2)
                for x in predicted
            ],
        }
        if version_2:
            files["null_odds.json"] = [x.null_odds for x in predicted]
        ids = [example.id for example in split.examples]
        for name, values in files.items():
            by_id = dict(zip(ids, values, strict=True))
            text = json.dumps(by_id, indent=4, ensure_ascii=False)
            file_io.write_lines(os.path.join(directory, name), [text])

"""Extractive question answering: where in a text the answer stands."""

import json
import os

from absl import logging
from keras import ops

from finetuning import cache, problems, train
from finetuning import task as finetuning_task
from finetuning.question_answering import (
    answers,
    examples,
    scores,
    windows,
)
from modeling import task_heads
from storage import file_io
from text import offsets, vocab
from training import step

# What the rows depend on besides the files and the vocabulary.
_ROW_SETTINGS = (
    "do_lower_case",
    "t2s",
    "max_seq_length",
    "doc_stride",
    "max_query_length",
    "version_2_with_negative",
)
# Added to the logits of padding.
_BARRED = -1e9


def run(config):
    """Trains, answers and scores as a `QuestionAnsweringConfig` says."""
    return train.run(config, QuestionAnswering)


class QuestionAnswering(finetuning_task.Task):
    """Questions with a text each, in SQuAD's form."""

    program = "run_squad.py"

    head = "question_answering"
    key_metric = "f1"

    def __init__(self, config):
        self._config = config
        self._vocabulary = vocab.load(config.vocab_file)
        self._tokenizer = offsets.Tokenizer(
            self._vocabulary, config.do_lower_case, simplify=config.t2s
        )
        # {name: (examples, their windows)} of the splits made so far.
        self._made = {}
        self._answers = (None, None)

    def _file(self, split_name):
        """Returns the path of a split and the flag that names it."""
        config = self._config
        flag = {"train": "train_file", "predict": "predict_file"}.get(
            split_name, "eval_file" if config.eval_file else "predict_file"
        )
        path = getattr(config, flag)
        if not path:
            raise ValueError(
                "--do_eval, --keep_best, --early_stopping and "
                "--eval_every_steps need questions with answers: set "
                "--eval_file"
            )
        if not file_io.exists(path):
            raise ValueError(f"--{flag}: no file {path!r}")
        return path, flag

    def read(self, split_name):
        path, flag = self._file(split_name)
        found = examples.read(
            path,
            problems.Problems(self._config.strict),
            version_2=self._config.version_2_with_negative,
            is_training=split_name == "train",
        )
        if split_name == "eval" and not examples.is_labelled(found):
            raise ValueError(
                f"{path}: no question has an answer, so that --{flag} "
                "cannot be scored; set --eval_file"
            )
        logging.info(
            "%s: %s questions to %s texts",
            path,
            len(found),
            len({example.context for example in found}),
        )
        return found

    def describe_rows(self, split_name):
        path, _ = self._file(split_name)
        config = self._config
        return {
            "file": cache.digest(path),
            "vocabulary": self._vocabulary.sha256,
            "is_training": split_name == "train",
        } | {name: getattr(config, name) for name in _ROW_SETTINGS}

    def _windows(self, split_name, found):
        """Returns the windows of a split's examples, made once."""
        of, made = self._made.get(split_name, (None, None))
        if of is not found:
            made = windows.make(
                found,
                self._tokenizer,
                max_seq_length=self._config.max_seq_length,
                doc_stride=self._config.doc_stride,
                max_query_length=self._config.max_query_length,
            )
            self._made[split_name] = found, made
        return made

    def make_rows(self, split_name, examples):
        rows = windows.make_rows(
            self._windows(split_name, examples),
            examples,
            self._vocabulary,
            self._config.max_seq_length,
        )
        if not len(rows["input_ids"]):
            path, _ = self._file(split_name)
            raise ValueError(f"{path}: no text has a token")
        return rows

    def make_head(self, config, initializer):
        return task_heads.SpanHead(config, initializer)

    def compute_terms(self, outputs, batch):
        """Returns the mean cross entropy of both ends over the real tokens."""
        mask = ops.cast(batch["input_mask"], "float32")
        # A row of zeros, which fills a batch up, counts nowhere.
        weights = mask[:, 0]
        loss = 0.0
        for end in ("start", "end"):
            logits = outputs[f"{end}_logits"] + (1.0 - mask) * _BARRED
            position = batch[f"{end}_positions"]
            loss += ops.logsumexp(logits, axis=-1) - ops.squeeze(
                ops.take_along_axis(logits, position[:, None], axis=1), 1
            )
        loss = ops.where(weights > 0, loss / 2.0, 0.0)
        return {
            "loss": step.Term(ops.sum(loss), ops.sum(weights), in_loss=True)
        }

    def is_labelled(self, split):
        return examples.is_labelled(split.examples)

    def find(self, split, outputs):
        """Returns an `answers.Answer` to each question of a split.

        Args:
            split: a `finetuning.task.Split`.
            outputs: {"start_logits", "end_logits"}, float32 [N, T], of all
                its rows.
        """
        of, found = self._answers
        if of is not outputs:
            found = answers.find(
                split.examples,
                self._windows(split.name, split.examples),
                outputs,
                n_best_size=self._config.n_best_size,
                max_answer_length=self._config.max_answer_length,
            )
            self._answers = outputs, found
        return found

    def examples_of_lines(self, lines, source, first):
        # A question, a tab and its text.
        found = []
        for number, line in enumerate(lines, first):
            texts = line.split("\t")
            if len(texts) != 2:
                raise ValueError(
                    f"{source}, line {number}: {len(texts)} columns between "
                    "tabs, wanted 2: a question and its text"
                )
            found.append(examples.Example(str(number), *texts))
        return found

    def examples_of_file(self, path):
        return examples.read_any(
            path, version_2=self._config.version_2_with_negative
        )

    def answers(self, split, outputs):
        found = self.find(split, outputs)
        said = []
        for example, answer, text in zip(
            split.examples, found, self.choose(found), strict=True
        ):
            best = answer.candidates[0] if answer.candidates else None
            place = {}
            if text and best:
                place = {"start": best.begin, "end": best.end}
            said.append({"id": example.id, "answer": text} | place)
        return said

    def choose(self, found):
        """Returns the text to give of each answer, "" for none."""
        config = self._config
        return [
            answers.choose(
                answer,
                version_2=config.version_2_with_negative,
                threshold=config.null_score_diff_threshold,
            )
            for answer in found
        ]

    def score(self, split, outputs):
        found = self.find(split, outputs)
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
        scored = scores.score(
            split.examples,
            self.choose(found),
            metric=metric,
            version_2=version_2,
        )
        if version_2:
            scored |= scores.best_thresholds(
                split.examples,
                [answer.best_text for answer in found],
                [answer.null_odds for answer in found],
                metric=metric,
            )
        return scored

    def symptom(self, split, outputs):
        found = self.choose(self.find(split, outputs))
        num_gold = sum(bool(x.answers) for x in split.examples)
        if any(found) or not num_gold:
            return ""
        return f"no question is answered, and {num_gold} have an answer"

    def write(self, split, outputs, directory):
        """Writes google-research/bert's JSON files of the predictions."""
        if split.name != "predict":
            return
        config = self._config
        version_2 = config.version_2_with_negative
        found = self.find(split, outputs)
        ids = [example.id for example in split.examples]
        files = {
            "predictions.json": self.choose(found),
            "nbest_predictions.json": [
                answers.n_best(x, config.n_best_size, version_2=version_2)
                for x in found
            ],
        }
        if version_2:
            files["null_odds.json"] = [x.null_odds for x in found]
        for name, values in files.items():
            file_io.write_lines(
                os.path.join(directory, name),
                [
                    json.dumps(
                        dict(zip(ids, values, strict=True)),
                        indent=4,
                        ensure_ascii=False,
                    )
                ],
            )

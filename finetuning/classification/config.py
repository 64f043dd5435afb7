"""The settings of run_classifier.py."""

import dataclasses
import os
import re
from typing import Annotated, Literal

from finetuning.classification import datasets
from finetuning.config import FolderSettings
from settings.flag import Flag

OWN_FORMS = ("tsv", "csv", "jsonl")
_MIN_SEQ_LENGTH = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class ClassifierConfig(FolderSettings):
    """One field, one flag; names and defaults of google-research/bert."""

    task_name: Annotated[
        str,
        Flag(
            "The task: one of GLUE or CLUE, xnli, swag, lcqmc, chnsenticorp, "
            "cnews; or tsv, csv or jsonl for files of your own. Several at "
            "once, as afqmc,tsv:titles, share an encoder: each has a folder of "
            "its name in --data_dir and in --output_dir.",
            decides="reading",
        ),
    ]
    task_temperature: Annotated[
        float,
        Flag(
            "With several tasks: those of n rows are drawn as n^(1/T), all "
            "rows alike at 1, all tasks alike at 1000.",
            "positive",
        ),
    ] = 1.0
    truncation: Annotated[
        Literal["head", "tail", "head_tail"],
        Flag(
            "What is kept of a text that is too long; head_tail is a quarter "
            "from its beginning and the rest from its end, 128 and 382 tokens "
            "at --max_seq_length=512 (Sun et al. 2019).",
            decides="rows",
        ),
    ] = "head"
    long_text: Annotated[
        Literal["none", "max", "mean", "attention"],
        Flag(
            "How the vectors of a text's chunks of --max_seq_length become "
            "one, so that the whole text is read: the largest of each element, "
            "the mean, or a mean with learned weights (Sun et al. 2019); none "
            "cuts it.",
            decides="rows",
        ),
    ] = "none"
    max_chunks: Annotated[
        int,
        Flag(
            "With --long_text: the most chunks of a text; --truncation says "
            "what is kept of one that has more.",
            "positive",
            decides="rows",
        ),
    ] = 8
    classifier_head: Annotated[
        Literal["pooled", "bilstm"],
        "What the labels' scores are of: the encoder's pooled first token, or "
        "the ends of an LSTM in each direction above all tokens (bilstm), as "
        "in table 5 of BERT's paper.",
    ] = "pooled"
    header: Annotated[
        Literal["auto", "true", "false"],
        Flag(
            "Whether the first line of a TSV or CSV file names its columns.",
            decides="reading",
        ),
    ] = "auto"
    text_column: Annotated[
        str | None,
        Flag(
            "The column of the text: its name, or its number from 1 where the "
            "file has no header. Of your own files only, as the next ones.",
            decides="reading",
        ),
    ] = None
    text_b_column: Annotated[
        str | None,
        Flag("The column of the second text of a pair.", decides="reading"),
    ] = None
    label_column: Annotated[
        str | None,
        Flag("The column of the label.", decides="reading"),
    ] = None
    choice_columns: Annotated[
        str | None,
        Flag(
            "Columns of texts to choose from, as a,b,c,d: the label is the "
            "name of one, its number from 0, or its place in --labels.",
            decides="reading",
        ),
    ] = None
    regression: Annotated[
        bool,
        Flag(
            "Whether the label is a number to be estimated.", decides="reading"
        ),
    ] = False
    multi_label: Annotated[
        bool,
        Flag(
            "Whether a text has any number of labels at once.",
            decides="reading",
        ),
    ] = False
    label_separator: Annotated[
        str,
        Flag(
            "What stands between the labels of a text with --multi_label.",
            decides="reading",
        ),
    ] = ","
    class_weights: Annotated[
        str | None,
        "Weights of the labels in the loss, as 1,2.5, in the order of the "
        "labels; or balanced, which gives all labels the same sum.",
    ] = None
    label_smoothing: Annotated[
        float,
        Flag(
            "Share of the probability that the loss wants of other labels.",
            "below_1",
        ),
    ] = 0.0
    soft_labels: Annotated[
        str | None,
        "In place of --teacher_dir: the soft_labels.tsv that --do_predict "
        "wrote of the training file, with the logits of each row.",
    ] = None
    xnli_language: Annotated[
        str,
        Flag(
            "The language of XNLI that is trained on and scored.",
            decides="reading",
        ),
    ] = "zh"

    def __post_init__(self):
        super().__post_init__()
        if self.max_seq_length < _MIN_SEQ_LENGTH:
            raise ValueError(
                f"--max_seq_length must be at least {_MIN_SEQ_LENGTH}, got "
                f"{self.max_seq_length}"
            )
        if self.teacher_dir and self.soft_labels:
            raise ValueError(
                "--teacher_dir and --soft_labels are both a teacher; set one"
            )
        if (
            self.max_chunks != type(self).max_chunks
            and self.long_text == "none"
        ):
            raise ValueError(
                f"--max_chunks={self.max_chunks} needs --long_text"
            )
        if self.classifier_head != "pooled" and self.long_text != "none":
            raise ValueError(
                f"--classifier_head={self.classifier_head} reads one row of "
                f"tokens, and --long_text={self.long_text} has several"
            )
        if "," in self.task_name or ":" in self.task_name:
            self._check_several()
        elif self.task_temperature != 1:
            raise ValueError(
                f"--task_temperature={self.task_temperature:g} is for several "
                "tasks in --task_name"
            )
        kinds = [name for name in _KINDS if getattr(self, name)]
        if len(kinds) > 1:
            raise ValueError(
                " and ".join(f"--{name}" for name in kinds)
                + " are different kinds of task; set one of them"
            )
        if self.is_own or self.parts:
            return
        for name in (*_KINDS, *_COLUMNS, "labels"):
            if getattr(self, name):
                raise ValueError(
                    f"--{name} is for files of your own; --task_name="
                    f"{self.task_name} knows its own, use --task_name=tsv, csv "
                    "or jsonl"
                )

    def _check_several(self):
        for name in _OF_ONE_TASK:
            if getattr(self, name) not in (None, False, "none", "pooled"):
                raise ValueError(
                    f"--{name} is for one task, and --task_name="
                    f"{self.task_name} names several"
                )
        if self.class_weights not in (None, "balanced"):
            raise ValueError(
                f"--class_weights={self.class_weights} is for one task; of "
                "several only balanced is known"
            )
        if not self.data_dir:
            raise ValueError(
                f"--task_name={self.task_name} needs --data_dir, with a folder "
                "for each task"
            )
        folders = [name.rpartition(":")[2] for name in self._names]
        if len(set(folders)) < max(len(folders), 2) or not all(
            map(_FOLDER.fullmatch, folders)
        ):
            raise ValueError(
                f"--task_name={self.task_name} must be two tasks or more, each "
                "NAME, or tsv:FOLDER, csv:FOLDER or jsonl:FOLDER, with folders "
                "that differ and have no slash in their names"
            )
        for name, part in zip(self._names, self.parts.values(), strict=True):
            if part.is_own != (":" in name):
                raise ValueError(
                    f"--task_name: {name!r} must be a published task, or "
                    "tsv:FOLDER, csv:FOLDER or jsonl:FOLDER"
                )

    @property
    def _names(self):
        return [name.strip() for name in self.task_name.split(",")]

    @property
    def parts(self) -> "dict[str, ClassifierConfig]":
        """The settings of each of several tasks by its folder, or {}."""
        if not ("," in self.task_name or ":" in self.task_name):
            return {}
        parts = {}
        for name in self._names:
            form, _, folder = name.rpartition(":")
            parts[folder] = self.one_run(
                task_name=form or folder,
                data_dir=os.path.join(self.data_dir or "", folder),
                output_dir=os.path.join(self.output_dir, folder),
                task_temperature=1.0,
            )
        return parts

    @property
    def is_taught(self) -> bool:
        return bool(self.teacher_dir or self.soft_labels)

    def is_other_task(self, task_name: str) -> bool:
        """Whether a model trained with a --task_name is of another task."""
        if self.parts:
            return self.task_name != task_name
        wanted, found = map(datasets.key_of, (self.task_name, task_name))
        if self.is_own:
            return found not in OWN_FORMS
        return found not in (wanted, datasets.find(wanted).model_of)

    @property
    def is_own(self) -> bool:
        """Whether the files are of no published task."""
        return self.task_name.lower() in OWN_FORMS


_KINDS = ("choice_columns", "regression", "multi_label")
_COLUMNS = ("text_column", "text_b_column", "label_column")
# What no two tasks have in common.
_OF_ONE_TASK = (
    *("train_file", "eval_file", "predict_file", "labels", *_KINDS, *_COLUMNS),
    *("teacher_dir", "soft_labels", "long_text", "test_file", "ensemble"),
    "classifier_head",
)
# best/ is the run's own.
_FOLDER = re.compile(r"(?!best$|seed_|\.)[^/\\]+")

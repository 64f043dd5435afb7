"""The files of a task, published or somebody's own, as examples."""

import functools
import os
from collections.abc import Mapping, Sequence
from typing import Any

from absl import logging

from finetuning.classification import datasets, own_files, tables
from finetuning.classification.config import ClassifierConfig
from finetuning.classification.examples import (
    Example,
    from_table,
    name_of,
    names_of,
    number_of,
)
from finetuning.problems import Problems
from finetuning.splits import SplitName
from storage import file_io

# Where few rows have more labels than this, they are likely texts or numbers.
_MANY_LABELS = 20
_NUM_LISTED = 20


class Reader:
    """Reads the splits of a task; the first one read decides the labels."""

    def __init__(self, config: ClassifierConfig):
        self._config = config
        # None until the first of one's own files is read.
        self._dataset: datasets.Dataset | None = None
        self.kind = own_files.kind_of(config)
        if not config.is_own:
            self._dataset = datasets.find(config.task_name)
            self.kind = self._dataset.kind
        self.metrics: Sequence[str] = own_files.METRICS[self.kind]
        self.labels: Sequence[str] | None = None
        if self._dataset:
            self.metrics = self._dataset.metrics
            self.labels = self._dataset.labels

    @property
    def dataset(self) -> datasets.Dataset:
        """The task of the files, once it is known."""
        assert self._dataset is not None
        return self._dataset

    def settings(self) -> dict[str, Any]:
        """Returns what `restore` takes, values for JSON."""
        return {
            "labels": self.labels,
            "texts": self.dataset.texts,
            "label": self.dataset.label,
        }

    def restore(self, settings: Mapping[str, Any]) -> None:
        """Takes the labels and columns of the run that trained the model."""
        config = self._config
        if config.is_own:
            self._dataset = own_files.describe(
                config, tuple(settings["texts"]), settings["label"]
            )
        labels = settings.get("labels")
        own = self._dataset and self._dataset.labels
        if not config.is_own and labels and own and set(labels) != set(own):
            raise ValueError(
                f"--output_dir={config.output_dir} has a model with the labels "
                f"{_listed(labels)}; --task_name={config.task_name} has "
                f"{_listed(own)}"
            )
        self.labels = labels and tuple(labels)

    def read(self, split_name: SplitName) -> list[Example]:
        """Returns the examples of a split."""
        config = self._config
        examples = []
        left_out = Problems(config.strict)
        paths = self.paths(split_name)
        for part, path in paths.items():
            examples += self._read_file(split_name, part, path, left_out)
        left_out.log()
        if not examples:
            raise ValueError(
                f"{', '.join(paths.values())}: no row is left of "
                f"{left_out.num_skipped}; the warnings say why"
            )
        if split_name != "predict" and self.kind != "regression":
            self.labels = self.labels or self._find_labels(examples)
            self._check_labels(examples)
        if not self.labels and self.kind != "regression":
            raise ValueError(
                "the labels are not known without training data: --output_dir "
                "has no model of this task; set --do_train or --labels"
            )
        return examples

    def paths(self, split_name: SplitName) -> dict[str, str]:
        """Returns {part: path} of a split.

        Raises:
            ValueError: a file is missing; says which, and the flag.
        """
        config = self._config
        own = {
            "train": config.train_file,
            "eval": config.eval_file,
            "predict": config.predict_file,
        }[split_name]
        if own:
            return {"": own}
        if not config.data_dir:
            raise ValueError(
                f"set --{split_name}_file, or --data_dir to where the files of "
                f"--task_name={config.task_name} are"
            )
        files = (
            own_files.files_of(config.task_name)
            if config.is_own
            else self.dataset.files
        )
        if split_name not in files:
            raise ValueError(
                f"--task_name={config.task_name} has no data for --do_"
                f"{split_name}: it is predicted by a model of another task"
            )
        paths = {}
        for part, names in files[split_name].items():
            path = self._path_of(names, is_needed=not part, split=split_name)
            if path:
                paths[part] = path
        return paths

    def _path_of(self, names, *, is_needed, split):
        config = self._config
        names = names.format(language=config.xnli_language).split("|")
        for name in names:
            for ending in ("", ".gz"):
                path = os.path.join(config.data_dir, name + ending)
                if file_io.exists(path):
                    return path
        if is_needed:
            raise ValueError(
                f"--data_dir={config.data_dir} has no {' or '.join(names)}, "
                f"nor it with .gz; --{split}_file names another file"
            )
        logging.warning("%s has no %s", config.data_dir, " or ".join(names))
        return None

    def _read_file(self, split_name, part, path, left_out):
        config = self._config
        has_labels = split_name != "predict"
        if config.is_own:
            form = config.task_name.lower()
            known = own_files.known_names(config)
            columns = ()
        else:
            form = tables.form_of(path)
            names = (*self.dataset.texts, self.dataset.label)
            known = "|".join(names).split("|")
            columns = self.dataset.columns
        table = tables.read(
            path, form, header=config.header, known=known, names=columns
        )
        if self._dataset is None:
            chosen = own_files.choose_columns(config, table, has_labels)
            self._dataset = own_files.describe(config, *chosen)
            self.labels = self.dataset.labels
        # A file to predict may have no column but the texts.
        is_bare = not (has_labels or table.has_header)
        if is_bare and len(table.columns) == len(self.dataset.texts):
            names = [name.partition("|")[0] for name in self.dataset.texts]
            table = table._replace(columns=names)
        if self.dataset.of_language:
            table = _of_language(table, config.xnli_language)
        return from_table(
            table,
            self.dataset,
            label_of=self._label_of(),
            part=part,
            has_labels=has_labels,
            problems=left_out,
        )

    def read_objects(self, path: str) -> list[Example]:
        """Returns the examples to predict of a file of JSON lines."""
        return from_table(
            tables.read(path, "jsonl"),
            self.dataset,
            label_of=None,
            part="",
            has_labels=False,
            problems=None,
        )

    def _label_of(self):
        if self.kind == "regression":
            return number_of
        if self.kind == "multi_label":
            return functools.partial(
                names_of, separator=self._config.label_separator
            )
        return name_of

    def _names(self, example):
        return example.label if self.kind == "multi_label" else (example.label,)

    def _find_labels(self, examples):
        names = {name for example in examples for name in self._names(example)}
        listed = sorted(names, key=_order(names))
        where = examples[0].path
        if len(listed) < 2 and self.kind == "one_label":
            raise ValueError(
                f"{where}: all rows have the label {listed[0]!r}, so there is "
                "nothing to learn; --label_column names another column, "
                "--labels all labels"
            )
        if len(listed) > max(_MANY_LABELS, len(examples) // 2):
            raise ValueError(
                f"{where}: {len(listed)} labels in {len(examples)} rows, such "
                f"as {listed[0]!r}: is --label_column right? Of numbers to be "
                "estimated set --regression"
            )
        logging.info("%s labels: %s", len(listed), _listed(listed))
        return tuple(listed)

    def _check_labels(self, examples):
        known = set(self.labels)
        # A published task knows its labels, and refuses the flag.
        more = ", or name all labels with --labels" * self._config.is_own
        for example in examples:
            for name in self._names(example):
                if name in known:
                    continue
                raise ValueError(
                    f"{example.place}: the label {name!r} is none of the "
                    f"{len(known)} known ones: {_listed(self.labels)}; mend "
                    f"the row{more}"
                )


def _listed(labels):
    more = " ..." if len(labels) > _NUM_LISTED else ""
    return ", ".join(map(repr, labels[:_NUM_LISTED])) + more


def _order(names):
    """Returns how to sort labels: numbers by their values."""
    try:
        sorted(map(int, names))
    except ValueError:
        return None
    return lambda name: (int(name), name)


def _of_language(table, language):
    """Returns a table of the rows in a language, where rows name theirs."""
    place = table.find("language")
    if place is None:
        return table
    rows = [
        row for row in table.rows if row.wrong or row.values[place] == language
    ]
    if not rows:
        raise ValueError(
            f"{table.path}: no row is in --xnli_language={language}"
        )
    return table._replace(rows=rows)

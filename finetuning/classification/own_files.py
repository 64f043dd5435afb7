"""Finds the columns with texts and labels in a file of somebody's own."""

from collections.abc import Mapping, Sequence

from absl import logging

from finetuning.classification import datasets
from finetuning.classification.config import ClassifierConfig
from finetuning.classification.datasets import Dataset
from finetuning.classification.tables import Table

_PAIRS = (
    ("text_a", "text_b"),
    ("sentence1", "sentence2"),
    ("sentence_a", "sentence_b"),
    ("question1", "question2"),
    ("premise", "hypothesis"),
    ("query", "title"),
)
_TEXTS = [
    "text",
    "text_a",
    "sentence",
    "content",
    "review",
    "comment",
    "title",
    "question",
    "query",
    "文本",
    "内容",
    "句子",
    "评论",
]
_LABELS = ["label", "labels", "target", "class", "category", "标签", "类别"]
_NUMBERS = ["score", "rating", "value", "valence", "分数", "评分"]
KNOWN = (*_TEXTS, *_LABELS, *_NUMBERS, *(name for p in _PAIRS for name in p))
# {kind: its metrics}; the first one decides which checkpoint is best.
METRICS = {
    "one_label": ("accuracy", "macro_f1"),
    "choice": ("accuracy",),
    "multi_label": ("f1_of_labels", "accuracy"),
    "regression": ("correlations", "squared_error"),
}


def known_names(config: ClassifierConfig) -> tuple[str, ...]:
    """Returns names that a header may have: usual ones and those of flags."""
    named = (config.text_column, config.text_b_column, config.label_column)
    choices = (config.choice_columns or "").split(",")
    own = [x for x in (*named, *choices) if x and not x.isdigit()]
    return (*KNOWN, *own)


def kind_of(config: ClassifierConfig) -> str:
    """Returns the kind of task that the flags describe."""
    if config.choice_columns:
        return "choice"
    if config.regression:
        return "regression"
    return "multi_label" if config.multi_label else "one_label"


def files_of(task_name: str) -> Mapping[str, Mapping[str, str]]:
    """Returns the names that files have in --data_dir; see `Dataset.files`."""
    ending = task_name.lower()
    endings = [ending, "json"] if ending == "jsonl" else [ending]
    names = {"train": "train", "eval": "dev", "predict": "test"}
    return {
        split: {"": "|".join(f"{name}.{x}" for x in endings)}
        for split, name in names.items()
    }


def describe(
    config: ClassifierConfig, texts: Sequence[str], label: str
) -> Dataset:
    """Returns the task of files with these columns."""
    kind = kind_of(config)
    labels: tuple[str, ...] = ()
    if config.labels:
        labels = tuple(name.strip() for name in config.labels.split(","))
    if kind == "choice" and not labels:
        labels = tuple((config.choice_columns or "").split(","))
        if all(name.isdigit() for name in labels):
            labels = tuple(map(str, range(len(labels))))
    if kind == "choice" and len(labels) != len(texts) - 1:
        raise ValueError(
            f"--labels={config.labels} must name as many labels as "
            f"--choice_columns={config.choice_columns} has columns"
        )
    renamed = {}
    if kind == "choice":
        renamed = {str(n): name for n, name in enumerate(labels)}
        renamed |= dict(zip(labels, labels, strict=True))
    return Dataset(
        files=files_of(config.task_name),
        texts=texts,
        label=label,
        labels=labels or None,
        kind=kind,
        metrics=METRICS[kind],
        make_pairs=(
            datasets.choices if kind == "choice" else datasets.as_they_are
        ),
        renamed=renamed,
    )


def choose_columns(
    config: ClassifierConfig, table: Table, needs_label: bool
) -> tuple[Sequence[str], str]:
    """Returns the columns of the texts and the label, and logs the choice.

    Args:
        config: its flags may name the columns.
        table: the rows of the file.
        needs_label: whether the file must have a column of labels.

    Returns:
        (texts, label): names as `Dataset` has them.

    Raises:
        ValueError: a column of a flag is not there, or none is known; says
            which there are, and the flag.
    """
    if config.header == "auto" and not table.has_header:
        logging.warning(
            "%s: no header, as the first row has no name known here: %s; if "
            "it is one set --header=true",
            table.path,
            table.rows[0].values,
        )
    texts = _texts(config, table)
    label = config.label_column
    if not label:
        known = _NUMBERS + _LABELS if config.regression else _LABELS
        label = _first(table, known)
    if not label and not table.has_header and needs_label:
        label = _fewest_values(table, without=texts)
    label = label or "|".join(_LABELS)
    if needs_label:
        table.need(label, "--label_column names it")
    if texts is None:
        texts = _others(table, label, needs_label)
    logging.info(
        "%s: text in %s%s",
        table.path,
        " and ".join(map(repr, texts)),
        f", label in {label!r}" if needs_label else "",
    )
    return texts, label


def _texts(config, table):
    """Returns the columns of the texts; None stands for all but the label's."""
    flag = "--text_column names it"
    if config.choice_columns:
        context = config.text_column or _first(table, _TEXTS)
        names = (context or "|".join(_TEXTS), *config.choice_columns.split(","))
        table.need(names[0], flag)
        for name in names[1:]:
            table.need(name, "--choice_columns names them")
        return names
    if config.text_column:
        table.need(config.text_column, flag)
        if not config.text_b_column:
            return (config.text_column,)
    if config.text_b_column:
        table.need(config.text_b_column, "--text_b_column names it")
        first = config.text_column or _first(table, _TEXTS)
        table.need(first or "|".join(_TEXTS), flag)
        return (first, config.text_b_column)
    columns = usual_texts(table)
    if columns or not table.has_header:
        return columns
    table.need("|".join(_TEXTS), flag)
    return None


def usual_texts(table: Table) -> Sequence[str] | None:
    """Returns the one or two columns of texts with usual names, if any."""
    for pair in _PAIRS:
        columns = [x for name in pair if (x := _first(table, [name]))]
        if len(columns) == len(pair):
            return columns
    column = _first(table, _TEXTS)
    return (column,) if column else None


def _first(table, known):
    """Returns the first known name that a column has in any case."""
    by_lower = {name.lower(): name for name in table.columns}
    return next((by_lower[x] for x in known if x in by_lower), None)


def _fewest_values(table, without):
    """Returns the column with the fewest different values: the label's."""
    columns = [x for x in table.columns if x not in (without or ())]
    if len(columns) < 2 and not without:
        raise ValueError(
            f"{table.path}: one column and no header; wanted are a text and a "
            "label, with a tab between them in a TSV"
        )
    rows = [row.values for row in table.rows if not row.wrong]
    places = {name: table.columns.index(name) for name in columns}
    counts = {
        name: len({values[place] for values in rows})
        for name, place in places.items()
    }
    return min(counts, key=counts.get)


def _others(table, label, needs_label):
    """Returns the one or two columns beside the label's."""
    names = [x for x in table.columns if not (needs_label and x == label)]
    if len(names) > 2:
        raise ValueError(
            f"{table.path}: {len(table.columns)} columns and no header; name "
            "them by number with --text_column, --text_b_column and "
            "--label_column"
        )
    return tuple(names)

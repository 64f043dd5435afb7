"""Rows of files as examples: texts in pairs, and a label."""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

from absl import logging

from finetuning.classification.datasets import Dataset, Pairs
from finetuning.classification.tables import Table
from finetuning.problems import Problems

# Published files have these for a label on which the annotators did not agree.
_NO_LABEL = ("-", "")
# The largest number of float32, in which the loss is computed.
_LARGEST = 3.4e38
_OTHER_FORM = "a text of another form than the task's"


class Example(NamedTuple):
    """Texts and their label."""

    # One pair, or a pair for each text to choose from; the second text of a
    # pair may be None.
    pairs: Pairs
    label: Any  # A name, a number, or names; None where it is not known.
    id: Any = None  # As the file has it, or the number of the row.
    part: str = ""  # A key of `Dataset.files`.
    path: str = ""
    line: int = 0  # From 1.

    @property
    def place(self) -> str:
        return f"{self.path}, line {self.line}"


def as_text(value: Any) -> str:
    """Returns a value of a JSON object as a TSV would have it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else str(value)


def name_of(value: Any) -> str | None:
    """Returns the label of a text, or None where it has none.

    Raises:
        ValueError: it cannot be a label.
    """
    if isinstance(value, (list, dict)):
        raise ValueError("a label that is a list or an object")
    name = None if value is None else as_text(value).strip()
    if name and not _is_writable(name):
        raise ValueError("a label with half of a surrogate pair")
    return None if name in _NO_LABEL else name


def _is_writable(text):
    """Whether UTF-8 can hold a text. JSON may escape half of an emoji."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def number_of(value: Any) -> float | None:
    """Returns the label as a number.

    Raises:
        ValueError: it is none.
    """
    if value is None or value == "":
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not abs(number) <= _LARGEST:
        raise ValueError("a label that is no number (--regression)")
    return number


def names_of(value: Any, separator: str) -> tuple[str, ...]:
    """Returns the labels of a text, as a tuple.

    Raises:
        ValueError: one cannot be a label.
    """
    if value is None:
        return ()
    is_list = isinstance(value, list)
    parts = value if is_list else as_text(value).split(separator)
    return tuple(filter(None, map(name_of, parts)))


def from_table(
    table: Table,
    dataset: Dataset,
    *,
    label_of: Callable[[Any], Any] | None,
    part: str,
    has_labels: bool,
    problems: Problems | None,
) -> list[Example]:
    """Returns the examples of a table.

    Args:
        table: its rows become examples.
        dataset: names the columns.
        label_of: maps a value of the label's column to a label.
        part: see `Example.part`.
        has_labels: whether each row must have a label. Without it each row is
            answered: none is left out, and the two others may be None.
        problems: gets the rows that are left out.

    Raises:
        ValueError: a column is missing, or a row to be answered is broken.
    """
    texts = [table.need(x, "is this the task's file?") for x in dataset.texts]
    label = -1
    if has_labels:
        label = table.need(dataset.label, "is this a file with labels?")
    of_id = table.find(dataset.id)
    examples = []
    num_unusable = 0
    for number, row in enumerate(table.rows):
        wrong, answer, is_undecided = row.wrong, None, False
        pairs: Pairs = ()
        if not wrong:
            values = [row.values[place] for place in texts]
            wrong, pairs = _pairs(dataset, values)
        if not wrong and has_labels:
            value = row.values[label]
            is_undecided = value is not None and value == dataset.undecided
            wrong, answer = _label(dataset, value, label_of)
            wrong = wrong or _unusable(pairs)
        elif not wrong:
            num_unusable += _unusable(pairs) is not None
        if wrong:
            place = f"{table.path}, line {row.line}"
            if problems is None or not has_labels:
                raise ValueError(
                    f"{place}: {wrong}; each row is answered, so mend it"
                )
            problems.skip(place, wrong, is_published=is_undecided)
            continue
        name = number if of_id is None else row.values[of_id]
        examples.append(
            Example(pairs, answer, name, part, table.path, row.line)
        )
    if num_unusable:
        logging.warning(
            "%s: %s rows with an empty text or a NUL character are answered "
            "all the same",
            table.path,
            num_unusable,
        )
    return examples


def _pairs(dataset, values):
    """Returns (what is wrong or None, the pairs)."""
    if any(value is None for value in values):
        return "a text is missing", None
    try:
        values = [
            value if isinstance(value, (list, dict)) else as_text(value)
            for value in values
        ]
        pairs = dataset.make_pairs(*values)
    except (KeyError, TypeError, IndexError, AttributeError):
        return _OTHER_FORM, None
    except ValueError as error:
        return str(error), None
    texts = [text for pair in pairs for text in pair if text is not None]
    if not all(isinstance(text, str) for text in texts):
        return _OTHER_FORM, None
    return None, pairs


def _label(dataset, value, label_of):
    """Returns (what is wrong or None, the label)."""
    try:
        label = label_of(value)
    except ValueError as error:
        return str(error), None
    if label is None:
        return "no label", None
    if isinstance(label, str):
        label = dataset.renamed.get(label, label)
    return None, label


def _unusable(pairs):
    """Returns why texts teach nothing, or None."""
    for pair in pairs:
        for text in pair:
            if text is None:
                continue
            if not text or text.isspace():
                return "an empty text"
            if "\0" in text:
                return "a NUL character"
    return None

"""Files of soft labels: the logits of a model, a row of texts a line.

Tabs stand between the columns; the first line names them:

    texts             negative    positive
    5feceb66ffc86f38  -1.203125   0.98473907

`texts` is a hash of the texts of the row, by which a file of other rows is
told. A model that gives a number has one column more, "value".

Shapes: N examples, L labels.
"""

import hashlib
import json
from collections.abc import Sequence

import numpy as np

from finetuning.classification.examples import Example
from storage import file_io
from text import corpus

NAME = "soft_labels.tsv"
_TEXTS = "texts"
_NUMBER = "value"
_NUM_DIGITS = 16


def write(
    path: str,
    examples: Sequence[Example],
    logits: np.ndarray,
    labels: Sequence[str],
) -> None:
    """Writes a file of soft labels.

    Args:
        path: local or remote.
        examples: N.
        logits: float32 [N, L] of the examples.
        labels: the names of L labels, or none of a number.
    """
    # A float32 as it is written comes back to the bit.
    lines = (
        "\t".join([_hash(example), *map(str, row)])
        for example, row in zip(examples, logits, strict=True)
    )
    file_io.write_lines(path, ["\t".join(_columns(labels)), *lines])


def read(
    path: str, examples: Sequence[Example], labels: Sequence[str]
) -> np.ndarray:
    """Returns the logits of the examples, float32 [N, L].

    Args:
        path: a file that `write` wrote, gzipped or not.
        examples: N.
        labels: the names of L labels, or none of a number.

    Raises:
        ValueError: the file is of other labels, other rows or in another
            order, or has no such form; names the line.
    """
    named = f"--soft_labels={path}"
    head, *lines = corpus.read(path).removesuffix("\n").split("\n")
    columns, wanted = head.split("\t"), _columns(labels)
    if columns != wanted:
        raise ValueError(
            f"{named} has the columns {', '.join(columns)[:200]}; wanted are "
            f"{', '.join(wanted)}"
        )
    if len(lines) != len(examples):
        raise ValueError(
            f"{named} has {len(lines)} rows, and there are {len(examples)} to "
            "train on: predict the training file itself, without rows that "
            "are left out, or set --teacher_dir"
        )
    logits = np.zeros((len(lines), len(wanted) - 1), np.float32)
    for row, (line, example) in enumerate(zip(lines, examples, strict=True)):
        of_texts, *numbers = line.split("\t")
        if of_texts != _hash(example):
            raise ValueError(
                f"{named}, line {row + 2}: it is of other texts than "
                f"{example.place}; predict the training file itself"
            )
        logits[row] = _numbers(numbers, logits.shape[1], named, row + 2)
    return logits


def _columns(labels):
    names = [" ".join(name.split()) for name in labels] or [_NUMBER]
    return [_TEXTS, *names]


def _hash(example):
    # Escaped, as JSON may hold half of an emoji, which UTF-8 may not.
    texts = json.dumps(example.pairs).encode("ascii")
    return hashlib.sha256(texts).hexdigest()[:_NUM_DIGITS]


def _numbers(texts, count, named, line):
    try:
        numbers = np.array(texts, np.float32)
    except ValueError:
        numbers = np.empty(0, np.float32)
    if numbers.shape != (count,) or not np.isfinite(numbers).all():
        raise ValueError(
            f"{named}, line {line}: {count} finite numbers are wanted behind "
            f"the first column, got {' '.join(texts)[:60]!r}"
        )
    return numbers

"""Files of a model's answers to texts.

Shapes: N examples, L labels.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from finetuning.classification.examples import Example
from storage import file_io, json_files

# As `kinds.OneLabel.answer` makes it.
Answer = Mapping[str, Any]


def write_probabilities(path: str, probabilities: np.ndarray) -> None:
    """Writes test_results.tsv as google-research/bert does.

    Args:
        path: local or remote; the file has neither a header nor ids.
        probabilities: [N, L] float32.
    """
    file_io.write_lines(
        path, ("\t".join(map(str, row)) for row in probabilities)
    )


def write_answers(
    path: str,
    examples: Sequence[Example],
    answers: Sequence[Answer],
    *,
    with_labels: bool,
) -> None:
    """Writes a JSON object a line: id, texts, and the answer to them."""
    lines = []
    for example, answer in zip(examples, answers, strict=True):
        pairs = example.pairs
        texts = list(pairs[0] if len(pairs) == 1 else (pairs[0][0],))
        line = {"id": example.id, "texts": [x for x in texts if x is not None]}
        if len(pairs) > 1:
            line["choices"] = [second for _, second in pairs]
        if with_labels:
            line["wanted"] = example.label
        lines.append(json_files.line({**line, **answer}))
    file_io.write_lines(path, lines)


def _glue(example, answer):
    return f"{example.id}\t{_said(answer)}"


def _clue(example, answer):
    line = {"id": example.id, "label": str(_said(answer))}
    return json_files.line(line)


def _said(answer):
    return answer["label"] if "label" in answer else answer["value"]


# The form that a benchmark wants: its first lines, and one for each example.
SUBMISSIONS = {"glue": (["index\tprediction"], _glue), "clue": ([], _clue)}


def write_submission(
    directory: str,
    part: str,
    submission: tuple[str, Mapping[str, str]],
    examples: Sequence[Example],
    answers: Sequence[Answer],
) -> None:
    """Writes what is handed in to a benchmark.

    Args:
        directory: local or remote.
        part: of the data.
        submission: see `Dataset.submission`.
        examples: of the part.
        answers: to the examples.
    """
    form, names = submission
    path = os.path.join(directory, names[part])
    head, line_of = SUBMISSIONS[form]
    lines = [line_of(*pair) for pair in zip(examples, answers, strict=True)]
    file_io.write_lines(path, [*head, *lines])


def path_of(directory: str, name: str, part: str) -> str:
    """Returns where the file of a part is: its name stands before the dot."""
    stem, ending = os.path.splitext(name)
    return os.path.join(directory, f"{stem}{part}{ending}")

"""What an evaluation got right and wrong, case by case, whatever the task.

A case is what can be right or wrong once: a text and its label, one of the
labels of a text, an entity, a question. Each stands in a table whose rows say
what was wanted and whose columns what came of it:

    one label, choices    wanted label     x  decided label
    several labels        label            x  right, missed, invented
    a number              range wanted     x  range decided
    entities              type             x  right, missed, invented, ...
    answers               words asked in   x  exact, partly, none, ...
"""

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from storage import file_io, json_files
from tools.reporting import entity_cases
from tools.reporting.case import Case, Piece, around

_RANGES = 5  # Of the numbers that were wanted.
_FEW_CHARS = 8  # Of a question, the shortest range.
_TEXTS = {"texts": [str], "wanted": object, "id?": object}
_SHAPES: dict[str, Mapping[str, Any]] = {
    "label": {**_TEXTS, "label": str, "probabilities": {str: float}},
    "labels": {**_TEXTS, "labels": [str], "probabilities": {str: float}},
    "value": {**_TEXTS, "wanted": float, "value": float},
    "entities": {
        "text": str,
        "wanted": [entity_cases.ENTITY],
        "entities": [entity_cases.ENTITY],
    },
    "answer": {
        "question": str,
        "context": str,
        "wanted": [str],
        "answer": str,
        "probability": (float, None),
        "exact_match": (float, None),
        "f1": (float, None),
    },
}
_UNSCORED = "not scored"


@dataclasses.dataclass(frozen=True)
class Evaluation:
    """All cases of a file.

    Args:
        kind: a key of `READERS`.
        num_lines: texts, sentences or questions.
        cases: what was right or wrong of them.
    """

    kind: str
    num_lines: int
    cases: Sequence[Case]


def read(path: str) -> Evaluation:
    """Reads eval_predictions.jsonl of any fine-tuning program.

    Raises:
        ValueError: it is another file; names the line.
    """
    data = file_io.read_bytes(path).splitlines()
    lines: list[dict[str, Any]] = []
    kind = ""
    for number, text in enumerate(data, start=1):
        if not lines:
            first = json_files.parse_line(text, path, number)
            kind = next((x for x in _SHAPES if x in first), "")
            if not kind or "wanted" not in first:
                raise ValueError(
                    f"{path}, line {number}: not of eval_predictions.jsonl; "
                    "--do_eval writes it"
                )
        lines.append(json_files.parse_line(text, path, number, _SHAPES[kind]))
    if not lines:
        raise ValueError(f"{path}: no line in --predictions_file")
    cases = [case for case in READERS[kind](lines) if case.column != _UNSCORED]
    return Evaluation(kind, len(lines), cases)


def _texts(line):
    """Yields the pieces of the texts of a line, and of its choices."""
    for text in line["texts"]:
        yield Piece(text)
    for number, text in enumerate(line.get("choices", ())):
        yield Piece(text, f"{number}")


def _length(line):
    return sum(map(len, line["texts"]))


def _one_label(lines: Sequence[Mapping[str, Any]]) -> Iterator[Case]:
    for number, line in enumerate(lines):
        wanted, decided = str(line["wanted"]), line["label"]
        share = line["probabilities"].get(decided, 0.0)
        yield Case(
            number,
            wanted,
            decided,
            is_right=wanted == decided,
            weight=share,
            note=f"{share:.1%}",
            length=_length(line),
            pieces=tuple(_texts(line)),
        )


def _several_labels(lines: Sequence[Mapping[str, Any]]) -> Iterator[Case]:
    for number, line in enumerate(lines):
        wanted, decided = set(line["wanted"] or ()), set(line["labels"])
        for label in sorted(wanted | decided):
            share = line["probabilities"].get(label, 0.0)
            is_right = label in wanted and label in decided
            missed = "missed" if label in wanted else "invented"
            yield Case(
                number,
                label,
                "right" if is_right else missed,
                is_right=is_right,
                weight=1 - share if missed == "missed" else share,
                note=f"{share:.1%}",
                length=_length(line),
                pieces=tuple(_texts(line)),
            )


def _numbers(lines: Sequence[Mapping[str, Any]]) -> Iterator[Case]:
    values = [line["wanted"] for line in lines]
    least, most = min(values), max(values)
    width = (most - least) / _RANGES or 1.0

    def name(value):
        place = int((value - least) // width)
        first = least + width * min(max(place, 0), _RANGES - 1)
        return f"{first:.3g} to {first + width:.3g}"

    for number, line in enumerate(lines):
        error = line["value"] - line["wanted"]
        rows = name(line["wanted"]), name(line["value"])
        yield Case(
            number,
            *rows,
            is_right=rows[0] == rows[1],
            weight=abs(error),
            note=f"{line['wanted']:.3g} \u2192 {line['value']:.3g}",
            length=_length(line),
            pieces=tuple(_texts(line)),
        )


def _answers(lines: Sequence[Mapping[str, Any]]) -> Iterator[Case]:
    for number, line in enumerate(lines):
        size = _FEW_CHARS
        while len(line["question"]) > size:
            size *= 2
        row = (
            f"{size // 2 + 1} to {size}" if size > _FEW_CHARS else f"to {size}"
        )
        share = line["probability"]
        column = _came_of(line)
        wanted = " | ".join(dict.fromkeys(line["wanted"])) or "\u2014"
        yield Case(
            number,
            row,
            column,
            is_right=line["exact_match"] == 1,
            weight=share or 0.0,
            note="" if share is None else f"{share:.1%}",
            length=len(line["context"]),
            pieces=(
                Piece(line["question"]),
                Piece(wanted, "wanted 正确:"),
                Piece(line["answer"] or "\u2014", "given 模型给出:"),
                *around(line["context"], _places(line)),
            ),
        )


def _places(line):
    """Yields (start, end, class) of the answers in the text."""
    if line["answer"] and "start" in line:
        yield line["start"], line["end"], "given"
    for answer in dict.fromkeys(line["wanted"]):
        start = line["context"].find(answer)
        if answer and start >= 0:
            yield start, start + len(answer), "wanted"
            return


def _came_of(line):
    if line["f1"] is None:
        return _UNSCORED
    if line["exact_match"] == 1:
        return "exact"
    if not line["answer"]:
        return "no answer given"
    if not any(line["wanted"]):
        return "invented"
    return "partly" if line["f1"] > 0 else "elsewhere"


# {what only lines of this kind have: their reader}
READERS: dict[str, Callable[[Sequence[Mapping[str, Any]]], Iterator[Case]]] = {
    "label": _one_label,
    "labels": _several_labels,
    "value": _numbers,
    "entities": entity_cases.read,
    "answer": _answers,
}

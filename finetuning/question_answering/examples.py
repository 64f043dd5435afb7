"""Questions, their texts and answers, in the JSON of SQuAD.

{"data": [{"paragraphs": [{"context": ..., "qas": [{"id": ..., "question": ...,
"answers": [{"text": ..., "answer_start": ...}]}]}]}]}, where a question of
version 2 may say "is_impossible": true.
"""

import dataclasses
import math
from collections.abc import Sequence

from absl import logging

from finetuning.problems import Problems
from storage import file_io, json_files
from text import corpus

_FORM = (
    'SQuAD\'s form is {"data": [{"paragraphs": [{"context": ..., "qas": '
    '[{"id": ..., "question": ..., "answers": ...}]}]}]}'
)
_LINE = {"question": str, "context": str, "id?": object}
_PARAGRAPH = {
    "context": str,
    "qas": [
        {
            "question": str,
            "id": object,
            "answers?": ([{"text": str}], None),
            "is_impossible?": (bool, None),
        }
    ],
}


@dataclasses.dataclass(frozen=True)
class Example:
    """A question to a text."""

    id: str
    question: str
    context: str
    # The texts of the right answers; none where the question has no answer,
    # or the file does not tell it.
    answers: tuple[str, ...] = ()
    # The characters of the context that are the first answer, or None.
    span: tuple[int, int] | None = None
    is_impossible: bool = False


def is_labelled(examples: Sequence[Example]) -> bool:
    """Whether any question comes with its answer."""
    return any(example.answers for example in examples)


def read(
    path: str, problems: Problems, *, version_2: bool, is_training: bool
) -> list[Example]:
    """Reads the questions of a file.

    Args:
        path: local or remote, gzipped where its name ends in .gz.
        problems: gets the questions that cannot be used.
        version_2: whether questions may be without an answer.
        is_training: whether a question is of use only with its answer; else
            one without, or without a text, is kept.

    Raises:
        ValueError: the file is not of SQuAD's form.
    """
    examples = []
    seen = set()
    num_moved = num_unplaced = 0
    for context, entry, place in _questions(path):
        example, mistake = _read_question(context, entry, version_2)
        place = f"{place}, question {example.id}"
        if example.id in seen:
            problems.skip(place, "a question before it has the same id")
            continue
        seen.add(example.id)
        if not context.strip() and not is_training:
            problems.skip(
                place, "the context is empty, and so will the answer be"
            )
        if mistake and is_training:
            problems.skip(place, mistake)
            continue
        if example.span:
            answer = entry["answers"][0]
            num_unplaced += _is_unplaced(context, answer)
            num_moved += _is_moved(context, answer)
        examples.append(example)
    problems.log()
    if num_moved:
        logging.warning(
            "%s: %s answers do not stand at their answer_start; the nearest "
            "place where they stand is taken",
            path,
            num_moved,
        )
    if num_unplaced:
        logging.warning(
            "%s: %s answers have no answer_start and stand in their text more "
            "than once; the first place is taken",
            path,
            num_unplaced,
        )
    if not examples:
        raise ValueError(f"{path}: it has no question that can be used")
    return examples


def read_any(path: str, *, version_2: bool) -> list[Example]:
    """Reads questions to answer, in SQuAD's form or as JSON lines.

    A line is {"id": ..., "question": ..., "context": ...}; without an id its
    number counts. A file's name may tell, by .jsonl, that it is of lines.
    """
    text = corpus.read(path)
    if not _is_of_lines(text, path):
        return read(
            path,
            Problems(strict=False),
            version_2=version_2,
            is_training=False,
        )
    examples = []
    for number, line in enumerate(text.rstrip("\n").split("\n"), start=1):
        value = json_files.parse_line(line, path, number, _LINE)
        name = str(value.get("id", number))
        examples.append(Example(name, value["question"], value["context"]))
    return examples


def _is_of_lines(text, path):
    if path.removesuffix(".gz").endswith(".jsonl"):
        return True
    try:
        json_files.parse(text.lstrip().partition("\n")[0], path, _LINE)
    except ValueError:
        return False
    return True


def _read_question(context, entry, version_2):
    """Returns (example, what keeps it from training or "")."""
    right = entry.get("answers") or []
    # google-research's files say is_impossible; others have no answers.
    is_impossible = version_2 and bool(
        entry.get("is_impossible") or ("answers" in entry and not right)
    )
    answers = () if is_impossible else tuple(x["text"] for x in right)
    span, mistake = None, ""
    if not context.strip():
        mistake = "the context is empty"
    elif not entry["question"].strip():
        mistake = "the question is empty"
    elif not answers and not is_impossible:
        mistake = "the question has no answer"
        if not version_2:
            mistake += ", which --version_2_with_negative allows"
    elif answers and not answers[0].strip():
        mistake = "the answer is empty"
    elif answers:
        try:
            span = _locate(context, answers[0], _start_of(right[0]))
            mistake = "" if span else "the answer is not in the context"
        except ValueError as error:
            mistake = str(error)
    example = Example(
        str(entry["id"]),
        entry["question"],
        context,
        answers,
        span,
        is_impossible,
    )
    return example, mistake


def _start_of(answer):
    """Returns where an answer says that it stands, or None.

    Spreadsheets and pandas make 8.0 and "8" of 8.

    Raises:
        ValueError: that is no place.
    """
    start = answer.get("answer_start")
    if start is None or (isinstance(start, int) and start is not True):
        return start
    try:
        number = float(start)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not number.is_integer() or isinstance(start, bool):
        raise ValueError("answer_start is no integer")
    return int(number)


def _is_unplaced(context, answer):
    text = answer["text"]
    return _start_of(answer) is None and context.count(text) > 1


def _is_moved(context, answer):
    start, text = _start_of(answer), answer["text"]
    if start is None:
        return False
    return start < 0 or context[start : start + len(text)] != text


def _locate(context, text, start):
    """Returns the span of a text that is nearest to `start`, or None."""
    start = start or 0
    if text not in context:
        text = text.strip()
    places = []
    place = context.find(text)
    while place >= 0:
        places.append(place)
        place = context.find(text, place + 1)
    if not places:
        return None
    place = min(places, key=lambda place: abs(place - start))
    place += len(text) - len(text.lstrip())
    return place, place + len(text.strip())


def _questions(path):
    """Yields (context, entry of a question, its place) of a file."""
    with corpus.open_text(path) as source:
        data = source.read()
    file_io.check_is_fetched(data, path)
    value = json_files.parse(data, path, object)
    _check(value, {"data": [{"paragraphs": list}]}, path)
    for i, article in enumerate(value["data"], start=1):
        for j, paragraph in enumerate(article["paragraphs"], start=1):
            place = f"{path}, article {i}, paragraph {j}"
            _check(paragraph, _PARAGRAPH, place)
            for entry in paragraph["qas"]:
                yield paragraph["context"], entry, place


def _check(value, shape, place):
    try:
        json_files.check(value, shape, place)
    except ValueError as error:
        raise ValueError(f"{error}; {_FORM}") from None

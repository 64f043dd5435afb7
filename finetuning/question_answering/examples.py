"""Questions, their texts and answers, in the JSON of SQuAD.

{"data": [{"paragraphs": [{"context": ..., "qas": [{"id": ..., "question": ...,
"answers": [{"text": ..., "answer_start": ...}]}]}]}]}, where a question of
version 2 may say "is_impossible": true.
"""

import dataclasses
import json

from absl import logging

from text import corpus

_FORM = (
    'SQuAD\'s form is {"data": [{"paragraphs": [{"context": ..., "qas": '
    '[{"id": ..., "question": ..., "answers": ...}]}]}]}'
)


@dataclasses.dataclass(frozen=True)
class Example:
    """A question to a text."""

    id: str
    question: str
    context: str
    # What the right answers say; none where there are none or none is told.
    answers: tuple[str, ...] = ()
    # The characters of the context that are the first answer, or None.
    span: tuple[int, int] | None = None
    is_impossible: bool = False


def is_labelled(examples):
    """Whether any question comes with its answer."""
    return any(example.answers for example in examples)


def read(path, problems, *, version_2, is_training):
    """Reads the questions of a file.

    Args:
        path: local or remote, gzipped where its name ends in .gz.
        problems: a `problems.Problems`, told of what cannot be used.
        version_2: whether questions may be without an answer.
        is_training: whether a question is of use only with its answer; else
            one without, or without a text, is kept.

    Returns:
        A list of `Example`.

    Raises:
        ValueError: the file is not of SQuAD's form.
    """
    examples = []
    seen = set()
    num_moved = 0
    for context, entry, place in _questions(path):
        example, mistake, is_moved = _read_question(context, entry, version_2)
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
        num_moved += is_moved
        examples.append(example)
    problems.log()
    if num_moved:
        logging.warning(
            "%s: %s answers do not stand at their answer_start; the nearest "
            "place where they stand is taken",
            path,
            num_moved,
        )
    if not examples:
        raise ValueError(f"{path}: it has no question that can be used")
    return examples


def _read_question(context, entry, version_2):
    """Returns (example, what keeps it from training or "", is it moved)."""
    found = entry.get("answers") or []
    # google-research's files say is_impossible; others have no answers.
    is_impossible = version_2 and bool(
        entry.get("is_impossible") or ("answers" in entry and not found)
    )
    answers = () if is_impossible else tuple(x["text"] for x in found)
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
        span = _locate(context, answers[0], found[0].get("answer_start"))
        mistake = "" if span else "the answer is not in the context"
    example = Example(
        str(entry["id"]),
        entry["question"],
        context,
        answers,
        span,
        is_impossible,
    )
    is_moved = span and not _stands_at(context, found[0])
    return example, mistake, bool(is_moved)


def _stands_at(context, answer):
    start = answer.get("answer_start")
    text = answer["text"]
    return isinstance(start, int) and (
        start >= 0 and context[start : start + len(text)] == text
    )


def _locate(context, text, start):
    """The span of a text in its context that is nearest to `start`, or None."""
    start = start if isinstance(start, int) else 0
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
    found = _load(path)
    for i, article in enumerate(_list_of(found, "data", path), start=1):
        place = f"{path}, article {i}"
        for j, paragraph in enumerate(
            _list_of(article, "paragraphs", place), start=1
        ):
            place = f"{path}, article {i}, paragraph {j}"
            context = _text_of(paragraph, "context", place)
            for entry in _list_of(paragraph, "qas", place):
                _text_of(entry, "question", place)
                if "id" not in entry:
                    raise ValueError(
                        f"{place}: the question {entry['question']!r} has no "
                        '"id"'
                    )
                for answer in entry.get("answers") or []:
                    _text_of(answer, "text", f"{place}, {entry['id']}")
                yield context, entry, place


def _load(path):
    with corpus.open_text(path) as source:
        data = source.read()
    try:
        # A byte order mark is dropped.
        return json.loads(data.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path}: not UTF-8 at byte {error.start}; convert it with iconv"
        ) from None
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{path}, line {error.lineno}: not JSON: {error.msg}, at column "
            f"{error.colno}"
        ) from None


def _list_of(found, key, place):
    if not isinstance(found, dict) or not isinstance(found.get(key), list):
        has = sorted(found) if isinstance(found, dict) else type(found).__name__
        raise ValueError(f'{place}: no list "{key}", but {has}; {_FORM}')
    return found[key]


def _text_of(found, key, place):
    if not isinstance(found, dict) or not isinstance(found.get(key), str):
        has = sorted(found) if isinstance(found, dict) else type(found).__name__
        raise ValueError(f'{place}: no text "{key}", but {has}; {_FORM}')
    return found[key]

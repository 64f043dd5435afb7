"""Sentences as CLUENER has them: a JSON object a line.

{"text": "...", "label": {"name": {"叶老桂": [[9, 11]]}}}: types, what is said,
and the places of its first and last character. A file to predict has no label.
"""

import dataclasses
import re

from finetuning.problems import Problems
from finetuning.tagging.sentences import Sentence
from storage import json_files
from text import corpus

_BEGIN = re.compile(r'\s*\{(?![ \t]+[^\s"}])')
_TEXT = {"text": str, "id?": object}
_LINE = _TEXT | {"label?": ({str: {str: [[int]]}}, None)}


def is_here(text: str) -> bool:
    """Whether a text is of this form, and not of words with a { first."""
    return bool(_BEGIN.match(text))


def read(
    text: str, path: str, problems: Problems, *, needs_labels: bool
) -> list[Sentence]:
    """Reads the sentences of a file's text; each character is a word.

    Args:
        text: of the file.
        path: the file, for errors.
        problems: gets what cannot be used.
        needs_labels: whether a sentence without labels is of no use. Else
            either all have labels or none, and an empty text is one, too.
    """
    sentences = []
    for line, row in _rows(text):
        place = f"{path}, line {line}"
        try:
            value = json_files.parse_line(row, path, line, _LINE)
            sentence = _make(value, path, line)
            spans = _spans_of(value, sentence, needs_labels)
        except ValueError as error:
            problems.skip(place, str(error).removeprefix(place).lstrip(", :"))
            continue
        if spans is not None:
            labels = _labels(spans, sentence.starts, place, problems)
            sentence = dataclasses.replace(sentence, labels=labels)
        sentences.append(sentence)
    if not all(sentence.labels for sentence in sentences):
        return [dataclasses.replace(x, labels=None) for x in sentences]
    return sentences


def read_texts(path: str) -> list[Sentence]:
    """Returns the sentences of a file to tag, without the labels it may have.

    Raises:
        ValueError: a line is of another form; names it.
    """
    return [
        _make(json_files.parse_line(row, path, line, _TEXT), path, line)
        for line, row in _rows(corpus.read(path))
    ]


def _rows(text):
    return enumerate(text.rstrip("\n").split("\n"), start=1)


def _make(value, path, line):
    """Returns the `Sentence` without labels."""
    text = value["text"]
    starts = tuple(n for n, c in enumerate(text) if not c.isspace())
    return Sentence(
        tuple(text[start] for start in starts),
        None,
        text,
        starts,
        path,
        line,
        id=value.get("id", line - 1),
    )


def _spans_of(value, sentence, needs_labels):
    """Returns the spans that a line has, or None.

    Raises:
        ValueError: they are needed and wrong, or there is nothing to label.
    """
    if needs_labels and value.get("label") is None:
        raise ValueError("no label")
    if needs_labels and not sentence.words:
        raise ValueError("an empty text")
    if value.get("label") is None:
        return None
    try:
        return list(_spans(value["label"], sentence.text))
    except ValueError:
        if needs_labels:
            raise
        return None


def _spans(label, text):
    """Yields (type, first character, the one after the last)."""
    for kind, mentions in label.items():
        for mention, places in mentions.items():
            for span in places:
                begin, end = span if len(span) == 2 else (-1, -1)
                is_here = begin >= 0 and text[begin : end + 1] == mention
                if not is_here or not mention.strip():
                    raise ValueError(
                        "an entity that is not where its place says"
                    )
                yield kind, begin, end + 1


def _labels(spans, starts, place, problems):
    """Returns the BIO label of each word; of two that overlap the longer."""
    labels = ["O"] * len(starts)
    for kind, begin, end in sorted(spans, key=lambda x: (x[1] - x[2], x[1])):
        words = [n for n, start in enumerate(starts) if begin <= start < end]
        if any(labels[word] != "O" for word in words):
            problems.skip(place, "an entity that overlaps a longer one")
            continue
        labels[words[0]] = f"B-{kind}"
        for word in words[1:]:
            labels[word] = f"I-{kind}"
    return tuple(labels)

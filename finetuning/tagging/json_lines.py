"""Sentences as CLUENER has them: a JSON object a line.

{"text": "...", "label": {"name": {"叶老桂": [[9, 11]]}}}: types, what is said,
and the places of its first and last character. A file to predict has no label.
"""

from finetuning.tagging.sentences import Sentence
from storage import json_files

_LINE = {
    "text": str,
    "label?": ({str: {str: [[int]]}}, None),
    "id?": object,
}


_WRONG_PLACE = "an entity that is not where its place says"


def is_here(text):
    """Whether a file's text is of this form."""
    return text.lstrip().startswith("{")


def read(text, path, problems, *, needs_labels):
    """Reads the sentences of a file's text; each character is a word.

    Args:
        text: of the file.
        path: the file, for errors.
        problems: a `problems.Problems`, told of what cannot be used.
        needs_labels: whether a sentence without labels is of no use.
    """
    found = []
    for line, row in enumerate(text.rstrip("\n").split("\n"), start=1):
        place = f"{path}, line {line}"
        try:
            value = json_files.parse(row, place, _LINE)
        except ValueError as error:
            problems.skip(place, str(error).removeprefix(place).lstrip(", :"))
            continue
        if value.get("label") is None and needs_labels:
            problems.skip(place, "no label")
            continue
        sentence = _make(value, path, line, len(found), problems)
        if sentence:
            found.append(sentence)
    return found


def _make(value, path, line, number, problems):
    text = value["text"]
    starts = tuple(n for n, c in enumerate(text) if not c.isspace())
    place = f"{path}, line {line}"
    if not starts:
        problems.skip(place, "an empty text")
        return None
    labels = None
    if value.get("label") is not None:
        try:
            spans = list(_spans(value["label"], text))
        except ValueError as error:
            problems.skip(place, str(error))
            return None
        labels = _labels(spans, starts, place, problems)
    return Sentence(
        tuple(text[start] for start in starts),
        labels,
        text,
        starts,
        path,
        line,
        id=value.get("id", number),
    )


def _spans(label, text):
    """Yields (type, first character, the one after the last)."""
    for kind, mentions in label.items():
        for mention, places in mentions.items():
            for span in places:
                begin, end = span if len(span) == 2 else (0, -1)
                if text[begin : end + 1] != mention or not mention.strip():
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

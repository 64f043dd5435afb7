"""Which fields of a record are its text.

{"qid": .., "title": .., "desc": .., "answer": ..}   title, desc, answer
{"id": .., "url": .., "title": .., "text": ..}       text
{"news_id": .., "title": .., "content": ..}          content
{"data": [{"context": ..}, {"context": ..}]}         two records
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

# Questions with answers, as in baike2018qa and webtext2019zh.
_ANSWERS = ("answer", "content")
_QUESTION = ("title", "desc")
# Names of the text in published corpora, the likelier first.
NAMES = (
    "text",
    "content",
    "article",
    "body",
    "maintext",
    "raw_content",
    "document",
    "passage",
    "context",
    "paragraphs",
    "paragraph",
    "sentence",
    "abstract",
    "review",
    "comment",
    "output",
    "正文",
    "内容",
    "文本",
    "全文",
)
_LEAST_CHARS = 20  # Of a field without a name that is taken as text.
_NO_TEXT = re.compile(r"(?:https?://\S*|[0-9a-fA-F-]+|[\d:T .+/-]+)$")


def known(keys: Iterable[str]) -> tuple[str, ...]:
    """Returns the fields that hold the text by their names; none if no name."""
    names = {key.lower(): key for key in reversed([*keys])}
    if "qid" in names:
        answers = [name for name in _ANSWERS if name in names]
        if answers:
            wanted = (*_QUESTION, answers[0])
            return tuple(names[name] for name in wanted if name in names)
    return tuple(names[name] for name in NAMES if name in names)[:1]


def longest(records: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Returns the field that holds most characters of text; none if none."""
    totals: dict[str, int] = {}
    for record in records:
        for key, value in record.items():
            if isinstance(value, str) and not _NO_TEXT.match(value):
                totals[key] = totals.get(key, 0) + len(value)
    if not totals:
        return ()
    best = max(totals, key=lambda key: (totals[key], key))
    return (best,) if totals[best] >= _LEAST_CHARS else ()


class TextOf:
    """Returns the text of a record; empty if it has none.

    Args:
        wanted: what --text_field says.
        fallback: the fields of a record without known names.
    """

    def __init__(self, wanted: tuple[str, ...], fallback: tuple[str, ...]):
        self._wanted = wanted
        self._fallback = fallback
        self._known: dict[tuple[str, ...], tuple[str, ...]] = {}

    def __call__(self, record: Mapping[str, Any]) -> str:
        fields = self.fields(record)
        if len(fields) == 1:
            value = record.get(fields[0])
            if type(value) is str:
                return value
        return "\n".join(
            filter(None, (self._flat(record.get(name)) for name in fields))
        )

    def fields(self, record: Mapping[str, Any]) -> tuple[str, ...]:
        """Returns the names of the fields that are joined."""
        if self._wanted:
            return self._wanted
        keys = tuple(record)
        found = self._known.get(keys)
        if found is None:
            if len(self._known) > 10_000:  # Keys that are data.
                self._known.clear()
            found = self._known[keys] = known(keys) or self._fallback
        return found

    def _flat(self, value):
        if isinstance(value, str):
            return value
        if isinstance(value, dict):
            return self(value)
        if isinstance(value, list):
            return "\n".join(filter(None, map(self._flat, value)))
        return ""


def records_in(value: Any, text_of: TextOf) -> Iterator[dict[str, Any]]:
    """Yields the records that a JSON value is, or holds at any depth.

    An object is a record if it has text; else what it holds is looked at.
    """
    pending = [value]
    while pending:
        value = pending.pop()
        if isinstance(value, list):
            pending += reversed(value)
        elif isinstance(value, dict):
            inner = [x for x in value.values() if isinstance(x, dict | list)]
            if not inner or text_of(value):
                yield value
            else:
                pending += reversed(inner)
        elif isinstance(value, str):
            yield {"text": value}

"""Splits paragraphs into sentences, and cuts those that are too long."""

import dataclasses
import re
from collections.abc import Iterator
from typing import Annotated

from corpus import sentence_ends
from corpus.document import Document
from corpus.tally import Rule, Tally
from settings.flag import Flag, Settings

RULES = {
    "sentence_cut": Rule(
        "sentence",
        "cut, as it is too long",
        "过长，已切开",
        drops=False,
        flag="max_sentence_chars",
    )
}

# A token is a Chinese character or mark, or about four letters of a script that
# stands before these in Unicode.
_CHARS_OF_TOKEN = 4
_FIRST_CHINESE = "\u2000"
# Where to cut, the best first: behind clauses, behind phrases, between words.
_CUTS = [
    re.compile(rf"(?:{marks})[{sentence_ends.CLOSERS}]*\s*")
    for marks in (
        r"[…⋯；：。！？]+|[;:!?](?=\s)",
        r"，|—+|,(?=\s)",
        r"、|(?<=\s)[–-](?=\s)",
        r"\s",
    )
]
_JOINED = (
    r"[\u0300-\u036f\u1ab0-\u1aff\u20d0-\u20ff\ufe00-\ufe0f\u200d\u3099\u309a"
    r"\U0001f3fb-\U0001f3ff\U000e0020-\U000e01ef\udc00-\udfff]"
)
# What no piece begins with.
_JOINS = re.compile(rf"{_JOINED}|[”’」』）】〕》〉)\]}}，、。！？；：]")
# Two that are not to be parted: of a character; of a word, a number, an
# address; a mark from what it is behind.
_CHARACTER = re.compile(rf"(?s).{_JOINED}|\u200d.")
_UNIT = re.compile(rf"(?s)[!-~\xc0-\u1fff]{{2}}|.(?:{_JOINS.pattern})")


@dataclasses.dataclass(frozen=True, kw_only=True)
class SentenceSettings(Settings):
    """How sentences are split."""

    max_sentence_chars: Annotated[
        int,
        Flag(
            "A sentence of more Chinese characters than this is cut behind a "
            "semicolon, else a comma, else a word; four letters of other "
            "scripts count as one. 0 cuts none. The default fits into "
            "--max_seq_length=128.",
            "not_negative",
        ),
    ] = 120


class Splitter:
    """Splits paragraphs, as the settings say."""

    def __init__(self, settings: SentenceSettings) -> None:
        self._limit = settings.max_sentence_chars * _CHARS_OF_TOKEN

    def split(self, paragraph: str) -> list[str]:
        """Returns the sentences of a paragraph, those too long in pieces.

        Joined without anything between they are the paragraph; blanks stay at
        the end of the sentence before them, and none is blank unless the
        paragraph is. An empty paragraph has none.

        Args:
            paragraph: a line of text.
        """
        sentences = whole_sentences(paragraph)
        return [piece for one in sentences for piece in self._pieces(one)]

    def split_document(self, document: Document, tally: Tally) -> list[str]:
        """Returns a document's sentences without the blanks around them.

        Args:
            document: its blank lines have no sentence.
            tally: takes note of each sentence that is cut.
        """
        found: list[str] = []
        for line in document.text.split("\n"):
            for sentence in whole_sentences(line.strip()):
                pieces = self._pieces(sentence)
                if len(pieces) > 1:
                    tally.note("sentence_cut", sentence, document.source)
                found += map(str.strip, pieces)
        return found

    def _pieces(self, sentence: str) -> list[str]:
        if not self._limit or _surely_fits(sentence, self._limit):
            return [sentence]
        return list(_cut(sentence, self._limit))


def whole_sentences(paragraph: str) -> list[str]:
    """Returns the sentences of a paragraph, however long."""
    start, found = 0, []
    for end in sentence_ends.find(paragraph):
        found.append(paragraph[start:end])
        start = end
    if start < len(paragraph):
        found.append(paragraph[start:])
    return found


def _surely_fits(sentence: str, limit: int) -> bool:
    """Whether it is seen at once that a sentence is within the limit.

    Args:
        limit: in quarters of a Chinese character.
    """
    num_chars = len(sentence)
    if num_chars * _CHARS_OF_TOKEN <= limit:
        return True
    if num_chars > limit:
        return False
    num_bytes = len(sentence.encode("utf-8", "surrogatepass"))
    most_chinese = num_bytes - num_chars
    return num_chars + (_CHARS_OF_TOKEN - 1) * most_chinese <= limit


def _cut(text: str, limit: int) -> Iterator[str]:
    """Yields the pieces of a sentence, none blank, all within the limit."""
    start, size = 0, len(text.rstrip())
    begin = len(text) - len(text.lstrip())
    while (reach := _reach(text, begin, limit)) < size:
        end = _best_cut(text, begin, reach)
        yield text[start:end]
        start = begin = end
    yield text[start:]


def _reach(text: str, begin: int, limit: int) -> int:
    """Where what fits into the limit ends, from a place of the text on."""
    last = min(len(text), begin + limit)
    for place in range(begin, last):
        limit -= 1 if text[place] < _FIRST_CHINESE else _CHARS_OF_TOKEN
        if limit < 0:
            return place
    return last


def _best_cut(text: str, begin: int, reach: int) -> int:
    """Where to cut: above `begin`, at most at `reach` and the blanks there.

    A mark in the second half of what fits goes before a better one in the
    first half, so that the pieces stay long.
    """
    end = _best_place(text, begin, reach)
    while text[end].isspace():
        end += 1
    return end


def _best_place(text: str, begin: int, reach: int) -> int:
    for lowest in ((begin + reach) // 2, begin):
        for marks in _CUTS:
            found = [
                match.end() for match in marks.finditer(text, lowest, reach)
            ]
            for end in reversed(found):
                if not _JOINS.match(text, end):
                    return end
    for parted in (_UNIT, _CHARACTER):
        for end in range(reach, begin, -1):
            if not parted.match(text, end - 1):
                return end
    return reach

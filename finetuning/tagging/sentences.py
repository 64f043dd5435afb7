"""A sentence as its words, their labels, and where they stand in its text."""

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Sentence:
    """Words and where they stand in their text; labels where there are any."""

    words: tuple[str, ...]
    labels: tuple[str, ...] | None
    text: str
    starts: tuple[int, ...]  # Of the words, in characters of the text.
    path: str
    line: int  # Of the first word; the others are on the lines behind it.
    id: Any = None  # Of a sentence of JSON lines.

    def place(self, word=0):
        """Says where a word was read."""
        if self.id is not None:  # A whole sentence is on one line.
            return f"{self.path}, line {self.line}"
        return f"{self.path}, line {self.line + word}"

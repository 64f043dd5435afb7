"""A sentence as its words, their labels, and where they stand in its text."""

import dataclasses
from typing import Any


@dataclasses.dataclass(frozen=True)
class Sentence:
    """Words and where they stand in their text; labels where there are any."""

    words: tuple[str, ...]
    labels: tuple[str, ...] | None
    text: str
    starts: tuple[int, ...]  # The character each word begins with.
    path: str
    line: int  # Of the first word; each other word is on the next line.
    id: Any = None  # Only a sentence of JSON lines has one.

    @property
    def gold(self) -> tuple[str, ...]:
        """The labels of a sentence that has some."""
        assert self.labels is not None
        return self.labels

    def place(self, word: int = 0) -> str:
        """Says where a word was read."""
        if self.id is not None:  # A whole sentence is on one line.
            return f"{self.path}, line {self.line}"
        return f"{self.path}, line {self.line + word}"

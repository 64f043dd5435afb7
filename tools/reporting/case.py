"""A case of an evaluation, and the pieces of text that show it."""

import dataclasses
from collections.abc import Iterable, Iterator

_CHARS_AROUND = 70  # What is shown of a long text before and behind a place.


@dataclasses.dataclass(frozen=True)
class Piece:
    """A text, or a part of one.

    Args:
        text: as it is.
        mark: what it is: "" of a text by itself, "wanted" or "given" of a part,
            "plain" of what stands between; else what stands before it,
            on a line of its own.
    """

    text: str
    mark: str = ""


@dataclasses.dataclass(frozen=True)
class Case:
    """What was right or wrong once.

    Args:
        number: of its line, from 0.
        row: what was wanted.
        column: what came of it.
        is_right: whether it was right.
        weight: how sure the model was, or how far off.
        note: the weight for people.
        length: of the text, in characters.
        pieces: the text.
    """

    number: int
    row: str
    column: str
    is_right: bool
    weight: float
    note: str
    length: int
    pieces: tuple[Piece, ...]


def around(
    text: str, places: Iterable[tuple[int, int, str]]
) -> Iterator[Piece]:
    """Yields the parts of a text, of a long one those around some places.

    Args:
        text: whole.
        places: (start, end, mark), in characters. Where two overlap, both
            marks stand there.
    """
    marks = sorted(places)
    if not marks:
        yield Piece(text)
        return
    first = max(0, marks[0][0] - _CHARS_AROUND)
    last = min(len(text), max(end for _, end, _ in marks) + _CHARS_AROUND)
    cuts = {first, last}
    cuts |= {place for start, end, _ in marks for place in (start, end)}
    inside = sorted(cut for cut in cuts if first <= cut <= last)
    if first:
        yield Piece("\u2026", "plain")
    for start, end in zip(inside[:-1], inside[1:], strict=True):
        found = {m for a, b, m in marks if a <= start and end <= b}
        yield Piece(text[start:end], " ".join(sorted(found)) or "plain")
    if last < len(text):
        yield Piece("\u2026", "plain")

"""Labels of words, the entities they say, and which may follow which.

A label is O, or a letter and a type: B-PER. The letters are those of BIO, or
those of BIOES, BMES or BILOU, which mark the last word, too.
"""

import re
from collections.abc import Collection, Iterable, Sequence

import numpy as np

from modeling import crf

OUTSIDE = "O"
# {letter: which part of an entity the word is, as a letter of BIOES}
_PARTS = {"B": "B", "I": "I", "M": "I", "E": "E", "L": "E", "S": "S", "U": "S"}
_FORM = re.compile(r"([BIMELSU])(?:[-_](.+))?")
# The type of an entity whose label names none; seqeval calls it so, too.
_NO_TYPE = "_"


def parse(label: str) -> tuple[str, str | None]:
    """Returns the part (B, I, E, S or O) and the type that a label says.

    Raises:
        ValueError: it is no such label.
    """
    if label == OUTSIDE:
        return OUTSIDE, None
    match = _FORM.fullmatch(label)
    if not match:
        raise ValueError(
            f"label {label!r} is neither O nor of the form B-TYPE, with B, I, "
            "E, S, M, L or U"
        )
    return _PARTS[match[1]], match[2] or _NO_TYPE


class Plain:
    """Labels of words, such as parts of speech: each word is one of its kind.

    It has the methods of `Scheme`.
    """

    marks_ends = False

    def check(self, label: str) -> None:
        """Takes any label."""

    def entities(self, labels: Sequence[str]) -> list[tuple[str, int, int]]:
        """Returns (label, the word, the word after it) of each word."""
        return [(label, n, n + 1) for n, label in enumerate(labels)]

    def repair(self, labels: Sequence[str]) -> tuple[str, ...]:
        return tuple(labels)

    def order(self, labels: Iterable[str]) -> list[str]:
        return sorted(labels)

    def rules(self, labels: Sequence[str]) -> None:
        """Any label may follow any other."""


class Scheme:
    """What the letters of some labels are, and so what labels mean.

    Args:
        labels: all that occur.
    """

    def __init__(self, labels: Iterable[str]):
        self._parsed = {label: parse(label) for label in sorted(labels)}
        parts = {part for part, _ in self._parsed.values()}
        self.marks_ends = bool(parts & {"E", "S"})
        self._letters = {
            part: label[0] for label, (part, _) in self._parsed.items()
        }

    def check(self, label: str) -> None:
        """Refuses a label of another form.

        Raises:
            ValueError: it has one.
        """
        parse(label)

    def entities(self, labels: Sequence[str]) -> list[tuple[str, int, int]]:
        """Returns (type, first word, word after the last) of each entity.

        As in seqeval's strict mode, an entity begins with B (or S), goes on in
        one type, and ends with E (or S) where ends are marked.
        """
        spans = []
        begin = current = None
        for place, label in enumerate([*labels, OUTSIDE]):
            part, kind = self._parse(label)
            if begin is not None and part in "IE" and kind == current:
                if part == "E":
                    spans.append((kind, begin, place + 1))
                    begin = None
                continue
            if begin is not None and not self.marks_ends:
                spans.append((current, begin, place))
            begin, current = (place, kind) if part == "B" else (None, None)
            if part == "S":
                spans.append((kind, place, place + 1))
        return spans

    def repair(self, labels: Sequence[str]) -> tuple[str, ...]:
        """Returns the labels with every entity begun and ended as it should.

        An entity goes on as long as the type is the same and no label begins
        another. So the labels of IOB1 are read, where an entity may begin with
        I, and slips of the pen.
        """
        parsed = [self._parse(label) for label in labels]
        begins = [
            part in "BS" or kind != kind_before or part_before in "ES"
            for (part_before, kind_before), (part, kind) in zip(
                [(OUTSIDE, None), *parsed], parsed, strict=False
            )
        ]
        is_last = [
            begins_after or part_after == OUTSIDE
            for begins_after, (part_after, _) in zip(
                [*begins[1:], True], [*parsed[1:], (OUTSIDE, None)], strict=True
            )
        ]
        return tuple(
            label if part == OUTSIDE else self._letter(first, last) + label[1:]
            for label, (part, _), first, last in zip(
                labels, parsed, begins, is_last, strict=True
            )
        )

    def order(self, labels: Iterable[str]) -> list[str]:
        """Returns the labels, O first, then by type."""
        return sorted(
            labels, key=lambda x: (x != OUTSIDE, self._parse(x)[1] or "", x)
        )

    def rules(self, labels: Sequence[str]) -> crf.Rules:
        """Returns which of the labels may follow which, in their order."""
        parsed = [self._parse(label) for label in labels]
        return crf.Rules(
            np.array(
                [[self._may_follow(a, b) for b in parsed] for a in parsed]
            ),
            np.array([part not in "IE" for part, _ in parsed]),
            np.array([not self._is_open(part) for part, _ in parsed]),
        )

    def _may_follow(self, before, after):
        if after[0] in "IE":
            return before[0] in "BI" and before[1] == after[1]
        return not self._is_open(before[0])

    def _is_open(self, part):
        """Whether an entity must go on."""
        return self.marks_ends and part in "BI"

    def _letter(self, is_first, is_last):
        part = "B" if is_first else "I"
        if self.marks_ends and is_last:
            part = "S" if is_first else "E"
        return self._letters.get(part, part)

    def _parse(self, label):
        return self._parsed.get(label) or parse(label)


def scheme_of(labels: Collection[str]) -> Scheme | Plain:
    """Returns the scheme of labels of entities, or that of labels of words.

    Args:
        labels: all that occur.
    """
    return Plain() if _are_plain(labels) else Scheme(labels)


def _are_plain(labels):
    """Whether labels are of words, as NN and VV, and none of an entity.

    Bare letters, such as B, M, E and S, are labels of a segmentation.
    """
    forms = [_FORM.fullmatch(label) for label in labels]
    has_types = any(form and form[2] for form in forms)
    return OUTSIDE not in labels and not has_types and not all(forms)

"""Labels of words, the entities they say, and which may follow which.

A label is O, or a letter and a type: B-PER. The letters are those of BIO, or
those of BIOES, BMES or BILOU, which mark the last word, too.
"""

import re

import numpy as np

from modeling import crf

OUTSIDE = "O"
# The part that a letter gives a word in an entity, as a letter of BIOES.
_PARTS = {"B": "B", "I": "I", "M": "I", "E": "E", "L": "E", "S": "S", "U": "S"}
_FORM = re.compile(r"([BIMELSU])(?:[-_](.+))?")
# The type of an entity without one, seqeval's.
_NO_TYPE = "_"


def parse(label):
    """Returns the part (B, I, E, S or O) and the type that a label says.

    Raises:
        ValueError: it is no such label.
    """
    if label == OUTSIDE:
        return OUTSIDE, None
    found = _FORM.fullmatch(label)
    if not found:
        raise ValueError(
            f"label {label!r} is neither O nor of the form B-TYPE, with B, I, "
            "E, S, M, L or U"
        )
    return _PARTS[found[1]], found[2] or _NO_TYPE


def scheme_of(labels):
    """Returns the `Scheme` of labels of entities, or `Plain`.

    Args:
        labels: all that occur.
    """
    return Plain() if _are_plain(labels) else Scheme(labels)


def _are_plain(labels):
    """Whether labels are of words, as NN and VV, and none of an entity.

    Bare letters, such as B, M, E and S, are of a segmentation.
    """
    forms = [_FORM.fullmatch(label) for label in labels]
    has_types = any(form and form[2] for form in forms)
    return OUTSIDE not in labels and not has_types and not all(forms)


class Plain:
    """Labels of words, such as parts of speech: each word is one of its kind.

    It answers as `Scheme` does.
    """

    marks_ends = False

    def check(self, label):
        """Takes any label."""

    def entities(self, labels):
        """Returns (label, the word, the word after it) of each word."""
        return [(label, n, n + 1) for n, label in enumerate(labels)]

    def repair(self, labels):
        return labels

    def order(self, labels):
        return sorted(labels)

    def rules(self, labels):
        """Any label may follow any other."""
        return


class Scheme:
    """What the letters of some labels are, and so what labels mean.

    Args:
        labels: all that occur.
    """

    def __init__(self, labels):
        self._parsed = {label: parse(label) for label in sorted(labels)}
        parts = {part for part, _ in self._parsed.values()}
        self.marks_ends = bool(parts & {"E", "S"})
        self._letters = {
            part: label[0] for label, (part, _) in self._parsed.items()
        }

    def check(self, label):
        """Refuses what is no label.

        Raises:
            ValueError: it is none.
        """
        parse(label)

    def entities(self, labels):
        """Returns (type, first word, word after the last) of each entity.

        What does not begin with B (or S), go on in one type and end with E (or
        S) where ends are marked is none, as in seqeval's strict mode.
        """
        found = []
        begin = current = None
        for place, label in enumerate([*labels, OUTSIDE]):
            part, kind = self._parse(label)
            if begin is not None and part in "IE" and kind == current:
                if part == "E":
                    found.append((kind, begin, place + 1))
                    begin = None
                continue
            if begin is not None and not self.marks_ends:
                found.append((current, begin, place))
            begin, current = (place, kind) if part == "B" else (None, None)
            if part == "S":
                found.append((kind, place, place + 1))
        return found

    def repair(self, labels):
        """Returns the labels with every entity begun and ended as it should.

        An entity is what has one type up to a label that begins another. So
        are read the labels of IOB1, where an entity may begin with I, and
        slips of the pen.
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

    def order(self, labels):
        """Returns the labels, O first, then by type."""
        return sorted(
            labels, key=lambda x: (x != OUTSIDE, self._parse(x)[1] or "", x)
        )

    def rules(self, labels):
        """Returns the `crf.Rules` of labels in their order."""
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

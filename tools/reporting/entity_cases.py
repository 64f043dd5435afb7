"""Entities that were found, missed and invented, each once.

An entity that was wanted and one that was given are compared where they share
a character: first those of the same span, then those of the same type, then the
longest overlap. Each has one partner at most.

    wanted   [王小明 nr]在[北京大学 nt]学习
    given    [王小明 nr]在[北京 ns]大学学习    right; other border and type
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tools.reporting.case import Case, around

ENTITY = {"type": str, "start": int, "end": int, "text": str}
COLUMNS = (
    *("right", "missed", "invented", "other border", "other type"),
    "other border and type",
)
Entity = Mapping[str, Any]


def read(lines: Sequence[Mapping[str, Any]]) -> Iterator[Case]:
    """Yields the cases of sentences with "text", "wanted" and "entities"."""
    for number, line in enumerate(lines):
        for wanted, given in pairs(line["wanted"], line["entities"]):
            column = came_of(wanted, given)
            places = [
                (entity["start"], entity["end"], mark)
                for entity, mark in ((wanted, "wanted"), (given, "given"))
                if entity
            ]
            types = [entity["type"] for entity in (wanted, given) if entity]
            yield Case(
                number,
                types[0],
                column,
                is_right=column == "right",
                # A tagger says nothing of how sure it is: the longest first.
                weight=max(end - start for start, end, _ in places),
                note=" \u2192 ".join(dict.fromkeys(types)),
                length=len(line["text"]),
                pieces=tuple(around(line["text"], places)),
            )


def pairs(
    wanted: Sequence[Entity], given: Sequence[Entity]
) -> Iterator[tuple[Entity | None, Entity | None]]:
    """Yields (wanted, given), of which one is None where it has no partner."""
    near = []
    for i, one in enumerate(wanted):
        for j, other in enumerate(given):
            shared = _shared(one, other)
            if shared > 0:
                rank = (_is_same_span(one, other), _is_same_type(one, other))
                near.append((*rank, shared, -i, -j))
    partner: dict[int, int] = {}
    taken = set()
    for *_, i, j in sorted(near, reverse=True):
        if -i not in partner and -j not in taken:
            partner[-i] = -j
            taken.add(-j)
    for i, one in enumerate(wanted):
        yield one, given[partner[i]] if i in partner else None
    for j, other in enumerate(given):
        if j not in taken:
            yield None, other


def came_of(wanted: Entity | None, given: Entity | None) -> str:
    """Returns which of `COLUMNS` a pair is."""
    if given is None or wanted is None:
        return "missed" if given is None else "invented"
    wrong = [] if _is_same_span(wanted, given) else ["border"]
    wrong += [] if _is_same_type(wanted, given) else ["type"]
    return f"other {' and '.join(wrong)}" if wrong else "right"


def _shared(one, other):
    """Returns how many characters two entities share."""
    return min(one["end"], other["end"]) - max(one["start"], other["start"])


def _is_same_span(one, other):
    return all(one[name] == other[name] for name in ("start", "end"))


def _is_same_type(one, other):
    return one["type"] == other["type"]

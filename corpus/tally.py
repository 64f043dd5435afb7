"""Counts what each rule dropped or changed, and keeps some of it to look at.

Which texts are kept does not depend on the order in which they come, so that
the same corpus has the same samples however many workers read it.
"""

import dataclasses
import zlib
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

from storage import typed_json

NUM_SAMPLES = 10
_SAMPLE_CHARS = 200

Unit = Literal["file", "document", "line", "sentence", "character"]


class Rule(NamedTuple):
    """What a rule is called in the report.

    Args:
        unit: what it drops or changes one of.
        english, chinese: a few words for its row: "too short", "过短".
        drops: whether the text is gone; or changed, as where it is repaired.
        flag: the flag that sets it, if one does.
        origin: who published it, if somebody did: "Gopher", "C4".
    """

    unit: Unit
    english: str
    chinese: str
    drops: bool = True
    flag: str = ""
    origin: str = ""


@dataclasses.dataclass(frozen=True, order=True)
class Sample:
    """A text that a rule dropped, or its beginning."""

    rank: int  # Of all texts those of the lowest ranks are kept.
    source: str
    text: str


@dataclasses.dataclass
class Count:
    """What one rule did."""

    num: int = 0  # of its unit
    num_chars: int = 0
    samples: list[Sample] = dataclasses.field(default_factory=list)

    def add(self, num: int, num_chars: int, samples: Iterable[Sample]) -> None:
        """Takes in what the rule did elsewhere."""
        self.num += num
        self.num_chars += num_chars
        # Of those that begin alike, one: a line that all have would be all.
        merged: dict[str, Sample] = {}
        for sample in sorted({*self.samples, *samples}):
            merged.setdefault(sample.text, sample)
        self.samples = list(merged.values())[:NUM_SAMPLES]


class Tally:
    """What all rules did: {name of the rule: Count}."""

    def __init__(self) -> None:
        self.counts: dict[str, Count] = {}

    def note(
        self, rule: str, text: str, source: str, num_chars: int | None = None
    ) -> None:
        """Counts one text that a rule dropped or changed.

        Args:
            rule: a key of a table of `Rule`.
            text: what there was, for the samples.
            source: as a `Document` has it.
            num_chars: characters dropped or changed; those of `text` if None.
        """
        count = self.counts.setdefault(rule, Count())
        count.num += 1
        count.num_chars += len(text) if num_chars is None else num_chars
        shown = text[:_SAMPLE_CHARS]
        rank = zlib.crc32(shown.encode("utf-8", "surrogatepass"))
        is_full = len(count.samples) == NUM_SAMPLES
        if not is_full or rank <= count.samples[-1].rank:
            count.add(0, 0, [Sample(rank, source, shown)])

    def add(self, other: "Tally") -> None:
        """Takes in what another tally counted."""
        for rule, count in other.counts.items():
            mine = self.counts.setdefault(rule, Count())
            mine.add(count.num, count.num_chars, count.samples)

    def __iter__(self) -> Iterator[tuple[str, Count]]:
        return iter(sorted(self.counts.items()))

    def plain(self) -> dict[str, object]:
        """Returns it for a JSON file; `of` reads it again."""
        return {rule: typed_json.plain(count) for rule, count in self}

    @classmethod
    def of(cls, plain: dict[str, object]) -> "Tally":
        """Returns the tally that `plain` wrote."""
        tally = cls()
        for rule, value in plain.items():
            tally.counts[rule] = typed_json.make(Count, value)
        return tally

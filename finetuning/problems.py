"""Rows of the input that cannot be used: skipped and counted, or refused."""

import collections

from absl import logging

_NUM_SHOWN = 3


class Problems:
    """Collects what is wrong with the rows of one split.

    Args:
        strict: whether the first one is an error.
    """

    def __init__(self, strict: bool):
        self._strict = strict
        self._places: dict[str, list[str]] = collections.defaultdict(list)

    def skip(
        self, place: str, reason: str, *, is_published: bool = False
    ) -> None:
        """Notes that a row is left out.

        Args:
            place: "FILE, line N" or the like.
            reason: the same words for the same mistake, as they are counted.
            is_published: whether the data are published with this flaw, so
                that not even `strict` makes it an error.

        Raises:
            ValueError: `strict` was asked for.
        """
        if self._strict and not is_published:
            raise ValueError(
                f"{place}: {reason}; without --strict it is left out"
            )
        self._places[reason].append(place)

    @property
    def num_skipped(self) -> int:
        return sum(map(len, self._places.values()))

    def log(self) -> None:
        """Warns of each mistake once, with its count and the first places."""
        for reason, places in self._places.items():
            shown = "; ".join(places[:_NUM_SHOWN])
            more = " ..." if len(places) > _NUM_SHOWN else ""
            logging.warning(
                "left out %s: %s (%s%s)", len(places), reason, shown, more
            )

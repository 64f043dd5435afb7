"""Precision, recall and F1 of entities, as seqeval's strict mode has them.

Computed here, of `labels.Scheme.entities`: seqeval 1.2.2 cannot be installed
everywhere, and the entities are needed anyway. A test holds both equal.
"""

import collections
from collections.abc import Mapping, Sequence
from typing import NamedTuple

# A type, the first word and the one after the last.
Entity = tuple[str, int, int]


class Score(NamedTuple):
    """The scores of the entities of one type, or of all."""

    precision: float
    recall: float
    f1: float
    num_gold: int


def accuracy(
    gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]
) -> float:
    """Returns the share of words with the right label, of all sentences."""
    is_right = [
        wanted == decided
        for sentence in zip(gold, predicted, strict=True)
        for wanted, decided in zip(*sentence, strict=True)
    ]
    return sum(is_right) / len(is_right)


def score(
    gold: Sequence[Sequence[Entity]], predicted: Sequence[Sequence[Entity]]
) -> tuple[Score, dict[str, Score]]:
    """Returns the score of all entities, and {type: score}, sorted.

    Args:
        gold, predicted: the entities of each sentence.
    """
    counts: dict[str, list[int]] = collections.defaultdict(lambda: [0, 0, 0])
    for wanted, decided in zip(gold, predicted, strict=True):
        for entities, place in (
            (set(wanted) & set(decided), 0),
            (decided, 1),
            (wanted, 2),
        ):
            for kind, _, _ in entities:
                counts[kind][place] += 1
    total = [
        sum(count[place] for count in counts.values()) for place in range(3)
    ]
    return _score(*total), {
        kind: _score(*counts[kind]) for kind in sorted(counts)
    }


def _score(num_right, num_found, num_gold):
    precision = num_right / num_found if num_found else 0.0
    recall = num_right / num_gold if num_gold else 0.0
    both = precision + recall
    f1 = 2 * precision * recall / both if both else 0.0
    return Score(precision, recall, f1, num_gold)


def report(total: Score, by_type: Mapping[str, Score]) -> list[str]:
    """Returns the lines of a table: a type a row, then the sums."""
    count = len(by_type) or 1
    macro = Score(
        sum(x.precision for x in by_type.values()) / count,
        sum(x.recall for x in by_type.values()) / count,
        sum(x.f1 for x in by_type.values()) / count,
        total.num_gold,
    )
    rows = {**by_type, "all (micro)": total, "all (macro)": macro}
    width = max(map(len, rows))
    head = f"{'':{width}}  precision  recall  f1      entities"
    return [
        head,
        *(
            f"{name:{width}}  {x.precision:<9.4f}  {x.recall:<6.4f}  "
            f"{x.f1:<6.4f}  {x.num_gold}"
            for name, x in rows.items()
        ),
    ]

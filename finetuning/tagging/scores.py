"""Precision, recall and F1 of entities, as seqeval's strict mode has them.

Computed here, of `labels.Scheme.entities`: seqeval 1.2.2 cannot be installed
everywhere, and the entities are needed anyway. A test holds both equal.
"""

import collections
from typing import NamedTuple


class Score(NamedTuple):
    """Of the entities of one type, or of all."""

    precision: float
    recall: float
    f1: float
    num_gold: int


def score(gold, predicted):
    """Returns the `Score` of all entities, and {type: `Score`}, sorted.

    Args:
        gold, predicted: for each sentence a list of (type, begin, end).
    """
    counts = collections.defaultdict(lambda: [0, 0, 0])
    for wanted, found in zip(gold, predicted, strict=True):
        for kinds, place in (
            (set(wanted) & set(found), 0),
            (found, 1),
            (wanted, 2),
        ):
            for kind, _, _ in kinds:
                counts[kind][place] += 1
    total = map(sum, zip([0, 0, 0], *counts.values(), strict=True))
    return _score(*total), {
        kind: _score(*counts[kind]) for kind in sorted(counts)
    }


def _score(num_right, num_found, num_gold):
    precision = num_right / num_found if num_found else 0.0
    recall = num_right / num_gold if num_gold else 0.0
    both = precision + recall
    f1 = 2 * precision * recall / both if both else 0.0
    return Score(precision, recall, f1, num_gold)


def report(total, by_type):
    """Returns the lines of a table: a type a row, then the sums.

    Args:
        total, by_type: what `score` returns.
    """
    count = len(by_type) or 1
    macro = Score(
        *(sum(x[i] for x in by_type.values()) / count for i in range(3)),
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

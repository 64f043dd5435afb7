"""Chooses the sequences that stand in one record, with --pack_sequences.

First-fit decreasing over windows of the shuffled sequences: each, the longest
first, goes into the first record that has room for its tokens and its masks.
With room for 12 tokens:

    sequences   0: 5 tokens   1: 9   2: 4   3: 7   4: 3
    longest first              1  3  0  2  4

    record 0    111111111444   9 + 3
    record 1    333333300000   7 + 5
    record 2    2222           4; the next window begins a new record

The records of the window are shuffled then, here to the order 0, 2, 1: `order`
becomes 1 4 2 0 3, and the counts of the records are 2 1 2.

Source: Johnson 1973, "Near-optimal bin packing algorithms"; Krell et al. 2021,
"Efficient Sequence Packing without Cross-contamination", section 3.
"""

import numpy as np

from data.building import mersenne
from text.compiled import njit

# The sequences of a record are found among so many.
_WINDOW = 1 << 13


def pack(
    order: np.ndarray,
    sizes: np.ndarray,
    limits: tuple[int, int, int],
    state: np.ndarray,
) -> np.ndarray:
    """Packs sequences into records.

    Args:
        order: uint32 [n]: the sequences as they are shuffled. Those of a record
            are put side by side, and the records of a window are shuffled: how
            long its sequences are does not say when a record comes.
        sizes: uint16 [any, 2]: tokens and masks of each sequence.
        limits: the tokens, masks and sequences that a record has room for; for
            each sequence alone there is room.
        state: the generator, see `mersenne`; it moves on.

    Returns:
        int64 [records]: how many sequences each record holds.
    """
    counts = [np.zeros(0, np.int64)]
    for first in range(0, len(order), _WINDOW):
        window = order[first : first + _WINDOW]
        record_of, num_records = _first_fit(sizes[window], *limits)
        numbers = np.arange(num_records)
        mersenne.shuffle(state, numbers)
        record_of = numbers[record_of]
        # Sequences of a record come together, and records in their new order.
        window[:] = window[np.argsort(record_of, kind="stable")]
        counts.append(np.bincount(record_of))
    return np.concatenate(counts)


def _first_fit(sizes, *limits):
    """Returns the record of each sequence, and how many records there are."""
    longest_first = np.argsort(-sizes[:, 0].astype(np.int64), kind="stable")
    return _fit(sizes, longest_first, *limits)


@njit()
def _fit(sizes, longest_first, max_tokens, max_masks, max_sequences):
    record_of = np.empty(len(sizes), np.int64)
    tokens_left = np.full(len(sizes), max_tokens)
    masks_left = np.full(len(sizes), max_masks)
    sequences_left = np.full(len(sizes), max_sequences)
    # Records before `first_open` have no room for any sequence, not even for
    # the shortest. The search begins behind them and stays short.
    shortest = np.int64(sizes[longest_first[-1], 0])
    num_records = first_open = 0
    for sequence in longest_first:
        tokens = np.int64(sizes[sequence, 0])
        masks = np.int64(sizes[sequence, 1])
        while first_open < num_records and (
            tokens_left[first_open] < shortest
            or sequences_left[first_open] == 0
        ):
            first_open += 1
        record = first_open
        while record < num_records and (
            tokens_left[record] < tokens
            or masks_left[record] < masks
            or sequences_left[record] == 0
        ):
            record += 1
        num_records = max(num_records, record + 1)
        tokens_left[record] -= tokens
        masks_left[record] -= masks
        sequences_left[record] -= 1
        record_of[sequence] = record
    return record_of, num_records

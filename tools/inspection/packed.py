"""Checks records of several sequences, and takes them apart.

Shapes: B records, L positions, P masks, N sequences at most, S sequences of all
the records.
"""

from collections.abc import Callable

import numpy as np


def check(
    features: dict[str, np.ndarray], padding_id: int, refuse: Callable
) -> None:
    """Checks what is no matter of one sequence.

    Args:
        features: of `schema.parse`.
        padding_id: stands behind the last sequence.
        refuse: is told of wrong values, as `checks.Checker` has it.
    """
    numbers = features["input_mask"]
    wanted = _first_numbers(numbers)
    refuse("sequences", numbers != wanted, numbers, wanted)
    is_token = wanted > 0
    ids, segments = features["input_ids"], features["segment_ids"]
    refuse("padding", (ids != padding_id) & ~is_token, ids, f"{padding_id}")
    refuse("segment_ids", (segments != 0) & ~is_token, segments, "0")
    weights = features["next_sentence_weights"]
    is_used = np.arange(weights.shape[1]) < wanted.max(axis=1)[:, None]
    refuse("sequence weights", weights != is_used, weights, is_used * 1.0)
    places = features["next_sentence_positions"]
    starts = _starts(wanted, places.shape[1])
    refuse("sequence positions", places != starts, places, starts)
    labels = features["next_sentence_labels"]
    refuse("sequence labels", (labels != 0) & ~is_used, labels, "0")
    weights = features["masked_lm_weights"]
    num_masks = np.count_nonzero(weights == 1, axis=1)
    is_mask = np.arange(weights.shape[1]) < num_masks[:, None]
    refuse("weights", weights != is_mask, weights, is_mask * 1.0)
    places = features["masked_lm_positions"]
    last = np.count_nonzero(is_token, axis=1)[:, None] - 1
    wrong = np.where(is_mask, (places < 0) | (places > last), places != 0)
    wrong[:, 1:] |= is_mask[:, 1:] & (np.diff(places) <= 0)
    refuse("positions", wrong, places, "ascending, within the text")
    labels = features["masked_lm_ids"]
    refuse("labels behind", (labels != 0) & ~is_mask, labels, "0")


def _first_numbers(numbers):
    """`numbers`, int64 [B, L], up to the first that does not go on 1, 2, ..."""
    before = np.zeros_like(numbers)
    before[:, 1:] = numbers[:, :-1]
    steps = numbers - before
    goes_on = (numbers > 0) & (steps >= 0) & (steps <= 1)
    goes_on[:, 0] = numbers[:, 0] == 1
    return numbers * np.logical_and.accumulate(goes_on, axis=1)


def _starts(numbers, most):
    """Where the sequences begin, int64 [B, most]; 0 for those not there."""
    is_in = numbers[:, None] == np.arange(1, most + 1)[:, None]
    return is_in.argmax(axis=2)


def unpack(
    features: dict[str, np.ndarray], padding_id: int
) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    """Takes sound records apart.

    Args:
        features: of `schema.parse`.
        padding_id: fills up what is taken out, as it does in records.

    Returns:
        (features, records, sequences): those of records of one sequence each;
        int64 [S]: in which record each stood; and as which one, from 0.
    """
    numbers = features["input_mask"]
    records, sequences = np.nonzero(features["next_sentence_weights"])
    is_in = numbers[records] == 1 + sequences[:, None]
    starts, sizes = is_in.argmax(axis=1), np.count_nonzero(is_in, axis=1)
    rows = records[:, None]

    def take(
        name: str,
        begins: np.ndarray,
        lengths: np.ndarray,
        width: int,
        fill: int = 0,
    ) -> np.ndarray:
        place = np.arange(width)
        is_there = place < lengths[:, None]
        values = features[name]
        found = values[rows, (begins[:, None] + place) % values.shape[1]]
        return np.where(is_there, found, fill)

    width = sizes.max(initial=1)
    fills = {"input_ids": padding_id, "input_mask": 0, "segment_ids": 0}
    taken = {
        name: take(name, starts, sizes, width, fill)
        for name, fill in fills.items()
    }
    taken["input_mask"] = np.minimum(taken["input_mask"], 1)
    places = features["masked_lm_positions"][records]
    is_own = (features["masked_lm_weights"][records] > 0) & (
        np.take_along_axis(numbers[records], places, axis=1)
        == 1 + sequences[:, None]
    )
    first, count = is_own.argmax(axis=1), np.count_nonzero(is_own, axis=1)
    for name in ("masked_lm_positions", "masked_lm_ids", "masked_lm_weights"):
        taken[name] = take(name, first, count, places.shape[1])
    is_mask = taken["masked_lm_weights"] > 0
    taken["masked_lm_positions"] -= starts[:, None] * is_mask
    labels = features["next_sentence_labels"]
    taken["next_sentence_labels"] = labels[records, sequences]
    return taken, records, sequences

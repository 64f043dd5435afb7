"""Which sequences stand in one record, against the plain first-fit."""

import math
import random as python_random

import numpy as np
import pytest

from data.building import mersenne, packing


def plain_first_fit(sizes, limits):
    """First-fit decreasing, record by record."""
    rows = []
    for item in sorted(range(len(sizes)), key=lambda i: -int(sizes[i][0])):
        for row in rows:
            inside = [*row, item]
            if len(inside) <= limits[2] and all(
                sum(int(sizes[i][k]) for i in inside) <= limits[k]
                for k in (0, 1)
            ):
                row.append(item)
                break
        else:
            rows.append([item])
    return rows


@pytest.mark.parametrize("window", [1, 10, 200, 1000])
def test_a_window_is_packed_first_fit_decreasing(monkeypatch, window):
    monkeypatch.setattr(packing, "_WINDOW", window)
    rng = np.random.default_rng(window)
    limits = 100, 15, 5
    tokens = rng.integers(3, 101, 700)
    masks = np.minimum(rng.integers(0, 20, 700), 15)
    sizes = np.stack([tokens, masks], axis=1).astype(np.uint16)
    order = rng.permutation(700).astype(np.uint32)
    shuffled = order.copy()
    counts = packing.pack(order, sizes, limits, mersenne.state(3))
    assert counts.sum() == 700
    ends = np.cumsum(counts)
    got = np.split(order, ends[:-1])
    drawn = python_random.Random(3)
    for first in range(0, 700, window):
        inside = shuffled[first : first + window]
        rows = plain_first_fit(sizes[inside], limits)
        numbers = list(range(len(rows)))
        drawn.shuffle(numbers)
        for number, row in zip(numbers, rows, strict=True):
            assert got[number].tolist() == inside[sorted(row)].tolist()
        got = got[len(rows) :]
    assert not got


def test_records_of_pieces_that_fit_are_nearly_full():
    rng = np.random.default_rng(7)
    cuts = [rng.permutation(np.arange(4, 125))[:3] for _ in range(5000)]
    sizes = [np.diff(np.sort([0, *cut, 128])) for cut in cuts]
    tokens = np.concatenate(sizes)
    masks = np.maximum(np.rint(tokens * 0.15), 1)
    sizes = np.stack([tokens, masks], axis=1).astype(np.uint16)
    order = rng.permutation(len(sizes)).astype(np.uint32)
    counts = packing.pack(order, sizes, (128, 24, 42), mersenne.state(1))
    assert tokens.sum() / 128 / len(counts) > 0.97


def test_lengths_do_not_say_when_a_record_comes():
    rng = np.random.default_rng(9)
    sizes = np.ones((8000, 2), np.uint16)
    sizes[:, 0] = rng.integers(5, 129, 8000)
    order = rng.permutation(8000).astype(np.uint32)
    counts = packing.pack(order, sizes, (128, 20, 8), mersenne.state(1))
    half = len(counts) // 2
    means = counts[:half].mean(), counts[half:].mean()
    error = counts.std() / math.sqrt(half)
    assert abs(means[0] - means[1]) < 4 * error

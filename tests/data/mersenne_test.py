"""The compiled generator against Python's own."""

import random

import numpy as np
import pytest

from data.building import mersenne

SEEDS = [0, 1, -1, 12345, 2**32 - 1, 2**32, 2**100]
# More draws than the 624 numbers that are made at a time.
MANY = 2000


@pytest.mark.parametrize("seed", SEEDS)
def test_fractions_are_those_of_python(seed):
    state, python = mersenne.state(seed), random.Random(seed)
    got = [mersenne.random(state) for _ in range(MANY)]
    assert got == [python.random() for _ in range(MANY)]


@pytest.mark.parametrize("seed", SEEDS)
def test_integers_are_those_of_python(seed):
    state, python = mersenne.state(seed), random.Random(seed)
    for low, high in ((0, 0), (0, 1), (1, 2), (-3, 4), (0, 255), (0, 256)):
        got = [mersenne.randint(state, low, high) for _ in range(300)]
        assert got == [python.randint(low, high) for _ in range(300)]
    for bits in range(1, 32):
        for high in (2**bits - 2, 2**bits - 1, 2**bits):
            got = [mersenne.randint(state, 0, high) for _ in range(5)]
            assert got == [python.randint(0, high) for _ in range(5)]


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
def test_an_array_is_shuffled_as_python_shuffles_a_list(dtype):
    state, python = mersenne.state(3), random.Random(3)
    for size in (0, 1, 2, 3, 4, 5, 8, 9, 1023, 1024, 1025, 70000):
        array, items = np.arange(size, dtype=dtype), list(range(size))
        mersenne.shuffle(state, array)
        python.shuffle(items)
        assert array.tolist() == items
    assert mersenne.random(state) == python.random()


def test_draws_of_all_kinds_can_be_mixed():
    state, python, chooser = (
        mersenne.state(9),
        random.Random(9),
        random.Random(1),
    )
    for _ in range(MANY):
        kind = chooser.randrange(3)
        if kind == 0:
            assert mersenne.random(state) == python.random()
        elif kind == 1:
            high = chooser.randrange(1000)
            assert mersenne.randint(state, 0, high) == python.randint(0, high)
        else:
            array = np.arange(chooser.randrange(30))
            items = array.tolist()
            mersenne.shuffle(state, array)
            python.shuffle(items)
            assert array.tolist() == items

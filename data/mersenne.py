"""Python's `random.Random`, compiled: the same seed draws the same numbers.

google-research/bert draws documents, pairs and masks from one `random.Random`;
equal records need its very numbers in its very order. The state is the array
of 625 words that `random.Random.getstate()` returns: 624 of the generator
(Matsumoto and Nishimura 1998, MT19937) and the position in them.
"""

import random as python_random

import numba
import numpy as np

_SIZE = 624
_SHIFT = 397


def state(seed):
    """Returns the generator that `random.Random(seed)` is, uint32 [625]."""
    return np.array(python_random.Random(seed).getstate()[1], np.uint32)


@numba.njit(cache=True)
def _refill(state):
    for i in range(_SIZE):
        upper = np.int64(state[i]) & 0x80000000
        lower = np.int64(state[(i + 1) % _SIZE]) & 0x7FFFFFFF
        y = upper | lower
        word = np.int64(state[(i + _SHIFT) % _SIZE]) ^ (y >> 1)
        if y & 1:
            word ^= 0x9908B0DF
        state[i] = np.uint32(word)
    state[_SIZE] = 0


@numba.njit(cache=True)
def _word(state):
    """The next 32 bits, as int64: Numba makes floats of mixed widths."""
    position = state[_SIZE]
    if position >= _SIZE:
        _refill(state)
        position = state[_SIZE]
    y = np.int64(state[position])
    state[_SIZE] = position + 1
    y ^= y >> 11
    y ^= (y << 7) & 0x9D2C5680
    y ^= (y << 15) & 0xEFC60000
    return y ^ (y >> 18)


@numba.njit(cache=True)
def random(state):
    """`random.Random.random`: a float64 in [0, 1)."""
    high = _word(state) >> 5
    low = _word(state) >> 6
    return (high * 67108864.0 + low) * (1.0 / 9007199254740992.0)


@numba.njit(cache=True)
def below(state, n):
    """`random.Random._randbelow`: an integer in [0, n), n under 2**32."""
    num_bits = 0
    while n >> num_bits:
        num_bits += 1
    drawn = _word(state) >> (32 - num_bits)
    while drawn >= n:
        drawn = _word(state) >> (32 - num_bits)
    return drawn


@numba.njit(cache=True)
def randint(state, low, high):
    """`random.Random.randint`: an integer in [low, high], both included."""
    return low + below(state, high - low + 1)


@numba.njit(cache=True)
def shuffle(state, items):
    """`random.Random.shuffle` of an array, in place."""
    for i in range(len(items) - 1, 0, -1):
        j = below(state, i + 1)
        items[i], items[j] = items[j], items[i]

"""Draws the numbers that Python's `random.Random` draws, compiled.

google-research/bert draws documents, pairs and masks from one `random.Random`;
equal records need its very numbers in its very order.
Source: Matsumoto and Nishimura 1998, MT19937; CPython's `random` for what is
made of its numbers.
"""

import random as python_random

import numpy as np

from text.compiled import njit

_SIZE = 624
_SHIFT = 397
_POSITION = 2 * _SIZE


def state(seed: int) -> np.ndarray:
    """Returns the generator that `random.Random(seed)` is.

    uint32 [1249]: the 624 words of the generator, the 624 numbers made from
    them, and how many of these are drawn.
    """
    state = np.zeros(_POSITION + 1, np.uint32)
    words = np.array(python_random.Random(seed).getstate()[1], np.uint32)
    assert words[_SIZE] == _SIZE, "a new generator has drawn nothing"
    state[:_SIZE] = words[:_SIZE]
    state[_POSITION] = _SIZE
    return state


@njit()
def _refill(state):
    """Makes the next 624 numbers; in plain loops, which the compiler widens."""
    for i in range(_SIZE - _SHIFT):
        state[i] = _twist(state[i], state[i + 1], state[i + _SHIFT])
    for i in range(_SIZE - _SHIFT, _SIZE - 1):
        state[i] = _twist(state[i], state[i + 1], state[i + _SHIFT - _SIZE])
    state[_SIZE - 1] = _twist(state[_SIZE - 1], state[0], state[_SHIFT - 1])
    for i in range(_SIZE):
        y = state[i]
        y ^= y >> np.uint32(11)
        y ^= (y << np.uint32(7)) & np.uint32(0x9D2C5680)
        y ^= (y << np.uint32(15)) & np.uint32(0xEFC60000)
        state[_SIZE + i] = y ^ (y >> np.uint32(18))
    state[_POSITION] = 0


@njit()
def _twist(word, after, far):
    y = (word & np.uint32(0x80000000)) | (after & np.uint32(0x7FFFFFFF))
    odd = (y & np.uint32(1)) * np.uint32(0x9908B0DF)
    return np.uint32(far ^ (y >> np.uint32(1)) ^ odd)


@njit()
def _word(state):
    """The next 32 bits, as int64: Numba makes floats of mixed widths."""
    if state[_POSITION] == _SIZE:
        _refill(state)
    position = np.int64(state[_POSITION])
    state[_POSITION] = position + 1
    return np.int64(state[_SIZE + position])


@njit()
def random(state):
    """`random.Random.random`: a float64 in [0, 1)."""
    position = np.int64(state[_POSITION])
    if position + 2 <= _SIZE:
        # Take both at once: a second call would wait until the position is
        # stored.
        high = np.int64(state[_SIZE + position]) >> 5
        low = np.int64(state[_SIZE + position + 1]) >> 6
        state[_POSITION] = position + 2
    else:
        high = _word(state) >> 5
        low = _word(state) >> 6
    return (high * 67108864.0 + low) * (1.0 / 9007199254740992.0)


@njit()
def below(state, n):
    """`random.Random._randbelow`: an integer in [0, n), n under 2**32."""
    # As many bits as n has, and again until they are below n: on average at
    # most every second draw fails.
    num_bits = 0
    while n >> num_bits:
        num_bits += 1
    drawn = _word(state) >> (32 - num_bits)
    while drawn >= n:
        drawn = _word(state) >> (32 - num_bits)
    return drawn


@njit()
def randint(state, low, high):
    """`random.Random.randint`: an integer in [low, high], both included."""
    return low + below(state, high - low + 1)


@njit()
def shuffle(state, items):
    """`random.Random.shuffle` of an array, in place.

    Masking spends its time here. A number that is too large is drawn again,
    which no processor can foresee; so there is no branch for it: it swaps an
    item with itself and leaves `i` where it is.
    """
    position = np.int64(state[_POSITION])
    i = len(items) - 1
    num_bits = 0
    while (i + 1) >> num_bits:
        num_bits += 1
    while i > 0:
        shift = 32 - num_bits
        lowest = max(1, (1 << (num_bits - 1)) - 1)
        while i >= lowest:
            if position == _SIZE:
                _refill(state)
                position = 0
            j = np.int64(state[_SIZE + position]) >> shift
            position += 1
            is_drawn = j <= i
            j = j if is_drawn else i
            items[i], items[j] = items[j], items[i]
            i -= is_drawn
        num_bits -= 1
    state[_POSITION] = position

"""A hash table of integers for compiled loops: keys, and a value for each.

Source: open addressing with linear probing; Fibonacci hashing (Knuth, The Art
of Computer Programming, volume 3, section 6.4).
"""

from collections.abc import Mapping

import numpy as np

from text.compiled import njit

# 2**64 over the golden ratio, odd.
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def make(entries: Mapping[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Returns a table: (keys int64 [slots], values int32 [slots]).

    Args:
        entries: {key, not negative: value}. A free slot has the key -1 and the
            value 0.
    """
    num_slots = 1 << (4 * len(entries) + 4).bit_length()
    keys = np.full(num_slots, -1, np.int64)
    values = np.zeros(num_slots, np.int32)
    size = len(entries)
    _fill(
        keys,
        values,
        np.fromiter(entries.keys(), np.int64, size),
        np.fromiter(entries.values(), np.int32, size),
    )
    return keys, values


@njit()
def slot_of(keys, key):
    """The slot of `key`, or the free one where it belongs."""
    mask = len(keys) - 1
    slot = np.int64((np.uint64(key) * _MULTIPLIER) >> np.uint64(40)) & mask
    while keys[slot] != key and keys[slot] != -1:
        slot = (slot + 1) & mask
    return slot


@njit()
def _fill(keys, values, new_keys, new_values):
    for i in range(len(new_keys)):
        slot = slot_of(keys, new_keys[i])
        keys[slot] = new_keys[i]
        values[slot] = new_values[i]

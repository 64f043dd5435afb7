"""Measures how much of a text has stood in it before."""

import numpy as np

from text.compiled import njit

PASSAGE_CHARS = 24  # about ten words of Chinese, or four of English
# Longer texts are measured by parts, which bounds memory.
_PART_CHARS = 1 << 16
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


def repeated_share(codes: np.ndarray) -> float:
    """Returns the share of characters in passages that have stood before.

    Args:
        codes: the text's characters, uint32.
    """
    if len(codes) <= PASSAGE_CHARS:
        return 0.0
    return _repeated_in_parts(codes) / len(codes)


def _repeated_in_parts(codes):
    num = 0
    for first in range(0, len(codes), _PART_CHARS):
        part = codes[first : first + _PART_CHARS]
        bits = max(4, int(2 * len(part)).bit_length())
        table = np.full(1 << bits, -1, np.int32)
        num += _num_repeated(part, table, 64 - bits)
    return num


@njit
def _num_repeated(codes, table, shift):
    # Hashes of passages roll on: hash * FACTOR + new - old * FACTOR ** 24.
    size = PASSAGE_CHARS
    power, rolled = np.uint64(1), np.uint64(0)
    for _ in range(size):
        power *= _FACTOR
    num, covered, mask = 0, 0, len(table) - 1
    for i in range(len(codes)):
        rolled = rolled * _FACTOR + np.uint64(codes[i])
        if i >= size:
            rolled -= power * np.uint64(codes[i - size])
        first = i - size + 1
        if first < 0:
            continue
        slot = np.int64((rolled * _FACTOR) >> np.uint64(shift))
        while table[slot] >= 0 and not _same(codes, table[slot], first):
            slot = (slot + 1) & mask
        if table[slot] < 0:
            table[slot] = first
        else:
            num += i + 1 - max(covered, first)
            covered = i + 1
    return num


@njit
def _same(codes, one, other):
    i = 0
    while i < PASSAGE_CHARS and codes[one + i] == codes[other + i]:
        i += 1
    return i == PASSAGE_CHARS

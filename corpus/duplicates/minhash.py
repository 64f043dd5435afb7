"""Sums up documents by MinHash, so that few bytes tell how like two are.

A document is the set of its shingles: runs of three units, a unit being a
Chinese character or a word. Each of some permutations of the hashes brings
another shingle to the front; two documents have the same one there with a
chance of their Jaccard similarity, what they share over what either has.

Of the front's hash 16 bits are kept. Values stand in bands of some rows: two
documents are compared if all rows of a band agree.

    Jaccard 0.6, 51 bands of 5 rows: all of a band agree with a chance of
    0.6 ** 5 = 0.078, in none of the bands with (1 - 0.078) ** 51 = 0.016;
    documents of 0.05 are compared one time in 60,000.

Origin: Broder, On the resemblance and containment of documents (1997); 16 bits
of each value: Li and Koenig, b-bit minwise hashing (2010).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from corpus.duplicates import folding
from text.code_points import code_points
from text.compiled import njit

SHINGLE_UNITS = 3
# Documents of fewer shingles are never nearly the same: a word changes most of
# them.
MIN_SHINGLES = 10
# What stands in each place of their signature.
NONE = 0xFFFF
_NUM_VALUES = 256
# Of pairs at the threshold at most so many agree in no band.
_MISSED = 0.02
# So many hashes of shingles stay in the fastest cache.
_CHUNK = 2048
# Fibonacci hashing: 2**64 over the golden ratio, odd.
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


class Bands(NamedTuple):
    """How the values of a signature are cut."""

    num_bands: int
    num_rows: int


def choose_bands(threshold: float) -> Bands:
    """Returns the bands that find nearly all pairs of a similarity.

    The more rows, the fewer pairs of lower similarity are compared.

    Args:
        threshold: the Jaccard similarity of pairs to be found, 98 of 100.
    """
    for num_rows in range(_NUM_VALUES, 1, -1):
        num_bands = _NUM_VALUES // num_rows
        if (1 - threshold**num_rows) ** num_bands <= _MISSED:
            return Bands(num_bands, num_rows)
    return Bands(_NUM_VALUES, 1)


def signatures(texts: Sequence[str], bands: Bands) -> np.ndarray:
    """Returns the signature of each text.

    Args:
        texts: their lines may stand in any way.
        bands: of `choose_bands`.

    Returns:
        uint16 [bands, texts, rows]; `NONE` everywhere where a text has fewer
        than `MIN_SHINGLES` shingles.
    """
    found = np.empty((bands.num_bands, len(texts), bands.num_rows), np.uint16)
    size = 0
    for codes, starts in folding.blocks(texts):
        values = _signatures(
            codes,
            starts,
            folding.table(),
            *_permutations(bands.num_bands * bands.num_rows),
        )
        cut = values.reshape(-1, bands.num_bands, bands.num_rows)
        found[:, size : size + len(cut)] = cut.transpose(1, 0, 2)
        size += len(cut)
    return found


def shingles(text: str) -> np.ndarray:
    """Returns the hash of each shingle of a text, in its order; uint32."""
    codes = code_points(text)
    units = np.empty(len(codes), np.uint64)
    hashes = np.empty(len(codes), np.uint32)
    num_units = _units(codes, folding.table(), units)
    return hashes[: _shingles(units[:num_units], hashes)]


def _permutations(num_values):
    """Odd factors and addends of x -> a x + b modulo 2 ** 32; uint32 each."""
    drawn = np.empty(2 * num_values, np.uint32)
    _draw(drawn)
    return drawn[:num_values] | np.uint32(1), drawn[num_values:]


@njit()
def _draw(out):
    for i in range(len(out)):
        out[i] = folding.mix(np.uint64(i + 1) * _MULTIPLIER) >> np.uint64(32)


@njit()
def _signatures(codes, starts, table, factors, addends):
    """Returns the values of each text; uint16 [texts, values]."""
    num_texts = len(starts) - 1
    found = np.full((num_texts, len(factors)), NONE, np.uint16)
    longest = 0
    for i in range(num_texts):
        longest = max(longest, starts[i + 1] - starts[i])
    units = np.empty(longest, np.uint64)
    hashes = np.empty(longest, np.uint32)
    for i in range(num_texts):
        size = _units(codes[starts[i] : starts[i + 1]], table, units)
        size = _shingles(units[:size], hashes)
        if size >= MIN_SHINGLES:
            _fill(hashes[:size], factors, addends, found[i])
    return found


@njit()
def _units(codes, table, units):
    """Fills in the hash of each unit; returns how many there are."""
    size = 0
    word = np.uint64(0)
    for code in codes:
        value = folding.folded(code, table)
        is_letter = value != 0 and value & folding.IS_UNIT == 0
        if is_letter:
            word = (word + np.uint64(value)) * _MULTIPLIER
            word ^= word >> np.uint64(32)
            continue
        if word != 0:
            units[size] = word
            size += 1
            word = np.uint64(0)
        if value != 0:
            units[size] = np.uint64(value) * _MULTIPLIER
            size += 1
    if word != 0:
        units[size] = word
        size += 1
    return size


@njit()
def _shingles(units, hashes):
    """Fills in the hash of each shingle; returns how many there are."""
    size = max(0, len(units) - SHINGLE_UNITS + 1)
    for i in range(size):
        state = np.uint64(0)
        for j in range(SHINGLE_UNITS):
            state = (state ^ units[i + j]) * _MULTIPLIER
            state ^= state >> np.uint64(29)
        hashes[i] = folding.mix(state) >> np.uint64(32)
    return size


@njit()
def _fill(hashes, factors, addends, values):
    """Fills in the lowest hash by each permutation, 16 bits of it."""
    lowest = np.full(len(factors), 0xFFFFFFFF, np.uint32)
    for begin in range(0, len(hashes), _CHUNK):
        chunk = hashes[begin : begin + _CHUNK]
        for k in range(len(factors)):
            lowest[k] = _lowest(chunk, factors[k], addends[k], lowest[k])
    for k in range(len(factors)):
        values[k] = lowest[k] & np.uint32(0xFFFF)


@njit()
def _lowest(hashes, factor, addend, lowest):
    # In this form it becomes vector instructions; `for x in hashes` does not,
    # and takes ten times as long.
    for i in range(len(hashes)):
        lowest = min(lowest, np.uint32(hashes[i] * factor + addend))
    return lowest

"""What of a text counts where texts are compared: letters and digits, folded.

Case, width, blanks, marks and symbols do not count. Characters of scripts that
write no blanks between words, Chinese above all, are units by themselves;
others make words. Traditional and simplified characters stay two.

    “Hello，世界 ２.0!”   ->   hello 世 界 2 0
"""

import functools
import unicodedata
from collections.abc import Iterator, Sequence

import numpy as np

from text import normalization
from text.code_points import code_points
from text.compiled import njit

# Code points from here on, planes of tags and private use, do not count.
_NUM_CODES = 0x40000
_BLOCK_CHARS = 1 << 20

# What `table` holds beside the folded code point.
IS_UNIT = np.uint32(1 << 31)
IS_DIGIT = np.uint32(1 << 30)

# Scripts without blanks between words, beside Chinese: Thai to Lao, Khmer,
# kana and bopomofo, half-width kana.
_UNITS = (
    (0x0E00, 0x0EFF),
    (0x1780, 0x17FF),
    (0x3005, 0x3007),
    (0x3040, 0x312F),
    (0x31A0, 0x31FF),
    (0xFF66, 0xFF9F),
)


@functools.cache
def table() -> np.ndarray:
    """Returns for each code point what it counts as.

    Returns:
        uint32 [`_NUM_CODES`]: 0 if it does not count; else the folded code
        point, with `IS_UNIT` or `IS_DIGIT`.
    """
    found = np.zeros(_NUM_CODES, np.uint32)
    for code in range(_NUM_CODES):
        character = chr(code)
        category = unicodedata.category(character)
        if category[0] not in "LNM":
            continue
        folded = unicodedata.normalize("NFKC", character).lower()
        value = np.uint32(ord(folded)) if len(folded) == 1 else np.uint32(code)
        if _is_unit(character):
            value |= IS_UNIT
        elif category == "Nd":
            value |= IS_DIGIT
        found[code] = value
    return found


def _is_unit(character):
    if normalization.is_chinese(character) or ord(character) >= 0x20000:
        return True
    return any(a <= ord(character) <= b for a, b in _UNITS)


def blocks(texts: Sequence[str]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yields the code points of texts, many texts at a time.

    Returns:
        of each block (codes uint32 [characters], starts int64 [texts + 1]):
        text i is `codes[starts[i] : starts[i + 1]]`.
    """
    block: list[str] = []
    num_chars = 0
    for text in texts:
        if block and num_chars + len(text) > _BLOCK_CHARS:
            yield _block(block)
            block, num_chars = [], 0
        block.append(text)
        num_chars += len(text)
    if block:
        yield _block(block)


def _block(texts):
    starts = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in texts], out=starts[1:])
    return code_points("".join(texts)), starts


@njit()
def mix(x):
    """Returns 64 bits, each of which depends on all of `x` (uint64).

    Origin: the finisher of SplitMix64 (Steele, Lea and Flood, 2014).
    """
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@njit()
def folded(code, table):
    """Returns what a code point counts as, 0 if it does not."""
    return table[code] if code < len(table) else np.uint32(0)

"""Texts that a tokenizer in a graph has to read as ours does."""

import random
import sys

_PIECES = b"a \xe4\xb8\xad\xf0\x9f\xed\xa0\xc0\xff\xbf"


def no_utf8(number):
    """So many short texts of parts of characters."""
    rng = random.Random(6)
    return [bytes(rng.choices(_PIECES, k=9)) for _ in range(number)]


def characters(number=20_000):
    """All characters but line ends, so many at a time."""
    found = [
        chr(code)
        for code in range(sys.maxunicode + 1)
        if not 0xD800 <= code < 0xE000 and chr(code) != "\n"
    ]
    for first in range(0, len(found), number):
        yield found[first : first + number]

"""Looks at each character once: what lines hold, and which want a look.

A line like `第1章　開始` (a full-width blank) has, of the kinds of `Kind`,
HAN 4, DIGIT 1, ODD_BLANK 1; its mark is BLANKS, as blanks shall be plain ones.
Most lines of a clean text have no mark, and nothing else is done to them.
"""

import enum
import functools
import unicodedata
from typing import NamedTuple

import numpy as np

from text.code_points import code_points
from text.compiled import njit


class Kind(enum.IntEnum):
    """What a character is."""

    SYMBOL = 0  # punctuation, too
    END = 1  # of the line
    BLANK = 2
    ODD_BLANK = 3  # any but the plain one
    REMOVED = 4  # controls, invisible, private, no character at all
    DIGIT = 5
    HAN = 6
    LATIN = 7
    KANA = 8
    HANGUL = 9
    CYRILLIC = 10
    GREEK = 11
    ARABIC = 12
    HEBREW = 13
    THAI = 14
    LETTER = 15  # of any other script


NUM_KINDS = len(Kind)

# What a line is marked with. The first five want it rewritten.
BLANKS = 1  # odd ones, several, at an end; or there is nothing at all
REMOVED = 2
AMPERSAND = 4  # an entity of HTML
LATIN_BYTES = 8  # UTF-8 or GBK may have been read as Latin-1
GBK_BYTES = 16  # UTF-8 may have been read as GBK
REWRITTEN = BLANKS | REMOVED | AMPERSAND | LATIN_BYTES | GBK_BYTES
SHORT = 32  # may be boilerplate
FEW_LETTERS = 64
RUN = 128  # one character again and again
LONG_WORD = 256  # most of the line is one word of ASCII
MENU = 512  # short items in a row, and no mark at the end
ANY = 1024  # every line

MAX_SHORT = 160  # characters of a line that may be boilerplate
LONGEST_WORD = 1000  # C4's code
_RUN_CHARS = 20

_NUM_CODES = 0x20000  # in the table; what lies above is told by ranges
_KIND_MASK = 15
_IN_UTF8_AS_GBK = 16
_RANGES = (
    (0x3005, 0x3008, Kind.HAN),
    (0x3040, 0x3100, Kind.KANA),
    (0x3105, 0x3130, Kind.HAN),  # Bopomofo stands in Chinese
    (0x31F0, 0x3200, Kind.KANA),
    (0x3400, 0x4DC0, Kind.HAN),
    (0x4E00, 0xA000, Kind.HAN),
    (0xF900, 0xFB00, Kind.HAN),
    (0xFF66, 0xFFA0, Kind.KANA),
    (0x1100, 0x1200, Kind.HANGUL),
    (0x3131, 0x3190, Kind.HANGUL),
    (0xAC00, 0xD7B0, Kind.HANGUL),
    (0x0041, 0x0250, Kind.LATIN),
    (0x1E00, 0x1F00, Kind.LATIN),
    (0xFF21, 0xFF5B, Kind.LATIN),
    (0x0370, 0x0400, Kind.GREEK),
    (0x1F00, 0x2000, Kind.GREEK),
    (0x0400, 0x0530, Kind.CYRILLIC),
    (0x0590, 0x0600, Kind.HEBREW),
    (0x0600, 0x0780, Kind.ARABIC),
    (0xFB50, 0xFE00, Kind.ARABIC),
    (0xFE70, 0xFEFF, Kind.ARABIC),
    (0x0E00, 0x0E80, Kind.THAI),
)
_SINGLE = {
    "\n": Kind.END,
    " ": Kind.BLANK,
    "\ufffd": Kind.REMOVED,
    "〇": Kind.HAN,
}
_OF_CATEGORY = {
    "Cc": Kind.REMOVED,
    "Cf": Kind.REMOVED,
    "Co": Kind.REMOVED,
    "Cs": Kind.REMOVED,
    "Nd": Kind.DIGIT,
}


def kind_of(character: str) -> Kind:
    """Returns what a character is."""
    code = ord(character)
    if character in _SINGLE:
        return _SINGLE[character]
    if character.isspace():
        return Kind.ODD_BLANK
    if code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF:
        return Kind.REMOVED  # promised to be no character, ever
    if code >= 0x20000:
        # Chinese; above are tags and private use, and variation selectors,
        # which mean something.
        if code < 0x40000:
            return Kind.HAN
        return Kind.SYMBOL if 0xE0100 <= code <= 0xE01EF else Kind.REMOVED
    category = unicodedata.category(character)
    if category in _OF_CATEGORY:
        return _OF_CATEGORY[category]
    if category[0] not in "LM" or 0xFE00 <= code <= 0xFE0F:
        return Kind.SYMBOL
    for first, end, kind in _RANGES:
        if first <= code < end:
            return kind
    return Kind.LETTER


@functools.cache
def _table():
    """uint8 [_NUM_CODES]: the kind, and whether it is of UTF-8 read as GBK."""
    table = np.fromiter(
        (kind_of(chr(code)) for code in range(_NUM_CODES)), np.uint8, _NUM_CODES
    )
    leads = (*range(0xE2, 0xEA), 0xEF)  # of punctuation, Chinese
    others = range(0x80, 0xC0)
    for first, second in (
        *((a, b) for a in leads for b in others),
        *((a, b) for a in others for b in leads),
        *((a, b) for a in others for b in others),
    ):
        misread = bytes([first, second]).decode("gb18030", "ignore")
        if len(misread) == 1 and ord(misread) < _NUM_CODES:
            table[ord(misread)] |= _IN_UTF8_AS_GBK
    return table


class Scan(NamedTuple):
    """What a text holds.

    Args:
        codes: uint32 [characters]: the text as numbers.
        marks: int64 [lines]: what each line is marked with, added up.
        counts: int64 [NUM_KINDS]: how many characters the text has of each
            kind.
    """

    codes: np.ndarray
    marks: np.ndarray
    counts: np.ndarray

    @property
    def num_chars(self) -> int:
        """How many characters are no blanks."""
        blanks = self.counts[[Kind.END, Kind.BLANK, Kind.ODD_BLANK]].sum()
        return int(self.counts.sum() - blanks)

    @property
    def num_letters(self) -> int:
        """How many are letters, Chinese characters among them."""
        return int(self.counts[Kind.HAN :].sum())


def scan(text: str, min_letters: float) -> Scan:
    """Looks at a text; lines of a smaller share of letters are FEW_LETTERS."""
    return Scan(*_look(text, min_letters))


def _look(text, min_letters):
    codes = code_points(text)
    marks = np.zeros(text.count("\n") + 1, np.int64)
    counts = np.zeros(NUM_KINDS, np.int64)
    _scan(codes, _table(), min_letters, marks, counts)
    return codes, marks, counts


@njit
def _entry(code, table):
    if code < _NUM_CODES:
        return table[code]
    if code < 0x40000:
        return 4 if code & 0xFFFE == 0xFFFE else 6  # REMOVED, HAN
    return 0 if 0xE0100 <= code <= 0xE01EF else 4


@njit
def _scan(codes, table, min_letters, marks, counts):
    first = 0
    for line in range(len(marks)):
        last = first
        while last < len(codes) and codes[last] != 10:
            last += 1
        marks[line] = _scan_line(codes[first:last], table, min_letters, counts)
        first = last + 1
    counts[1] += len(marks) - 1


@njit
def _is_continuation(code):
    """Whether CP1252 or Latin-1 reads one of the bytes 80 to BF so."""
    return (
        0x80 <= code <= 0xBF
        or 0x152 <= code <= 0x192
        or 0x2C6 <= code <= 0x2DC
        or 0x2013 <= code <= 0x203A
        or code == 0x20AC
        or code == 0x2122
    )


@njit
def _separates(code):
    """Blanks, and what stands between the items of a menu: | · • » › > →"""
    if code < 0x80:
        return code == 0x20 or code == 0x7C or code == 0x3E
    return (
        code == 0x3000
        or code == 0xFF5C
        or code == 0xB7
        or code == 0xBB
        or code == 0xFF1E
        or 0x2502 <= code <= 0x2503
        or code == 0x2022
        or code == 0x203A
        or code == 0x2192
    )


@njit
def _ends(code):
    """Whether it ends a sentence: 。！？.!?;；"""
    if code < 0x80:
        return code == 0x21 or code == 0x2E or code == 0x3F or code == 0x3B
    return code == 0x3002 or code == 0xFF01 or code == 0xFF1F or code == 0xFF1B


@njit
def _scan_line(codes, table, min_letters, counts):
    # A function of numbers alone, so that the compiler keeps them at hand.
    mark, length = ANY, len(codes)
    letters, chars, misread, wide, word = 0, 0, 0, 0, 0
    run, longest_run, longest_word, high, items = 0, 0, 0, 0, 1
    before = np.uint32(32)
    for code in codes:
        entry = _entry(code, table)
        kind = entry & _KIND_MASK
        counts[kind] += 1
        items += kind <= 3 and kind != 1 and _separates(code)
        if 2 <= kind <= 3:
            if kind == 3 or before == 32:
                mark |= BLANKS
            word = 0
        else:
            chars += 1
            letters += kind >= 6
            misread += entry >= _IN_UTF8_AS_GBK
            wide += code >= 0x80
            word = word + 1 if code < 0x80 else 0
            longest_word = max(longest_word, word)
            if kind == 4:
                mark |= REMOVED
            elif code == 38:
                mark |= AMPERSAND
            run = run + 1 if code == before else 1
            longest_run = max(longest_run, run)
        high = high + 1 if 0xA1 <= code <= 0xFE else 0
        if high == 8 or (0xC2 <= before <= 0xF4 and _is_continuation(code)):
            mark |= LATIN_BYTES
        before = code
    if before == 32:
        mark |= BLANKS
    if misread >= 6 and misread * 5 >= 4 * wide:
        mark |= GBK_BYTES
    if length <= MAX_SHORT:
        mark |= SHORT
        if items >= 3 and chars <= 12 * items and not _ends(before):
            mark |= MENU
    if letters < min_letters * chars or (min_letters and not letters):
        mark |= FEW_LETTERS
    if longest_run >= _RUN_CHARS and 4 * longest_run > 3 * chars:
        mark |= RUN
    if longest_word > LONGEST_WORD and 2 * longest_word > chars:
        mark |= LONG_WORD
    return mark

"""Rewrites text as ALBERT does, before SentencePiece sees it.

White space is made one space, Unicode's compatibility forms are taken apart,
and what combines with a letter is dropped; then case, if the model is uncased:

    "  Naïve\\t½ "    places   2 3 4 5 6  7  8 8 8
    "naive 1⁄2"               n a i v e " " 1 ⁄ 2

Source: google-research/albert, tokenization.py, preprocess_text.
"""

import functools
import unicodedata

import numpy as np

from text.code_points import code_points

_NUM_CODES = 0x110000
_LINE_END = 0x0A
_REPLACEMENT = 0xFFFD
# What becomes of a code point, unless it stays.
_DROPPED, _HALF = 1, 2


def rewrite(text: str, do_lower_case: bool) -> str:
    """Returns lines of text as ALBERT's models see them.

    Half a pair of surrogates becomes U+FFFD, as no UTF-8 has it.

    Args:
        text: lines with `\\n` between them, as many as come out.
        do_lower_case: whether the model is uncased.
    """
    lines = [" ".join(line.split()) for line in text.split("\n")]
    others = [i for i, line in enumerate(lines) if not line.isascii()]
    if others:
        decomposed = _decompose("\n".join(lines[i] for i in others))
        for i, line in zip(others, decomposed.split("\n"), strict=True):
            lines[i] = line
    text = "\n".join(lines)
    return text.lower() if do_lower_case else text


def _decompose(text):
    text = unicodedata.normalize("NFKD", text)
    codes = code_points(text)
    fates = _fates()[codes]
    if not fates.any():
        return text
    codes = np.where(fates == _HALF, _REPLACEMENT, codes)
    codes = codes[fates != _DROPPED]
    return codes.astype("<u4").tobytes().decode("utf-32-le")


def places(text: str) -> tuple[np.ndarray, np.ndarray]:
    """Returns where the characters of the rewritten text come from.

    Returns:
        (begins int32 [characters + 1], ends int32 [characters + 1]): what
        became character i is `text[begins[i] : ends[i]]`, the accents that
        were dropped behind it included; the last one is the end of the text.
    """
    codes = code_points(text)
    size = len(codes)
    is_break = codes == _LINE_END
    is_blank = is_white(codes) & ~is_break
    # Of white space the first character stays, but none at the ends of a line.
    is_first = is_blank & ~np.append(True, (is_blank | is_break)[:-1])[:size]
    after = _next(~is_blank)
    is_last = np.append(is_break, True)[after[:size]]
    kept = np.flatnonzero(~is_blank | (is_first & ~is_last))
    kinds, kind_of = np.unique(codes[kept], return_inverse=True)
    of_kinds = np.array([_num_characters(int(kind)) for kind in kinds], int)
    counts = of_kinds[kind_of] if len(kept) else of_kinds
    is_dropped = np.zeros(size, bool)
    is_dropped[kept[counts == 0]] = True
    begins = np.append(np.repeat(kept, counts), size)
    ends = _next(~is_dropped)[np.minimum(begins + 1, size)]
    return begins.astype(np.int32), ends.astype(np.int32)


def _next(wanted):
    """The first place from i on that is wanted, int64 [n + 1]."""
    size = len(wanted)
    found = np.where(np.append(wanted, True), np.arange(size + 1), size)
    return np.minimum.accumulate(found[::-1])[::-1]


def _num_characters(code):
    if chr(code).isspace():
        return 1  # Whatever it is, a space is put for it.
    decomposed = unicodedata.normalize("NFKD", chr(code))
    return sum(not unicodedata.combining(c) for c in decomposed)


@functools.cache
def _fates():
    """What becomes of each decomposed code point, uint8."""
    fates = np.zeros(_NUM_CODES, np.uint8)
    for code in range(_NUM_CODES):
        if unicodedata.combining(chr(code)):
            fates[code] = _DROPPED
    fates[0xD800:0xE000] = _HALF
    return fates


_WHITE = np.array([chr(code).isspace() for code in range(0x3001)] + [False])


def is_white(codes: np.ndarray) -> np.ndarray:
    """Whether code points are white space to Python, bool."""
    return _WHITE[np.minimum(codes, len(_WHITE) - 1)]

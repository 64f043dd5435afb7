"""Normalizes text as google-research/bert's BasicTokenizer does.

Words, punctuation marks and Chinese characters come out separated by spaces, so
that a WordPiece tokenizer has nothing left to decide.
Source: google-research/bert, tokenization.py, class BasicTokenizer.
"""

import itertools
import sys
import unicodedata

import numpy as np

from text.code_points import code_points
from text.compiled import njit

_CHINESE_RANGES = (
    (0x4E00, 0x9FFF),
    (0x3400, 0x4DBF),
    (0x20000, 0x2A6DF),
    (0x2A700, 0x2B73F),
    (0x2B740, 0x2B81F),
    (0x2B820, 0x2CEAF),
    (0xF900, 0xFAFF),
    (0x2F800, 0x2FA1F),
)
_ASCII_PUNCTUATION = set("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")


def is_chinese(character: str) -> bool:
    """Whether BERT makes a word of the character (Hangul and kana are not)."""
    return any(a <= ord(character) <= b for a, b in _CHINESE_RANGES)


def is_punctuation(character: str) -> bool:
    """Whether BERT splits at the character: every ASCII symbol, Unicode's P."""
    if character in _ASCII_PUNCTUATION:
        return True
    return unicodedata.category(character).startswith("P")


class Normalizer:
    """Separates the words of text by spaces, leaving line ends where they are.

    Nearly every character has its own rewriting, whatever stands beside it; it
    is worked out when the character is first seen. The few whose rewriting
    depends on their neighbours (the Greek final sigma, marks that Unicode puts
    in order) send their line through the word by word path.
    """

    def __init__(self, do_lower_case: bool):
        """Prepares a table that fills as characters are seen.

        Args:
            do_lower_case: whether to drop case and, with it, accents.
        """
        self._do_lower_case = do_lower_case
        self._irregular = {"Σ"} if do_lower_case else set()
        # The rewriting of code point c is pool[start[c] : start[c] + length[c]]
        # and unknown while start[c] is negative.
        self._start = np.full(sys.maxunicode + 1, -1, np.int32)
        self._length = np.zeros(sys.maxunicode + 1, np.uint8)
        self._pool = np.zeros(0, np.uint32)

    def normalize(self, text: str) -> str:
        """Returns `text` with every token between spaces; lines stay lines."""
        return self.code_points(text).tobytes().decode("utf-32-le")

    def code_points(self, text: str) -> np.ndarray:
        """Returns the normalised text as code points, uint32."""
        return self._normalize(text, with_places=False)[0]

    def code_points_and_spans(
        self, text: str
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Returns the normalised text and where each code point comes from.

        Returns:
            (codes uint32 [n], begins int32 [n], ends int32 [n]): the characters
            `text[begins[i] : ends[i]]` became `codes[i]`, the accents that were
            dropped from a character included. Both ascend: marks that change
            places have one span together.
        """
        codes, places = self._normalize(text, with_places=True)
        begins, ends = places, places + 1
        if self._is_irregular(text):
            origins = self._trace(text)
            begins, ends = origins[places], origins[places] + 1
            begins = np.minimum.accumulate(begins[::-1])[::-1]
            ends = np.maximum.accumulate(ends)
        return codes, begins, self._after_marks(text)[ends]

    def _normalize(self, text, with_places):
        """Returns the code points and, where wanted, their places.

        The places are those of the characters as they are once irregular lines
        are rewritten.
        """
        codes = code_points(text)
        self._learn(codes)
        if self._is_irregular(text):
            # Rewritten as lines; the table changes nothing in them any more.
            lines = (self._rewrite_if_irregular(x) for x in text.split("\n"))
            codes = code_points("\n".join(lines))
            self._learn(codes)
        length = self._length
        size = int(length[codes].sum())
        out = np.empty(size, np.uint32)
        places = np.empty(size if with_places else 0, np.int32)
        tables = self._start, length, self._pool
        num_codes = _rewrite(codes, *tables, out, places)
        return out[:num_codes], places[:num_codes]

    def _is_irregular(self, text):
        return any(character in text for character in self._irregular)

    def _after_marks(self, text):
        """The place of the first character from i on that is no dropped mark.

        Returns:
            int32 [len(text) + 1].
        """
        codes = code_points(text)
        after = np.arange(len(codes) + 1, dtype=np.int32)
        dropped = np.flatnonzero(self._length[codes] == 0)
        kinds, kind_of = np.unique(codes[dropped], return_inverse=True)
        is_mark = [unicodedata.category(chr(code)) == "Mn" for code in kinds]
        marks = dropped[np.array(is_mark, bool)[kind_of]]
        after[marks] = len(codes)
        return np.minimum.accumulate(after[::-1])[::-1]

    def _trace(self, text):
        """The place in `text` of each character of its rewritten lines."""
        parts = []
        first = 0
        for line in text.split("\n"):
            last = first + len(line)
            if self._is_irregular(line):
                traced = self._trace_line(line)
                rewritten = "".join(character for character, _ in traced)
                assert rewritten == self._rewrite_if_irregular(line)
                places = [first + place for _, place in traced]
                parts.append(np.array([*places, last], np.int32))
            else:
                parts.append(np.arange(first, last + 1, dtype=np.int32))
            first = last + 1
        return np.concatenate(parts)

    def _trace_line(self, line):
        """[(character, place in the line)] of what a line is rewritten to."""
        cleaned = [(c, i) for i, x in enumerate(line) for c in _clean(x)]
        traced = []
        for is_space, word in itertools.groupby(
            cleaned, lambda pair: pair[0].isspace()
        ):
            if is_space:
                continue
            if traced:
                traced.append((" ", traced[-1][1]))
            for character, place in self._trace_fold([*word]):
                traced += [(c, place) for c in _split(character)]
        return traced

    def _trace_fold(self, word):
        """What `_fold` makes of a word, as [(character, place)]."""
        if not self._do_lower_case:
            return word
        lower = "".join(character for character, _ in word).lower()
        places = [i for character, i in word for _ in character.lower()]
        pairs = [
            (c, i)
            for x, i in zip(lower, places, strict=True)
            for c in _decompose(x)
        ]
        ordered = []
        for _, run in itertools.groupby(
            pairs, lambda pair: unicodedata.combining(pair[0]) == 0
        ):
            # Unicode's canonical order: marks in a row by class, stable.
            ordered += sorted(run, key=lambda x: unicodedata.combining(x[0]))
        return [(c, i) for c, i in ordered if unicodedata.category(c) != "Mn"]

    def _learn(self, codes):
        """Works out the rewriting of the characters not seen before."""
        unknown = np.unique(codes[self._start[codes] < 0])
        pool = [self._pool]
        size = len(self._pool)
        for code in unknown:
            pool.append(code_points(self._rewrite_character(chr(code))))
            self._start[code] = size
            self._length[code] = len(pool[-1])
            size += len(pool[-1])
        self._pool = np.concatenate(pool)

    def _rewrite_character(self, character):
        if character == "\n":
            return character
        if any(_is_reordered(c) for c in _decompose(character)):
            self._irregular.add(character)
        return "".join(map(_split, self._fold(_clean(character))))

    def _rewrite_if_irregular(self, line):
        """The rewriting of a line as a whole, where it has to be one."""
        if not self._is_irregular(line):
            return line
        words = "".join(map(_clean, line)).split()
        return " ".join("".join(map(_split, self._fold(w))) for w in words)

    def _fold(self, word):
        """Lower case without accents, where the model is uncased."""
        if not self._do_lower_case:
            return word
        return "".join(
            c
            for c in _decompose(word.lower())
            if unicodedata.category(c) != "Mn"
        )


@njit()
def _rewrite(codes, start, length, pool, out, places):
    """Writes the rewriting of `codes` to `out`; no space follows another.

    Where each came from is written to `places`, unless that is empty.
    """
    num_codes = 0
    after_space = False
    with_places = len(places) > 0
    for i in range(len(codes)):
        first = start[codes[i]]
        for k in range(first, first + length[codes[i]]):
            is_space = pool[k] == 0x20
            if not (is_space and after_space):
                out[num_codes] = pool[k]
                if with_places:
                    places[num_codes] = i
                num_codes += 1
            after_space = is_space
    return num_codes


def _decompose(text):
    return unicodedata.normalize("NFD", text)


def _clean(character):
    """Drops controls, makes spaces of white space, parts Chinese characters."""
    if character in " \t\n\r":
        return " "
    category = unicodedata.category(character)
    if category == "Zs":
        return " "
    if category in ("Cc", "Cf") or character == "\ufffd":
        return ""
    return f" {character} " if is_chinese(character) else character


def _split(character):
    if character.isspace():
        return " "
    return f" {character} " if is_punctuation(character) else character


def _is_reordered(character):
    """Whether normalising may move a character that is kept."""
    return (
        unicodedata.combining(character) != 0
        and unicodedata.category(character) != "Mn"
    )

"""Tokenizes by byte-level BPE, as RoBERTa does: `byte_merges` on text."""

import functools
from collections.abc import Mapping

import numpy as np

from text import byte_merges, hash_table
from text.byte_pairs import BytePairs, alphabet
from text.code_points import code_points
from text.unaccented import is_white

_REPLACEMENT = 0xFFFD
# White space of Python up to the last there is.
_BLANKS = is_white(np.arange(0x3001))


class Pieces:
    """Tokenizes by bytes and merges; see `pieces.Pieces`.

    White space at the ends of a line is no text, as fairseq's encoder of
    corpora has it; what is between words is, whatever it is.
    """

    def __init__(self, vocabulary: BytePairs, do_lower_case: bool):
        """Compiles the merges.

        Raises:
            ValueError: text is to be lower-cased, which no such model does.
        """
        if do_lower_case:
            raise ValueError(
                f"--do_lower_case=true: byte-level BPE, {vocabulary.path}, is "
                "cased; leave the flag out, or set it to false"
            )
        self._merges = _compile(vocabulary)
        self._roles = vocabulary.roles
        # What each character is to the pattern; 0 where nobody asked yet.
        self._kinds = np.zeros(0x110000, np.uint8)

    def tokenize(
        self, text: str, unknown: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        codes = self._codes(text)
        ids, starts, bounds = self._run(codes, unknown is not None)
        if unknown is not None:
            begins = bounds[ids == self._roles.unk, 0]
            np.add.at(unknown, codes[np.unique(begins)], 1)
        return ids, starts

    def tokenize_with_places(
        self, text: str
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        codes = self._codes(text)
        ids, starts, bounds = self._run(codes, True)
        begins, ends = bounds[:, 0], bounds[:, 1]
        # A space before a word is no part of it; alone, it has no characters.
        return ids, starts, begins + (codes[begins] == ord(" ")), ends

    def _run(self, codes, with_bounds):
        return byte_merges.tokenize(
            codes, self._kinds, _BLANKS, self._merges, with_bounds
        )

    def _codes(self, text):
        codes = code_points(text)
        # Half a pair of surrogates has no UTF-8.
        is_half = (codes >= 0xD800) & (codes < 0xE000)
        if is_half.any():
            codes = np.where(is_half, _REPLACEMENT, codes).astype(np.uint32)
        new = np.unique(codes[self._kinds[codes] == 0])
        self._kinds[new] = [_kind(chr(code)) for code in new.tolist()]
        return codes


@functools.cache
def _pattern():
    # Imported here, as only texts of this kind need it.
    from tokenizers import pre_tokenizers

    return pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str


@functools.cache
def _kind(character):
    """What the library's pattern takes a character for.

    Its tables are of another Unicode than Python's.
    """
    for beside, kind in (
        ("a", byte_merges.LETTER),
        ("1", byte_merges.NUMBER),
        ("!", byte_merges.OTHER),
    ):
        if len(_pattern()(beside + character)) == 1:
            return kind
    return byte_merges.WHITE


def _compile(vocabulary: BytePairs) -> byte_merges.Merges:
    ids: Mapping[str, int] = vocabulary.ids
    unknown = vocabulary.roles.unk
    entries: dict[int, int] = {}
    merged = [0]
    for left, right in vocabulary.merges:
        key = ids[left] << byte_merges.PAIR_BITS | ids[right]
        entries.setdefault(key, len(merged))
        merged.append(ids[left + right])
    keys, ranks = hash_table.make(entries)
    return byte_merges.Merges(
        np.array([ids.get(x, unknown) for x in alphabet()], np.int32),
        keys,
        ranks,
        np.array(merged, np.int32),
    )

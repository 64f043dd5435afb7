"""What a tokenizer that is a graph knows of characters: arrays of numbers.

Nothing here is a rule of its own: all is asked of `text.normalization`, of
`text.unaccented`, of the trie of `text.wordpiece` and of Python's own
lower-casing.
"""

import functools
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from text import normalization, unaccented
from text.wordpiece import Trie

MAX_LENGTH = 32  # Of a rewriting, beyond the last.
NODE = 1 << 21  # A step's key is node * NODE + code point.
# What a character is to the sigma beside it.
DELETED, IGNORED, CASED, OTHER = range(4)
_NUM_CODES = 0x110000


class Steps(NamedTuple):
    """The trie of a vocabulary as sorted steps."""

    keys: np.ndarray  # int64 [steps + 1]: node and code point, ascending.
    nodes: np.ndarray  # int32 [steps + 1]: where the step leads.
    ids: np.ndarray  # int32 [nodes]: the row that ends at a node, -1 if none.
    begin: int  # The node before a word's first character.
    go_on: int  # That before the first one of a ## piece.


@functools.cache
def _known() -> list[str]:
    """The characters that Unicode knows; the others stay what they are."""
    return [
        character
        for character in map(chr, range(_NUM_CODES))
        if unicodedata.category(character) not in ("Cn", "Co", "Cs")
        or normalization.is_chinese(character)
    ]


def _rewritten(do_lower_case: bool) -> Iterator[tuple[str, str]]:
    """Yields (character, its rewriting) but for the end of a line."""
    known = [character for character in _known() if character != "\n"]
    normalizer = normalization.Normalizer(do_lower_case)
    lines = normalizer.normalize("\n".join(known)).split("\n")
    return zip(known, lines, strict=True)


@functools.cache
def rewritings(do_lower_case: bool) -> tuple[np.ndarray, np.ndarray]:
    """Returns (int32 [code points], pool of code points).

    The rewriting of c, with its entry e, is
    pool[e // MAX_LENGTH :][: e % MAX_LENGTH], or c itself where e is -1.
    """
    return _entries(_rewritten(do_lower_case))


def _entries(
    rewritten: Iterable[tuple[str, str]],
) -> tuple[np.ndarray, np.ndarray]:
    entries = np.full(_NUM_CODES, -1, np.int32)
    pool: list[int] = []
    places: dict[str, int] = {}
    for character, text in rewritten:
        if text == character:
            continue
        if text not in places:
            assert len(text) < MAX_LENGTH
            places[text] = len(pool) * MAX_LENGTH + len(text)
            pool += map(ord, text)
        entries[ord(character)] = places[text]
    return entries, np.array(pool, np.int32)


@functools.cache
def beside_sigma() -> np.ndarray:
    """Returns int32 [code points]: what each is to a capital sigma beside it.

    Python's own lower-casing is asked, which makes a sigma final behind a CASED
    character, with IGNORED ones between, if none stands behind in this way.
    """
    kinds = np.full(_NUM_CODES, OTHER, np.int32)
    for character, text in _rewritten(do_lower_case=False):
        if not text:
            kinds[ord(character)] = DELETED
        elif text.isspace() or normalization.is_chinese(character):
            continue  # Its word ends here.
        elif f"{character}Σ".lower().endswith("ς"):
            kinds[ord(character)] = CASED
        elif f"a{character}Σ".lower().endswith("ς"):
            kinds[ord(character)] = IGNORED
    return kinds


@functools.cache
def orders() -> tuple[np.ndarray, np.ndarray]:
    """Returns (begins, ranks), int32 [code points], for Unicode's ordering.

    Marks behind one another are sorted by their rank. A character that begins
    holds one of rank 0, at which the sorting begins anew.
    """
    begins = np.ones(_NUM_CODES, np.int32)
    ranks = np.zeros(_NUM_CODES, np.int32)
    for character, text in _rewritten(do_lower_case=False):
        decomposed = unicodedata.normalize("NFD", character.lower())
        all_ranks = [unicodedata.combining(c) for c in decomposed]
        begins[ord(character)] = text != "" and 0 in all_ranks
        for kept in decomposed:
            if unicodedata.category(kept) != "Mn":
                ranks[ord(kept)] = unicodedata.combining(kept)
    return begins, ranks


def steps(trie: Trie) -> Steps:
    """Returns the steps of a trie as sorted keys, for a search in a graph."""
    begin, go_on = len(trie.ids), len(trie.ids) + 1
    is_used = trie.keys >= 0
    keys, nodes = [trie.keys[is_used]], [trie.nodes[is_used]]
    for root, firsts in ((begin, trie.begin), (go_on, trie.go_on)):
        codes = np.flatnonzero(firsts)
        keys.append(root * NODE + codes)
        nodes.append(firsts[codes])
    # A last one, which is never taken, so that a search ends at a step.
    all_keys = np.concatenate([*keys, [np.iinfo(np.int64).max]])
    all_nodes = np.concatenate([*nodes, [0]]).astype(np.int32)
    order = np.argsort(all_keys)
    ids = np.concatenate([trie.ids, [-1, -1]]).astype(np.int32)
    return Steps(all_keys[order], all_nodes[order], ids, begin, go_on)


def white() -> np.ndarray:
    """Returns int32 [code points]: whether `text.unaccented` sees a space."""
    return unaccented.is_white(np.arange(_NUM_CODES)).astype(np.int32)


@functools.cache
def unaccented_rewritings() -> tuple[np.ndarray, np.ndarray]:
    """As `rewritings`, of `text.unaccented`, but for white space and case."""
    codes = np.flatnonzero(white() == 0)
    codes = codes[(codes < 0xD800) | (codes > 0xDFFF)]
    known = [chr(code) for code in codes]
    lines = unaccented.rewrite("\n".join(known), False).split("\n")
    return _entries(zip(known, lines, strict=True))


@functools.cache
def lower() -> tuple[np.ndarray, np.ndarray]:
    """Returns what Python lower-cases, int32 [code points] each.

    That is what becomes of a character of a text without accents, where each
    is one character, and what it is to a capital sigma beside it.
    """
    small = np.arange(_NUM_CODES, dtype=np.int32)
    kinds = np.full(_NUM_CODES, OTHER, np.int32)
    for character in _known():
        text = character.lower()
        if len(text) == 1:
            small[ord(character)] = ord(text)
        if f"{character}Σ".lower().endswith("ς"):
            kinds[ord(character)] = CASED
        elif f"a{character}Σ".lower().endswith("ς"):
            kinds[ord(character)] = IGNORED
    return small, kinds

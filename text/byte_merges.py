"""Byte-level BPE in compiled loops: words of text, bytes, merges.

GPT-2's pattern parts a line in words; a space goes with the word behind it. The
bytes of a word are tokens, of which the two neighbours are made one whose merge
comes first in merges.txt, until no merge fits. With the merges "l o", "lo w",
"Ġ low" and "e r":

    " lower's"    words     " lower" "'s"
    " lower"      bytes     Ġ l o w e r
                  l o       Ġ lo w e r
                  lo w      Ġ low e r
                  Ġ low     Ġlow e r
                  e r       Ġlow er

Source: Radford et al. 2019, section 2.2; openai/gpt-2, src/encoder.py.
"""

import collections

import numpy as np

from text.compiled import njit
from text.hash_table import slot_of

# What a character is to the pattern: \\s, \\p{L}, \\p{N} or something else.
WHITE, LETTER, NUMBER, OTHER = range(1, 5)
PAIR_BITS = 31
_SPACE, _LINE_END, _APOSTROPHE = 0x20, 0x0A, 0x27
# Beyond these, a heap finds the next merge and not a look at all neighbours.
_FEW = 96
_NONE = np.int32(0x7FFFFFFF)

Merges = collections.namedtuple(
    "Merges",
    [
        "byte_ids",  # int32 [256]: the token of each byte
        "keys",  # `hash_table` of pairs: the left id << PAIR_BITS | the right
        "ranks",  # their values: the number of the merge, from 1 on
        "merged",  # int32 [merges + 1]: the id that each makes
    ],
)


@njit()
def tokenize(codes, kinds, is_blank, merges, with_bounds):
    """Finds the tokens of lines.

    Args:
        codes: uint32: characters, lines between line ends.
        kinds: uint8 [code points]: WHITE, LETTER, NUMBER or OTHER.
        is_blank: bool [code points of blanks]: taken off the ends of lines.
        merges: `Merges`.
        with_bounds: whether to say where the tokens stand.

    Returns:
        (ids int32 [tokens], starts int64 [lines + 1], bounds int32 [tokens,
        2]): token i is made of bytes of `codes[bounds[i, 0] : bounds[i, 1]]`.
    """
    num_lines = 1
    for code in codes:
        num_lines += code == _LINE_END
    starts = np.zeros(num_lines + 1, np.int64)
    size = _num_bytes(codes)
    ids = np.empty(size, np.int32)
    bounds = np.empty((size * with_bounds, 2), np.int32)
    # Of one word: its tokens, and the characters that its bytes are of.
    word = np.empty((3, size), np.int32)
    size = line = begin = 0
    for end in range(len(codes) + 1):
        if end < len(codes) and codes[end] != _LINE_END:
            continue
        first, last = _strip(codes, begin, end, is_blank)
        while first < last:
            after = _word_end(codes, kinds, first, last)
            num_bytes = _write_bytes(codes, first, after, merges, word)
            num_tokens = _merge(word, num_bytes, merges)
            for k in range(num_tokens):
                ids[size] = word[0, k]
                if with_bounds:
                    bounds[size, 0] = word[1, k]
                    bounds[size, 1] = word[2, k] + 1
                size += 1
            first = after
        line += 1
        starts[line] = size
        begin = end + 1
    return ids[:size].copy(), starts, bounds[: size * with_bounds].copy()


@njit()
def _strip(codes, first, last, is_blank):
    while first < last and _is_blank(codes[first], is_blank):
        first += 1
    while first < last and _is_blank(codes[last - 1], is_blank):
        last -= 1
    return first, last


@njit()
def _is_blank(code, is_blank):
    return code < len(is_blank) and is_blank[code]


@njit()
def _word_end(codes, kinds, first, last):
    """The place behind the word that begins at `first`."""
    if codes[first] == _APOSTROPHE:
        length = _contraction(codes, first, last)
        if length:
            return first + length
    place = first
    if codes[first] == _SPACE and first + 1 < last:
        place += kinds[codes[first + 1]] != WHITE
    kind = kinds[codes[place]]
    end = place + 1
    while end < last and kinds[codes[end]] == kind:
        end += 1
    # The last of several blanks goes with what follows.
    if kind == WHITE and end < last and end - first > 1:
        return end - 1
    return end


@njit()
def _contraction(codes, first, last):
    """The length of 's, 't, 'm, 'd, 're, 've or 'll, or 0."""
    if first + 1 >= last:
        return 0
    one = codes[first + 1]
    if one == ord("s") or one == ord("t") or one == ord("m") or one == ord("d"):
        return 2
    two = codes[first + 2] if first + 2 < last else codes[first]
    if two == ord("e") and (one == ord("r") or one == ord("v")):
        return 3
    return 3 if one == ord("l") and two == ord("l") else 0


@njit()
def _num_bytes(codes):
    size = 0
    for code in codes:
        size += 1 + (code > 0x7F) + (code > 0x7FF) + (code > 0xFFFF)
    return size


@njit()
def _write_bytes(codes, first, last, merges, word):
    """Writes the tokens of the UTF-8 of a word; returns their number."""
    size = 0
    for place in range(first, last):
        code = np.int64(codes[place])
        more = (code > 0x7F) + (code > 0x7FF) + np.int64(code > 0xFFFF)
        for k in range(more + 1):
            byte = code
            if more:
                byte = code >> 6 * (more - k)
                # The first byte says how many follow: 110, 1110 or 11110.
                byte = byte & 0x3F | 0x80
                if k == 0:
                    byte = code >> 6 * more | (0xF00 >> more + 1) & 0xFF
            word[0, size] = merges.byte_ids[byte]
            word[1, size] = word[2, size] = place
            size += 1
    return size


@njit()
def _rank(left, right, merges):
    """The number of the merge of two tokens, or _NONE."""
    key = np.int64(left) << PAIR_BITS | np.int64(right)
    rank = merges.ranks[slot_of(merges.keys, key)]
    return rank if rank else _NONE


@njit()
def _merge(word, size, merges):
    """Merges the tokens of a word in place; returns how many are left."""
    if size > _FEW:
        return _merge_many(word, size, merges)
    ranks = np.empty(_FEW, np.int32)
    for k in range(size - 1):
        ranks[k] = _rank(word[0, k], word[0, k + 1], merges)
    while size > 1:
        best = 0
        for k in range(1, size - 1):
            if ranks[k] < ranks[best]:
                best = k
        if ranks[best] == _NONE:
            break
        word[0, best] = merges.merged[ranks[best]]
        word[2, best] = word[2, best + 1]
        size -= 1
        for k in range(best + 1, size):
            word[0, k] = word[0, k + 1]
            word[1, k] = word[1, k + 1]
            word[2, k] = word[2, k + 1]
            ranks[k - 1] = ranks[k]
        if best > 0:
            ranks[best - 1] = _rank(word[0, best - 1], word[0, best], merges)
        if best < size - 1:
            ranks[best] = _rank(word[0, best], word[0, best + 1], merges)
    return size


@njit()
def _merge_many(word, size, merges):
    """As `_merge`; a heap has the merges, in order of number and place."""
    ranks = np.full(size, _NONE, np.int32)
    before = np.arange(-1, size - 1)
    after = np.arange(1, size + 1)
    heap = np.empty(3 * size, np.int64)
    num_waiting = 0
    for k in range(size - 1):
        ranks[k] = _rank(word[0, k], word[0, k + 1], merges)
        if ranks[k] != _NONE:
            num_waiting = _push(heap, num_waiting, ranks[k], k)
    while num_waiting:
        top = heap[0]
        num_waiting = _pop(heap, num_waiting)
        rank, place = top >> 32, top & 0xFFFFFFFF
        if ranks[place] != rank:
            continue  # One of its tokens is part of another by now.
        gone = after[place]
        word[0, place] = merges.merged[rank]
        word[2, place] = word[2, gone]
        ranks[gone] = _NONE
        after[place] = after[gone]
        if after[place] < size:
            before[after[place]] = place
        ranks[place] = _NONE
        for left in (before[place], place):
            if left < 0 or after[left] >= size:
                continue
            ranks[left] = _rank(word[0, left], word[0, after[left]], merges)
            if ranks[left] != _NONE:
                num_waiting = _push(heap, num_waiting, ranks[left], left)
    num_left = place = 0
    while place < size:
        word[:, num_left] = word[:, place]
        num_left += 1
        place = after[place]
    return num_left


@njit()
def _push(heap, size, rank, place):
    """Adds a merge to the heap; returns its size."""
    value = np.int64(rank) << 32 | np.int64(place)
    child = size
    while child > 0:
        parent = (child - 1) >> 1
        if heap[parent] <= value:
            break
        heap[child] = heap[parent]
        child = parent
    heap[child] = value
    return size + 1


@njit()
def _pop(heap, size):
    """Takes the least off the heap; returns its size."""
    size -= 1
    value = heap[size]
    parent, child = 0, 1
    while child < size:
        if child + 1 < size and heap[child + 1] < heap[child]:
            child += 1
        if value <= heap[child]:
            break
        heap[parent] = heap[child]
        parent, child = child, 2 * child + 1
    heap[parent] = value
    return size

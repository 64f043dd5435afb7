"""Finds the pieces of words by WordPiece, the longest first, compiled.

The vocabulary is a trie: a step leads from a node by a character to the next
node, and a node where a row ends has the row's id. Pieces that begin a word and
pieces that go on (##) begin at roots of their own. With the rows play, ##er and
##s:

    begin    p -> 1 -l-> 2 -a-> 3 -y-> 4      node 4 is the row "play"
    go_on    e -> 5 -r-> 6                    node 6 is "##er"
             s -> 7                           node 7 is "##s"

    players  p l a y | e r | s    play ##er ##s
    pla      p l a                no row ends at node 3: the word is [UNK]

The steps lie in a hash table, `keys` and `nodes`: the step from node 1 by "l"
has the key 1 << 21 | ord("l").

Source: google-research/bert, tokenization.py, class WordpieceTokenizer; the
trie instead of its search by shorter and shorter substrings.
"""

import collections

import numpy as np

from text import hash_table
from text.compiled import njit
from text.vocab import Vocabulary

# google-research/bert, WordpieceTokenizer: a longer word is [UNK].
MAX_WORD_CHARACTERS = 200

_SPACE = 0x20
_LINE_END = 0x0A
NUM_CODES = 0x110000
_CODE_BITS = 21

Trie = collections.namedtuple(
    "Trie",
    [
        "begin",  # int32 [code points]: the node of a word's first character
        "go_on",  # int32 [code points]: that of a ## piece's first one
        "keys",  # int64 [slots]: node and code point of a step, -1 if free
        "nodes",  # int32 [slots]: where the step leads
        "ids",  # int32 [nodes]: the row that ends at a node, -1 if none
        "unk_id",  # int32
    ],
)


def compile_trie(vocabulary: Vocabulary) -> Trie:
    """Returns the trie of a vocabulary."""
    begin = np.zeros(NUM_CODES, np.int32)
    go_on = np.zeros(NUM_CODES, np.int32)
    steps: dict[int, int] = {}
    ids = [-1]  # Steps that no row takes lead to node 0.
    for token, row in vocabulary.ids.items():
        is_continuation = token.startswith("##") and len(token) > 2
        roots = go_on if is_continuation else begin
        node = 0
        for place, character in enumerate(token[2 * is_continuation :]):
            code = ord(character)
            if place == 0:
                node = int(roots[code]) or len(ids)
                roots[code] = node
            else:
                node = steps.setdefault(node << _CODE_BITS | code, len(ids))
            if node == len(ids):
                ids.append(-1)
        if node:
            ids[node] = row
    keys, nodes = hash_table.make(steps)
    unk_id = np.int32(vocabulary.roles.unk)
    return Trie(begin, go_on, keys, nodes, np.array(ids, np.int32), unk_id)


@njit()
def tokenize(codes, trie):
    """Finds the pieces of normalised text.

    Args:
        codes: uint32, words between spaces, lines between line ends.
        trie: of `compile_trie`.

    Returns:
        (ids int32 [tokens], starts int64 [lines + 1]): the ids of line i are
        `ids[starts[i] : starts[i + 1]]`.
    """
    ids, starts, _ = _tokenize(codes, trie, np.empty((0, 2), np.int32))
    return ids, starts


@njit()
def tokenize_with_bounds(codes, trie):
    """Finds the pieces of normalised text and where they stand in it.

    Returns:
        (ids, starts, bounds): what `tokenize` returns, and int32 [tokens, 2]:
        token i is made of `codes[bounds[i, 0] : bounds[i, 1]]`.
    """
    return _tokenize(codes, trie, np.empty((len(codes), 2), np.int32))


@njit()
def _tokenize(codes, trie, bounds):
    """Returns ids, starts and what of `bounds`, unless empty, was filled."""
    num_lines = 1
    for code in codes:
        num_lines += code == _LINE_END
    starts = np.zeros(num_lines + 1, np.int64)
    ids = np.empty(len(codes), np.int32)
    size = 0
    line = 0
    first = 0
    for i in range(len(codes) + 1):
        is_end = i == len(codes)
        if not is_end and codes[i] != _SPACE and codes[i] != _LINE_END:
            continue
        if i > first:
            size = _tokenize_word(codes, first, i, trie, ids, bounds, size)
        first = i + 1
        if is_end or codes[i] == _LINE_END:
            line += 1
            starts[line] = size
    return ids[:size].copy(), starts, bounds[:size].copy()


@njit()
def _tokenize_word(codes, first, last, trie, ids, bounds, size):
    """Appends the pieces of one word, or one [UNK]; returns the new size."""
    with_bounds = len(bounds) > 0
    end = size
    place = first
    is_known = last - first <= MAX_WORD_CHARACTERS
    while is_known and place < last:
        begin = place
        piece, place = _longest_piece(codes, first, begin, last, trie)
        is_known = piece >= 0
        ids[end] = piece
        if with_bounds:
            bounds[end, 0] = begin
            bounds[end, 1] = place
        end += 1
    if is_known:
        return end
    ids[size] = trie.unk_id
    if with_bounds:
        bounds[size, 0] = first
        bounds[size, 1] = last
    return size + 1


@njit()
def _longest_piece(codes, first, begin, last, trie):
    """Returns (row or -1, end) of the longest piece of a word at `begin`."""
    roots = trie.begin if begin == first else trie.go_on
    node = roots[codes[begin]]
    piece = trie.ids[node]
    end = after = begin + 1
    # Go on as long as steps lead anywhere, and remember the last node at which
    # a row ended: that is the longest piece.
    while node != 0 and after < last:
        key = np.int64(node) << _CODE_BITS | np.int64(codes[after])
        node = trie.nodes[hash_table.slot_of(trie.keys, key)]
        after += 1
        if trie.ids[node] >= 0:
            piece = trie.ids[node]
            end = after
    return piece, end


def count_unknown(codes, ids, starts, trie, counts):
    """Counts the characters because of which words are [UNK].

    It is the one in a word with which no piece begins where one must. A word
    that is too long for any has none.

    Args:
        codes, trie: as `tokenize` took them.
        ids, starts: what it returned.
        counts: int64 [code points]; grows.
    """
    where = np.flatnonzero(ids == trie.unk_id)
    if not len(where):
        return
    lines = np.unique(np.searchsorted(starts, where, side="right") - 1)
    ends = np.append(np.flatnonzero(codes == _LINE_END), len(codes))
    begins = np.append(0, ends[:-1] + 1)
    _count_unknown(codes, begins[lines], ends[lines], trie, counts)


@njit()
def _count_unknown(codes, begins, ends, trie, counts):
    """Counts in the lines that have [UNK]."""
    for line in range(len(begins)):
        first = begins[line]
        for i in range(first, ends[line] + 1):
            if i < ends[line] and codes[i] != _SPACE:
                continue
            place = first
            if i - first > MAX_WORD_CHARACTERS:
                place = i
            while place < i:
                begin = place
                piece, place = _longest_piece(codes, first, begin, i, trie)
                if piece < 0:
                    counts[codes[begin]] += 1
                    break
            first = i + 1

"""Draws words that stand in the place of others (MacBERT, Cui et al. 2020).

The ids of all words lie in one array and those of all similar words in another,
so that compiled code can look them up. With two words of the ids 5 6 and 5, of
which the first has two similar ones:

    words        5 6 | 5            word_starts  0 2 3
    ids          7 8   13 14 | 13   starts       0 4 5

    slots        0 . . . . . . . 1 . . . . . . .

Word 0 has two ids, so its four `ids` are two similar words. `slots` is a hash
table: the hash of a word says where to begin to look for its number, and a free
slot ends the search.
"""

import collections
from collections.abc import Iterator

import numpy as np
from absl import logging

from data.building import mersenne
from data.config import BuildConfig
from storage import file_io
from text import corpus, t2s, tokenization
from text.compiled import njit
from text.vocab import Vocabulary

SimilarWords = collections.namedtuple(
    "SimilarWords",
    [
        "slots",  # int32 [power of 2]: hash table of words, -1 where free
        "words",  # int32: the ids of all words, one behind the other
        "word_starts",  # int64 [words + 1]: where each begins in `words`
        "ids",  # int32: those of the similar words, each as long as its word
        "starts",  # int64 [words + 1]: where those of each begin in `ids`
    ],
)

# Fibonacci hashing: 2**64 over the golden ratio, odd.
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def load(config: BuildConfig, vocabulary: Vocabulary) -> SimilarWords:
    """Reads the file of --similar_words, or returns an empty list without one.

    A similar word is kept where it has as many tokens as the word and where
    the vocabulary knows both.

    Raises:
        ValueError: the file is missing or is not one of similar words, or
            nothing of it is kept.
    """
    path = config.similar_words
    if not path:
        return _compile({})
    if not file_io.exists(path):
        raise ValueError(f"--similar_words: no file {path!r}")
    text = corpus.read(path)
    if config.t2s:
        text = t2s.to_simplified(text)
    pairs = list(read_pairs(path, text))
    if not vocabulary.has_words_alone:
        raise ValueError(
            f"--similar_words={path} is for WordPiece, where a word has the "
            "same tokens wherever it stands; "
            f"{vocabulary.path} is of the kind {vocabulary.kind}"
        )
    tokenizer = tokenization.Tokenizer(vocabulary, config.do_lower_case)
    unk_id = vocabulary.roles.unk
    words = _encode([word for word, _ in pairs], tokenizer)
    others = _encode([other for _, other in pairs], tokenizer)
    similar: dict[tuple[int, ...], dict[tuple[int, ...], None]] = {}
    for word, other in zip(words, others, strict=True):
        is_known = unk_id not in word + other
        if is_known and word != other and len(word) == len(other) > 0:
            similar.setdefault(word, {})[other] = None
    if not similar:
        raise ValueError(
            f"--similar_words={path}: none of its {len(pairs)} pairs of words "
            f"has as many tokens on both sides in {vocabulary.path}"
        )
    kept = sum(map(len, similar.values()))
    logging.info("%s: %s of %s pairs are used", path, kept, len(pairs))
    return _compile(similar)


def read_pairs(path: str, text: str) -> Iterator[tuple[str, str]]:
    """Yields (word, similar word) of a file of --similar_words.

    Args:
        path: of the file, for errors.
        text: what is in it.

    Raises:
        ValueError: a line is of another form; names it.
    """
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        word, _, others = line.partition("\t")
        if not word.strip() or not others.split():
            raise ValueError(
                f"{path}:{number}: --similar_words wants a word, a tab and "
                f"similar words between spaces, got {line[:60]!r}"
            )
        for other in others.split():
            yield word.strip(), other


def _encode(words, tokenizer):
    """The ids of each word as a tuple."""
    ids, starts = tokenizer.tokenize("\n".join(words))
    ids = ids.tolist()
    bounds = zip(starts[:-1], starts[1:], strict=True)
    return [tuple(ids[begin:end]) for begin, end in bounds]


def _compile(similar):
    """Makes `SimilarWords` of {ids of a word: {ids of a similar one: None}}."""
    others = [sum(others_of_one, ()) for others_of_one in similar.values()]
    words, word_starts = _join(similar)
    ids, starts = _join(others)
    # A power of 2, of which at most a quarter is taken: searches stay short.
    slots = np.full(2 << (2 * len(similar)).bit_length(), -1, np.int32)
    _fill(slots, words, word_starts)
    return SimilarWords(slots, words, word_starts, ids, starts)


def _join(parts):
    """(int32 all the ids, int64 [parts + 1]: where each part begins)"""
    ids = np.array([i for part in parts for i in part], np.int32)
    return ids, np.cumsum([0, *map(len, parts)])


@njit()
def _fill(slots, words, word_starts):
    for k in range(len(word_starts) - 1):
        word = words[word_starts[k] : word_starts[k + 1]]
        slots[_slot(slots, words, word_starts, word)] = k


@njit()
def _slot(slots, words, word_starts, word):
    """The slot of `word`, or the free one where it belongs."""
    # Multiplied bits spread upward only, so each step shifts some down again.
    digest = np.uint64(len(word))
    for token in word:
        digest = (digest ^ np.uint64(token)) * _MULTIPLIER
        digest ^= digest >> np.uint64(32)
    mask = len(slots) - 1
    slot = np.int64(digest >> np.uint64(1)) & mask
    while slots[slot] >= 0:
        k = slots[slot]
        if np.array_equal(word, words[word_starts[k] : word_starts[k + 1]]):
            break
        slot = (slot + 1) & mask
    return slot


@njit()
def draw(similar, word, state):
    """Draws a similar word.

    Args:
        similar: `SimilarWords`.
        word: int32: the ids of a word.
        state: the generator, see `mersenne`; it moves on where one is drawn.

    Returns:
        Where the ids of the similar word, as many, begin in `similar.ids`; -1
        where there is none.
    """
    slot = _slot(similar.slots, similar.words, similar.word_starts, word)
    k = similar.slots[slot]
    if k < 0:
        return -1
    begin, end = similar.starts[k], similar.starts[k + 1]
    # Similar words are as long as the word, so their number is a quotient.
    number = mersenne.below(state, (end - begin) // len(word))
    return begin + number * len(word)

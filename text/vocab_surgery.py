"""Adds rows to a vocabulary, and takes rows out of it.

A list of rows is a vocabulary to come, and the id of a row may change.
"""

import collections
import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from text import normalization, t2s, tokenization, vocab

_FOREIGN = ("HANGUL", "HIRAGANA", "KATAKANA", "BOPOMOFO")
_NUMBER = re.compile(r"(##)?\d+")
_NUMBERS_KEPT = {str(n) for n in (*range(101), *range(2016, 2023))}


class Added(NamedTuple):
    """What became of words that were to be rows."""

    rows: list[str]  # of the new vocabulary
    words: list[str]  # that are new rows
    known: list[str]  # that were rows before
    impossible: list[str]  # that BERT's tokenizer never makes one token of


def add(
    rows: Sequence[str],
    words: Iterable[str],
    *,
    do_lower_case: bool,
    use_unused: bool,
) -> Added:
    """Adds words as rows.

    Chinese characters are words of their own to BERT, and so is punctuation:
    a row of two of them would never be used.

    Args:
        rows: of the vocabulary.
        words: those to add.
        do_lower_case: whether the vocabulary is uncased.
        use_unused: whether [unusedN] rows are taken before rows are appended.
    """
    normalizer = normalization.Normalizer(do_lower_case)
    rows = list(rows)
    present = set(rows)
    is_free = (use_unused and vocab.is_unused(row) for row in rows)
    free = iter([number for number, yes in enumerate(is_free) if yes])
    added = Added(rows, [], [], [])
    for given in words:
        parts = normalizer.normalize(given).split()
        if len(parts) != 1:
            added.impossible.append(given)
            continue
        (word,) = parts
        if word in present:
            added.known.append(given)
            continue
        present.add(word)
        added.words.append(word)
        number = next(free, None)
        if number is None:
            rows.append(word)
        else:
            rows[number] = word
    return added


def shrink(rows: Sequence[str]) -> list[str]:
    """Returns the rows that simplified Chinese needs, by CLUE's recipe.

    Without traditional characters, ## rows of Chinese characters, Korean,
    Japanese, zhuyin, emoji, words of several Latin letters (they are spelled
    with letters and ## rows), and numbers beyond 100 but recent years.
    Source: the vocabulary of CLUECorpus2020 (Xu et al. 2020), section 4.1.
    """
    traditional = t2s.to_simplified("\n".join(rows)).split("\n")
    return [
        row
        for row, simplified in zip(rows, traditional, strict=True)
        if vocab.is_special(row) or (row == simplified and _is_kept(row))
    ]


def _is_kept(row):
    piece = row.removeprefix("##")
    begins_word = piece == row
    if _NUMBER.fullmatch(row):
        return not begins_word or piece in _NUMBERS_KEPT
    if begins_word and len(piece) > 1 and piece.isalpha() and piece.isascii():
        return False
    return not any(
        (normalization.is_chinese(character) and not begins_word)
        or unicodedata.name(character, "").startswith(_FOREIGN)
        or unicodedata.category(character) == "So"
        for character in piece
    )


def find_words(
    chunks: Iterable[str],
    vocabulary: vocab.Vocabulary,
    *,
    do_lower_case: bool,
    num_words: int,
    min_count: int,
) -> list[str]:
    """Finds the words of a text that rows of their own save most tokens of.

    Args:
        chunks: strings of whole lines.
        vocabulary: the one to add them to.
        do_lower_case: whether it is uncased.
        num_words: how many to find.
        min_count: how often a word has to occur.

    Returns:
        At most `num_words` words, the most saving ones first.
    """
    normalizer = normalization.Normalizer(do_lower_case)
    counts: collections.Counter[str] = collections.Counter()
    for chunk in chunks:
        counts.update(normalizer.normalize(chunk).split())
    words = sorted(word for word, n in counts.items() if n >= min_count)
    pieces = tokenization.Tokenizer(vocabulary, do_lower_case)
    ids, starts = pieces.tokenize("\n".join(words))
    unknown = vocabulary.roles.unk
    saved = {}
    for number, word in enumerate(words):
        of_word = ids[starts[number] : starts[number + 1]]
        # An unknown word is one token, of which nothing can be learned.
        gain = len(of_word) - 1 + (unknown in of_word)
        if gain > 0 and any(map(str.isalpha, word)):
            saved[word] = gain * counts[word]
    return sorted(saved, key=lambda word: (-saved[word], word))[:num_words]

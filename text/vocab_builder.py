"""Learns a vocabulary from text: WordPiece here, and which kinds there are.

Of WordPiece, Chinese characters, digits and punctuation get a row each by their
count; the rows that are left hold pieces of the other words, learned by the
trainer of Hugging Face's `tokenizers`.
"""

import collections
import dataclasses
import string
from collections.abc import Callable, Iterable

import numpy as np

from text import bpe_builder, normalization, spm_builder
from text.vocab import FILE, WORDPIECE

NUM_UNUSED = 99
_ASCII = string.printable.strip()
# No small corpus has all the punctuation of Chinese text.
_CHINESE_PUNCTUATION = (
    "、。〃〈〉《》「」『』【】〔〕〖〗〜·—…‘’“”"
    "！＂＃＄％＆＇（）＊＋，－．／：；＜＝＞？＠［＼］＾＿｀｛｜｝～￥"
)


@dataclasses.dataclass
class Counts:
    """What the corpus holds, counted."""

    characters: np.ndarray  # int64 [code points]: single-character words
    words: collections.Counter  # the other words


def count(chunks: Iterable[str], do_lower_case: bool) -> Counts:
    """Counts the words of text as BERT parts it.

    Args:
        chunks: strings of whole lines.
        do_lower_case: whether the vocabulary is uncased.
    """
    normalizer = normalization.Normalizer(do_lower_case)
    words: collections.Counter[str] = collections.Counter()
    for chunk in chunks:
        words.update(normalizer.normalize(chunk).split())
    characters = np.zeros(0x110000, np.int64)
    for word in [word for word in words if len(word) == 1]:
        characters[ord(word)] = words[word]
        if not word.isalnum() or normalization.is_chinese(word):
            del words[word]
    return Counts(characters, words)


def rows(
    counts: Counts, vocab_size: int, min_count: int, do_lower_case: bool
) -> list[str]:
    """Returns the rows of a vocabulary.

    In order: [PAD], the unused rows, the other special tokens, single
    characters by code point, pieces of words with the most frequent first.

    Args:
        counts: what `count` returned.
        vocab_size: number of rows.
        min_count: how often a Chinese character or a symbol has to occur.
        do_lower_case: whether the vocabulary is uncased.

    Raises:
        ValueError: the characters alone exceed `vocab_size`.
    """
    unused = [f"[unused{i}]" for i in range(1, NUM_UNUSED + 1)]
    pad, *others = WORDPIECE
    special = [pad, *unused, *others]
    characters = _characters(counts, min_count, do_lower_case)
    num_pieces = vocab_size - len(special) - len(characters)
    if num_pieces < 0:
        raise ValueError(
            f"--vocab_size={vocab_size} is too small for {len(characters)} "
            f"characters that occur {min_count} times; raise --min_count"
        )
    pieces = _pieces(counts.words, num_pieces, set(characters))
    return [*special, *characters, *pieces]


def _characters(counts, min_count, do_lower_case):
    """The characters that are words of their own and deserve a row."""
    frequent = {chr(c) for c in np.flatnonzero(counts.characters >= min_count)}
    ascii_characters = set(_ASCII.lower() if do_lower_case else _ASCII)
    return sorted(frequent | ascii_characters | set(_CHINESE_PUNCTUATION))


def _pieces(words, num_pieces, known):
    """Learns `num_pieces` pieces that are not in `known`."""
    # Imported here, as only learning needs it.
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.WordPiece(unk_token=WORDPIECE.unk))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    letters = _letters(words)
    common = set(letters)
    trainer = trainers.WordPieceTrainer(
        vocab_size=num_pieces + len(known),
        show_progress=False,
        # Given in a fixed order: else pieces of equal count would come in
        # another order each time.
        special_tokens=letters + [f"##{letter}" for letter in letters],
    )
    # Words of rare letters teach nothing, and unlimited letters would take up
    # the rows.
    lines = (
        " ".join([word] * count)
        for word, count in sorted(words.items())
        if common.issuperset(word)
    )
    tokenizer.train_from_iterator(lines, trainer)
    learned = tokenizer.get_vocab()
    in_order = sorted(learned, key=learned.get)
    return [piece for piece in in_order if piece not in known][:num_pieces]


def _letters(words):
    """The most frequent characters of words, in the order of code points."""
    counts = collections.Counter()
    for word, count in words.items():
        for letter in word:
            counts[letter] += count
    by_count = sorted(counts, key=lambda letter: (-counts[letter], letter))
    return sorted(by_count[: 2 * len(_ASCII)])


def learn(
    chunks: Iterable[str],
    vocab_size: int,
    *,
    min_count: int,
    do_lower_case: bool,
) -> list[tuple[str, bytes]]:
    """Returns [(name, contents)] of a vocab.txt; see `count` and `rows`."""
    counts = count(chunks, do_lower_case)
    learned = rows(counts, vocab_size, min_count, do_lower_case)
    return [(FILE, "".join(f"{row}\n" for row in learned).encode())]


# {kind: what learns it}: each takes what `learn` takes, and leaves `min_count`
# where its library has a rule of its own.
KINDS: dict[str, Callable[..., list[tuple[str, bytes]]]] = {
    "wordpiece": learn,
    "sentencepiece": spm_builder.learn,
    "byte_pairs": bpe_builder.learn,
}

"""Finds the words of Chinese text by a word segmenter.

Another segmenter is another function in `SEGMENTERS`, and its name among the
values of --word_segmenter.
"""

import functools
import importlib.metadata
import re
import sys
import unicodedata
import warnings
from collections.abc import Callable

from text import normalization


# A process reads the dictionary once, however many shards it builds.
@functools.cache
def _load_jieba():
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import jieba
    except ImportError:
        raise ValueError(
            "--word_segmenter=jieba needs the package jieba: pip install jieba"
        ) from None
    tokenizer = jieba.Tokenizer()
    # This is what initialize() does, without its log and without the file that
    # all users of the machine share. Reading that one would be no faster.
    dictionary = tokenizer.get_dict_file()
    tokenizer.FREQ, tokenizer.total = tokenizer.gen_pfdict(dictionary)
    tokenizer.initialized = True
    return lambda line: _mend(tokenizer.lcut(line))


def _load_spaces():
    characters = map(chr, range(sys.maxunicode + 1))
    marks = "".join(filter(normalization.is_punctuation, characters))
    marks = re.escape(marks)
    words = re.compile(rf"[^\s{marks}]+|.", re.DOTALL)
    return lambda line: _mend(words.findall(line))


# Parts a line into words, and the white space that stands between some.
Segmenter = Callable[[str], list[str]]

# Each loader is called when its segmenter is chosen.
SEGMENTERS: dict[str, Callable[[], Segmenter]] = {
    "jieba": _load_jieba,
    "spaces": _load_spaces,
}


def version(name: str) -> str:
    """Returns the name of a segmenter, with the version of its package if any.

    Args:
        name: a key of `SEGMENTERS`, or "none".
    """
    if name in ("none", "spaces"):
        return name
    try:
        return f"{name} {importlib.metadata.version(name)}"
    except importlib.metadata.PackageNotFoundError:
        return name


def _mend(words):
    """Joins what BERT would not part, such as the `caf` and `é` of jieba."""
    mended = words[:1]
    for word in words[1:]:
        if _parts(mended[-1][-1]) or _parts(word[0]):
            mended.append(word)
        else:
            mended[-1] += word
    return mended


@functools.cache
def _parts(character):
    """Whether BERT begins a word behind a character, and ends one before it."""
    if unicodedata.category(character) == "Cc":
        return character in "\t\n\r"
    return (
        character.isspace()
        or normalization.is_chinese(character)
        or normalization.is_punctuation(character)
    )

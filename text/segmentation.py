"""Where the words of a Chinese line begin, by a word segmenter.

Another segmenter is another function in `_SEGMENTERS`: it makes, when it is
chosen, a function that cuts a line into its words, with or without the spaces
between them.
"""

import functools
import importlib.metadata
import logging
import tempfile
import warnings

from text import compiled, normalization


def _load_jieba():
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import jieba
    except ImportError:
        raise ValueError(
            "--word_segmenter=jieba needs the package jieba: "
            "pip install -e '.[jieba]'"
        ) from None
    jieba.setLogLevel(logging.ERROR)
    tokenizer = jieba.Tokenizer()
    # jieba keeps its compiled dictionary where everybody may write; ours is
    # one that only this user could have made, for this version.
    tokenizer.tmp_dir = compiled.directory or tempfile.mkdtemp()
    tokenizer.cache_file = f"{version('jieba')}.cache"
    return lambda line: _joined(tokenizer.lcut(line))


def _load_spaces():
    return str.split


_SEGMENTERS = {"jieba": _load_jieba, "spaces": _load_spaces}


@functools.cache
def load(name):
    """Returns the function of a segmenter: a line -> its words, in order.

    Raises:
        ValueError: its package is missing.
    """
    return _SEGMENTERS[name]()


def version(name):
    """The name with the version that the words depend on, if any."""
    if name != "jieba":
        return name
    try:
        return f"jieba-{importlib.metadata.version('jieba')}"
    except importlib.metadata.PackageNotFoundError:
        return name


def _joined(words):
    """Joins what BERT would not part, such as the `caf` and `é` of jieba."""
    joined = []
    for word in words:
        if joined and not (parts(joined[-1][-1]) or parts(word[0])):
            joined[-1] += word
        else:
            joined.append(word)
    return joined


@functools.cache
def parts(character):
    """Whether BERT parts words at a character."""
    return (
        character.isspace()
        or normalization.is_chinese(character)
        or normalization.is_punctuation(character)
    )

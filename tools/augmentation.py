"""Words of a text that may give way to others, and texts in which some do.

A word is a run of Latin letters, or what a segmenter finds in Chinese text:

    The film often achieves poetry 这部电影很好看
        ---- ----- -------- ------     ----  ----

with "The", "这部" and "很" among the `STOP_WORDS`, which stay.
"""

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

from text import normalization, segmentation

# Words that hold a sentence together: another one in their place makes it
# wrong, and teaches nothing of what it says.
_STOP_WORDS = """
a about above after again against all also am an and any are as at be because
been before being below between both but by can could did do does doing down
during each either else few for from further had has have having he her here
hers herself him himself his how i if in into is it its itself just me might
more most must my myself neither no nor not now of off on once only or other
our ours ourselves out over own same shall she should so some such than that
the their theirs them themselves then there these they this those through to
too under until up upon us very was we were what when where whether which
while who whom whose why will with would yet you your yours yourself
yourselves
的 地 得 了 着 过 吗 呢 吧 啊 呀 么 我 你 您 他 她 它 我们 你们 他们 她们 它们
这 那 这个 那个 这些 那些 这样 那样 这部 那部 哪 谁 什么 怎么 为什么 是 在 有
和 与 及 或 或者 而 而且 并 并且 但 但是 不过 却 如果 因为 所以 虽然 由于 因此
就 都 也 还 又 再 很 太 非常 不 没 没有 无 别 被 把 给 对 从 向 到 于 以 为 之
其 等 个 一 一个 一些 上 下 里 中 能 会 可以 要 想 让 使 比 更 最
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
# Latin letters that no other letter, digit or apostrophe touches.
_LATIN = re.compile(
    r"(?<![^\W\u3400-\u9fff])(?<!['’])[A-Za-z]+(?!['’])(?![^\W\u3400-\u9fff])"
)


class Word(NamedTuple):
    """A word of a text."""

    text: int  # The number of its text.
    begin: int  # In characters.
    end: int


# {word: what may stand for it, the best first}
Found = Mapping[Word, Sequence[str]]


class Candidates(Protocol):
    """What says which words may stand for others."""

    def candidates(self, texts: Sequence[str], words: Sequence[Word]) -> Found:
        """Returns the candidates of the words of which there are any."""


def find(
    texts: Sequence[str],
    word_segmenter: str,
    sources: Sequence[Candidates],
) -> list[dict[Word, list[str]]]:
    """Returns the words of each text that may give way, and to what.

    Args:
        texts: any.
        word_segmenter: a key of `segmentation.SEGMENTERS`, or "none".
        sources: a word is asked of each, until one has candidates.
    """
    segment: segmentation.Segmenter = list
    if word_segmenter != "none":
        segment = segmentation.SEGMENTERS[word_segmenter]()
    left = [
        word
        for number, text in enumerate(texts)
        for word in _words(number, text, segment)
    ]
    found: list[dict[Word, list[str]]] = [{} for _ in texts]
    for source in sources:
        for word, others in source.candidates(texts, left).items():
            written = texts[word.text][word.begin : word.end]
            as_written = dict.fromkeys(_like(written, x) for x in others)
            as_written.pop(written, None)
            if as_written:
                found[word.text][word] = list(as_written)
        left = [word for word in left if word not in found[word.text]]
    return found


def variants(
    text: str,
    words: Mapping[Word, Sequence[str]],
    *,
    num_draws: int,
    replace_prob: float,
    seed: str,
) -> Iterator[str]:
    """Yields texts in which some words are others, no two alike.

    Args:
        text: the text as it is, which is not among them.
        words: {word of it: what may stand for it}.
        num_draws: how many texts to draw.
        replace_prob: how likely each word gives way.
        seed: of this text.
    """
    source = random.Random(seed)
    seen = {text}
    ordered = sorted(words)
    for _ in range(num_draws):
        parts, end = [], 0
        for word in ordered:
            other = source.choice(words[word])
            if source.random() < replace_prob:
                parts += [text[end : word.begin], other]
                end = word.end
        variant = "".join(parts) + text[end:]
        if variant not in seen:
            seen.add(variant)
            yield variant


def _words(number, text, segment):
    """Yields the words of a text that are no stop words."""
    for match in _LATIN.finditer(text):
        if match[0].lower() not in STOP_WORDS:
            yield Word(number, *match.span())
    begin = 0
    for piece in segment(text):
        end = begin + len(piece)
        is_chinese = all(map(normalization.is_chinese, piece))
        if piece and is_chinese and piece not in STOP_WORDS:
            yield Word(number, begin, end)
        begin = end


def _like(written, other):
    """Returns a word in the case in which another one is written."""
    if len(written) > 1 and written.isupper():
        return other.upper()
    return other[:1].upper() + other[1:] if written[:1].isupper() else other

"""Where the sentences of a paragraph end: Chinese, English and mixed ones.

    他说：“走吧！|现在就走。”|“真的吗？”我问。|Dr. Wu paid $3.50. |Why?

One regular expression finds the places where a sentence may end: a run of
marks, the quotes and brackets that close after it, the blanks. What stands
around says whether it does. A semicolon is no end: in the People's Daily 32 of
100 full stops end their paragraph, as do 35 of 100 ellipses and 41 of 100 full
stops with a closing quote, but 5 of 100 semicolons, those of lists.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from corpus import english_stops

_STRONG = "。！？｡‼⁇⁈⁉"
_DOTS = "….⋯"
CLOSERS = "”’」』）】〕》〉〗〙〛\"')\\]}»＂＇﹂﹄｣）］｝"
_OPENERS = "“‘「『（【〔《〈〖\"'(\\[{«＂＇﹁﹃｢（［｛"
# The marks; what closes, numbers of notes as [12], a remark as （新华社）, but
# no number as （2）; the blanks.
_PLACE = re.compile(
    rf"([{_STRONG}!?．{_DOTS}]+)"
    rf"([{CLOSERS}]*(?:\[\d{{1,3}}\])*)"
    r"((?:(?<=[。！？”’」』])（(?![\d一二三四五六七八九十a-zA-Zａ-ｚＡ-Ｚ]{1,3}）)"
    r"[^（）。！？]{1,40}）)?\s*)"
)
_WORD = re.compile(r"\w")
_OPENING = re.compile(rf"[{_OPENERS}]*")
_CHINESE = re.compile(r"[⺀-鿿가-힣豈-﫿＀-￯𠀀-𳏿]")
_LATIN = re.compile(r"[0-9A-Za-z０-９Ａ-Ｚａ-ｚ]")
# Before these a sentence goes on; before the second, behind a quote.
_GOES_ON = frozenset("，、；：,;:—–-·～~/&=|%。！？!?.…）)]】》」』”’")
_GOES_ON_QUOTED = frozenset("的等和与與及或と")
# Who said what was quoted: 他说。
_SAID = re.compile(
    r"[^\W\d]{0,6}?(?:说|說|道|问|問|答|喊|叫|嚷|吼|骂|罵|想|写|寫)"
    r"(?:道|着|著|了)?(?:[。！]|[，,]\s*[“「『\"])"
)
_LONGEST_TITLE = 40
_LONGEST_BRACKET = 100
# Characters before an ellipsis that is a stammer: 我……我不知道。
_STAMMER = 3


def find(text: str) -> Iterator[int]:
    """Yields where each sentence of a paragraph but the last ends.

    The blanks behind a sentence belong to it, and each holds a letter or a
    digit. Takes time linear in the length.
    """
    start = looked = counted = num_quotes = 0
    # Whether a text has "." for "。", as some papers have; elsewhere one that
    # stands between Chinese characters is in a name.
    is_dotted = "。" not in text and text.rstrip().endswith((".", "．"))
    for match in _PLACE.finditer(text):
        first, last = match.span(1)
        closers, end = match[2], match.end()
        if end == len(text):
            return
        word = _WORD.search(text, looked, first)
        if not word:
            looked = end
            continue
        looked = word.start()
        if closers.startswith('"') and not match[3]:
            num_quotes += text.count('"', counted, last)
            counted = last
            if num_quotes % 2 == 0:  # It opens what follows.
                closers, end = "", last
        place = Place(text, start, first, match[1], closers, match[3], end)
        if is_end(place, is_dotted):
            yield end
            start = looked = end


class Place(NamedTuple):
    """Where a sentence that begins at `start` may end."""

    text: str
    start: int
    first: int
    marks: str
    closers: str
    blanks: str
    end: int


def is_end(place: Place, is_dotted: bool) -> bool:
    """Returns whether the sentence ends there."""
    text, marks = place.text, place.marks
    following = text[place.end]
    if following in _GOES_ON:
        # A new item: "He left. -- Why?", "他走了。——他说".
        is_item = place.blanks or marks[0] == "。" and not place.closers
        if not (is_item and following in "–—-"):
            return False
    if marks[0] in _STRONG:
        return _is_chinese_end(place)
    is_chinese = bool(_CHINESE.match(text, place.first - 1))
    if marks == "．" or marks == "." and is_chinese:
        is_inside = _LATIN.match(following)
        return bool(place.blanks) or is_dotted and not is_inside
    if is_chinese:
        return _is_chinese_end(place)
    if place.blanks:
        return _is_english_end(place)
    if not _CHINESE.match(following):
        return False
    if marks == ".":
        return is_dotted and english_stops.ends(
            text, place.start, place.first, place.end
        )
    return following != "的" and _is_chinese_end(place)


def _is_chinese_end(place):
    text, end = place.text, place.end
    following = text[end]
    if place.closers:
        if place.closers[0] in "》〉" or following in _GOES_ON_QUOTED:
            return False
        if place.closers[0] in "）)":
            return not _opens_inside(place)
        return not _SAID.match(text, end)
    if place.marks[0] in _DOTS:
        is_stammer = place.first - place.start <= _STAMMER
        return not is_stammer and following not in "等的"
    return place.marks[0] == "。" or not _is_in_title(place)


def _opens_inside(place):
    """Whether what closes opened within the sentence: 他（真巧！）来了。"""
    lowest = max(place.start, place.first - _LONGEST_BRACKET)
    opener = "（" if place.closers[0] == "）" else "("
    opened = place.text.rfind(opener, lowest, place.first)
    return bool(_WORD.search(place.text, lowest, max(lowest, opened)))


def _is_in_title(place):
    """Whether it stands within 《 》, as in 《摔跤吧！爸爸》."""
    text, first, end = place.text, place.first, place.end
    close = text.find("》", end, end + _LONGEST_TITLE)
    if close < 0 or "《" in text[end:close]:
        return False
    opened = text.rfind("《", max(0, first - _LONGEST_TITLE), first)
    return opened >= 0 and "》" not in text[opened:first]


def _is_english_end(place):
    text, end = place.text, place.end
    following = _OPENING.match(text, end).end()
    if following == len(text):
        return True
    if text[following].islower():
        return False
    if place.marks != ".":
        return True
    return english_stops.ends(text, place.start, place.first, following)

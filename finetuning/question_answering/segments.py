"""Chinese answers as CMRC 2018's evaluation script divides them.

A Chinese character is a segment; all other text is divided into words and
punctuation as the Penn Treebank does (NLTK's word_tokenize in the script).
Source: ymcui/cmrc2018, cmrc2018_evaluate.py, mixed_segmentation.
"""

import re

# The script's list has "……", too, but no single character equals that.
_DROPPED = set("-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』")
_FIRST_CHINESE, _LAST_CHINESE = "\u4e00", "\u9fa5"
# These are segments of their own: dots in a row, brackets and marks, a comma
# but in numbers, a full stop at the end, quotes, and English contractions.
# They are the rules of NLTK 3.10, but for sentences within an answer.
_PARTS = re.compile(
    r"\.{2,}|--|[;@#$%&?!()\[\]{}<>«»“”‘„\"\u2012-\u2015]|,(?!\d)"
    r"|(?<!\.)\.(?=[\])}>\"']*\s*$)"
    r"|(?<=[^' ])'(?:s|m|d|ll|re|ve)?(?=\s|$)|(?<=\w)n't(?=\s|$)"
)


def segment(text: str) -> list[str]:
    """Returns the segments of an answer, lower case, without punctuation."""
    segments = []
    other = ""
    for character in text.lower().strip():
        if character in _DROPPED:
            continue
        if _FIRST_CHINESE <= character <= _LAST_CHINESE:
            segments += _words(other)
            segments.append(character)
            other = ""
        else:
            other += character
    return segments + _words(other)


def _words(text):
    return _PARTS.sub(r" \g<0> ", text).split()


def without_punctuation(text: str) -> str:
    """Returns an answer, lower case, without the characters `segment` drops."""
    return "".join(c for c in text.lower().strip() if c not in _DROPPED)

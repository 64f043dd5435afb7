"""What a document is in plain text, by the look of its first lines.

Three questions about the lines, in this order:

    wrapped at a column?     yes: a book; its lines are joined to paragraphs
    any blank lines?         no: lines that are whole articles, or one document
    lines between blanks?    one: paragraphs of a book; more: documents

so that a novel with a blank line after every paragraph is one document, and
sentences between blank lines are many.
"""

import re
import unicodedata
from typing import Literal, NamedTuple

Documents = Literal["file", "blank_line", "line"]

_SENTENCE_END = re.compile(r"[。！？!?…]|\.(?=\s|$)")
# A line of so many sentences and columns is an article and no paragraph.
_ARTICLE_SENTENCES = 3
_ARTICLE_COLUMNS = 400
# Of the blocks between blank lines of a book so many are one line.
_PARAGRAPHS = 0.7
# Lines that were wrapped: so many are about as long as the longest, and so many
# of these stop within a sentence.
_WRAP_COLUMNS = (30, 120)
_FULL_LINES = 0.6
_FULL = 0.85
_OPEN_LINES = 0.6
_LEAST_LINES = 8
_BLANK_LINES = re.compile(r"\n\s*\n")
_CHINESE_BLANK = "\u3000"
_INDENT = re.compile(r"^(?:\u3000| {2,}|\t)")
_CLOSED = re.compile(r"[。！？!?…：:；;.][”’」』）)\"']*$")


class Shape(NamedTuple):
    """How plain text is read.

    Args:
        documents: what a document is.
        is_wrapped: whether its lines are parts of paragraphs.
    """

    documents: Documents
    is_wrapped: bool = False


def shape_of(head: str) -> Shape:
    """Returns the shape of a text by its beginning, whole lines of it."""
    blocks = [
        block.split("\n")
        for block in _BLANK_LINES.split(head.strip("\n"))
        if block.strip()
    ]
    lines = [line for block in blocks for line in block]
    if _is_wrapped(blocks):
        return Shape("file", is_wrapped=True)
    lengths = sorted(map(_num_columns, lines))
    median = lengths[len(lengths) // 2] if lengths else 0
    num_articles = sum(map(_is_article, lines))
    has_articles = median >= _ARTICLE_COLUMNS and 2 * num_articles > len(lines)
    if len(blocks) < 2:
        has_many = has_articles and len(lines) > 1
        return Shape("line" if has_many else "file")
    num_single = sum(len(block) == 1 for block in blocks)
    if num_single >= _PARAGRAPHS * len(blocks) and not has_articles:
        return Shape("file")
    return Shape("blank_line")


def _is_article(line):
    num_sentences = len(_SENTENCE_END.findall(line))
    return num_sentences >= _ARTICLE_SENTENCES and not _INDENT.match(line)


def _num_columns(line):
    return len(line) + sum(map(_is_wide, line))


def _is_wrapped(blocks):
    """Whether lines were broken at a column, wherever a sentence was then."""
    inner = []
    for block in blocks:
        base = _least_indent(block)
        # The last line of a paragraph is as long as it is.
        for line, after in zip(block, block[1:], strict=False):
            if not _begins(after, base):
                inner.append(line.rstrip())
    if len(inner) < _LEAST_LINES:
        return False
    lengths = sorted(map(_num_columns, inner))
    longest = lengths[len(lengths) * 9 // 10]
    if not _WRAP_COLUMNS[0] <= longest <= _WRAP_COLUMNS[1]:
        return False
    full = [x for x in inner if _FULL * longest <= _num_columns(x)]
    num_open = sum(not _CLOSED.search(line) for line in full)
    is_full = len(full) >= _FULL_LINES * len(inner)
    return is_full and num_open >= _OPEN_LINES * len(full)


def _least_indent(lines):
    return min(len(line) - len(line.lstrip()) for line in lines)


def _begins(line, base):
    """Whether a line is indented as the first of a paragraph is."""
    if line.startswith(_CHINESE_BLANK):
        return True
    return bool(_INDENT.match(line)) and len(line) - len(line.lstrip()) > base


def unwrapped(text: str) -> str:
    """Returns a text with the lines of each paragraph joined.

    A paragraph ends at a blank line, or before one that is indented more than
    its neighbours. A blank comes between two lines, unless one touches with a
    character of Chinese or Japanese.
    """
    paragraphs = []
    for block in _BLANK_LINES.split(text):
        lines = [line for line in block.split("\n") if line.strip()]
        base = _least_indent(lines) if lines else 0
        for number, line in enumerate(lines):
            words = line.strip()
            if not number or _begins(line, base):
                paragraphs.append([words])
                continue
            before = paragraphs[-1][-1]
            is_chinese = _is_wide(before[-1]) or _is_wide(words[0])
            paragraphs[-1] += ["" if is_chinese else " ", words]
    return "\n".join(map("".join, paragraphs))


def _is_wide(char):
    return unicodedata.east_asian_width(char) in "WF"

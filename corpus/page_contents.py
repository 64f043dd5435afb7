"""The part of a corpus's page that shows its lengths, lines and characters."""

import html
import unicodedata

from corpus.manifest import Manifest
from corpus.statistics import DOCUMENT_BOUNDS, SENTENCE_BOUNDS, Sizes
from pages import charts, frame

_MAX_LINES = 50
_MAX_CHARACTERS = 100
_KILO = 1000
_DOTTED_CIRCLE = "\u25cc"  # What a mark that combines is shown on.
_OPEN_BOX = "\u2423"  # Stands for a blank.


def make(manifest: Manifest, kept: Sizes) -> str:
    """Returns what the documents look like that are kept."""
    return (
        _lengths(kept)
        + _languages(manifest)
        + _lines(manifest)
        + _characters(manifest, kept)
    )


def _lengths(kept):
    if not kept.num_documents:
        return ""
    cards = [
        frame.card(
            "Sentences",
            "句长分布",
            frame.both("characters of a sentence", "每句字符数"),
            _histogram(kept.sentence_lengths, SENTENCE_BOUNDS, "sentences 句"),
        ),
        frame.card(
            "Documents",
            "文档长度分布",
            frame.both("characters of a document", "每篇字符数"),
            _histogram(kept.document_lengths, DOCUMENT_BOUNDS, "documents 篇"),
        ),
    ]
    title = frame.title(2, "Lengths of what is kept", "保留文本的长度")
    note = frame.both(
        "A bar begins at the number below it and ends before the next one's.",
        "柱下数字为该区间的下限，区间到下一个数字之前为止。",
    )
    return (
        f'{title}<div class="charts">{"".join(cards)}</div>'
        f'<p class="note">{note}</p>'
    )


def _histogram(counts, bounds, things):
    names = [
        f"{first:,} to {end - 1:,}"
        for first, end in zip(bounds, bounds[1:], strict=False)
    ]
    names.append(f"{bounds[-1]:,} or more")
    ticks = [
        f"{x // _KILO}k" if x >= _KILO and x % _KILO == 0 else str(x)
        for x in bounds
    ]
    return charts.bins(
        counts, names, unit="characters 字符", ticks=ticks, things=things
    )


def _languages(manifest):
    if not manifest.languages:
        return ""
    total = sum(manifest.languages.values())
    rows = [
        (html.escape(name), f"{count:,}", f"{count / total:.1%}")
        for name, count in manifest.languages.items()
    ]
    names = (("language", "语言"), ("documents", "文档数"), ("share", "占比"))
    note = frame.both(
        "As documents came out of the rules of lines; those that "
        "--languages does not name are dropped.",
        "按行级规则清洗后的文档统计；--languages 未列出的语言被删去。",
    )
    return (
        f"{frame.title(2, 'Languages', '语言')}"
        f'<div class="card"><small>{note}</small>'
        f"{frame.table('languages', names, rows)}</div>"
    )


def _lines(manifest):
    found = manifest.frequent_lines[:_MAX_LINES]
    if not found:
        return ""
    rows = [
        (f"{x['documents']:,}", f"<bdi>{frame.shown(x['text'])}</bdi>")
        for x in found
    ]
    names = (("documents", "文档数"), ("line", "行"))
    note = frame.both(
        "Lines in the most documents, before repeated ones were dropped.",
        "出现在最多文档中的行（删除重复行之前）。",
    )
    return (
        f"{frame.title(2, 'Most frequent lines', '最常见的行')}"
        f'<div class="card"><small>{note}</small>'
        f"{frame.table('lines', names, rows)}</div>"
    )


def _characters(manifest, kept):
    cards = []
    if manifest.characters:
        total = max(kept.num_chars, 1)
        items = [
            (character, f"{count / total:.2%}")
            for character, count in manifest.characters.items()
        ]
        note = frame.both("share of all characters", "占全部字符的比例")
        cards.append(_cells("Most frequent", "最常见的字符", note, items))
    if manifest.unknown_characters:
        items = [
            (character, f"{count:,}")
            for character, count in manifest.unknown_characters.items()
        ]
        note = frame.both(
            "characters that the vocabulary does not have, and how often "
            "they stand in the text",
            "词表中没有的字符及其出现次数",
        )
        cards.append(_cells("[UNK]", "词表外字符", note, items, has_codes=True))
    if not cards:
        return ""
    title = frame.title(2, "Characters", "字符")
    return title + "".join(cards)


def _cells(english, chinese, note, items, *, has_codes=False):
    cells = []
    for character, number in items[:_MAX_CHARACTERS]:
        code = f"U+{ord(character):04X}"
        below = f"<small>{code}</small>" if has_codes else ""
        cells.append(
            f'<li title="{code}"><b>{_character(character)}</b>{below}'
            f"<small>{number}</small></li>"
        )
    content = f'<ul class="characters">{"".join(cells)}</ul>'
    return frame.card(english, chinese, note, content)


def _character(character):
    if character in " \u3000":
        return _OPEN_BOX
    if unicodedata.combining(character):
        return _DOTTED_CIRCLE + character
    return f"<bdi>{frame.shown(character)}</bdi>"

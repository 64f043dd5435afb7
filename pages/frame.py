"""What all pages share: their shell, titles in two languages, tiles, cards.

A page is one file without links or scripts. English comes first, and Chinese
beside it, in `.zh`. Arguments called `english`, `chinese`, `note` and the like
are HTML; `shown` makes it of any text.
"""

import html
import pathlib
from collections.abc import Iterable, Sequence

_STYLE = pathlib.Path(__file__).with_name("style.css")
_IDEOGRAPHIC_BLANK = "\u3000"
_DELETE = 0x7F
_MAX_CHARS = 300  # Of a text that is shown.


def document(title: str, body: str, style: str = "") -> str:
    """Returns a whole page.

    Args:
        title: of the window.
        body: HTML.
        style: CSS of this page alone.
    """
    shared = _STYLE.read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>{title}</title>"
        f"<style>{shared}{style}</style></head><body><main>{body}</main>"
        "</body></html>\n"
    )


def both(english: str, chinese: str) -> str:
    """Returns words in both languages."""
    return f'{english}<span class="zh">{chinese}</span>'


def title(level: int, english: str, chinese: str) -> str:
    """Returns a title; that of the page has level 1."""
    return f"<h{level}>{both(english, chinese)}</h{level}>"


def head(english: str, chinese: str, verdict: str, kind: str) -> str:
    """Returns the head of a page.

    Args:
        english, chinese: the page's title.
        verdict: the page in a few words.
        kind: `sound`, `warning` or `error`: the verdict's colour.
    """
    return (
        f"<header>{title(1, english, chinese)}"
        f'<span class="verdict {kind}">{verdict}</span></header>'
    )


def tiles(rows: Sequence[tuple[str, str, str]]) -> str:
    """Returns the numbers that matter most: [(name, value, note)]."""
    cells = "".join(
        f"<div><dt>{name}</dt><dd>{value}<small>{note}</small></dd></div>"
        for name, value, note in rows
    )
    return f'<dl class="tiles card">{cells}</dl>'


def card(english: str, chinese: str, note: str, content: str) -> str:
    """Returns content, such as a chart, under a title and a note."""
    return (
        f'<div class="card">{title(3, english, chinese)}'
        f"<small>{note}</small>{content}</div>"
    )


def table(
    kind: str,
    names: Sequence[tuple[str, str]],
    rows: Iterable[Sequence[str]],
) -> str:
    """Returns a table, which scrolls where the page is narrow.

    Args:
        kind: its class, for the style.
        names: of its columns, in both languages.
        rows: HTML of each cell.
    """
    head = "".join(f"<th>{both(*name)}</th>" for name in names)
    body = "".join(
        f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>"
        for row in rows
    )
    return (
        f'<div class="scrolls"><table class="{kind}"><tr>{head}</tr>{body}'
        "</table></div>"
    )


def more(number: int, most: int) -> str:
    """Says how many of `number` are not shown, if only `most` are."""
    if number <= most:
        return ""
    left = number - most
    words = both(f"and {left:,} more", f"另有 {left:,} 个")
    return f'<p class="note">{words}</p>'


def shown(text: str) -> str:
    """Returns the HTML of a text that may hold anything, or its beginning.

    It is on one line. What has no look of its own, such as a control character
    or a mark that turns the direction of writing, is shown by its name.
    """
    is_cut = len(text) > _MAX_CHARS
    return "".join(map(_shown, text[:_MAX_CHARS])) + (
        "\u2026" if is_cut else ""
    )


def _shown(character):
    if character.isprintable() or character == _IDEOGRAPHIC_BLANK:
        return html.escape(character)
    code = ord(character)
    if character == "\n":
        name = "\u21b5"
    elif code < ord(" "):
        name = chr(0x2400 + code)  # Unicode's pictures of these.
    elif code == _DELETE:
        name = "\u2421"
    else:
        name = f"U+{code:04X}"
    return f'<i class="code">{name}</i>'

"""Which form a file has, by its beginning and not by its name."""

import csv
import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from corpus.reading import decoding, fields, parts, plain_shape, wikipedia
from corpus.reading.config import ReadingSettings
from corpus.reading.content import Form, FormName

HEAD_BYTES = decoding.HEAD_BYTES

# Files that are no text, by their first bytes, and what they are.
_NOT_TEXT = {
    b"%PDF": "PDF",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"GIF8": "an image",
    b"\x7fELF": "a program",
    b"\xd0\xcf\x11\xe0": "an office document (.doc, .xls, .ppt)",
    b"{\\rtf": "RTF",
    b"7z\xbc\xaf\x27\x1c": "an archive of 7-Zip, which is not read",
    b"Rar!": "an archive of RAR, which is not read",
    b"SQLite format 3": "a database",
    b"RIFF": "sound or film",
    b"OggS": "sound or film",
    b"\xca\xfe\xba\xbe": "a program",
    b"\0\0\0\x0cjP": "an image",
    b"version https://git-lfs.github.com/spec/": "a pointer of git-lfs",
}
_PARQUET = b"PAR1"

_WARC = re.compile(r"\s*WARC/\d\.\d\s")
_HTML = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<!--(?:(?!-->).)*-->\s*)*"
    r"<(?:!doctype\s+html|html|head|body|meta|title|div|p|table|center|script"
    r"|link|style|span|h1|article|section)\b",
    re.IGNORECASE | re.DOTALL,
)
_XML = re.compile(r"\s*<(?:\?xml|!DOCTYPE)\b")
_MEDIAWIKI = re.compile(
    r"\s*(?:<\?xml[^>]*>\s*)?(?:<mediawiki\b|<page>\s*<title>)"
)
_WIKI_DOC = re.compile(r"\s*<doc\s[^>]*\b(?:id|url|title)=")
_JSON = re.compile(r"\s*(?:\{\s*[\"}]|\[\s*[\[{\"\]])")
_SCAN = json.JSONDecoder(strict=False).raw_decode
_SAMPLE_RECORDS = 100
_TOKEN_CHARS = 20  # Of a number or a name, which the end of a head may cut.
_TABLE_LINES = 1000
_WHOLE_ROWS = 0.7


class NotText(NamedTuple):
    """Why a file is not read: a rule, and words for its samples."""

    rule: str
    words: str


def sniff(head: bytes, settings: ReadingSettings) -> Form | NotText:
    """Returns the form of a file, or why it has none.

    Args:
        head: its first `HEAD_BYTES`, unpacked.
        settings: how it is to be read.
    """
    if not head:
        return NotText("file_empty", "")
    if head.startswith(_PARQUET):
        return Form("parquet", "utf-8")
    for magic, words in _NOT_TEXT.items():
        if head.startswith(magic):
            return NotText("file_not_text", words)
    encoding = decoding.find(head, settings.encoding)
    if encoding is None:
        return NotText("file_not_text", repr(head[:40]))
    text = head.decode(encoding, "replace").removeprefix("\ufeff")
    is_all = len(head) < HEAD_BYTES
    if is_all and not text.strip():
        return NotText("file_empty", "blanks")
    return _form_of(text, is_all, encoding, settings)


def _form_of(text, is_all, encoding, settings) -> Form | NotText:
    if _WARC.match(text):
        return Form("warc", encoding)
    if _MEDIAWIKI.match(text):
        return Form("wiki_dump", encoding)
    if _WIKI_DOC.match(text):
        return Form("wiki_docs", encoding)
    if _HTML.match(text):
        return Form("html", encoding)
    if _XML.match(text):
        return NotText("file_form_unknown", text)
    if _JSON.match(text) and (name := _kind_of_json(text, is_all)):
        return Form(name, encoding, fields=_fallback(text, settings))
    whole = text if is_all else text[: text.rfind("\n") + 1] or text
    if (form := _table(whole, encoding, settings)) is not None:
        return form
    if settings.documents != "auto":
        # Whether lines are broken at a column is asked of books alone.
        shape = plain_shape.Shape(settings.documents)
        looks = plain_shape.shape_of(whole)
        if settings.documents == "file" and looks.is_wrapped:
            shape = looks
        return Form("plain", encoding, shape)
    return Form("plain", encoding, plain_shape.shape_of(whole))


def _kind_of_json(text, is_all) -> FormName | None:
    """Lines, values, or None where it only looked like JSON."""
    line, newline, _ = text.lstrip().partition("\n")
    is_cut = not newline and not is_all
    if line.startswith("{"):
        try:
            _, end = _SCAN(line)
            return "json_lines" if not line[end:].strip() else "json"
        except (ValueError, RecursionError):
            # A line of one brace, or of a few keys, goes on below.
            if is_cut:
                return "json_lines"
    try:
        _SCAN(text.lstrip())
        return "json"
    except RecursionError:
        return None
    except ValueError as error:
        # It is JSON as far as it was seen, or has a value at least.
        is_open = not is_all and (
            getattr(error, "pos", 0) > len(text.lstrip()) - _TOKEN_CHARS
            or "Unterminated" in str(error)
        )
        return "json" if is_open or _has_values(text) else None


def _has_values(text):
    return next(_sample(text), None) is not None


def _sample(text) -> Iterator[dict[str, Any]]:
    """Yields objects that stand in the beginning of a file."""
    begin = 0
    for _ in range(_SAMPLE_RECORDS):
        begin = text.find("{", begin)
        if begin < 0:
            return
        try:
            value, begin = _SCAN(text, begin)
            yield value
        except (ValueError, RecursionError):
            begin += 1


def _fallback(text, settings):
    if settings.text_fields:
        return ()
    return fields.longest(
        value for value in _sample(text) if not fields.known(value)
    )


def _table(text, encoding, settings) -> Form | None:
    """A table whose first row names a column that is the text."""
    lines = text.lstrip("\n").splitlines(keepends=True)[:_TABLE_LINES]
    kinds: tuple[tuple[FormName, str], ...] = (("tsv", "\t"), ("csv", ","))
    for name, delimiter in kinds:
        try:
            rows = list(csv.reader(lines, delimiter=delimiter))
        except csv.Error:
            continue
        header, *rows = [row for row in rows if row] or [[]]
        # A blank after a comma is one of prose.
        if any(cell != cell.strip() for cell in header) or not rows:
            continue
        named = settings.text_fields or fields.known(header)
        if not {*named} & {*header}:
            continue
        if len(header) == 1 and not settings.text_fields:
            continue
        rows = rows[:-1] or rows  # The last may be cut.
        num_whole = sum(len(row) == len(header) for row in rows)
        if num_whole >= _WHOLE_ROWS * len(rows):
            return Form(name, encoding)
    return None


def mark_of(form: Form) -> re.Pattern[bytes] | None:
    """What ends a record of a form that can be entered at any of them."""
    if decoding.is_wide(form.encoding):
        return None
    if form.name == "json_lines":
        return parts.line_end(form.encoding)
    if form.name == "wiki_docs":
        return wikipedia.DOC_END
    if form.name == "wiki_dump":
        return wikipedia.PAGE_END
    if form.name == "plain" and form.shape.documents == "line":
        return parts.line_end(form.encoding)
    if form.name == "plain" and form.shape.documents == "blank_line":
        return parts.blank_line(form.encoding)
    return None

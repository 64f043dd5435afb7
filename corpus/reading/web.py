"""Pages of the web to documents: their main text, no menus."""

import re
from collections.abc import Iterator

from corpus.document import Document
from corpus.reading import decoding, extras, rules
from corpus.reading.config import AUTO
from corpus.reading.content import Content
from corpus.reading.decoding import Decoder
from corpus.reading.plain import plain_lines

_CHARSET = re.compile(
    rb"<meta[^>]{0,200}charset=[\"'\s]*([\w-]+)", re.IGNORECASE
)
# Beside an article, and taken for a part of it.
_SKIPPED = ["#comments", ".comments", ".comment", ".share", ".related"]
_LINE_END = re.compile(r"[ \t]*\n[ \t\n]*")
# Of the records of WARC: pages as the server sent them, and texts (WET).
_RESPONSE = ("text/html", "application/xhtml+xml", "text/plain")


def read_html(content: Content) -> Iterator[Document]:
    """Yields the main text of a page. Memory: of 16 MiB at most the page."""
    data = content.stream.read(rules.MAX_WEB_BYTES)
    if content.stream.peek(1):
        content.note("document_record_too_long", "", "page")
        return
    yield from _page(content, data, content.name, "")


def _page(content, data, source, charset):
    extract = extras.load(
        "resiliparse.extract.html2text", "resiliparse", f"{content.name} (HTML)"
    )
    text = _decoded(content, data, source, charset)
    found = extract.extract_plain_text(
        text,
        main_content=True,
        alt_texts=False,
        list_bullets=False,
        links=False,
        form_fields=False,
        noscript=False,
        skip_elements=_SKIPPED,
    )
    found = _LINE_END.sub("\n", plain_lines(found)).strip()
    if found:
        yield Document(source, found)
    else:
        content.tally.note("document_page_without_text", text, source)


def _decoded(content, data, source, charset):
    """The text of a page, in the encoding of the flag, itself, or its look."""
    wanted = content.settings.encoding
    if wanted == AUTO:
        match = _CHARSET.search(data[:4096])
        named = match[1].decode("ascii", "replace") if match else charset
        for name in ("utf-8-sig", _widened(named)):
            try:
                return data.decode(name)
            except (LookupError, UnicodeDecodeError):
                pass
    found = decoding.find(data[: decoding.HEAD_BYTES], wanted) or "utf-8"
    return Decoder(found, source, content.tally).text(data, 0)


def _widened(name):
    """GB2312 and GBK are names that pages give to GB18030."""
    return "gb18030" if name.lower() in ("gb2312", "gbk", "x-gbk") else name


def read_warc(content: Content) -> Iterator[Document]:
    """Yields the pages of WARC, or the texts of WET.

    Memory: a record, 16 MiB at most.
    """
    warc = extras.load("fastwarc.warc", "fastwarc", f"{content.name} (WARC)")
    kinds = warc.WarcRecordType
    wanted = kinds.response | kinds.conversion | kinds.resource
    records = warc.ArchiveIterator(
        content.stream, record_types=wanted, parse_http=True, auto_decode="all"
    )
    end = 0  # At least so many bytes the records seen so far must have.
    while True:
        try:
            record = next(records, None)
            if record is None:
                break
            end = record.stream_pos + _num_bytes(record)
            data = record.reader.read(rules.MAX_WEB_BYTES + 1)
        except (ValueError, OSError, RuntimeError, EOFError) as error:
            content.stream.end(error)
            return
        yield from _record(content, record, data, kinds)
    if content.stream.place < end:
        content.stream.end("the last record is cut off")


def _num_bytes(record):
    """Bytes of a record, at least: lines of its header, and what it holds."""
    lines = [f"{name}: {value}\r\n" for name, value in record.headers.items()]
    held = record.headers.get("Content-Length", "0")
    return sum(map(len, lines)) + (int(held) if held.isdecimal() else 0)


def _record(content, record, data, kinds):
    url = record.headers.get("WARC-Target-URI") or f"record {record.record_id}"
    source = f"{content.name} {url}"
    is_text = record.record_type == kinds.conversion
    kind = "text/plain" if is_text else record.http_content_type or ""
    if len(data) > rules.MAX_WEB_BYTES:
        content.tally.note("document_record_too_long", "", source)
    elif kind not in _RESPONSE or not data:
        content.tally.note("document_web_not_text", kind, source, 0)
    elif kind == "text/plain":
        text = plain_lines(_decoded(content, data, source, ""))
        if text:
            yield Document(source, text)
    else:
        yield from _page(content, data, source, record.http_charset or "")

"""JSON to documents: an object a line, or values of any size in a row."""

import json
import re
from collections.abc import Iterator
from typing import Any

from corpus.document import Document
from corpus.reading import fields, parts, rules, wiki_variants
from corpus.reading.content import Content
from corpus.reading.plain import plain_lines
from corpus.reading.streams import BLOCK_BYTES

# Control characters in strings are no JSON, and common.
_SCAN = json.JSONDecoder(strict=False).raw_decode
_ERRORS = (ValueError, RecursionError)
# Between values: blanks, commas, the brackets around them.
_BETWEEN = re.compile(r"[\s,\[\]\ufeff]*")
_VALUE_BEGINS = re.compile(r"[\n,]\s*(?=\{)")
_WIKI_KEYS = {"id", "url", "title", "text"}


def read_lines(content: Content) -> Iterator[Document]:
    """Yields the documents of JSON lines. Memory: a block and a record."""
    decoder = content.decoder()
    text_of = _text_of(content)
    mark = parts.line_end(decoder.encoding)
    is_long = False
    found = parts.split(content.stream, mark, part_bytes=rules.MAX_RECORD_BYTES)
    for place, data, is_last in found:
        if is_long or not is_last:
            if not is_long:
                shown = decoder.text(decoder.beginning(data), place)
                where = f"byte {place}"
                content.note("document_record_too_long", shown, where)
            is_long = not is_last
            continue
        line = decoder.text(data, place).strip(" \t\r\ufeff")
        if not line:
            continue
        try:
            value, end = _SCAN(line)
            if end < len(line):
                raise ValueError
        except _ERRORS:
            content.note("document_record_damaged", line, f"byte {place}")
            continue
        yield from _documents(value, content, text_of, f"byte {place}")


def _text_of(content):
    return fields.TextOf(content.settings.text_fields, content.form.fields)


def _documents(value, content, text_of, where):
    for record in fields.records_in(value, text_of):
        text = plain_lines(text_of(record))
        if not text:
            shown = json.dumps(record, ensure_ascii=False)
            content.note("document_record_without_text", shown, where)
            continue
        if "-{" in text and record.keys() >= _WIKI_KEYS:
            text = wiki_variants.resolve(text, content.settings.wiki_variant)
        yield Document(f"{content.name} {where}", text)


def read_values(content: Content) -> Iterator[Document]:
    """Yields the documents of JSON values: of an array, or in a row.

    Memory: a value, of `MAX_RECORD_BYTES` at most.
    """
    text_of = _text_of(content)
    for number, value in enumerate(_values(content), start=1):
        yield from _documents(value, content, text_of, f"record {number}")


def _values(content) -> Iterator[Any]:
    """Yields the values of an array, or those that follow one another."""
    decoder = content.decoder()
    left, raw = "", b""
    is_over = False
    while not is_over:
        place = content.stream.place - len(raw)
        # As much as is left again: what is incomplete is not scanned often.
        data = content.stream.read(max(BLOCK_BYTES, len(left)))
        is_over = not data
        raw += data
        size = len(raw) if is_over else decoder.whole_chars(raw)
        left += decoder.text(raw[:size], place)
        raw = raw[size:]
        begin = 0
        while True:
            if between := _BETWEEN.match(left, begin):
                begin = between.end()
            if begin == len(left):
                break
            try:
                value, end = _SCAN(left, begin)
            except _ERRORS:
                if not is_over and len(left) - begin < rules.MAX_RECORD_BYTES:
                    break
                end = _skip(content, left, begin)
            else:
                # A number at the end of what is read may go on.
                if end == len(left) and not is_over:
                    break
                yield value
            begin = end
        left = left[begin:]


def _skip(content, text, begin):
    """Notes a damaged value, and returns where another may begin."""
    where = f"of {len(text) - begin} characters"
    content.note("document_record_damaged", text[begin : begin + 1000], where)
    match = _VALUE_BEGINS.search(text, begin + 1)
    return match.end() if match else len(text)

"""Tables to documents: a row of CSV, TSV or Parquet each."""

import csv
from collections.abc import Iterator

from corpus.document import Document
from corpus.reading import extras, fields, parts, rules, streams
from corpus.reading.content import Content
from corpus.reading.plain import plain_lines

_BATCH_ROWS = 256
_SAMPLE_ROWS = 100


def _text_of(content, fallback):
    return fields.TextOf(content.settings.text_fields, fallback)


def _rows(content):
    """Yields lines as `csv` wants them, with their ends."""
    decoder = content.decoder()
    found = parts.split(
        content.stream,
        None,
        whole_chars=decoder.whole_chars,
        part_bytes=streams.BLOCK_BYTES,
    )
    for place, data, _ in found:
        yield from decoder.text(data, place).splitlines(keepends=True)


def read_csv(content: Content) -> Iterator[Document]:
    """Yields the documents of CSV or TSV whose first row names the columns."""
    csv.field_size_limit(rules.MAX_RECORD_BYTES)
    dialect = "excel-tab" if content.form.name == "tsv" else "excel"
    rows = csv.reader(_rows(content), dialect)
    header = [name.strip().lstrip("\ufeff") for name in next(rows, [])]
    text_of = _text_of(content, content.form.fields)
    while True:
        where = f"line {rows.line_num + 1}"
        try:
            row = next(rows, None)
        except csv.Error as error:
            content.note("document_record_damaged", str(error), where)
            continue
        if row is None:
            return
        if not row:
            continue
        if len(row) > len(header):
            content.note("document_record_damaged", "\t".join(row), where)
            continue
        text = plain_lines(text_of(dict(zip(header, row, strict=False))))
        if text:
            yield Document(f"{content.name} {where}", text)
        else:
            shown = "\t".join(row)
            content.note("document_record_without_text", shown, where)


def read_parquet(content: Content) -> Iterator[Document]:
    """Yields the documents of a Parquet file. Memory: a group of its rows."""
    what = content.name
    parquet = extras.load("pyarrow.parquet", "pyarrow", what)
    file = streams.spooled(content.stream, content.tally)
    if file is None:
        return
    try:
        table = parquet.ParquetFile(file)
        yield from _parquet_rows(table, content)
    # Of its own errors many are a `ValueError` or an `OSError`.
    except (ValueError, OSError, NotImplementedError, RuntimeError) as error:
        content.stream.end(error)


def _parquet_rows(table, content):
    keys = table.schema_arrow.names
    text_of = _text_of(content, ())
    wanted = text_of.fields(dict.fromkeys(keys))
    if not wanted:
        for batch in table.iter_batches(_SAMPLE_ROWS):
            wanted = fields.longest(batch.to_pylist())
            break
        text_of = _text_of(content, wanted)
    columns = [name for name in wanted if name in keys]
    number = 0
    for batch in table.iter_batches(_BATCH_ROWS, columns=columns):
        for row in batch.to_pylist():
            number += 1
            where = f"row {number}"
            if text := plain_lines(text_of(row)):
                yield Document(f"{content.name} {where}", text)
            else:
                content.note(
                    "document_record_without_text", ", ".join(keys), where
                )

"""Raw files to documents, whatever form, packing and encoding they have.

    Piece  streams.Counted    bytes of a file; tells how many are read
      |    archives.unpacked  itself, unpacked, or members of an archive
      |    forms.sniff        which form and encoding, by the first bytes
      |    decoding.narrowed  UTF-16 as UTF-8, so that a newline is one byte
      v    READERS[form]      records, their text
    Document

All of it is streamed: besides a block of each layer there is one record in
memory, of `rules.MAX_RECORD_BYTES` or `rules.MAX_DOCUMENT_CHARS` at most.
"""

import dataclasses
from collections.abc import Callable, Iterator

from absl import logging

from corpus.document import Document
from corpus.reading import (
    archives,
    decoding,
    forms,
    json_records,
    plain,
    tables,
    web,
    wikipedia,
)
from corpus.reading.config import ReadingSettings
from corpus.reading.content import Content, Form, FormName
from corpus.reading.pieces import Piece
from corpus.reading.streams import Counted, Stream
from corpus.tally import Tally
from storage import file_io

READERS: dict[FormName, Callable[[Content], Iterator[Document]]] = {
    "plain": plain.read,
    "json_lines": json_records.read_lines,
    "json": json_records.read_values,
    "csv": tables.read_csv,
    "tsv": tables.read_csv,
    "parquet": tables.read_parquet,
    "wiki_docs": wikipedia.read_docs,
    "wiki_dump": wikipedia.read_dump,
    "html": web.read_html,
    "warc": web.read_warc,
}
# Their readers decode by themselves, each record in its own encoding.
_BYTES = ("parquet", "html", "warc")
_BOM = b"\xef\xbb\xbf"
_NUM_LOGGED = 20


def read(
    piece: Piece,
    settings: ReadingSettings,
    tally: Tally,
    advance: Callable[[int], None],
) -> Iterator[Document]:
    """Yields the documents of a piece of a raw file, in order.

    What is left out or changed is noted, see `rules.RULES`; a damaged file is
    read up to the damage.

    Args:
        piece: as `pieces.cut` returns it.
        settings: how files are read.
        tally: takes the notes.
        advance: is told how many bytes of the file are read, the piece's in
            all.

    Raises:
        ValueError: a package is missing; git-lfs has not fetched the file.
        OSError: the disk or the network failed.
    """
    with file_io.open_binary(piece.path) as raw:
        head = raw.read(forms.HEAD_BYTES)
        file_io.check_is_fetched(head, piece.path)
        raw.seek(0)
        file = Counted(raw, piece.path, piece.num_bytes, advance, piece.begin)
        stream = Stream(file.read, piece.path, tally, file, piece.begin)
        if piece.begin:
            yield from _read_form(stream, head, settings, tally, is_first=False)
        else:
            for member in archives.unpacked(stream, tally):
                first = member.peek(forms.HEAD_BYTES)
                if member is stream:
                    first = head  # The piece may be shorter.
                yield from _read_form(member, first, settings, tally)
        file.finish()


def _read_form(stream, head, settings, tally, is_first=True):
    form = forms.sniff(head, settings)
    if isinstance(form, forms.NotText):
        tally.note(form.rule, form.words, stream.name, 0)
        return
    if is_first:
        logging.log_first_n(
            logging.INFO,
            "%s: read as %s",
            _NUM_LOGGED,
            stream.name,
            describe(form),
        )
    if form.name not in _BYTES:
        if decoding.is_wide(form.encoding):
            stream = decoding.narrowed(stream, form.encoding, tally)
            form = dataclasses.replace(form, encoding="utf-8")
        if is_first and stream.peek(3) == _BOM:
            stream.read(3)
    yield from READERS[form.name](Content(stream, form, settings, tally))


def describe(form: Form) -> str:
    """Says how a file is read: "plain, gb18030, a document a line"."""
    words = [form.name, form.encoding]
    if form.name == "plain":
        words.append(f"--documents={form.shape.documents}")
        if form.shape.is_wrapped:
            words.append("lines joined to paragraphs")
    if form.fields:
        words.append(f"--text_field={','.join(form.fields)}")
    return ", ".join(words)

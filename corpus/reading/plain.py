"""Plain text to documents: files, blocks between blank lines, or lines."""

import functools
import re
from collections.abc import Iterable, Iterator

from corpus.document import Document
from corpus.reading import parts, plain_shape, rules
from corpus.reading.content import Content
from corpus.reading.decoding import Decoder
from corpus.reading.parts import Part
from corpus.tally import Tally

_SENTENCE_END = re.compile(r"[。！？!?…][”’」』）)]*|\.[”’)\"']*(?=\s)")
# So far before the limit a good place to cut is looked for.
_CUT_CHARS = 10_000


def read(content: Content) -> Iterator[Document]:
    """Yields the documents of plain text. Memory: one, and its bytes."""
    shape = content.form.shape
    decoder = content.decoder()
    make = functools.partial(
        parts.split, content.stream, whole_chars=decoder.whole_chars
    )
    if shape.documents == "file":
        found = make(None)
    elif shape.documents == "line":
        found = make(parts.line_end(decoder.encoding))
    else:
        found = make(parts.blank_line(decoder.encoding))
    for document in documents(found, decoder, content.name, content.tally):
        if shape.is_wrapped:
            text = plain_shape.unwrapped(document.text)
            document = document._replace(text=text)
        yield document


def documents(
    found: Iterable[Part], decoder: Decoder, name: str, tally: Tally
) -> Iterator[Document]:
    """Yields records as documents; those beyond the limit are cut, and noted.

    Args:
        found: the records.
        decoder: of the file.
        name: of the file.
        tally: where cuts are noted.
    """
    text = ""
    place = None
    for part in found:
        if place is None:
            place = part.place + _num_blank(part.data)
        piece = decoder.text(part.data, part.place)
        text = text + piece if text else piece
        while len(text) > rules.MAX_DOCUMENT_CHARS:
            size = _cut(text, rules.MAX_DOCUMENT_CHARS)
            cut, text = text[:size], text[size:]
            source = f"{name} byte {place}"
            tally.note("document_cut", cut[-100:], source, 0)
            yield Document(source, plain_lines(cut))
        if part.is_last:
            if clean := plain_lines(text):
                yield Document(f"{name} byte {place}", clean)
            text = ""
            place = None


def plain_lines(text: str) -> str:
    """Returns a text with ends of lines as here, none first and none last."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    text = text.strip("\n")
    return "" if text.isspace() else text


def _num_blank(data):
    return len(data) - len(data.lstrip(b"\r\n"))


def _cut(text, most):
    """Where to cut a text: after a line, a sentence, a word; or at `most`."""
    least = most - min(_CUT_CHARS, most // 2)
    for find in (_after_line, _after_sentence, _after_word):
        if size := find(text, least, most):
            return size
    return most


def _after_line(text, least, most):
    return text.rfind("\n", least, most) + 1


def _after_sentence(text, least, most):
    ends = [m.end() for m in _SENTENCE_END.finditer(text, least, most)]
    return ends[-1] if ends else 0


def _after_word(text, least, most):
    return text.rfind(" ", least, most) + 1

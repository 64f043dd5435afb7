"""Reads a raw file of a test, in pieces, and checks what comes out."""

from corpus.reading import pieces, reader, rules
from corpus.reading.config import ReadingSettings
from corpus.tally import Tally

SETTINGS = ReadingSettings()


def read(path, settings=SETTINGS, limit_bytes=1 << 40):
    """Documents, tally, and bytes told of, of a file."""
    tally = Tally()
    told = []
    documents = []
    for piece in pieces.cut(str(path), limit_bytes, settings):
        documents += reader.read(piece, settings, tally, told.append)
    return documents, tally, sum(told)


def paragraphs(documents):
    return [
        "\n".join(filter(None, map(str.strip, document.text.split("\n"))))
        for document in documents
    ]


def check(path, data, wanted, settings=SETTINGS):
    path.write_bytes(data)
    documents, tally, told = read(path, settings)
    assert paragraphs(documents) == wanted
    assert told == len(data)
    for document in documents:
        assert document.source.startswith(str(path))
    assert {rule for rule, _ in tally} <= rules.RULES.keys()
    return {rule: count.num for rule, count in tally}

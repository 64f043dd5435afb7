"""The form of a file is told by its beginning, and sentences are none."""

import gzip
import json
import pathlib
import zipfile

import pytest

from tests import project
from text import content

ARTICLE = {"id": "1", "title": "海", "text": "海很大。\n船很小。"}


def lines_of_json(**options):
    row = json.dumps(ARTICLE, ensure_ascii=False, **options)
    return f"{row}\n" * 3


FORMS = {
    "JSON lines": [
        lines_of_json(),
        lines_of_json(separators=(",", ":")),
        "\ufeff" + lines_of_json(),
        # One of many kilobytes, of which the beginning is seen.
        json.dumps(ARTICLE | {"text": "海" * 5000}, ensure_ascii=False),
    ],
    "JSON": [
        json.dumps([ARTICLE] * 3, indent=2),
        json.dumps([ARTICLE] * 3),
        json.dumps(ARTICLE, indent=2),
    ],
    "HTML": [
        "<!DOCTYPE html>\n<html><head></head></html>",
        '\n<html lang="zh">',
        "<div class=x><p>海很大。</p></div>",
        '<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "x">',
    ],
    "XML": ['<?xml version="1.0"?>\n<rows><row/></rows>'],
    "MediaWiki XML": [
        '<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.10/">',
        '<?xml version="1.0" encoding="utf-8"?>\n<mediawiki>',
    ],
    "WikiExtractor <doc>": [
        '<doc id="12" url="https://zh.example.org/?curid=12" title="海">\n海\n'
    ],
    "WARC": ["WARC/1.0\r\nWARC-Type: warcinfo\r\n"],
    "PDF": ["%PDF-1.7\n"],
}
SENTENCES = [
    "",
    "\n\n",
    "海很大。\n船很小。\n\n",
    "{海} 很大。\n",
    '{"海" 很大}。\n',
    "[1] Smith 2019.\n[2] Jones 2020.\n",
    "[海]很大。\n",
    "<海> 很大。\n",
    "<doc> is a tag that marks documents.\n",
    "< 5 per cent\n",
    "<https://example.org> is the address.\n",
    "<p 值> 小于 0.05。\n",
    "PDF files are large.\n",
]


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_told_by_its_beginning(form):
    for text in FORMS[form]:
        assert content.look(text.encode()[: content.HEAD_BYTES]) == form, text


@pytest.mark.parametrize("text", SENTENCES)
def test_sentences_are_no_form(text):
    assert content.look(text.encode()) is None


def test_our_own_texts_are_none():
    for path in project.SAMPLES:
        assert content.look(pathlib.Path(path).read_bytes()[:4096]) is None


def test_real_corpora_are_none():
    for path in (project.shared() / "data").glob("corpus_*.txt.gz"):
        packed = path.read_bytes()
        assert content.look(packed) == "gzip"
        data = gzip.decompress(packed)
        # Wherever a file might begin, or hardly anywhere.
        heads = range(0, len(data) - 4096, 50_000)
        found = [
            content.look(data[data.index(b"\n", start) + 1 :][:4096])
            for start in heads
        ]
        assert len(found) - found.count(None) <= len(found) / 100


def test_archives_are_what_they_were_made_as(tmp_path):
    path = tmp_path / "a.docx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "海")
    assert content.look(path.read_bytes()) == "a zip archive"

"""The same documents come out of every form, packing, encoding and cut."""

import pytest

from corpus.reading import pieces
from corpus.reading.config import ReadingSettings
from tests.corpus import raw_files
from tests.corpus.reading_checks import SETTINGS, check, paragraphs, read


@pytest.mark.parametrize("form", raw_files.FORMS)
@pytest.mark.parametrize("encoding", raw_files.ENCODINGS)
def test_every_form_in_every_encoding_gives_the_same_documents(
    tmp_path, form, encoding
):
    documents = raw_files.ENCODINGS[encoding]
    data = raw_files.FORMS[form](documents).encode(encoding)
    left_out = check(tmp_path / "a", data, raw_files.texts(documents))
    pages = {"document_page_redirect": 1, "document_page_not_article": 1}
    assert left_out == (pages if form == "wiki_dump" else {})


@pytest.mark.parametrize("form", raw_files.FORMS)
@pytest.mark.parametrize("packing", raw_files.PACKINGS)
def test_every_form_in_every_packing_gives_the_same_documents(
    tmp_path, form, packing
):
    documents = raw_files.SIMPLIFIED
    data = raw_files.FORMS[form](documents).encode()
    packed = raw_files.PACKINGS[packing](data)
    check(tmp_path / "a", packed, raw_files.texts(documents))


@pytest.mark.parametrize("packing", raw_files.PACKINGS)
@pytest.mark.parametrize("encoding", raw_files.ENCODINGS)
def test_every_packing_holds_every_encoding(tmp_path, packing, encoding):
    documents = raw_files.ENCODINGS[encoding]
    data = raw_files.blank_lines(documents).encode(encoding)
    packed = raw_files.PACKINGS[packing](data)
    check(tmp_path / "a", packed, raw_files.texts(documents))


CUT_FORMS = ("blank_lines", "json_lines", "questions", "wiki_docs", "wiki_dump")


@pytest.mark.parametrize("form", CUT_FORMS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "big5"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_the_pieces_of_a_file_hold_what_it_holds_whole(
    tmp_path, form, encoding, newline
):
    documents = raw_files.ENCODINGS[encoding] * 3
    path = tmp_path / "a"
    text = raw_files.FORMS[form](documents).replace("\n", newline)
    path.write_bytes(text.encode(encoding))
    whole, tally, _ = read(path)
    assert paragraphs(whole) == raw_files.texts(documents)
    size = path.stat().st_size
    most = 0
    for limit_bytes in [*range(1, 60, 4), *range(60, size, size // 15)]:
        found, notes, told = read(path, limit_bytes=limit_bytes)
        assert found == whole, limit_bytes
        assert notes.plain() == tally.plain()
        assert told == size
        most = max(most, len(pieces.cut(str(path), limit_bytes, SETTINGS)))
    assert most >= len(documents)


def test_lines_are_documents_where_asked_for_in_pieces_too(tmp_path):
    path = tmp_path / "a"
    lines = [
        x
        for text in raw_files.texts(raw_files.SIMPLIFIED)
        for x in [*text.split("\n"), "", " \u3000"]
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    settings = ReadingSettings(documents="line")
    whole, _, _ = read(path, settings)
    assert [x.text for x in whole] == [line for line in lines if line.strip()]
    for limit_bytes in range(1, 400, 7):
        assert read(path, settings, limit_bytes)[0] == whole


def test_what_cannot_be_entered_anywhere_is_one_piece(tmp_path):
    for form in ("json_array", "comma_table"):
        path = tmp_path / form
        path.write_text(raw_files.FORMS[form](raw_files.SIMPLIFIED * 9))
        size = path.stat().st_size
        assert pieces.cut(str(path), 100, SETTINGS) == [
            pieces.Piece(str(path), 0, size)
        ]


def test_a_file_behind_a_scheme_is_read_and_cut_as_others(tmp_path):
    pytest.importorskip("tensorflow")
    path = tmp_path / "a"
    path.write_text(raw_files.json_lines(raw_files.SIMPLIFIED))
    for limit_bytes in (100, 1 << 30):
        documents, _, told = read(f"file://{path}", limit_bytes=limit_bytes)
        assert paragraphs(documents) == raw_files.texts(raw_files.SIMPLIFIED)
        assert told == path.stat().st_size

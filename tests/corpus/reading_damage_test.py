"""Damaged and strange files: what can be read is, and the rest is named."""

import gzip
import random
import sys
import zipfile

import pytest

from corpus.reading import pieces, reader, rules
from corpus.reading.config import ReadingSettings
from tests.corpus import raw_files, reading_checks

SETTINGS = reading_checks.SETTINGS
ZH = raw_files.SIMPLIFIED


def read(tmp_path, data, **settings):
    """Texts, and {rule: count}, of a file of these bytes."""
    path = tmp_path / "a"
    path.write_bytes(data)
    documents, tally, told = reading_checks.read(
        path, ReadingSettings(**settings)
    )
    assert told == len(data)
    assert {rule for rule, _ in tally} <= rules.RULES.keys()
    counts = {rule: count.num for rule, count in tally}
    for _, count in tally:
        assert all(x.source.startswith(str(path)) for x in count.samples)
    return [document.text for document in documents], counts


@pytest.mark.parametrize(
    ("data", "rule"),
    [
        (b"", "file_empty"),
        (b" \n\t\r\n", "file_empty"),
        (gzip.compress(b"", mtime=0), "file_empty"),
        (b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9, "file_not_text"),
        (b"%PDF-1.7\n1 0 obj\n<< /Type /Catalog >>\n", "file_not_text"),
        (b"\x7fELF\x02\x01\x01" + bytes(99), "file_not_text"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(99), "file_not_text"),
        (b"Rar!\x1a\x07\x01\0" + bytes(range(99)), "file_not_text"),
        (bytes(3000), "file_not_text"),
        (random.Random(1).randbytes(90_000), "file_not_text"),
        (b"MZ\x90\0\x03\0\0\0" + bytes(range(256)) * 4, "file_not_text"),
        (b'<?xml version="1.0"?>\n<a><b>text</b></a>', "file_form_unknown"),
    ],
)
def test_a_file_without_text_is_left_out_by_name(tmp_path, data, rule):
    assert read(tmp_path, data) == ([], {rule: 1})
    assert read(tmp_path, gzip.compress(data)) == ([], {rule: 1})


def test_what_git_lfs_has_not_fetched_is_refused(tmp_path):
    path = tmp_path / "a"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:1")
    with pytest.raises(ValueError, match="git lfs pull"):
        pieces.cut(str(path), 1 << 20, SETTINGS)
    with pytest.raises(ValueError, match="git lfs pull"):
        reading_checks.read(path)


@pytest.mark.parametrize("packing", raw_files.PACKINGS)
@pytest.mark.parametrize("form", raw_files.FORMS)
def test_damage_anywhere_raises_nothing_and_is_noted(tmp_path, packing, form):
    data = raw_files.FORMS[form](ZH * 20).encode()
    packed = raw_files.PACKINGS[packing](data)
    draw = random.Random(f"{packing} {form}")
    for _ in range(6):
        cut = packed[: draw.randrange(len(packed))]
        _, counts = read(tmp_path, cut)
        flipped = bytearray(packed)
        for _ in range(draw.choice([1, 3, 50])):
            flipped[draw.randrange(len(packed))] = draw.randrange(256)
        read(tmp_path, bytes(flipped))
        if packing in ("gz", "bz2", "xz", "zst", "zip"):
            assert counts or not cut


@pytest.mark.parametrize("packing", ["gz", "xz", "zst", "tar", "tar.gz"])
def test_a_cut_archive_gives_what_comes_before_the_cut(tmp_path, packing):
    draw = random.Random(packing)
    lines = [
        "".join(chr(draw.randrange(0x4E00, 0x9000)) for _ in range(200)) + "。"
        for _ in range(500)
    ]
    packed = raw_files.PACKINGS[packing]("\n".join(lines).encode())
    texts, counts = read(tmp_path, packed[: len(packed) // 2], documents="line")
    assert 200 < len(texts) < 300
    assert texts[:-1] == lines[: len(texts) - 1]
    assert counts["file_corrupt"] == 1


def test_a_truncated_dump_gives_its_whole_pages(tmp_path):
    data = raw_files.wiki_dump(ZH * 5).encode()
    texts, counts = read(tmp_path, data[: data.rindex(b"</text>") - 30])
    assert texts == raw_files.texts(ZH * 5)[:-1]
    assert counts["document_record_damaged"] == 1


def test_other_encodings_within_a_file_are_read_line_by_line(tmp_path):
    lines = [
        "这一行是正常的编码。".encode(),
        "这一行是另外一种编码，不过也能读出来。".encode("gb18030"),
        "这一行坏了一个字节，别的都是好的，所以去掉坏的就行".encode()
        + b"\xe4\xb8\n",
        b"\xff\xfe\xff\xff\x80\x80\xff",
        "最后一行也是正常的。".encode(),
    ]
    data = b"\n".join(lines * 3)
    texts, counts = read(tmp_path, data, documents="file")
    assert counts == {
        "line_recoded": 3,
        "line_bytes_repaired": 3,
        "line_undecodable": 3,
    }
    assert texts[0].split("\n")[:4] == [
        "这一行是正常的编码。",
        "这一行是另外一种编码，不过也能读出来。",
        "这一行坏了一个字节，别的都是好的，所以去掉坏的就行",
        "",
    ]


def test_a_text_in_latin_1_is_read(tmp_path):
    text = (
        "Le garçon était déjà parti. Nobody knew where he went, naïve or not."
    )
    texts, counts = read(tmp_path, f"{text}\n{text}\n".encode("cp1252"))
    assert texts == [f"{text}\n{text}"] and not counts


def test_nul_and_control_characters_do_not_make_a_text_binary(tmp_path):
    text = "天地玄黄，宇宙洪荒。" * 40 + "\0\x01" + "日月盈昃，辰宿列张。" * 40
    assert read(tmp_path, text.encode()) == ([text], {})
    record = '{"text": "天\0地玄黄\x01"}\n'
    assert read(tmp_path, record.encode()) == (["天\0地玄黄\x01"], {})


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
@pytest.mark.parametrize("documents", ["file", "blank_line", "line"])
def test_a_long_line_is_cut_and_nothing_lost(
    tmp_path, monkeypatch, encoding, documents
):
    monkeypatch.setattr(rules, "MAX_DOCUMENT_CHARS", 1000)
    monkeypatch.setattr(reader.plain.parts, "BLOCK_BYTES", 512)
    monkeypatch.setattr(reader.plain.parts.split, "__defaults__", (len, 700))
    draw = random.Random(1)
    text = "".join(draw.choice('春夏秋冬东西，。"a1') for _ in range(20_001))
    for whole in (text, text.replace("。", "天").replace("，", "地")):
        texts, counts = read(
            tmp_path,
            f"{whole}\n\n短。\n".encode(encoding),
            encoding=encoding,
            documents=documents,
        )
        assert "".join(texts).replace("\n", "") == f"{whole}短。"
        assert max(map(len, texts)) <= 1000
        assert counts["document_cut"] >= 20
        if "。" in whole:
            assert all(x.endswith("。") for x in texts[:19])


def test_records_beyond_the_limit_are_left_out_and_the_next_is_read(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(rules, "MAX_RECORD_BYTES", 3000)
    monkeypatch.setattr(reader.plain.parts, "BLOCK_BYTES", 512)
    long = ("长", ["天地玄黄。" * 5000])
    documents = [ZH[0], long, ZH[1]]
    for form in ("json_lines", "wiki_docs", "wiki_dump"):
        data = raw_files.FORMS[form](documents).encode()
        texts, counts = read(tmp_path, data)
        assert texts == raw_files.texts([ZH[0], ZH[1]]) or form != "json_lines"
        assert counts["document_record_too_long"] == 1, form


def test_records_that_are_damaged_or_hold_no_text_are_noted(tmp_path):
    data = raw_files.json_lines(ZH[:1]) + '{"id": 1}\n{"text": ""}\nnot json\n'
    data += '{"text": {"a": 3}}\n' + raw_files.json_lines(ZH[1:])
    texts, counts = read(tmp_path, data.encode())
    assert texts == raw_files.texts(ZH)
    assert counts == {
        "document_record_without_text": 3,
        "document_record_damaged": 1,
    }
    deep = '{"a":' * 100_000
    texts, counts = read(tmp_path, (data + deep).encode())
    assert counts["document_record_damaged"] == 2


def test_a_password_and_an_office_document_are_named(tmp_path):
    path = tmp_path / "one.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "text")
    data = bytearray(path.read_bytes())
    for magic, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(magic) + place] |= 1
    assert read(tmp_path, bytes(data)) == ([], {"file_encrypted": 1})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("[Content_Types].xml", "<a/>")
        archive.writestr("word/document.xml", "<a/>")
    assert read(tmp_path, path.read_bytes()) == ([], {"file_not_text": 1})


def test_archives_in_archives_end_somewhere(tmp_path):
    data = "天地玄黄。\n".encode()
    for _ in range(20):
        data = raw_files.PACKINGS["zip"](data)
    assert read(tmp_path, data) == ([], {"file_nested": 1})


def test_a_missing_package_is_asked_for(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "resiliparse.extract.html2text", None)
    with pytest.raises(ValueError, match="needs the package resiliparse") as e:
        read(tmp_path, b"<!DOCTYPE html><html><body><p>a</p></body></html>")
    assert "pip install -e '.[corpus]'" in str(e.value)

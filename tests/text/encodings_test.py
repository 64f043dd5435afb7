"""Encodings of Chinese texts are told apart, and read as UTF-8."""

import gzip
import io
import pathlib
import re

import pytest

from tests import project
from text import corpus, encodings

TEXTS = {
    path.stem: path.read_text(encoding="utf-8")
    for path in map(pathlib.Path, project.SAMPLES)
    if path.stem.startswith("zh")
}
_OF = {
    ("zh_hans", "gb18030"): "GB18030",
    ("zh_hans", "gbk"): "GB18030",
    ("zh_hans", "gb2312"): "GB18030",
    # Classics are published so: half of it could be Big5, and is not.
    ("zh_hant", "gb18030"): "GB18030",
    ("zh_hant", "big5"): "Big5",
    ("zh_hant", "cp950"): "Big5",
    ("zh_hant", "big5hkscs"): "Big5",
    ("zh_hans", "utf-16"): "UTF-16",
    ("zh_hant", "utf-16"): "UTF-16",
    ("zh_hans", "utf-16-le"): "UTF-16LE",
    ("zh_hant", "utf-16-be"): "UTF-16BE",
}


@pytest.mark.parametrize(("text", "encoding"), _OF)
@pytest.mark.parametrize("num_bytes", [300, 1 << 14])
def test_the_encoding_of_a_text_is_recognised(text, encoding, num_bytes):
    data = TEXTS[text].encode(encoding, "ignore")
    assert encodings.guess(data[:num_bytes]) == _OF[text, encoding]
    # Half of the last character is no fault of it.
    if not encoding.startswith("utf-16"):
        assert encodings.guess(data[: num_bytes + 1]) == _OF[text, encoding]


@pytest.mark.parametrize(
    "data", [b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\1", b"\xff", b"\0" * 99, b""]
)
def test_what_is_no_text_is_given_no_encoding(data):
    assert encodings.guess(data) is None


@pytest.mark.parametrize(
    ("encoding", "name"),
    [
        ("gb18030", "GB18030"),
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16LE"),
        ("utf-16-be", "UTF-16BE"),
    ],
)
@pytest.mark.parametrize("flag", [None, "UTF-8"])
def test_the_error_of_a_text_advises_its_own_encoding(
    tmp_path, encoding, name, flag
):
    path = tmp_path / "a.txt"
    path.write_bytes(TEXTS["zh_hans"].encode(encoding, "ignore"))
    with pytest.raises(ValueError, match="not UTF-8 at byte") as caught:
        list(corpus.read_chunks(str(path), encoding=flag))
    said = str(caught.value)
    assert f"it looks like {name}: " in said
    assert f"convert it with iconv -f {name} -t UTF-8" in said
    assert (f"set --encoding={name}, or " in said) == bool(flag)
    if flag:  # What it advises is right.
        found = "".join(corpus.read_chunks(str(path), encoding=name))
        assert found.splitlines() == TEXTS["zh_hans"].splitlines()


def test_damage_is_not_called_an_encoding(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"good\n\xff\n" + b"good\n" * 9)
    with pytest.raises(ValueError, match="byte 5 .0xff.; it is no text, or"):
        list(corpus.read_chunks(str(path)))


@pytest.mark.parametrize("name", ["gb18030", "big5hkscs", "utf-16", "UTF-16LE"])
@pytest.mark.parametrize("block", [1, 2, 3, 7, 1 << 20])
def test_characters_that_a_block_cuts_are_read_whole(monkeypatch, name, block):
    monkeypatch.setattr(encodings, "_BLOCK_BYTES", block)
    # Four bytes of GB18030, a pair of surrogates of UTF-16, two of Big5.
    text = "天地\n𠮷玄ab\r\n\n黃" if name != "big5hkscs" else "天地\n\n𠮩玄黃"
    raw = io.BytesIO(text.encode(name))
    source = io.BufferedReader(encodings.Recoded(raw, name, "a"), 16)
    assert source.read() == text.encode()


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("UTF-16", "天地\n".encode("utf-16")),
        ("UTF-16", b"\xfe\xff" + "天地\n".encode("utf-16-be")),
        ("UTF-16LE", "\ufeff天地\n".encode("utf-16-le")),
        ("GB18030", "\ufeff天地\n".encode("gb18030")),
    ],
)
def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path, name, data):
    for path, content in (("a", data), ("a.gz", gzip.compress(data))):
        (tmp_path / path).write_bytes(content)
        chunks = corpus.read_chunks(str(tmp_path / path), encoding=name)
        assert "".join(chunks) == "天地\n"


def test_any_part_of_a_text_is_read_from_its_place_in_utf_8(tmp_path):
    lines = TEXTS["zh_hant"].splitlines(keepends=True)[:30]
    text = "".join(lines)
    path = tmp_path / "a"
    path.write_bytes(text.encode("gb18030"))
    assert corpus.num_text_bytes(str(path), "GB18030") == len(text.encode())
    for count in range(0, 30, 7):
        begin = len("".join(lines[:count]).encode())
        end = begin + len("".join(lines[count : count + 5]).encode())
        chunks = corpus.read_chunks(
            str(path), begin=begin, end=end, encoding="GB18030"
        )
        assert "".join(chunks) == "".join(lines[count : count + 5])


@pytest.mark.parametrize(
    ("name", "data", "byte"),
    [
        ("GB18030", "天地\n".encode("gb18030") + b"\xff\n", 5),
        ("Big5", "天地\n".encode("big5") + b"\x80\n", 5),
        ("UTF-16", "天地\n".encode("utf-16")[:-1], 6),
        ("GB18030", "天地".encode("gb18030")[:-1], 2),
    ],
)
def test_what_is_not_in_the_encoding_of_the_flag_is_named(
    tmp_path, name, data, byte
):
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    words = rf"^{path}: not {name}, by --encoding, near byte (\d+) of the file"
    with pytest.raises(ValueError, match=words) as caught:
        list(corpus.read_chunks(str(path), encoding=name))
    near = int(re.match(words, str(caught.value))[1])
    # Of a character that is not whole, no decoder says where it began.
    assert byte <= near <= byte + 1


@pytest.mark.parametrize("name", ["nothing", "", "base64", "rot13", "a\0b"])
def test_a_name_that_is_no_encoding_of_texts_is_refused(name):
    with pytest.raises(ValueError, match="is no encoding; GB18030") as caught:
        encodings.check(name)
    assert str(caught.value).startswith(f"--encoding={name} ")


def test_common_names_are_taken():
    for name in ("GB18030", "gbk", "GB2312", "Big5", "UTF-16", "utf8", "ascii"):
        encodings.check(name)
    assert encodings.is_utf_8("utf_8") and encodings.is_utf_8("UTF-8")
    assert not encodings.is_utf_8("UTF-16")


@pytest.mark.parametrize("encoding", ["cp1252", "latin-1"])
def test_letters_with_accents_are_not_taken_for_chinese(encoding):
    text = "Le garçon était déjà parti à l'hôtel. A naïve façade, señor!\n"
    assert encodings.guess(text.encode(encoding)) == "Windows-1252"
    for name in ("gb18030", "big5"):
        mixed = f"{text}天地玄黃\n".encode(name, "ignore")
        assert encodings.guess(mixed) != "Windows-1252"


@pytest.mark.parametrize("name", ["UTF-16LE", "UTF-16BE"])
def test_one_line_of_utf_16_is_recognised(name):
    text = '{"title": "一天", "text": "天地玄黄，宇宙洪荒。"}'
    assert encodings.guess(text.encode(name)) == name

"""What is no vocabulary is refused in words that say what it is."""

import json
import os

import numpy as np
import pytest

from tests import project
from text import vocab

ROWS = (*project.SPECIAL_TOKENS, "[unused1]", "天", "##地", "a")
PLAIN = "".join(f"{row}\n" for row in ROWS).encode()


def parsed(data):
    return vocab.parse(data, "v.txt")


def said(data):
    with pytest.raises(ValueError) as caught:
        parsed(data)
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("blank", [" ", "\t", "\u3000", "\xa0", "  \t"])
@pytest.mark.parametrize("where", ["behind", "before", "behind [MASK]"])
def test_blanks_around_a_row_are_no_part_of_it(blank, where):
    rows = {
        "behind": [row + blank for row in ROWS],
        "before": [blank + row for row in ROWS],
        "behind [MASK]": [
            row + blank if row == "[MASK]" else row for row in ROWS
        ],
    }[where]
    found = parsed("".join(f"{row}\n" for row in rows).encode())
    plain = parsed(PLAIN)
    assert found.rows == plain.rows == ROWS
    assert found.ids == plain.ids
    np.testing.assert_array_equal(found.special_ids, [0, 1, 2, 3, 4, 5])
    np.testing.assert_array_equal(found.is_continuation, plain.is_continuation)
    assert np.flatnonzero(plain.is_continuation).tolist() == [7]
    # The bytes are what a manifest tells vocabularies apart by.
    assert found.sha256 != plain.sha256


def test_a_row_of_blanks_alone_stays_as_published_files_have_it():
    found = parsed(PLAIN + "\u3000\n\u2028\n".encode())
    assert found.rows == (*ROWS, "\u3000", "\u2028")


def test_the_special_tokens_are_known_by_their_roles():
    found = parsed(("\n".join(("a", *reversed(ROWS[:5])))).encode())
    assert found.roles == vocab.Roles(pad=5, unk=4, cls=3, sep=2, mask=1)
    assert found.spellings.mask == "[MASK]"
    # Rows are filled up with 0, as by google-research/bert.
    assert found.padding_id == 0
    others = vocab.Roles("<pad>", "<unk>", "<s>", "</s>", "<mask>")
    rows = ("<s>", "<pad>", "</s>", "<unk>", "[MASK]", "<mask>", "a")
    found = vocab.Vocabulary("v.txt", rows, "", others, padding_id=1)
    assert found.roles == vocab.Roles(pad=1, unk=3, cls=0, sep=2, mask=5)
    assert found.special_ids.tolist() == [0, 1, 2, 3, 5]


def test_rows_that_differ_in_blanks_alone_are_counted_as_google_counts_them():
    found = parsed(PLAIN + b"b\nb \n")
    assert found.ids["b"] == len(ROWS) + 1
    assert f"row {len(ROWS) + 1} repeats row {len(ROWS)}" in said(
        PLAIN + b"a\n"
    )


def test_a_byte_order_mark_is_named():
    assert said(b"\xef\xbb\xbf" + PLAIN) == (
        "v.txt: begins with a byte order mark, which would be part of its "
        "first row; save it as UTF-8 without one"
    )


@pytest.mark.parametrize(
    ("encoding", "wanted"),
    [
        ("utf-16", "UTF-16"),
        ("utf-16-le", "UTF-16LE"),
        ("utf-16-be", "UTF-16BE"),
        ("gb18030", "GB18030"),
        ("big5", "Big5"),
    ],
)
def test_another_encoding_is_named_with_the_cure(encoding, wanted):
    characters = "龍鳳門車開關學習實驗" if encoding == "big5" else "龙凤门车开"
    text = PLAIN.decode() + "".join(map("{}\n".format, characters))
    data = text.encode(encoding)
    if wanted.startswith("UTF-16") and wanted != "UTF-16":
        # No mark, and no byte that UTF-8 could not have: it begins with ASCII.
        assert data.startswith((b"[\0", b"\0["))
    line = said(data)
    assert line == (
        f"v.txt: looks like {wanted}; convert it with iconv -f {wanted} -t "
        "UTF-8"
    )


def test_utf_16_of_ascii_alone_is_no_vocabulary_either():
    data = "".join(map("{}\n".format, project.SPECIAL_TOKENS)).encode(
        "utf-16-le"
    )
    assert "v.txt: " in said(data)


def test_the_tokenizer_of_hugging_face_is_called_json():
    model = {"model": {"vocab": {row: n for n, row in enumerate(ROWS)}}}
    for indent in (None, 1):
        line = said(json.dumps(model, indent=indent).encode())
        assert "v.txt: not a BERT vocabulary, the rows [PAD], " in line
        assert "; it is JSON, as of byte-level BPE: --tokenizer" in line
        assert line.endswith("--vocab_file must name one token a line")


def test_a_page_that_was_downloaded_in_its_place_is_called_one():
    line = said(b"<!DOCTYPE html>\n<html>\n<body>Not found</body>\n</html>\n")
    assert "it is a page of a web site or XML" in line


def test_a_model_of_sentencepiece_is_taken_for_one():
    # The first bytes of one: a message of pieces with their scores.
    pieces = b"".join(
        b"\n" + bytes([len(body)]) + body
        for body in (
            b"\n\x05<unk>\x15\0\0\0\0\x18\x02",
            b"\n\x03<s>\x15\0\0\0\0\x18\x03",
            b"\n\x06\xe2\x96\x81\xe5\xa4\xa9\x15\x1f\x85\xeb\xc0",
        )
    )
    line = said(pieces * 100)
    assert line == (
        "--vocab_file=v.txt is a model of SentencePiece; name it in "
        "--spm_model_file"
    )


def test_the_rows_of_a_sentencepiece_vocabulary_are_shown():
    line = said("<unk>\t0\n<s>\t0\n▁天\t-3.5\n".encode().replace(b"<", b"["))
    assert "are missing among its 3; it begins with '[unk>\\t0', " in line


def test_a_text_is_shown_by_its_first_rows():
    line = said(("长" * 99 + "\n").encode() * 3)
    assert f"it begins with {'长' * 40!r}, " in line and len(line) < 400
    assert "[PAD], [UNK], [CLS], [SEP], [MASK] are missing among its 3" in line


def test_what_git_lfs_has_not_fetched_is_called_that(tmp_path):
    path = tmp_path / "vocab.txt"
    path.write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\n"
    )
    with pytest.raises(ValueError, match="is the pointer of git-lfs"):
        vocab.load(str(path))


def test_a_pipe_is_refused_and_not_waited_for(tmp_path):
    path = str(tmp_path / "v.txt")
    os.mkfifo(path)
    with pytest.raises(ValueError, match=f"^{path} is a pipe"):
        vocab.load(path)


def test_what_is_saved_is_loaded(tmp_path):
    path = str(tmp_path / "v.txt")
    vocab.save(path, ROWS)
    assert vocab.load(path).rows == ROWS

"""Label files as they are found, and what is wrong with some."""

import collections
import gzip

import pytest

from finetuning import problems
from finetuning.tagging import conll, labels
from tests import project


def _read(tmp_path, text, name="train.conll", strict=False, **settings):
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    bad = problems.Problems(strict)
    found = conll.read(str(path), bad, **settings)
    return found, bad


def _pairs(sentences):
    return [list(zip(s.words, s.labels, strict=True)) for s in sentences]


_PLAIN = "中 B-LOC\n国 I-LOC\n人 O\n\n好 O\n\n"
_WANTED = [[("中", "B-LOC"), ("国", "I-LOC"), ("人", "O")], [("好", "O")]]


@pytest.mark.parametrize(
    "text",
    [
        _PLAIN,
        _PLAIN.replace(" ", "\t"),
        _PLAIN.replace(" ", "\t\t"),
        _PLAIN.replace(" ", "  "),
        _PLAIN.replace("\n", " \n"),
        _PLAIN.rstrip("\n"),
        _PLAIN.replace("\n", "\r\n"),
        "\ufeff" + _PLAIN,
        "-DOCSTART- O\n\n" + _PLAIN,
        "-DOCSTART- -X- O O\n" + _PLAIN,
        _PLAIN.replace("人 O\n\n", "人 O\n-DOCSTART- O\n"),
        _PLAIN.replace(" ", " NN x "),
        "# id 7\tdomain=zh\n" + _PLAIN,
        "\n\n" + _PLAIN.replace("\n\n", "\n\t\n\n"),
        _PLAIN.replace(" ", "0\t"),
        _PLAIN.replace(" ", "12\t"),
    ],
    ids=[
        "space",
        "tab",
        "tabs",
        "spaces",
        "space_at_the_end",
        "no_last_line_end",
        "crlf",
        "bom",
        "document",
        "document_without_a_line_of_its_own",
        "document_for_a_blank_line",
        "columns",
        "comment",
        "blank_lines",
        "digit",
        "digits",
    ],
)
def test_variants_are_read_alike(tmp_path, text):
    found, bad = _read(tmp_path, text)
    assert _pairs(found) == _WANTED
    assert not bad.num_skipped
    assert [s.text for s in found] == ["中国人", "好"]


def test_gzip_is_unpacked(tmp_path):
    packed = gzip.compress(_PLAIN.encode())
    found, _ = _read(tmp_path, packed, name="train.conll.gz")
    assert _pairs(found) == _WANTED


def test_a_space_may_be_a_word(tmp_path):
    found, _ = _read(tmp_path, "a\tO\n \tO\n\u3000\tO\n\tO\n")
    assert found[0].words == ("a", " ", "\u3000", " ")
    found, _ = _read(tmp_path, "a O\n  O\n\u3000 O\n")
    assert found[0].words == ("a", " ", "\u3000")


def test_digits_are_kept_where_they_are_the_words(tmp_path):
    text = "I O\nwon O\n10 O\na4 O\n"
    assert _read(tmp_path, text)[0][0].words == ("I", "won", "10", "a4")
    kept, _ = _read(tmp_path, "中0 O\n国1 O\n", token_digits="keep")
    assert kept[0].words == ("中0", "国1")
    stripped, _ = _read(tmp_path, text, token_digits="strip")
    assert stripped[0].words == ("I", "won", "1", "a")


def test_a_ragged_row_takes_its_sentence_with_it(tmp_path):
    text = _PLAIN + "坏\n了 O\n\n" + "也 O x\n" + "\n再 O\n"
    found, bad = _read(tmp_path, text)
    assert [s.words for s in found] == [("中", "国", "人"), ("好",), ("再",)]
    assert bad.num_skipped == 2
    assert [s.line for s in found] == [1, 5, 12]
    wanted = "train.conll, line 7: not 2 columns, as most rows have"
    with pytest.raises(ValueError, match=wanted):
        _read(tmp_path, text, strict=True)


def test_files_without_labels_words_or_bytes(tmp_path):
    with pytest.raises(ValueError, match=r"line 2: one column \('中'\)"):
        _read(tmp_path, "\n中\n国\n")
    with pytest.raises(ValueError, match=r"train.conll: no words"):
        _read(tmp_path, "\n\n")
    with pytest.raises(ValueError, match=r"no sentence is left"):
        _read(tmp_path, "a O\nb\n")
    with pytest.raises(ValueError, match="UTF-8"):
        _read(tmp_path, "中 O\n".encode("gbk"))
    with pytest.raises(ValueError, match="no file"):
        conll.read(str(tmp_path / "none"), problems.Problems(False))
    found, _ = _read(tmp_path, "中\n国\n\n", needs_labels=False)
    assert found[0].words == ("中", "国") and found[0].labels is None


def test_a_label_of_no_form_and_an_unknown_one_are_named(tmp_path):
    found, _ = _read(tmp_path, "\n" + _PLAIN)
    scheme = labels.scheme_of({"O", "B-LOC", "I-LOC"})
    with pytest.raises(ValueError) as error:
        conll.check(found, scheme, ("O", "B-LOC"))
    assert str(error.value) == (
        f"{tmp_path}/train.conll, line 3: label 'I-LOC' is not among the known "
        "ones, O, B-LOC"
    )
    found, _ = _read(tmp_path, "中 NN\n")
    with pytest.raises(ValueError, match="line 1: label 'NN' is neither O"):
        conll.check(found, scheme)


def test_slips_in_labels_are_read_as_they_were_meant(tmp_path, caplog):
    found, _ = _read(tmp_path, "\n中 O\n国 I-LOC\n")
    with caplog.at_level("WARNING"):
        (found,) = conll.repair(found, labels.Scheme({"O", "B-LOC", "I-LOC"}))
    assert found.labels == ("O", "B-LOC")
    assert "line 3: I-LOC is read as B-LOC" in caplog.text


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["EU", "rejects", "German", "call"], "EU rejects German call"),
        (["中", "国", "GDP", "增", "长"], "中国GDP增长"),
        (["用", "Python", "3", "写"], "用Python 3写"),
        (["1", "9", "9", "8", "年", "V", "O", "A"], "1998年VOA"),
        (["I", "a"], "I a"),
    ],
)
def test_the_text_of_words_has_every_word_where_it_says(words, text):
    found, starts = conll.join(words)
    assert found == text
    for word, start in zip(words, starts, strict=True):
        assert found[start : start + len(word)] == word


def test_plain_text_is_cut_as_bert_cuts_it():
    text = " Mr. O'Neil去了New York，他说 ok"
    found = conll.split_text(text, "x", 4, cut=False)
    assert found.words == (
        *("Mr", ".", "O", "'", "Neil", "去", "了", "New", "York"),
        *("，", "他", "说", "ok"),
    )
    single = conll.split_text(text, "x", 4, cut=True)
    assert "".join(single.words) == "".join(text.split())
    for sentence in (found, single):
        assert sentence.place() == "x, line 4"
        for word, start in zip(sentence.words, sentence.starts, strict=True):
            assert text[start : start + len(word)] == word
    assert conll.split_text("\u3000", "x", 1, cut=False).words == ()


@pytest.mark.parametrize(
    ("name", "sentences", "words", "types"),
    [
        # With 10 labels that begin an entity with I.
        ("weibo_train", 1350, 73778, {"PER.NAM": 578, "PER.NOM": 772}),
        ("pku.dev", 4503, 182998, {"PER": 1622, "LOC": 2379, "ORG": 365}),
        ("weibo_dev", 270, 14509, {"PER.NAM": 90, "PER.NOM": 208}),
    ],
)
def test_real_sets_are_read_whole(name, sentences, words, types):
    path = project.shared() / f"data/tasks/zh_ner_{name}.conll.gz"
    bad = problems.Problems(strict=True)
    found = conll.read(str(path), bad)
    assert len(found) == sentences
    assert sum(len(s.words) for s in found) == words
    assert conll.are_characters(found)
    scheme = labels.Scheme({x for s in found for x in s.labels})
    counts = collections.Counter(
        kind
        for s in conll.repair(found, scheme)
        for kind, _, _ in scheme.entities(s.labels)
    )
    assert types.items() <= counts.items()
    if name != "pku.dev":
        # Of an emoji two broken halves were left.
        words = {word for s in found for word in s.words}
        assert {word for word in words if len(word) > 1} == {"\ufffd\ufffd"}

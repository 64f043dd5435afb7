"""Traditional text is simplified, with or without keeping its places."""

import gzip
import sys

import numpy as np
import pytest

from tests import project
from text import offsets, t2s, tokenization, vocab

TRADITIONAL = "頭髮長了，乾隆說：髮型要整理。\nabc 臺灣的電腦\n\n"
SIMPLIFIED = "头发长了，乾隆说：发型要整理。\nabc 台湾的电脑\n\n"


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory):
    directory = tmp_path_factory.mktemp("vocab")
    rows = [c for c in SIMPLIFIED if c.strip()]
    return vocab.load(
        project.write_vocabulary(directory, [*rows, "##b", "##c"])
    )


def test_phrases_decide_what_a_character_becomes():
    assert t2s.to_simplified(TRADITIONAL) == SIMPLIFIED
    assert t2s.to_simplified_in_place(TRADITIONAL) == SIMPLIFIED


def test_no_character_becomes_none_or_several():
    characters = [
        chr(code)
        for code in range(sys.maxunicode + 1)
        if not 0xD800 <= code <= 0xDFFF and code != ord("\n")
    ]
    converted = t2s.to_simplified("\n".join(characters)).split("\n")
    assert [len(x) for x in converted] == [1] * len(characters)


def test_a_line_of_another_length_is_converted_by_characters(monkeypatch):
    def convert(text):
        return text.replace("電腦", "计算机").replace("電", "电")

    monkeypatch.setattr(t2s, "to_simplified", convert)
    assert t2s.to_simplified_in_place("電腦好\n好電") == "电腦好\n好电"


def test_half_of_a_surrogate_pair_stays_where_it_is():
    assert t2s.to_simplified("頭\ud800髮\udfff") == "头\ud800发\udfff"
    assert t2s.to_simplified_in_place("\udc00學\n") == "\udc00学\n"


def test_tokens_are_those_of_simplified_text(vocabulary):
    wanted = tokenization.Tokenizer(vocabulary).tokenize(SIMPLIFIED)
    found = tokenization.Tokenizer(vocabulary, simplify=True).tokenize(
        TRADITIONAL
    )
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(one, other)
    assert vocabulary.ids["[UNK]"] not in found[0]


def test_places_are_those_of_the_text_as_it_came(vocabulary):
    texts = TRADITIONAL.split("\n")
    tokens = offsets.Tokenizer(vocabulary, simplify=True).tokenize(texts)
    owners = np.repeat(np.arange(len(texts)), np.diff(tokens.starts))
    rows = {number: token for token, number in vocabulary.ids.items()}
    for number, owner, begin, end in zip(
        tokens.ids, owners, tokens.begins, tokens.ends, strict=True
    ):
        piece = t2s.to_simplified(texts[owner])[begin:end]
        assert rows[number].removeprefix("##") == piece


def test_real_texts_keep_the_place_of_each_character():
    path = project.shared() / "data" / "tasks" / "t2s_pairs.manpages.tsv.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    text = "\n".join(row[0] for row in rows)
    lines = t2s.to_simplified_in_place(text).split("\n")
    assert lines == t2s.to_simplified(text).split("\n")
    assert [len(x) for x in lines] == [len(row[0]) for row in rows]

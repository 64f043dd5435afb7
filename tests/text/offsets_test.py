"""Tokens with places: the tokenizer's ids, and the characters they are of."""

import gzip
import itertools
import json
import sys
import unicodedata

import numpy as np
import pytest

from tests import project
from tests.google_tokenization import basic_tokens
from text import offsets, tokenization, vocab

both_cases = pytest.mark.parametrize("do_lower_case", [True, False])

TEXTS = [
    "",
    " ",
    "\n",
    "a\nb\n",
    "ab\r\nabb",
    "ΑΣ ΑΣΑ Σ ΣΑ, ΑΣ.",
    "ΑΣ\u00adΑ ΑΣ中ΑΣ\nΑΣ",
    "Cafe\u0301 café CAFÉ e\u0301\u0323\u00ad a\u0301",
    "\u0301a \u0301",
    "a\u302e\u0323b a\u302e\U0001d165b",
    "가\u302e\U0001d165\u302f a\U0001d165\u302eb ΑΣ",
    "가나다 각",
    "ﬁ ẞ ß İ ı Å Å K ǅ İΣ",
    "，。ＡＢ１ａ，ｂ “a”—b…",
    "a😀b 😀 𠀀𠀁a 𝐀a",
    "a\0b a\ufffdb \0 a\u200bb",
    "a\u2028b a\u2029b a\u3000b a\u00a0b a\x85b",
    "\ue000 a\ue000 a" + "\u0e01" * 3,
    "a" * 199 + " " + "b" * 200 + " " + "a" * 201 + " " + "é" * 201,
    "中文abc混排ABC,12.5%",
    "[MASK] [CLS]x ##a",
]


def make(directory, texts, do_lower_case):
    characters = sorted(set("".join(texts)) | set("ασςefeis中文"))
    rows = [c for c in characters if c.strip() == c and c < "\ue000"]
    pieces = [p + c for p in ("", "##") for c in rows]
    words = ["ας", "##ας", "ab", "caf", "##fe", "ss"]
    path = project.write_vocabulary(directory, pieces + words)
    return make_of(path, do_lower_case)


def make_of(path, do_lower_case):
    vocabulary = vocab.load(path)
    return (
        vocabulary,
        offsets.Tokenizer(vocabulary, do_lower_case),
        tokenization.Tokenizer(vocabulary, do_lower_case),
    )


def assert_same_ids(tokens, tokenizer, texts):
    lines = "\n".join(text.replace("\n", " ") for text in texts)
    ids, starts = tokenizer.tokenize(lines)
    np.testing.assert_array_equal(tokens.ids, ids)
    np.testing.assert_array_equal(tokens.starts, starts)


def folded(text, do_lower_case):
    """What plain tokenizing makes of text, joined; one sigma for both."""
    return "".join(basic_tokens(text, do_lower_case)).replace("ς", "σ")


def assert_made_of(tokens, vocabulary, texts, do_lower_case):
    """Each token is what its characters give, and no character is missed."""
    for text, (first, last) in zip(
        texts, itertools.pairwise(tokens.starts), strict=True
    ):
        begins, ends = tokens.begins[first:last], tokens.ends[first:last]
        assert (begins < ends).all()
        assert (np.diff(begins) >= 0).all() and (np.diff(ends) >= 0).all()
        after = 0
        for row, begin, end in zip(
            tokens.ids[first:last], begins, ends, strict=True
        ):
            # Between tokens stands only what no token is made of.
            assert not folded(text[after:begin], do_lower_case)
            after = max(after, end)
            token = vocabulary.rows[row]
            if token == "[UNK]":
                continue
            token = token[2:] if token.startswith("##") else token
            token = token.replace("ς", "σ")
            assert token in folded(text[begin:end], do_lower_case), (
                text[begin:end],
                token,
            )
        assert not folded(text[after:], do_lower_case)


@both_cases
def test_awkward_texts_have_the_same_tokens_with_places(
    tmp_path, do_lower_case
):
    for texts in (TEXTS, ["".join(TEXTS)], *([text] for text in TEXTS)):
        vocabulary, ours, plain = make(tmp_path, TEXTS, do_lower_case)
        tokens = ours.tokenize(texts)
        assert_same_ids(tokens, plain, texts)
        assert_made_of(tokens, vocabulary, texts, do_lower_case)


@both_cases
def test_every_assigned_character_has_its_place(tmp_path, do_lower_case):
    texts = [
        f"a{c}b {c}e{c}"
        for c in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(c) not in ("Cn", "Co", "Cs")
        and not ("\u3500" < c < "\u9f00" or "\uac10" < c < "\ud700")
        and c < "\U00020000"
    ]
    vocabulary, ours, plain = make(tmp_path, texts, do_lower_case)
    tokens = ours.tokenize(texts)
    assert_same_ids(tokens, plain, texts)
    some = texts[::11]
    assert_made_of(ours.tokenize(some), vocabulary, some, do_lower_case)


def spans(directory, text, words, do_lower_case=True):
    path = project.write_vocabulary(directory, words)
    tokens = offsets.Tokenizer(vocab.load(path), do_lower_case).tokenize([text])
    return [
        text[begin:end]
        for begin, end in zip(tokens.begins, tokens.ends, strict=True)
    ]


def test_a_token_is_the_characters_as_they_were_written(tmp_path):
    words = ["cafe", "naive", "##ly", "中", "fi", "##t", "x"]
    text = "CAFÉ: naïvely 中ﬁt cafe\u0301!\u200b x\u00ad \U0001f600x"
    assert spans(tmp_path, text, words) == [
        "CAFÉ",
        ":",
        "naïve",
        "ly",
        "中",
        "ﬁt",
        "cafe\u0301",
        "!",
        "x",
        "\U0001f600x",
    ]


def test_an_accent_of_its_own_belongs_to_the_letter_before_it(tmp_path):
    words = ["e", "##e", "a"]
    found = spans(tmp_path, "e\u0301e\u0301\u0323 a\u0301", words)
    assert found == ["e\u0301", "e\u0301\u0323", "a\u0301"]


def test_a_word_that_is_unknown_is_one_span(tmp_path):
    assert spans(tmp_path, "a ΞΥΛ b", ["a", "b"]) == ["a", "ΞΥΛ", "b"]
    long = "a" * 201
    assert spans(tmp_path, f"{long} a", ["a", "##a"]) == [long, "a"]


def test_a_final_sigma_has_its_place(tmp_path):
    words = ["ας", "ασ", "##α", "σ"]
    assert spans(tmp_path, "x ΑΣ, ΑΣΑ Σ", words) == [
        "x",
        "ΑΣ",
        ",",
        "ΑΣ",
        "Α",
        "Σ",
    ]


def corpus_texts(name, every):
    path = project.shared() / "data" / f"corpus_{name}.txt.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        chosen = itertools.islice(lines, 0, None, every)
        return [line.rstrip("\n") for line in chosen]


def question_texts(name):
    path = project.shared() / "data" / "tasks" / f"{name}.json.gz"
    with gzip.open(path, "rt", encoding="utf-8") as file:
        data = json.load(file)["data"]
    return [p["context"] for article in data for p in article["paragraphs"]]


@both_cases
@pytest.mark.parametrize("name", ["zh_tech", "zh_traditional", "en"])
def test_real_lines_have_the_same_tokens_with_places(
    tmp_path, name, do_lower_case
):
    texts = corpus_texts(name, every=97)
    vocabulary, ours, plain = make(tmp_path, texts, do_lower_case)
    tokens = ours.tokenize(texts)
    assert_same_ids(tokens, plain, texts)
    some = texts[::5]
    assert_made_of(ours.tokenize(some), vocabulary, some, do_lower_case)


@both_cases
@pytest.mark.parametrize(
    "name", ["squad_v1.1.dev", "cmrc2018_trial", "drcd_dev"]
)
def test_real_contexts_have_the_same_tokens_with_places(name, do_lower_case):
    texts = question_texts(name)
    path = str(project.ROOT / "vocab/zh_en_8k.txt")
    vocabulary, ours, plain = make_of(path, do_lower_case)
    tokens = ours.tokenize(texts)
    assert_same_ids(tokens, plain, texts)
    some = texts[::10]
    assert_made_of(ours.tokenize(some), vocabulary, some, do_lower_case)


def test_no_texts_have_no_tokens(tmp_path):
    _, ours, _ = make(tmp_path, TEXTS, True)
    tokens = ours.tokenize([])
    assert len(tokens.ids) == 0 and tokens.starts.tolist() == [0]

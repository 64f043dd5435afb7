"""Our tokenizer against the plain one, where the two could differ."""

import gzip
import itertools
import pathlib
import sys
import unicodedata

import numpy as np
import pytest

from tests import project
from tests.google_tokenization import FullTokenizer
from text import normalization, tokenization, vocab

CODE_POINTS = [
    chr(code)
    for code in range(sys.maxunicode + 1)
    # Surrogates cannot stand in UTF-8; a line end is no part of a line.
    if not 0xD800 <= code < 0xE000 and code != 0x0A
]
ASSIGNED = [
    c for c in CODE_POINTS if unicodedata.category(c) not in ("Cn", "Co")
]
# Rows for each kind of character: large blocks that are all alike left out.
ROWS = [
    c
    for c in ASSIGNED
    if c == c.strip()
    and c < "\U00020000"
    and not ("\u3500" < c < "\u9f00" or "\uac10" < c < "\ud700")
]
CORPORA = ["zh_tech", "zh_mixed", "zh_traditional", "en"]
both_cases = pytest.mark.parametrize("do_lower_case", [True, False])


def with_pieces(characters):
    return [prefix + c for prefix in ("", "##") for c in characters]


def in_context(characters):
    return [f"a{c}b {c} {c}{c}" for c in characters]


def make_pair(directory, rows, do_lower_case):
    """Our tokenizer and the plain one, over the same vocabulary."""
    path = project.write_vocabulary(directory, rows)
    ours = tokenization.Tokenizer(vocab.load(path), do_lower_case)
    return ours, FullTokenizer(path, do_lower_case)


def assert_same(pair, lines):
    ours, plain = pair
    ids, starts = ours.tokenize("\n".join(lines))
    assert len(starts) == len(lines) + 1
    assert starts[-1] == len(ids)
    differing = []
    for line, (a, b) in zip(lines, itertools.pairwise(starts), strict=True):
        got, wanted = ids[a:b].tolist(), plain.ids(line)
        if got != wanted:
            differing.append((line, got, wanted))
    assert not differing, (len(differing), differing[:5])


@both_cases
def test_every_assigned_character_is_read_as_published(tmp_path, do_lower_case):
    pair = make_pair(tmp_path, with_pieces(ROWS), do_lower_case)
    assert_same(pair, in_context(ASSIGNED))


@both_cases
def test_a_character_without_a_row_is_read_as_published(
    tmp_path, do_lower_case
):
    pair = make_pair(tmp_path, with_pieces("ab"), do_lower_case)
    assert_same(pair, in_context(ROWS))


@pytest.mark.slow
@both_cases
def test_every_code_point_is_read_as_published(tmp_path, do_lower_case):
    rows = [c for c in ASSIGNED if c == c.strip()]
    pair = make_pair(tmp_path, with_pieces(rows), do_lower_case)
    assert_same(pair, in_context(CODE_POINTS))


LINES = {
    "nothing": ["", " ", "\t", "", "a", ""],
    "final sigma": ["ΑΣ", "ΑΣ Σ ΣΑ", "ΑΣ.", "Α\u0301Σ", "ΑΣ中", "ΑΣ\u00adΑ"],
    "reordered marks": [
        # Kept marks of the classes 224 and 216, which change places.
        "a\u302e\u0323b",
        "a\u302e\U0001d165b",
        "가\u302e\U0001d165\u302f",
        "a\U0001d165\u302eb ΑΣ",
        "\u302e\U0001d165",
    ],
    "accents": ["é e\u0301 É", "ﬁ ẞ ß İ ı", "\u0301a", "ǅ ǆ", "Å Å K"],
    "spaces": ["a\u2028b", "a\u2029b", "a\u3000b", "a\u00a0b", "a\u200bb"],
    "controls": ["a\0b", "a\ufffdb", "a\rb\r", "a\x0bb", "a\x85b", "a\x1cb"],
    "format": ["a\ufeffb", "\ufeff", "a\u00adb", "\0", "a\x11b", "\r"],
    "specials": ["[MASK] [CLS]x", "[UNK]", "[PAD]a", "##a", "# #a", "a##"],
    "full width": ["，。ＡＢ１", "ａ，ｂ", "“a”—b…"],
    "beyond the plane": ["a😀b", "𠀀𠀁a", "𝐀a", "\U000e0041a"],
    "private use": ["\ue000", "a\ue000", "\ue001\ue002", "\uf8ffa"],
}
ALL_LINES = list(itertools.chain(*LINES.values()))


@both_cases
@pytest.mark.parametrize("name", LINES)
def test_an_awkward_line_is_read_as_published(tmp_path, name, do_lower_case):
    characters = sorted(set("".join(ALL_LINES)))
    rows = [
        c for c in characters if c.strip() == c and not "\ue000" <= c < "\uf900"
    ]
    words = ["ας", "ασ", "αs", "fi", "ss", "\u2028", "##\u2028"]
    pair = make_pair(tmp_path, with_pieces(rows) + words, do_lower_case)
    assert_same(pair, LINES[name])


@both_cases
@pytest.mark.parametrize("character", ["a", "ก", "😀", "é", "e\u0301"])
def test_a_word_of_more_than_200_characters_is_unknown(
    tmp_path, character, do_lower_case
):
    pair = make_pair(tmp_path, with_pieces("aก😀eé"), do_lower_case)
    repeated = [character * n for n in (99, 100, 101, 199, 200, 201, 2000)]
    assert_same(pair, repeated)
    assert_same(pair, [f"a {word} a,{word}a" for word in repeated])


def test_a_row_is_known_without_the_white_space_around_it(tmp_path):
    rows = ["a ", "ab\u3000", "##b", "\u2028", "##\u2028", " c d", "e", "e "]
    pair = make_pair(tmp_path, rows, True)
    assert_same(pair, ["a ab abb", "aab", "\u2028 ## c d", "e"])


@both_cases
def test_a_row_that_no_text_can_match_harms_nothing(tmp_path, do_lower_case):
    rows = ["a", "\x11", "##\x11", "b\0", "##", "é", "a b", "，a", "##é"]
    pair = make_pair(tmp_path, rows, do_lower_case)
    assert_same(pair, ["a aé é", "，a", "a b", "##", "b\0", "a\x11"])


def test_a_private_character_is_not_mistaken_for_another(tmp_path):
    pair = make_pair(tmp_path, with_pieces(ROWS), False)
    private = [chr(code) for code in range(0xE000, 0xF900)]
    assert_same(pair, [f"{c} a{c} {c}b" for c in private])


def test_a_line_does_not_depend_on_the_lines_read_with_it(tmp_path):
    lines = project.sample_lines() + ALL_LINES
    rows = with_pieces(sorted(set("".join(project.sample_lines()))))
    vocabulary = vocab.load(project.write_vocabulary(tmp_path, rows))
    ids, starts = tokenization.Tokenizer(vocabulary).tokenize("\n".join(lines))
    alone = tokenization.Tokenizer(vocabulary)
    for i in reversed(range(len(lines))):
        one, bounds = alone.tokenize(lines[i])
        np.testing.assert_array_equal(one, ids[starts[i] : starts[i + 1]])
        assert bounds.tolist() == [0, len(one)]


@both_cases
def test_the_samples_are_read_as_published(tmp_path, do_lower_case):
    pair = make_pair(tmp_path, project.sample_vocabulary(), do_lower_case)
    assert_same(pair, project.sample_lines())


@both_cases
def test_a_word_begins_where_no_piece_goes_on(tmp_path, do_lower_case):
    ours, plain = make_pair(tmp_path, with_pieces("abc中，"), do_lower_case)
    lines = [*project.sample_lines(), *ALL_LINES, "abc中ab，Xab"]
    ids, starts, begins = ours.tokenize_words("\n".join(lines))
    same_ids, same_starts = ours.tokenize("\n".join(lines))
    np.testing.assert_array_equal(ids, same_ids)
    np.testing.assert_array_equal(starts, same_starts)
    tokens = itertools.chain(*map(plain.tokenize, lines))
    assert begins.tolist() == [not t.startswith("##") for t in tokens]
    assert begins[-6:].tolist() == [False, True, True, False, True, True]


def corpus_lines(name, every=1):
    path = project.shared() / "data" / f"corpus_{name}.txt.gz"
    with gzip.open(path, "rt", encoding="utf-8", newline="\n") as lines:
        return [
            line.rstrip("\n")
            for line in itertools.islice(lines, 0, None, every)
        ]


@both_cases
@pytest.mark.parametrize("name", CORPORA)
def test_some_lines_of_real_text_are_read_as_published(
    tmp_path, name, do_lower_case
):
    lines = corpus_lines(name, every=97)
    rows = with_pieces(sorted(set("".join(lines)) - {" "}))
    assert_same(make_pair(tmp_path, rows, do_lower_case), lines)


@pytest.mark.slow
@both_cases
@pytest.mark.parametrize("name", CORPORA)
def test_every_line_of_real_text_is_read_as_published(name, do_lower_case):
    path = project.vocabulary("en" if name == "en" else "zh")
    ours = tokenization.Tokenizer(vocab.load(path), do_lower_case)
    pair = ours, FullTokenizer(path, do_lower_case)
    lines = corpus_lines(name)
    for first in range(0, len(lines), 50000):
        assert_same(pair, lines[first : first + 50000])


@both_cases
def test_pieces_are_those_of_tensorflow_text(tmp_path, do_lower_case):
    tf_text = pytest.importorskip("tensorflow_text")
    text = "\n".join(
        path.read_text(encoding="utf-8")
        for path in map(pathlib.Path, project.SAMPLES)
    )
    vocabulary = vocab.load(str(project.ROOT / "vocab/zh_en_8k.txt"))
    ids, starts = tokenization.Tokenizer(vocabulary, do_lower_case).tokenize(
        text
    )
    normal = normalization.Normalizer(do_lower_case).normalize(text)
    theirs = tf_text.FastWordpieceTokenizer(
        vocabulary.rows, support_detokenization=False
    ).tokenize(normal.split("\n"))
    assert len(ids) > 10_000
    np.testing.assert_array_equal(ids, theirs.flat_values)
    np.testing.assert_array_equal(starts, theirs.row_splits)

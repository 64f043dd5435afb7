"""SentencePiece as ALBERT reads text, against the library used plainly."""

import itertools

import numpy as np
import pytest

from tests import albert_text, project
from text import offsets, sentence_piece, tokenization, unaccented

# What preprocessing does, one kind a line.
TRAPS = (
    "",
    "   ",
    "  two   spaces\tand\u3000more  ",
    "Naïve Ångström Crème brûlée",
    "e\u0301 a\u0308\u0323 \u0301alone",
    "½ ﬁne ＦＵＬＬ　ＷＩＤＴＨ ①② ㈱",
    "İstanbul ΣΊΣΥΦΟΣ ΟΔΟΣ. Straße",
    "你好，世界！中文 and English混合",
    "한국어 각 が ガ ｶﾞ",
    "1,000 in 2011, 3, 4,5, and 6,",
    "`` quoted '' [mask] [CLS ] <pad> ▁low▁line",
    "soft\u00adhyphen zero\u200bwidth\u200d bom\ufeff",
    "\x00nul \x85next \u2028line \x1fend",
    "😀 emoji 👩‍👩‍👧 𝔘𝔫𝔦 𠀀",
    "half \ud83d of a pair",
    "aaaaaaaaaaaaaaaaaaaaaaaa........ 哈哈哈哈哈哈哈哈",
)
both_cases = pytest.mark.parametrize("do_lower_case", [True, False])


def make_pair(data, do_lower_case=True):
    """Our vocabulary, our tokenizer and the plain one."""
    vocabulary = sentence_piece.parse(data, "spiece.model")
    ours = tokenization.Tokenizer(vocabulary, do_lower_case)
    return vocabulary, ours, albert_text.FullTokenizer(data, do_lower_case)


def plain(tokenizer, line):
    # No UTF-8 has half a pair of surrogates; the library refuses it.
    whole = "".join("\ufffd" if "\ud800" <= c < "\ue000" else c for c in line)
    return tokenizer.ids(whole)


def assert_same(ours, theirs, lines):
    ids, starts = ours.tokenize("\n".join(lines))
    assert len(starts) == len(lines) + 1
    differing = [
        line
        for line, (a, b) in zip(lines, itertools.pairwise(starts), strict=True)
        if ids[a:b].tolist() != plain(theirs, line)
    ]
    assert not differing, (len(differing), differing[:3])


@both_cases
def test_the_ids_are_those_of_the_library(do_lower_case):
    _, ours, theirs = make_pair(albert_text.sample_model(), do_lower_case)
    assert_same(ours, theirs, [*TRAPS, *project.sample_lines()[::5]])


@both_cases
def test_every_character_has_the_ids_of_the_library(do_lower_case):
    _, ours, theirs = make_pair(albert_text.sample_model(), do_lower_case)
    codes = [c for c in range(0x110000) if c != 10 and not 0xD800 <= c < 0xE000]
    # Private and unassigned planes are all alike.
    codes = [c for c in codes if c < 0x32000 or c % 97 == 0]
    assert_same(ours, theirs, [f"a{chr(c)}b {chr(c)}" for c in codes])


def test_a_comma_behind_a_digit_is_a_piece():
    lines = ["in 1, and 2, or x1, then 30,"] * 50 + ["one , two 1 2 3 0"] * 20
    data = albert_text.train(
        lines, 60, split_by_number=False, hard_vocab_limit=False,
        user_defined_symbols=["1,", "x1,"],
    )  # fmt: skip
    vocabulary, ours, theirs = make_pair(data)
    assert any(sentence_piece._is_parted(row) for row in vocabulary.rows)
    assert_same(ours, theirs, [*lines, "1, 1,1, a1, 11, 2,", "1,000,000"])
    ids, _ = ours.tokenize("x1,")
    assert vocabulary.rows[ids[-1]] == ","


@pytest.mark.parametrize("name", albert_text.CORPORA)
def test_lines_of_a_corpus_have_the_ids_of_the_library(name):
    check_corpus(name, 100)


@pytest.mark.slow
@pytest.mark.parametrize("name", albert_text.CORPORA)
def test_every_line_of_a_corpus_has_the_ids_of_the_library(name):
    check_corpus(name, 1)


def check_corpus(name, one_in):
    lines = albert_text.corpus_lines(name, one_in)
    learned = list(map(albert_text.preprocess, lines[:20_000]))
    data = albert_text.train(learned, 8000, hard_vocab_limit=False)
    vocabulary, ours, theirs = make_pair(data)
    assert_same(ours, theirs, lines)
    assert_places(vocabulary, lines[:: max(1, 1000 // one_in)])


def test_words_begin_where_albert_begins_them():
    vocabulary, ours, theirs = make_pair(albert_text.sample_model())
    wanted = [not albert_text.is_start(row) for row in vocabulary.rows]
    assert vocabulary.is_continuation.tolist() == wanted
    lines = ["unbelievable, isn't it? 你好 2011", "", "x-ray's"]
    ids, starts, begins = ours.tokenize_words("\n".join(lines))
    assert ids.tolist() == ours.tokenize("\n".join(lines))[0].tolist()
    for line, (a, b) in zip(lines, itertools.pairwise(starts), strict=True):
        wanted = list(map(albert_text.is_start, theirs.pieces(line)))
        assert begins[a:b].tolist() == wanted


@pytest.mark.parametrize("line", [*TRAPS, *project.sample_lines()[:50]])
def test_the_rewritten_text_has_places(line):
    rewritten = unaccented.rewrite(line, do_lower_case=False)
    begins, ends = unaccented.places(line)
    assert len(begins) == len(ends) == len(rewritten) + 1
    for character, begin, end in zip(rewritten, begins, ends, strict=False):
        source = line[begin:end]
        if character == "\ufffd":
            assert source
        elif character == " " and source[0].isspace():
            assert not source.strip() or not source[0].strip()
        else:
            assert character in albert_text.preprocess(f"x{source}", False)


def assert_places(vocabulary, lines):
    """The offsets give the text back, and each token its own part of it."""
    tokenizer = offsets.Tokenizer(vocabulary)
    plain_tokenizer = tokenization.Tokenizer(vocabulary)
    found = tokenizer.tokenize(lines)
    ids, starts = plain_tokenizer.tokenize("\n".join(lines))
    assert found.ids.tolist() == ids.tolist()
    assert found.starts.tolist() == starts.tolist()
    for line, (a, b) in zip(lines, itertools.pairwise(starts), strict=True):
        begins, ends = found.begins[a:b], found.ends[a:b]
        assert np.all(begins <= ends)
        assert np.all(np.diff(begins) >= 0) and np.all(np.diff(ends) >= 0)
        covered = set()
        for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
            covered.update(range(begin, end))
        rest = "".join(c for i, c in enumerate(line) if i not in covered)
        assert not albert_text.preprocess(rest).strip(), (line, rest)


def test_the_places_give_the_text_back():
    data = albert_text.sample_model()
    vocabulary = sentence_piece.parse(data, "spiece.model")
    lines = project.sample_lines()[::20]
    assert_places(vocabulary, lines)
    found = offsets.Tokenizer(vocabulary).tokenize(lines)
    for line, (a, b) in zip(
        lines, itertools.pairwise(found.starts), strict=True
    ):
        for i in range(a, b):
            row = vocabulary.rows[found.ids[i]].replace("▁", "")
            part = albert_text.preprocess(line[found.begins[i] : found.ends[i]])
            # The library's own rules may rewrite further.
            if found.ids[i] != vocabulary.roles.unk and part.isascii():
                assert part == row, (line, part, row)


@both_cases
def test_text_never_becomes_a_special_token(do_lower_case):
    """google-research/albert takes unknown letters that spell one for it."""
    vocabulary, ours, theirs = make_pair(
        albert_text.sample_model(), do_lower_case
    )
    line = "see [MASK] and [CLS]"
    ids, _ = ours.tokenize(line)
    wanted = [
        i if i not in vocabulary.special_ids else vocabulary.roles.unk
        for i in theirs.ids(line)
    ]
    assert ids.tolist() == wanted
    found = offsets.Tokenizer(vocabulary, do_lower_case).tokenize([line])
    assert found.ids.tolist() == wanted


def test_counts_what_is_unknown():
    _, ours, _ = make_pair(albert_text.sample_model())
    counts = np.zeros(0x110000, np.int64)
    ours.tokenize("known ᚠᚠ words\nand ᛉ", counts)
    assert {chr(c): counts[c] for c in np.flatnonzero(counts)} == {
        "ᚠ": 2,
        "ᛉ": 1,
    }

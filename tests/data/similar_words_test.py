"""Similar words in place of masked ones, and the file that lists them."""

import collections

import numpy as np
import pytest

from data.building import mersenne, similar_words
from tests.data import drawn

FIRST_ID = drawn.FIRST_ID


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory):
    return drawn.vocabulary(tmp_path_factory.mktemp("vocabulary"))


def write_similar(path, lines):
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return str(path)


def text_of(first, count):
    return "".join(drawn.character(first + i) for i in range(count))


def test_macbert_puts_similar_words_of_as_many_tokens(vocabulary, tmp_path):
    # Words of two characters; every other one has two similar ones, and one
    # that is too long.
    others = {}
    lines = []
    for first in range(FIRST_ID + 1, FIRST_ID + 400, 4):
        others[first] = [(first + 1000, first + 1001), (first + 2000, first)]
        texts = ["".join(map(drawn.character, ids)) for ids in others[first]]
        lines.append(
            f"{text_of(first, 2)}\t{' '.join(texts)} {text_of(first + 9, 3)}"
        )
    rules = drawn.rules(
        vocabulary,
        mask_unit="macbert",
        do_whole_word_mask=True,
        word_segmenter="spaces",
        similar_words=write_similar(tmp_path / "similar.txt", lines),
        max_predictions_per_seq=60,
    )
    begins = np.arange(402) % 2 == 1
    counts = collections.Counter()
    for masks in drawn.Draws(rules, 402, begins=begins).many(500):
        for place in [p for p in masks if p % 2 == 1]:
            first = FIRST_ID + place
            now = masks[place], masks[place + 1]
            has_similar = first in others
            if now == (first, first + 1):
                counts[has_similar, "kept"] += 1
            elif has_similar and now in others[first]:
                counts[has_similar, others[first].index(now)] += 1
            else:
                counts[has_similar, "random"] += 1
    shares = {True: {"kept": 0.1, "random": 0.1, 0: 0.4, 1: 0.4}}
    shares[False] = {"kept": 0.1, "random": 0.9}
    for has_similar, expected in shares.items():
        total = sum(n for key, n in counts.items() if key[0] == has_similar)
        assert total > 5000
        for what, share in expected.items():
            got = counts[has_similar, what] / total
            assert got == pytest.approx(share, abs=0.02), (has_similar, what)


def test_similar_words_are_read_as_the_text_is(vocabulary, tmp_path):
    a, b, c = (text_of(FIRST_ID + i, 2) for i in (0, 10, 20))
    path = write_similar(
        tmp_path / "similar.txt",
        # The same word twice; itself; an unknown character; a blank line.
        [f"{a}\t{b} {c}", "", f" {a} \t{c}  {a} \u9fa5\u9fa5\r"],
    )
    flags = {"mask_unit": "macbert", "similar_words": path}
    similar = drawn.rules(vocabulary, **flags).similar
    word = FIRST_ID + np.arange(2, dtype=np.int32)
    state = mersenne.state(1)
    seen = set()
    for _ in range(50):
        begin = similar_words.draw(similar, word, state)
        seen.add(tuple(similar.ids[begin : begin + 2] - FIRST_ID))
    assert seen == {(10, 11), (20, 21)}
    assert similar_words.draw(similar, word + 1, state) == -1
    assert similar_words.draw(similar, word[:1], state) == -1


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        (["\u4e00\t\u4e01", "\u4e00 \u4e01"], ":2: .*a word, a tab"),
        (["\t\u4e01"], ":1: .*a word, a tab"),
        (["\u4e00\t "], ":1: .*a word, a tab"),
        (["\u4e00\t\u4e01\u4e02"], "none of its 1 pairs"),
        ([], "none of its 0 pairs"),
    ],
)
def test_a_bad_list_of_similar_words_is_refused(
    vocabulary, tmp_path, lines, words
):
    path = write_similar(tmp_path / "similar.txt", lines)
    with pytest.raises(ValueError, match=words):
        drawn.rules(vocabulary, mask_unit="macbert", similar_words=path)
    with pytest.raises(ValueError, match="no file"):
        drawn.rules(vocabulary, mask_unit="macbert", similar_words=path + "x")

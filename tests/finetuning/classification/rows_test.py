"""Rows equal those of google-research/bert's convert_single_example."""

import random

import numpy as np
import pytest

from finetuning.classification import rows
from tests import project
from text import tokenization, vocab

_LENGTH = 16


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory):
    words = [f"w{number}" for number in range(40)]
    folder = tmp_path_factory.mktemp("rows")
    return vocab.load(project.write_vocabulary(folder, words))


def _make(pairs, vocabulary, **settings):
    settings = {"max_seq_length": _LENGTH, "truncation": "head"} | settings
    return rows.make(
        pairs, tokenization.Tokenizer(vocabulary), vocabulary, **settings
    )


def _drop_one_by_one(first, second, room):
    first, second = list(first), list(second)
    while len(first) + len(second) > room:
        (first if len(first) > len(second) else second).pop()
    return first, second


def _expected(pair, ids):
    first, second = ((text or "").split() for text in pair)
    if second:
        first, second = _drop_one_by_one(first, second, _LENGTH - 3)
    else:
        first = first[: _LENGTH - 2]
    parts = [["[CLS]", *first, "[SEP]"], [*second, "[SEP]"] if second else []]
    tokens = [ids[token] for part in parts for token in part]
    padding = [0] * (_LENGTH - len(tokens))
    return {
        "input_ids": tokens + padding,
        "input_mask": [1] * len(tokens) + padding,
        "segment_ids": [0] * len(parts[0]) + [1] * len(parts[1]) + padding,
    }


def test_pairs_of_all_lengths_lose_their_last_tokens_one_by_one(vocabulary):
    rng = random.Random(0)

    def text(count):
        return " ".join(f"w{rng.randrange(40)}" for _ in range(count))

    pairs = [(text(m), text(n)) for m in range(1, 40) for n in range(40)]
    pairs += [(text(n), None) for n in range(40)] + [("w1\nw2", "w3\rw4")]
    made = _make(pairs, vocabulary)
    for row, pair in enumerate(pairs):
        for name, values in _expected(pair, vocabulary.ids).items():
            assert made[name][row].tolist() == values, (name, pair)


@pytest.mark.parametrize(
    "truncation, kept",
    [
        ("head", range(14)),
        ("tail", range(16, 30)),
        # 14 * 128 / 510 is 3.5.
        ("head_tail", (0, 1, 2, *range(19, 30))),
    ],
)
def test_what_is_kept_of_a_long_text(vocabulary, truncation, kept):
    text = " ".join(f"w{number}" for number in range(30))
    made = _make([(text, None)], vocabulary, truncation=truncation)
    tokens = [vocabulary.rows[number] for number in made["input_ids"][0]]
    assert tokens == ["[CLS]", *(f"w{number}" for number in kept), "[SEP]"]


def test_head_and_tail_are_the_published_ones_at_512(vocabulary):
    text = " ".join(f"w{number % 40}" for number in range(600))
    made = _make(
        [(text, None), ("w1 w2", None)],
        vocabulary,
        max_seq_length=512,
        truncation="head_tail",
    )
    words = text.split()
    kept = [vocabulary.ids[word] for word in words[:128] + words[-382:]]
    assert made["input_ids"][0, 1:-1].tolist() == kept
    assert np.count_nonzero(made["input_ids"][1]) == 4


def test_it_is_said_when_many_texts_are_cut(vocabulary, caplog):
    caplog.set_level("INFO", logger="absl")
    text = "w1 " * 20
    _make([(text, None), ("w1", None)], vocabulary)
    assert "1 of 2 rows (50%) are cut to --max_seq_length=16" in caplog.text
    assert "the longest has 22 tokens" in caplog.text
    assert "more than a quarter" in caplog.text
    assert "--truncation=head_tail" in caplog.text
    caplog.clear()
    _make([(text, None), *[("w1", None)] * 9], vocabulary)
    assert "more than a quarter" not in caplog.text

"""The best window of a token: the published rule, in memory for long texts."""

import random
import tracemalloc

import numpy as np
import pytest

from finetuning.question_answering import examples, windows
from tests.finetuning.question_answering import windows_test
from text import offsets, vocab

_CHARACTERS = list("天地玄黄宇宙洪荒")


@pytest.fixture(scope="module")
def tokenizer():
    return offsets.Tokenizer(vocab.load(windows_test.PATH), True)


def _make(tokenizer, lengths, query=1, **settings):
    """Windows of texts of so many tokens, each with a question."""
    rng = np.random.default_rng(sum(lengths))
    found = [
        examples.Example(
            str(n), "问" * query, "".join(rng.choice(_CHARACTERS, length))
        )
        for n, length in enumerate(lengths)
    ]
    return windows.make(found, tokenizer, **settings)


def _plain(lengths, query, *, max_seq_length, doc_stride, max_query_length):
    """google-research/bert's way, token by token, row by row."""
    query = min(query, max_query_length)
    rows = []
    for length in lengths:
        room = max_seq_length - query - 3
        spans = windows_test.plain_windows(length, room, doc_stride)
        for number, span in enumerate(spans):
            row = [False] * max_seq_length
            for n in range(span.length):
                best = windows_test.plain_best(spans, span.start + n)
                row[query + 2 + n] = best == number
            rows.append(row)
    return rows


@pytest.mark.parametrize("seed", range(40))
def test_random_sizes_give_what_the_plain_algorithm_gives(tokenizer, seed):
    rng = random.Random(seed)
    query = rng.randint(1, 6)
    settings = {
        "max_query_length": rng.randint(1, 6),
        # With every fourth seed each token begins a window of its own.
        "doc_stride": rng.randint(1, 30) if seed % 4 else 1,
    }
    room = rng.randint(1, 25)
    settings["max_seq_length"] = room + 3 + settings["max_query_length"]
    lengths = [rng.randrange(70) for _ in range(6)]
    lies = _make(tokenizer, lengths, query, **settings)
    found = windows.is_max_context(lies, settings["max_seq_length"])
    np.testing.assert_array_equal(
        found, np.array(_plain(lengths, query, **settings))
    )
    # Each token has one best row, whatever the windows.
    assert found.sum() == sum(lengths)


def _peak(tokenizer, num_tokens, doc_stride):
    """The most bytes in use at once, beyond what the answer itself takes."""
    lies = _make(
        tokenizer,
        [num_tokens],
        max_seq_length=384,
        doc_stride=doc_stride,
        max_query_length=64,
    )
    tracemalloc.start()
    try:
        found = windows.is_max_context(lies, 384)
        assert found.sum() == num_tokens
        return tracemalloc.get_traced_memory()[1] - found.nbytes
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("doc_stride", [1, 128])
def test_memory_grows_with_the_text_and_not_with_its_square(
    tokenizer, doc_stride
):
    num_tokens = 200_000 if doc_stride > 1 else 10_000
    small = _peak(tokenizer, num_tokens // 4, doc_stride)
    large = _peak(tokenizer, num_tokens, doc_stride)
    # A float and a number a token, and some numbers a row; rows times tokens
    # would be 0.3 and 0.1 GB, and sixteen times as much as of a quarter.
    assert large < 6 * small
    assert large < 400 * num_tokens

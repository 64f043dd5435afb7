"""The tokenizer in the graph gives the ids of text.tokenization."""

import random
import sys
import unicodedata

import numpy as np
import pytest
import tensorflow as tf

from interop import graph_tokenizer, saved_model_proof
from tests import project
from tests.interop import odd_texts
from text import corpus, tokenization, vocab

_SIGMAS = "ΣΣσςAa.'\u0301\u200d\u00ad -’中:ǅʰⅷ\u2028"


@pytest.fixture(scope="module", params=[True, False], ids=["uncased", "cased"])
def pair(request, tmp_path_factory):
    """(the tokenizer as a graph, ours) of the same vocabulary."""
    vocabulary = vocab.load(
        project.write_vocabulary(
            tmp_path_factory.mktemp("vocab"),
            (*project.sample_vocabulary(), *_SIGMAS, "\u0307", *_marks()),
        )
    )
    graph = graph_tokenizer.make(vocabulary, request.param)
    run = tf.function(graph, input_signature=[tf.TensorSpec([None], tf.string)])
    return run, tokenization.Tokenizer(vocabulary, request.param)


def _marks():
    """What Unicode puts in order and BERT, unlike accents, keeps."""
    return [
        character
        for character in map(chr, range(sys.maxunicode + 1))
        if unicodedata.combining(character)
        and unicodedata.category(character) != "Mn"
    ]


def _assert_equal(pair, texts):
    """For any bytes, also with line ends in them."""
    graph, ours = pair
    found = graph(tf.constant(texts, tf.string)).to_list()
    for text, ids in zip(texts, found, strict=True):
        wanted, _ = ours.tokenize(text.decode("utf-8", "ignore"))
        assert ids == wanted.tolist(), text[:60].decode("utf-8", "replace")


def _assert_lines_equal(pair, lines):
    """The same at once, for strings without line ends."""
    graph, ours = pair
    found = graph(tf.constant([line.encode() for line in lines]))
    ids, starts = ours.tokenize("\n".join(lines))
    np.testing.assert_array_equal(found.values, ids)
    np.testing.assert_array_equal(found.row_splits, starts)


def test_real_and_odd_texts(pair):
    _assert_equal(pair, list(saved_model_proof.TEXTS))
    _assert_lines_equal(pair, project.sample_lines())


def test_words_at_the_limits(pair):
    words = [b"a" * n for n in (1, 199, 200, 201, 400)]
    _assert_equal(pair, [*words, b" ".join(words), b"", b"\n\n", b"\x00"])
    graph, _ = pair
    assert graph(tf.constant([], tf.string)).to_list() == []


def test_sigmas_and_marks_in_every_order(pair):
    rng = random.Random(5)
    marks = [*_marks(), "\u0301", "\u0323", "\u200d", "a", "가", " ", "\u0344"]
    for characters in (_SIGMAS, marks):
        _assert_equal(
            pair,
            [
                "".join(rng.choices(characters, k=rng.randrange(12))).encode()
                for _ in range(3000)
            ],
        )


def test_bytes_that_are_no_utf8(pair):
    _assert_equal(pair, odd_texts.no_utf8(3000))


@pytest.mark.slow
def test_every_character(pair):
    for some in odd_texts.characters():
        _assert_lines_equal(pair, [f"a{c}Σ {c}a {c}" for c in some])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["zh", "en"])
def test_real_corpora_and_published_vocabularies(name):
    vocabulary = vocab.load(project.vocabulary(name))
    pair = (
        graph_tokenizer.make(vocabulary, True),
        tokenization.Tokenizer(vocabulary),
    )
    paths = sorted((project.shared() / "data").glob("corpus_*.txt.gz"))
    assert paths
    for path in paths:
        text = next(corpus.read_chunks(str(path), chunk_bytes=1 << 21))
        lines = text.removesuffix("\n").split("\n")
        for first in range(0, len(lines), 1000):
            _assert_lines_equal(pair, lines[first : first + 1000])

"""Copies of documents are counted as a set of their texts counts them."""

import itertools
import random

import numpy as np
import pytest

from data.building import duplicates
from data.building.instances import Corpus
from tests.data import warned


@pytest.fixture
def builder(tmp_path, caplog, capsys):
    return warned.Builder(tmp_path, caplog, capsys)


def corpus_of(documents):
    """Documents are lists of sentences, these of ids."""
    sentences = [x for document in documents for x in document]
    ends = [*itertools.accumulate(map(len, sentences), initial=0)]
    starts = [*itertools.accumulate(map(len, documents), initial=0)]
    return Corpus(
        np.array([x for line in sentences for x in line], np.uint16),
        np.zeros(0, np.bool_),
        np.array(ends),
        np.array(starts),
    )


def drawn(rng, number, num_different):
    """So many documents, with as many different ones at most."""
    different = [
        [
            [rng.randrange(65536) for _ in range(rng.randint(1, 9))]
            for _ in range(rng.randint(1, 4))
        ]
        for _ in range(num_different)
    ]
    return rng.choices(different, k=number)


def num_copies(documents):
    different = {tuple(itertools.chain(*document)) for document in documents}
    return len(documents) - len(different)


def test_a_shard_counts_what_a_set_counts():
    for seed in range(50):
        rng = random.Random(seed)
        documents = drawn(rng, rng.randint(1, 300), rng.randint(1, 300))
        number, lowest = duplicates.find(corpus_of(documents))
        assert number == num_copies(documents)
        assert duplicates.is_exact([lowest])
        assert duplicates.number(len(documents), number, [lowest]) == number


def test_documents_that_differ_a_little_are_none():
    one = [[1, 2, 3], [4]]
    others = [
        [[1, 2, 3]],
        [[1, 2, 4], [4]],
        [[2, 1, 3], [4]],
        [[1, 2, 3, 4, 0]],
    ]
    assert duplicates.find(corpus_of([one, *others]))[0] == 0
    zeros = [[[0] * length] for length in range(1, 100)]
    assert duplicates.find(corpus_of(zeros))[0] == 0
    # Where the lines end is no matter.
    assert duplicates.find(corpus_of([one, [[1, 2], [3, 4]]]))[0] == 1


@pytest.mark.parametrize(
    ("num_different", "most_off"), [(3_000, 0.02), (20_000, 0.04)]
)
@pytest.mark.parametrize("num_shards", [2, 8, 40])
def test_several_shards_are_estimated(num_different, most_off, num_shards):
    rng = random.Random(num_shards)
    documents = drawn(rng, 20_000, num_different)
    size = len(documents) // num_shards
    shards = [documents[k : k + size] for k in range(0, len(documents), size)]
    found = [duplicates.find(corpus_of(shard)) for shard in shards]
    hashes = [lowest for _, lowest in found]
    assert not duplicates.is_exact(hashes)
    within = sum(number for number, _ in found)
    estimate = duplicates.number(len(documents), within, hashes)
    wanted = num_copies(documents)
    assert within < wanted
    assert abs(estimate - wanted) < most_off * len(documents)


def test_several_small_shards_are_counted():
    rng = random.Random(3)
    documents = drawn(rng, 600, 300)
    shards = [documents[k : k + 100] for k in range(0, 600, 100)]
    found = [duplicates.find(corpus_of(shard)) for shard in shards]
    hashes = [lowest for _, lowest in found]
    assert duplicates.is_exact(hashes)
    within = sum(number for number, _ in found)
    assert duplicates.number(600, within, hashes) == num_copies(documents)


def test_the_summary_says_how_many(builder):
    documents = [["天地玄黄", "宇宙洪荒"], ["日月盈昃", "辰宿列张"], ["寒来"]]
    text = warned.text_of([*documents, documents[0], *documents])
    manifest, told, summary = builder.build(text)
    assert manifest.statistics["num_duplicate_documents"] == 4
    assert "duplicates         4 of the documents, 57.1%\n" in summary
    (copies,) = [x for x in told if "copies" in x]
    assert copies.startswith("4 of 7 documents are copies of others")
    _, told, summary = builder.build(warned.text_of(documents))
    assert "duplicates" not in summary and "copies" not in "".join(told)


def test_copies_in_other_shards_are_counted(builder, monkeypatch):
    monkeypatch.setattr("data.building.shards._BYTES_A_MEGABYTE", 1000)
    characters = map(chr, range(0x4E00, 0x9F00))
    documents = [
        ["".join(itertools.islice(characters, 30)) for _ in range(3)]
        for _ in range(20)
    ]
    text = warned.text_of(documents * 2)
    manifest, _, summary = builder.build(text, shard_megabytes=3)
    counts = [
        shard.counts["num_duplicate_documents"] for shard in manifest.shards
    ]
    assert len(counts) > 2 and sum(counts) == 0
    assert manifest.statistics["num_duplicate_documents"] == 20
    assert "duplicates         20 of the documents, 50.0%\n" in summary

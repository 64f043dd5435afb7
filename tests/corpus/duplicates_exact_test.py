"""Exact duplicates: those that a dictionary of texts finds."""

import random

import numpy as np
import pytest

from corpus.duplicates import exact


def find_plainly(texts):
    first = {}
    found = []
    for i, text in enumerate(texts):
        key = "".join(text.split())
        found.append(first.setdefault(key, i))
        if found[-1] == i:
            found[-1] = -1
    return found


@pytest.mark.parametrize("num_shards", [1, 3, 50])
@pytest.mark.parametrize("memory_bytes", [1000, 1 << 20])
def test_each_copy_names_the_first_of_its_text(num_shards, memory_bytes):
    rng = random.Random(num_shards)
    texts = [
        " ".join(
            rng.choices(["天", "地", "\n", "\u3000", "a"], k=rng.randint(0, 5))
        )
        for _ in range(300)
    ]
    bounds = np.linspace(0, len(texts), num_shards + 1).astype(int)
    shards = [
        exact.digests(texts[a:b])
        for a, b in zip(bounds[:-1], bounds[1:], strict=True)
    ]
    shards.insert(1, exact.digests([]))
    found = exact.find_exact(shards, memory_bytes)
    assert found.tolist() == find_plainly(texts)


def test_blanks_do_not_count_and_all_else_does():
    texts = ["天 地\n", "天\u3000地", "天地。", "天 地 ", "Ab", "ab", "\ud800"]
    digests = exact.digests(texts)
    assert digests.dtype == np.uint64 and digests.shape == (7, 2)
    assert exact.find_exact([digests]).tolist() == [-1, 0, -1, 0, -1, -1, -1]


def test_no_documents():
    assert exact.find_exact([]).tolist() == []
    assert exact.find_exact([exact.digests([])]).tolist() == []

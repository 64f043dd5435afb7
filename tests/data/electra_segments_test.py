"""The segments of --pair_task=electra are those of google's builder."""

import random

import numpy as np
import pytest

from data.building import instances, losses, mersenne, recipes
from tests.data.pairs_test import LENGTH, build_unmasked, sentences_of
from tests.data.records_test import make_rules

_SHORT = 0.05


def _google(documents, source, length):
    """google-research/electra's ExampleBuilder, written out.

    One thing is otherwise: where the second segment has begun, no later
    sentence goes to the first. The draws come in our order.
    """
    for document in documents:
        if source.random() < _SHORT:  # That of the other pair tasks.
            source.randint(2, length - 3)
        left = list(document)
        while left:
            target = length
            if source.random() < _SHORT:
                target = source.randint(5, length)
            current = [left.pop(0)]
            while left and sum(map(len, current)) < target:
                current.append(left.pop(0))
            goal = 100_000 if source.random() < 0.1 else (target - 3) // 2
            first, second = [], []
            for sentence in current:
                if not first or (
                    not second
                    and (
                        len(first) + len(sentence) < goal
                        or (len(first) < goal and source.random() < 0.5)
                    )
                ):
                    first += sentence
                else:
                    second += sentence
            first = first[: length - 2]
            yield first, second[: max(0, length - len(first) - 3)]


@pytest.mark.parametrize("most", [8, 30, 90])
def test_segments_are_those_of_googles_builder(most):
    source = random.Random(most)
    documents, token = [], 0
    for _ in range(300):
        document = []
        for _ in range(source.randint(1, 30)):
            size = source.randint(1, most)
            document.append(list(range(token, token + size)))
            token += size
        documents.append(document)
    sizes = [len(sentence) for document in documents for sentence in document]
    corpus = instances.Corpus(
        np.arange(token, dtype=np.int32),
        np.zeros(0, np.bool_),
        np.concatenate([[0], np.cumsum(sizes)]),
        np.concatenate([[0], np.cumsum([len(x) for x in documents])]),
    )
    rules = make_rules(64, 20, is_masked=False)._replace(
        pair_task=instances.ELECTRA, short_seq_prob=_SHORT
    )
    rows, size = instances.draw(
        corpus,
        np.arange(len(documents)),
        0,
        len(documents),
        rules,
        mersenne.state(7),
        np.empty((1, recipes.num_words(20, 100)), np.uint16),
        losses.no_marks(token),
    )
    found = []
    for row in rows[:size]:
        a, a_end, b, b_end = recipes.segments(row)
        found.append((list(range(a, a_end)), list(range(b, b_end))))
    wanted = list(_google(documents, random.Random(7), 64))
    assert found == wanted
    alone = np.mean([not b for _, b in wanted])
    assert 0.05 < alone < 0.6
    sizes = recipes.sizes(rows[:size], 3)[:, 0]
    assert sizes.tolist() == [len(a) + len(b) + 2 + bool(b) for a, b in wanted]


def test_records_hold_sentences_in_order(tmp_path):
    _, corpus, rows = build_unmasked(tmp_path, "electra")
    text = [
        [x for sentence in sentences_of(corpus, number) for x in sentence]
        for number in range(len(corpus.documents) - 1)
    ]
    lines = ["," + ",".join(map(str, document)) + "," for document in text]
    for a, b, label in rows:
        assert label == 0
        part = "," + ",".join(map(str, a + b)) + ","
        if len(a) + len(b) < LENGTH - 3:
            assert any(part in line for line in lines)
    assert 0 < sum(not b for _, b, _ in rows) < len(rows) / 2

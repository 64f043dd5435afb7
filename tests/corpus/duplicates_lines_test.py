"""Repeated lines: found as a plain count finds them, however they are cut."""

import collections
import random
import re

import numpy as np
import pytest

from corpus.document import Document
from corpus.duplicates import lines
from corpus.duplicates.config import RULES
from corpus.tally import Tally

NOTICE = "版权所有，未经本站许可不得转载"
ENGLISH = "Please read our terms of service, version 3."


def cut(items, num_shards, seed=0):
    """Cuts a list into shards in order, some of them empty."""
    rng = random.Random(seed)
    places = sorted(rng.randint(0, len(items)) for _ in range(num_shards - 1))
    bounds = [0, *places, len(items)]
    return [items[a:b] for a, b in zip(bounds[:-1], bounds[1:], strict=True)]


def drop(
    texts, num_shards, min_documents=3, memory_bytes=1 << 20, is_kept=None
):
    """What is left of the texts, and the tally."""
    kept = cut(
        np.ones(len(texts), bool) if is_kept is None else is_kept, num_shards
    )
    shards = cut(texts, num_shards)
    hashed = list(map(lines.hash_lines, shards))
    counts = list(map(lines.count, hashed, kept))
    repeated = lines.find_repeated(counts, 3, memory_bytes)
    left, tally = [], Tally()
    for i, (shard, found) in enumerate(zip(shards, hashed, strict=True)):
        marks = lines.repeats(repeated, i, found, kept[i])
        made = [Document(f"{i}", text) for text in shard]
        left += lines.without(made, found, marks, tally)
    return [document.text for document in left], tally


def folded(line):
    """A line as it is compared, written again; None where it is short."""
    line = re.sub(r"\d+", "0", re.sub(r"[\W_]", "", line.lower()))
    width = sum(2 if "\u4e00" <= x <= "\u9fff" else 1 for x in line)
    return line if width >= 20 else None


def drop_plainly(texts, min_documents):
    stands_in = collections.defaultdict(list)
    for i, text in enumerate(texts):
        for line in {folded(x) for x in text.split("\n")} - {None}:
            stands_in[line].append(i)
    left = []
    for i, text in enumerate(texts):
        kept = []
        for line in text.split("\n"):
            places = stands_in.get(folded(line), [])
            if len(places) < min_documents or places[0] == i:
                kept.append(line)
        left.append("\n".join(kept))
    return left


def drawn_texts(seed, num_texts=60):
    rng = random.Random(seed)
    pool = ["".join(rng.choices("天地玄黄宇宙洪荒", k=12)) for _ in range(40)]
    pool += [f"第{i}页，共 {i * 7} 页，请按任意键继续阅读" for i in range(9)]
    pool += ["好。", "", "—— —— ——", NOTICE, ENGLISH, ENGLISH.upper()]
    return [
        "\n".join(rng.choices(pool, k=rng.randint(0, 6)))
        for _ in range(num_texts)
    ]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("memory_bytes", [100, 1 << 20])
def test_what_goes_is_what_a_plain_count_says(seed, memory_bytes):
    texts = drawn_texts(seed)
    wanted = drop_plainly(texts, 3)
    assert wanted != texts
    for num_shards in (1, 2, 7):
        left, _ = drop(texts, num_shards, memory_bytes=memory_bytes)
        assert left == wanted


def test_the_first_document_keeps_a_line_as_often_as_it_has_it():
    texts = ["前言", f"{NOTICE}\n正文\n{NOTICE}", NOTICE, f"甲\n{NOTICE}\n乙"]
    left, tally = drop(texts, 2)
    assert left == ["前言", texts[1], "", "甲\n乙"]
    ((rule, count),) = tally
    assert rule in RULES and count.num == 2
    assert count.num_chars == 2 * len(NOTICE)
    assert {sample.text for sample in count.samples} == {NOTICE}


def test_a_line_in_fewer_documents_stays_and_so_do_short_ones():
    few = [NOTICE] * 2 + ["别的"] * 10 + ["他笑了笑，没有说话。"] * 10
    assert drop(few, 3)[0] == few


def test_numbers_case_and_marks_do_not_count():
    texts = ["第 3 页  共 12 页 请继续阅读后面的内容", "其一", "其二"]
    texts += ["第１５页，共1页！请继续阅读后面的内容。"]
    texts += ["请继续阅读后面的内容：第 9 页，共 8 页"]
    texts += ["第 7 页/共 8 页：请继续阅读后面的内容"]
    assert drop(texts, 2)[0] == [*texts[:3], "", texts[4], ""]


def test_copies_that_go_anyway_make_no_line_repeated():
    texts = ["这一篇文章有许多一模一样的副本"] * 20
    is_kept = np.arange(20) == 4
    assert drop(texts, 3, is_kept=is_kept)[0] == texts
    assert drop(texts, 3)[0] == [texts[0]] + [""] * 19


@pytest.mark.parametrize("texts", [[], [""], ["\n\n"], ["\ud800天" * 30] * 4])
def test_texts_of_nothing_and_of_lone_surrogates(texts):
    left, _ = drop(texts, 2)
    assert left == texts[:1] + ["" if x.strip() else x for x in texts[1:]]


def test_no_shards_have_no_repeated_lines():
    assert len(lines.find_repeated([], 2).hashes) == 0


def test_texts_of_many_blocks_hash_as_each_alone():
    texts = [NOTICE * 40_000 + f"\n{x}" for x in "天地玄黄"]
    together = lines.hash_lines(texts)
    alone = [lines.hash_lines([text]).hashes for text in texts]
    assert (together.hashes == np.concatenate(alone)).all()
    assert together.starts.tolist() == [0, 2, 4, 6, 8]

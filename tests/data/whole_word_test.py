"""Whole words are masked: records against jieba, asked by itself."""

import itertools

import numpy as np
import pytest

from tests import project
from tests.data import built
from tests.google_tokenization import FullTokenizer
from tests.text import segmentation_test, tokenization_test
from text import t2s

pytest.importorskip("jieba")


class Text:
    """Lines of text, their tokens one behind the other, where words begin."""

    def __init__(self, directory, lines, convert):
        rows = sorted(set("".join(map(convert, lines)).lower()))
        rows = [row for row in rows if row.strip()]
        path = project.write_vocabulary(
            directory, tokenization_test.with_pieces(rows)
        )
        plain = FullTokenizer(path)
        found = [
            segmentation_test.plain_begins(plain, convert(line))
            for line in lines
        ]
        kept = [i for i, begins in enumerate(found) if begins is not None]
        assert len(kept) > 0.98 * len(lines)
        ids = [plain.ids(convert(lines[i])) for i in kept]
        self._bytes = np.array(list(itertools.chain(*ids)), np.int32).tobytes()
        begins = itertools.chain(*(found[i] for i in kept))
        self._begins = np.fromiter(begins, bool)
        file = directory / "text.txt"
        file.write_text(
            "".join(f"{lines[i]}\n" for i in kept), encoding="utf-8"
        )
        self._flags = {"vocab_file": path, "input_file": str(file)}

    def build(self, directory, **flags):
        """The records of the text, masked by whole words."""
        flags = self._flags | {"do_whole_word_mask": True} | flags
        return itertools.chain(*built.run(directory, **flags))

    def places(self, ids):
        """Where tokens stand in the text: begins of words, for each place."""
        wanted = np.array(ids, np.int32).tobytes()
        place = self._bytes.find(wanted)
        while place >= 0:
            if place % 4 == 0:
                begins = self._begins[place // 4 :][: len(ids)].copy()
                # What truncation left of a word is a word.
                begins[0] = True
                yield begins
            place = self._bytes.find(wanted, place + 1)


def segments_of(record):
    """(ids before masking, is masked) of each of the two segments."""
    ids = np.array(record["input_ids"])
    is_masked = np.zeros(len(ids), bool)
    num_masks = int(sum(record["masked_lm_weights"]))
    places = record["masked_lm_positions"][:num_masks]
    ids[places] = record["masked_lm_ids"][:num_masks]
    is_masked[places] = True
    num_tokens = sum(record["input_mask"])
    num_second = sum(record["segment_ids"])
    bounds = [0, num_tokens - num_second, num_tokens]
    for first, last in ((1, bounds[1] - 1), (bounds[1], num_tokens - 1)):
        yield ids[first:last], is_masked[first:last]


def count(text, records):
    """{what: number}, over the segments of records."""
    counts = dict.fromkeys(("segments", "found", "whole", "words"), 0)
    for record in records:
        for ids, is_masked in segments_of(record):
            whole = []
            num_words = 0
            for begins in text.places(ids):
                words = np.split(is_masked, np.flatnonzero(begins)[1:])
                whole.append(all(w.all() or not w.any() for w in words))
                num_words = sum(len(w) > 1 and bool(w.all()) for w in words)
            counts["segments"] += 1
            counts["found"] += bool(whole)
            # A short segment may stand twice, and be cut otherwise there.
            counts["whole"] += any(whole)
            counts["words"] += num_words
    return counts


def lines_of(name, num_lines):
    if name == "samples":
        return project.sample_lines()
    return tokenization_test.corpus_lines(name)[:num_lines]


@pytest.mark.parametrize(
    ("name", "convert_t2s", "num_lines"),
    [
        ("samples", False, None),
        ("zh_tech", False, 2000),
        ("zh_mixed", False, 2000),
        ("zh_traditional", True, 1000),
        pytest.param("zh_tech", False, 23000, marks=pytest.mark.slow),
    ],
)
def test_words_are_masked_whole_or_not_at_all(
    tmp_path, name, convert_t2s, num_lines
):
    convert = t2s.to_simplified if convert_t2s else str
    text = Text(tmp_path, lines_of(name, num_lines), convert)
    records = text.build(
        tmp_path, word_segmenter="jieba", dupe_factor=1, t2s=convert_t2s
    )
    counts = count(text, records)
    assert counts["found"] == counts["whole"] == counts["segments"] > 50
    assert counts["words"] > 200


def test_words_are_masked_in_part_without_a_segmenter(tmp_path):
    text = Text(tmp_path, lines_of("samples", None), str)
    counts = count(text, text.build(tmp_path, dupe_factor=1))
    assert counts["found"] == counts["segments"] > 50
    assert counts["whole"] < 0.6 * counts["segments"]

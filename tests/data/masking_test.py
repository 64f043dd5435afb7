"""What must hold of masks and pairs, whatever was drawn."""

import itertools

import numpy as np
import pytest

from data.building import build, documents, shards
from tests import project
from tests.data import built
from text import tokenization, vocab

LENGTH, NUM_PREDICTIONS, PROB = 64, 10, 0.15


def build_all(directory, whole_word):
    settings = built.make_config(
        directory,
        dupe_factor=20,
        max_seq_length=LENGTH,
        max_predictions_per_seq=NUM_PREDICTIONS,
        masked_lm_prob=PROB,
        do_whole_word_mask=whole_word,
    )
    build.build(settings)
    vocabulary = vocab.load(settings.vocab_file)
    return vocabulary, built.read(settings.output_file)


@pytest.fixture(scope="module")
def by_token(tmp_path_factory):
    return build_all(tmp_path_factory.mktemp("by_token"), False)


@pytest.fixture(scope="module")
def by_word(tmp_path_factory):
    return build_all(tmp_path_factory.mktemp("by_word"), True)


def masks(record):
    """[(position, label, id now there)]"""
    count = int(sum(record["masked_lm_weights"]))
    positions = record["masked_lm_positions"][:count]
    labels = record["masked_lm_ids"][:count]
    return [
        (position, label, record["input_ids"][position])
        for position, label in zip(positions, labels, strict=True)
    ]


def original(record):
    """The ids before masking, without padding."""
    ids = record["input_ids"][: sum(record["input_mask"])]
    for position, label, _ in masks(record):
        ids[position] = label
    return ids


def test_labels_are_the_tokens_that_stood_there(by_token):
    vocabulary, records = by_token
    corpus = documents.read(
        [shards.Piece(path, 0, None) for path in project.SAMPLES],
        tokenization.Tokenizer(vocabulary),
        with_words=False,
        id_type=np.uint16,
        advance=lambda num_bytes: None,
    ).corpus
    text = corpus.ids.astype("<i4").tobytes()
    sep = vocabulary.ids["[SEP]"]
    for record in records:
        ids = original(record)
        middle = ids.index(sep)
        for segment in (ids[1:middle], ids[middle + 1 : -1]):
            assert segment
            assert np.array(segment, "<i4").tobytes() in text


def test_a_record_is_cls_a_sep_b_sep_and_padding(by_token):
    vocabulary, records = by_token
    cls, sep = vocabulary.ids["[CLS]"], vocabulary.ids["[SEP]"]
    for record in records:
        ids = original(record)
        assert ids[0] == cls and ids[-1] == sep
        assert ids.count(cls) == 1 and ids.count(sep) == 2
        middle = ids.index(sep)
        segments = [0] * (middle + 1) + [1] * (len(ids) - middle - 1)
        padding = [0] * (LENGTH - len(ids))
        assert record["input_mask"] == [1] * len(ids) + padding
        assert record["segment_ids"] == segments + padding
        assert record["input_ids"][len(ids) :] == padding


def test_cls_and_sep_are_never_masked_and_positions_ascend(by_token, by_word):
    for vocabulary, records in (by_token, by_word):
        special = {vocabulary.ids["[CLS]"], vocabulary.ids["[SEP]"]}
        for record in records:
            positions = [position for position, _, _ in masks(record)]
            assert positions == sorted(set(positions))
            assert not special & {label for _, label, _ in masks(record)}
            padding = NUM_PREDICTIONS - len(positions)
            assert record["masked_lm_ids"][len(positions) :] == [0] * padding
            assert record["masked_lm_positions"][len(positions) :] == (
                [0] * padding
            )


def test_the_number_of_masks_follows_the_length_and_the_limit(by_token):
    _, records = by_token
    seen = set()
    for record in records:
        num_tokens = sum(record["input_mask"])
        wanted = min(NUM_PREDICTIONS, max(1, round(num_tokens * PROB)))
        assert len(masks(record)) == wanted
        seen.add(num_tokens)
    # A half is rounded to the even side: 10 tokens at 0.15 get two masks.
    assert {10, 30, 50} & seen


def test_a_word_is_masked_whole_or_not_at_all(by_word):
    vocabulary, records = by_word
    sep = vocabulary.ids["[SEP]"]
    num_long = 0
    for record in records:
        ids = original(record)
        masked = {position for position, _, _ in masks(record)}
        middle = ids.index(sep)
        inner = [p for p in range(1, len(ids) - 1) if p != middle]
        words = []
        for position in inner:
            # The published rule: a piece at the head of B, which truncation
            # cut from its word, goes with the last word of A.
            if words and vocabulary.rows[ids[position]].startswith("##"):
                words[-1].append(position)
            else:
                words.append([position])
        for word in words:
            assert len(masked & set(word)) in (0, len(word))
            num_long += len(word) > 1 and word[0] in masked
        limit = min(NUM_PREDICTIONS, max(1, round(len(ids) * PROB)))
        assert len(masked) <= limit
    assert num_long > 100


def test_eight_masks_of_ten_are_hidden_one_is_kept_one_is_random(by_token):
    vocabulary, records = by_token
    all_masks = list(itertools.chain(*map(masks, records)))
    hidden = sum(now == vocabulary.ids["[MASK]"] for _, _, now in all_masks)
    kept = sum(now == label for _, label, now in all_masks)
    assert len(all_masks) > 5000
    assert hidden / len(all_masks) == pytest.approx(0.8, abs=0.02)
    assert kept / len(all_masks) == pytest.approx(0.1, abs=0.015)
    strange = {
        now
        for _, label, now in all_masks
        if now not in (label, vocabulary.ids["[MASK]"])
    }
    # Any row may be drawn, even one that no text holds.
    assert len(strange) > 300


def test_about_half_of_the_pairs_are_true_neighbours(by_token):
    _, records = by_token
    labels = [record["next_sentence_labels"][0] for record in records]
    assert 0.45 < sum(labels) / len(labels) < 0.65

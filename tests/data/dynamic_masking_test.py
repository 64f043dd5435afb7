"""Masks of the input pipeline: those of the builder in law, new ever again."""

import collections
import itertools

import numpy as np
import pytest
import tensorflow as tf

from data import config, records
from data.feeding import dynamic_masking
from data.laws import LAWS
from data.manifest import Manifest
from storage import typed_json
from tests.data import drawn, unmasked

LENGTH, MASK_ID, VOCAB_SIZE = 40, 4, 3000
MANIFEST = typed_json.make(
    Manifest, unmasked.MANIFEST | {"vocab_size": VOCAB_SIZE, "files": {}}
)
# Laws of similar words are the builder's alone.
UNITS = tuple(name for name, law in LAWS.items() if not law.takes_similar)


def parser(seed=1, length=LENGTH, fall=None, **flags):
    flags = {"max_predictions_per_seq": 12} | flags
    return tf.function(
        dynamic_masking.parse_fn(
            config.MaskingConfig(**flags),
            max_seq_length=length,
            manifest=MANIFEST,
            seed=seed,
            fall=fall,
        ),
        input_signature=[
            tf.TensorSpec([None], tf.int64),
            tf.TensorSpec([None], tf.string),
        ],
    )


def masked(rows, parse, numbers=None):
    """Features of rows, as numpy; their numbers count from 0."""
    if numbers is None:
        numbers = range(len(rows))
    serialized = [unmasked.serialize(*row) for row in rows]
    features = parse(tf.constant(numbers, tf.int64), tf.constant(serialized))
    return {name: value.numpy() for name, value in features.items()}


@pytest.fixture(scope="module")
def rows():
    return unmasked.rows(400, 1, LENGTH, VOCAB_SIZE)


def words(row):
    """The words of a record as lists of positions."""
    ids, num_first, word_starts, _ = row
    parts = []
    for position in range(1, len(ids) - 1):
        if position == num_first - 1:
            continue
        if word_starts[position] or position in (1, num_first):
            parts.append([])
        parts[-1].append(position)
    return parts


@pytest.mark.parametrize("unit", UNITS)
def test_features_are_those_of_masked_records(rows, unit):
    features = masked(rows, parser(mask_unit=unit))
    assert list(features) == [f.name for f in records.PRETRAINING_FEATURES]
    for index, (ids, num_first, _, label) in enumerate(rows):
        length = len(ids)
        row = features["input_ids"][index].copy()
        for position, (was, _) in unmasked.masks_of(features, index).items():
            row[position] = was
        assert row[:length].tolist() == ids.tolist()
        segments = [0] * num_first + [1] * (length - num_first)
        padding = [0] * (LENGTH - length)
        assert row[length:].tolist() == padding
        assert features["input_mask"][index].tolist() == [1] * length + padding
        assert features["segment_ids"][index].tolist() == segments + padding
        assert features["next_sentence_labels"][index] == label
        count = int(features["masked_lm_weights"][index].sum())
        for name in ("masked_lm_weights", "masked_lm_positions"):
            assert not features[name][index][count:].any()
        assert not features["masked_lm_ids"][index][count:].any()


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize(("most", "prob"), [(12, 0.15), (3, 0.5), (60, 1.0)])
def test_tokens_are_masked_as_far_as_the_budget_goes(rows, unit, most, prob):
    features = masked(
        rows,
        parser(
            mask_unit=unit, max_predictions_per_seq=most, masked_lm_prob=prob
        ),
    )
    assert features["masked_lm_ids"].shape == (len(rows), most)
    for index, (ids, num_first, _, _) in enumerate(rows):
        wanted = min(most, max(1, round(len(ids) * prob)))
        masks = unmasked.masks_of(features, index)
        assert len(masks) == min(wanted, len(ids) - 3)
        assert not masks.keys() & {0, num_first - 1, len(ids) - 1}


@pytest.mark.parametrize("unit", UNITS)
def test_words_are_masked_whole_or_not_at_all(rows, unit):
    features = masked(rows, parser(mask_unit=unit, do_whole_word_mask=True))
    num_long = 0
    for index, row in enumerate(rows):
        masks = unmasked.masks_of(features, index)
        assert len(masks) <= min(12, max(1, round(len(row[0]) * 0.15)))
        for word in words(row):
            assert len(masks.keys() & set(word)) in (0, len(word))
            num_long += len(word) > 1 and word[0] in masks
    assert num_long > 100


def test_a_record_of_one_segment_is_masked_up_to_its_end():
    ids = np.arange(5, 5 + 20)
    features = masked([(ids, 20)] * 200, parser(masked_lm_prob=0.5))
    seen = set()
    for index in range(200):
        seen |= unmasked.masks_of(features, index).keys()
    assert seen == set(range(1, 19))
    assert not features["segment_ids"].any()


@pytest.mark.parametrize("whole_word", [False, True])
@pytest.mark.parametrize("unit", UNITS)
def test_masks_follow_the_law_of_the_builders(tmp_path, unit, whole_word):
    """Two programs, one law: how often each position is masked, in which runs.

    Both draw 4000 times for the same row, of two segments of uneven words.
    """
    count, sep = 4000, 17
    flags = {
        "mask_unit": unit,
        "do_whole_word_mask": whole_word,
        "masked_lm_prob": 0.25,
        "max_predictions_per_seq": 12,
    }
    rules = drawn.rules(
        drawn.vocabulary(tmp_path),
        word_segmenter="spaces" if whole_word else "none",
        **flags,
    )
    begins = np.random.default_rng(3).random(LENGTH) < 0.6
    draws = drawn.Draws(rules, LENGTH, sep, begins)
    statics = [masks.keys() for masks in draws.many(count)]
    features = masked([(draws.row, sep + 1, begins)] * count, parser(**flags))
    dynamics = [
        unmasked.masks_of(features, index).keys() for index in range(count)
    ]
    for position in range(LENGTH):
        shares = [
            sum(position in masks for masks in drawn_by) / count
            for drawn_by in (statics, dynamics)
        ]
        assert shares[0] == pytest.approx(shares[1], abs=0.04), position
    lengths = [
        collections.Counter(
            len(run) for masks in drawn_by for run in drawn.runs(sorted(masks))
        )
        for drawn_by in (statics, dynamics)
    ]
    for length in lengths[0] | lengths[1]:
        shares = [n[length] / n.total() for n in lengths]
        assert shares[0] == pytest.approx(shares[1], abs=0.015), length


# Hidden and kept; of the others eight and one of ten are, and one is random.
SHARES = {"electra": (0.85, 0.15)}


@pytest.mark.parametrize("unit", UNITS)
def test_eight_of_ten_are_hidden_one_is_kept_one_is_random(rows, unit):
    numbers = range(10 * len(rows))
    flags = {"mask_unit": unit, "masked_lm_prob": 0.3}
    features = masked(rows * 10, parser(**flags), numbers)
    masks = [
        unmasked.masks_of(features, index).items()
        for index in range(len(numbers))
    ]
    pairs = [pair for _, pair in itertools.chain(*masks)]
    hidden = sum(now == MASK_ID for _, now in pairs) / len(pairs)
    kept = sum(now == was for was, now in pairs) / len(pairs)
    assert len(pairs) > 20_000
    shares = SHARES.get(unit, (0.8, 0.1))
    assert (hidden, kept) == pytest.approx(shares, abs=0.015)
    changed = {now for was, now in pairs if now not in (MASK_ID, was)}
    if sum(shares) == 1:
        assert not changed
        return
    assert len(changed) > 1000 and max(changed) < VOCAB_SIZE
    assert min(changed) < 5
    features = masked(
        rows * 10, parser(random_words="no_specials", **flags), numbers
    )
    now = [unmasked.masks_of(features, i).values() for i in range(len(numbers))]
    assert min(now for _, now in itertools.chain(*now)) == MASK_ID


def test_a_span_is_hidden_kept_or_changed_as_one(rows):
    features = masked(rows, parser(mask_unit="span", masked_lm_prob=0.08))
    num_mixed = num_runs = 0
    for index in range(len(rows)):
        masks = unmasked.masks_of(features, index)
        for run in drawn.runs(masks):
            kinds = {
                1 if now == MASK_ID else 2 * (now == was)
                for was, now in map(masks.get, run)
            }
            num_runs += len(run) > 1
            num_mixed += len(kinds) > 1
    # Two that touch look like one.
    assert num_runs > 100 and num_mixed < num_runs / 10


@pytest.mark.parametrize("unit", UNITS)
def test_masks_are_a_function_of_seed_and_number(rows, unit):
    flags = {"mask_unit": unit, "do_whole_word_mask": True}
    first = masked(rows, parser(**flags))["input_ids"]
    alone = [
        masked([row], parser(**flags), [number])["input_ids"][0]
        for number, row in enumerate(rows[:20])
    ]
    assert (first[:20] == alone).all()
    others = (
        masked(rows, parser(**flags), range(400, 800)),
        masked(rows, parser(**flags), range(1 << 40, (1 << 40) + 400)),
        masked(rows, parser(seed=2, **flags)),
    )
    for other in others:
        is_same = (first == other["input_ids"]).all(axis=1)
        assert is_same.mean() < 0.2


def test_the_share_of_masks_goes_in_a_line_to_its_end(rows):
    """As each record were masked by a parser of the share at its place."""
    row = rows[-5]
    numbers = [0, 50, 100, 150, 200, 5000]
    fall = dynamic_masking.Fall(0.1, last_record=200, first_record=50)
    flags = {"max_predictions_per_seq": LENGTH, "do_whole_word_mask": True}
    falling = masked(
        [row] * len(numbers),
        parser(fall=fall, masked_lm_prob=0.4, **flags),
        numbers,
    )
    for index, prob in enumerate([0.4, 0.4, 0.3, 0.2, 0.1, 0.1]):
        alone = masked(
            [row], parser(masked_lm_prob=prob, **flags), numbers[index:][:1]
        )
        assert unmasked.masks_of(falling, index) == unmasked.masks_of(alone, 0)


def test_what_the_masks_cannot_be_drawn_from_is_refused(rows):
    with pytest.raises(ValueError, match="--masking=static"):
        parser(mask_unit="macbert")
    with pytest.raises(tf.errors.InvalidArgumentError, match="max_seq_length"):
        masked(rows, parser(length=20))

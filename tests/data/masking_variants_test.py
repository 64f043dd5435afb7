"""What must hold of each unit of masking, from draws on rows made for it."""

import collections

import numpy as np
import pytest

from data import laws
from tests import project
from tests.data import built, drawn
from text import tokenization, vocab

UNITS = tuple(laws.LAWS)


@pytest.fixture(scope="module")
def vocabulary(tmp_path_factory):
    return drawn.vocabulary(tmp_path_factory.mktemp("vocabulary"))


def words(draws):
    """The words of a row as lists of positions."""
    parts = []
    for position in range(1, len(draws.row) - 1):
        if position == draws.sep:
            continue
        is_first = position in (1, draws.sep + 1)
        if is_first or draws.begins[position]:
            parts.append([])
        parts[-1].append(position)
    return parts


@pytest.mark.parametrize("unit", UNITS)
def test_tokens_are_masked_as_far_as_the_budget_goes(vocabulary, unit):
    for num_tokens in (3, 5, 10, 30, 50, 127):
        for prob, most in ((0.15, 20), (0.15, 4), (0.5, 300), (0.0, 7)):
            rules = drawn.rules(
                vocabulary,
                mask_unit=unit,
                masked_lm_prob=prob,
                max_predictions_per_seq=most,
            )
            wanted = min(most, max(1, round(num_tokens * prob)))
            for sep in {num_tokens // 2, num_tokens - 1}:
                inner = {*range(1, num_tokens - 1)} - {sep}
                for masks in drawn.Draws(rules, num_tokens, sep).many(20):
                    assert len(masks) == min(wanted, len(inner))
                    assert masks.keys() <= inner


@pytest.mark.parametrize("unit", UNITS)
def test_words_are_masked_whole_or_not_at_all(vocabulary, unit):
    rng = np.random.default_rng(1)
    rules = drawn.rules(
        vocabulary,
        mask_unit=unit,
        do_whole_word_mask=True,
        word_segmenter="spaces",
        max_predictions_per_seq=12,
    )
    num_long = 0
    for seed in range(40):
        begins = rng.random(90) < 0.4
        draws = drawn.Draws(rules, 90, 50, begins, seed)
        for masks in draws.many(10):
            assert len(masks) <= 12
            for word in words(draws):
                assert len(masks.keys() & set(word)) in (0, len(word))
                num_long += len(word) > 1 and word[0] in masks
    assert num_long > 300


def test_a_piece_behind_sep_goes_with_a_only_without_a_segmenter(vocabulary):
    begins = np.ones(9, np.bool_)
    begins[5] = False
    together = {}
    for segmenter, unit in (
        ("none", "word"),
        ("spaces", "word"),
        ("none", "ngram"),
    ):
        rules = drawn.rules(
            vocabulary,
            mask_unit=unit,
            do_whole_word_mask=True,
            word_segmenter=segmenter,
            masked_lm_prob=0.3,
        )
        masks = drawn.Draws(rules, 9, 4, begins).many(200)
        together[segmenter, unit] = [(3 in d) == (5 in d) for d in masks]
    assert all(together["none", "word"])
    assert not all(together["spaces", "word"])
    assert not all(together["none", "ngram"])


# Lan et al. 2020, section 4.1; Joshi et al. 2020, section 3.1 and figure 2;
# Cui et al. 2020, section 3.
LAWS = {
    "word": {1: 1.0},
    "electra": {1: 1.0},
    "ngram": {1: 6 / 11, 2: 3 / 11, 3: 2 / 11},
    "macbert": {1: 0.4, 2: 0.3, 3: 0.2, 4: 0.1},
    "span": {1: 0.22, 2: 0.18, 3: 0.14, 4: 0.11, 5: 0.09},
}


@pytest.fixture(scope="module")
def long_runs(vocabulary):
    """A function: 100 draws on rows so long that runs hardly ever touch."""

    def draw(unit, **flags):
        rules = drawn.rules(
            vocabulary,
            mask_unit=unit,
            max_predictions_per_seq=400,
            masked_lm_prob=1.0,
            **flags,
        )
        return drawn.Draws(rules, 1 << 15).many(100)

    return draw


@pytest.mark.parametrize("unit", UNITS)
def test_the_lengths_of_runs_follow_the_published_law(long_runs, unit):
    lengths = [
        len(run) for masks in long_runs(unit) for run in drawn.runs(masks)
    ]
    shares = collections.Counter(lengths)
    for length, share in LAWS[unit].items():
        assert shares[length] / len(lengths) == pytest.approx(share, abs=0.02)
    if unit == "span":
        assert np.mean(lengths) == pytest.approx(3.8, abs=0.1)


def what_stands_there(draws, mask_id):
    """Counts of what stands at masked places: hidden, kept or changed."""
    return collections.Counter(
        "hidden" if now == mask_id else "kept" if kept else "changed"
        for masks in draws
        for kept, now in (
            (now == drawn.FIRST_ID + place, now) for place, now in masks.items()
        )
    )


@pytest.mark.parametrize("unit", ["word", "ngram", "span"])
def test_eight_of_ten_are_hidden_one_is_kept_one_is_changed(long_runs, unit):
    draws = long_runs(unit)
    counts = what_stands_there(draws, 4)
    assert sum(counts.values()) == 40_000
    for what, share in (("hidden", 0.8), ("kept", 0.1), ("changed", 0.1)):
        assert counts[what] / 40_000 == pytest.approx(share, abs=0.015)


def test_a_span_is_hidden_kept_or_changed_as_one_and_an_ngram_is_not(long_runs):
    mixed = {}
    for unit in ("span", "ngram"):
        parts = [
            what_stands_there([{p: masks[p] for p in run}], 4)
            for masks in long_runs(unit)
            for run in drawn.runs(masks)
            if len(run) > 1
        ]
        mixed[unit] = sum(len(counts) > 1 for counts in parts) / len(parts)
    # Those that touch look like one.
    assert mixed["span"] < 0.02
    assert mixed["ngram"] > 0.3


def test_a_span_ends_with_its_segment(vocabulary):
    """Of a token on each side of [SEP], each is hidden by a draw of its own."""
    rules = drawn.rules(vocabulary, mask_unit="span", masked_lm_prob=0.8)
    draws = drawn.Draws(rules, 5, sep=2).many(5000)
    both = sum(masks[1] == masks[3] == 4 for masks in draws) / len(draws)
    assert both == pytest.approx(0.8 * 0.8, abs=0.025)


@pytest.mark.parametrize("unit", UNITS)
def test_special_ids_are_drawn_unless_they_are_left_out(long_runs, unit):
    if not laws.LAWS[unit].shares[2]:
        assert special_ids_drawn(long_runs(unit)) == {4}
        return
    assert len(special_ids_drawn(long_runs(unit)) - {4}) > 3
    ids = special_ids_drawn(long_runs(unit, random_words="no_specials"))
    assert ids == ({4} if unit != "macbert" else set())


def special_ids_drawn(draws):
    return {i for masks in draws for i in masks.values() if i < drawn.FIRST_ID}


def test_a_vocabulary_of_special_rows_leaves_no_random_words(tmp_path):
    path = project.write_vocabulary(tmp_path, ["[unused1]"])
    with pytest.raises(ValueError, match="--random_words=all"):
        drawn.rules(vocab.load(path), random_words="no_specials")


@pytest.mark.parametrize("unit", UNITS)
def test_the_same_seed_draws_the_same_masks(vocabulary, unit):
    rules = drawn.rules(vocabulary, mask_unit=unit)
    first, same, other = (
        drawn.Draws(rules, 128, 60, seed=seed).many(5) for seed in (1, 1, 2)
    )
    assert first == same != other


@pytest.mark.parametrize("unit", UNITS)
def test_records_hold_the_tokens_that_stood_there(tmp_path, unit):
    (records,) = built.run(tmp_path, mask_unit=unit, do_whole_word_mask=True)
    vocabulary = vocab.load(str(tmp_path / "vocab.txt"))
    tokenizer = tokenization.Tokenizer(vocabulary)
    ids, _ = tokenizer.tokenize("\n".join(project.sample_lines()))
    text = ids.astype("<i4").tobytes()
    for record in records:
        row = record["input_ids"][: sum(record["input_mask"])]
        count = int(sum(record["masked_lm_weights"]))
        assert count <= min(20, max(1, round(len(row) * 0.15)))
        for k in range(count):
            row[record["masked_lm_positions"][k]] = record["masked_lm_ids"][k]
        middle = row.index(vocabulary.ids["[SEP]"])
        for segment in (row[1:middle], row[middle + 1 : -1]):
            assert np.array(segment, "<i4").tobytes() in text

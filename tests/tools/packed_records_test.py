"""Records of several sequences are checked and counted by their sequences."""

import numpy as np
import pytest

from tests.tools import recorded
from tools.inspection import findings, page, report

N = 6
FLAGS = {"t2s": True, "short_seq_prob": 0.8, "dupe_factor": 3}


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """(path, vocabulary, manifest) of packed records."""
    directory = tmp_path_factory.mktemp("sound")
    path, manifest = recorded.build_samples(
        directory, pack_sequences=N, **FLAGS
    )
    return path, str(directory / "vocab.txt"), manifest


@pytest.fixture(scope="module")
def few(sound):
    """Some of these records, each of several sequences."""
    rows = [
        record
        for record in recorded.serialized(sound[0])
        if recorded.values_of(record, "next_sentence_weights")[1]
    ]
    return rows[: recorded.NUM_FEW]


@pytest.mark.parametrize(
    "flags",
    [
        {},
        {"do_whole_word_mask": True, "pair_task": "sop"},
        {"pair_task": "none", "mask_unit": "span", "gzip_compress": True},
        {"pack_sequences": 1, "max_seq_length": 64},
    ],
    ids=str,
)
def test_what_the_builder_packs_is_sound(tmp_path, flags):
    flags = {"pack_sequences": N} | FLAGS | flags
    path, manifest = recorded.build_samples(tmp_path, **flags)
    for options in {}, {"vocab_file": str(tmp_path / "vocab.txt")}:
        inspection = recorded.inspect(path, **options)
        assert not inspection.found.number(findings.ERROR), report.text(
            inspection
        )
        counts, stated = inspection.statistics, manifest.statistics
        assert counts.num_records == stated["num_records"]
        assert counts.num_sequences == stated["num_sequences"]


def test_numbers_are_those_of_the_same_build_without_packing(tmp_path, sound):
    path, vocabulary, manifest = sound
    plain, _ = recorded.build_samples(tmp_path, **FLAGS)
    inspection = recorded.inspect(path, vocab_file=vocabulary)
    got = inspection.statistics
    wanted = recorded.inspect(plain, vocab_file=vocabulary).statistics
    assert got.num_sequences == wanted.num_records > got.num_records
    for name in ("num_tokens", "num_unk", "num_pairs", "num_label_1"):
        assert getattr(got, name) == getattr(wanted, name)
    for name in ("lengths", "masks", "labels", "shown_as", "unk_records"):
        np.testing.assert_array_equal(getattr(got, name), getattr(wanted, name))
    assert got.num_same == wanted.num_same
    padding = 1 - got.num_tokens / got.num_places
    assert padding == manifest.statistics["padding_rate"]
    mean = got.num_sequences / got.num_records
    assert f"{got.num_sequences:,}, {mean:.2f} a record" in report.text(
        inspection
    )


def test_a_sample_says_which_sequence_it_is_and_shows_no_other(sound):
    path, vocabulary, _ = sound
    inspection = recorded.inspect(path, vocab_file=vocabulary, num_samples=2000)
    shown = {
        (rows.numbers[0], rows.sequences[0])
        for _, _, rows in inspection.statistics.samples
    }
    wanted = {
        (number, sequence)
        for number, record in enumerate(recorded.serialized(path))
        for sequence in range(max(recorded.values_of(record, "input_mask")))
    }
    assert shown == wanted
    cls_id = inspection.statistics.special_ids["cls"]
    for _, _, rows in inspection.statistics.samples:
        tokens = rows.text[0, : rows.num_tokens[0]]
        assert np.count_nonzero(tokens == cls_id) == 1
    text = page.make(inspection)
    assert "<span>record 0, sequence 1</span>" in text
    assert "padding</div>" not in text


def with_value(place, value):
    def change(values):
        values[place] = value
        return values

    return change


def second_start(record):
    return recorded.values_of(record, "next_sentence_positions")[1]


@pytest.mark.parametrize(
    ("name", "change", "rule"),
    [
        ("input_mask", with_value(0, 0), "sequences"),
        ("input_mask", with_value(3, 2), "sequences"),
        ("input_mask", with_value(5, -1), "sequences"),
        ("input_mask", with_value(-1, N + 3), "sequences"),
        ("next_sentence_positions", with_value(1, 1), "sequence positions"),
        ("next_sentence_positions", with_value(0, 7), "sequence positions"),
        ("next_sentence_labels", with_value(-1, 1), "sequence labels"),
        ("next_sentence_labels", with_value(1, 2), "next_sentence_labels"),
        ("next_sentence_weights", with_value(1, 0.0), "sequence weights"),
        ("next_sentence_weights", with_value(-1, 1.0), "sequence weights"),
        ("masked_lm_weights", with_value(0, 0.0), "weights"),
        ("masked_lm_positions", with_value(1, 0), "positions"),
        ("masked_lm_positions", with_value(0, 1 << 40), "positions"),
        ("masked_lm_positions", with_value(0, -1), "positions"),
        ("masked_lm_ids", with_value(-1, 1), "labels behind"),
        ("segment_ids", with_value(1, 1), "segment_ids"),
        ("input_ids", with_value(0, 9), "[CLS]"),
    ],
)
def test_a_wrong_record_is_named(tmp_path, sound, few, name, change, rule):
    rows = list(few)
    rows[3] = recorded.changed(
        rows[3], name, change(recorded.values_of(rows[3], name))
    )
    path = recorded.write(tmp_path / "changed", rows)
    inspection = recorded.inspect(path, vocab_file=sound[1])
    assert rule in inspection.found.counts
    assert {record for _, record in recorded.places(inspection)} == {3}
    assert len(few) - 1 <= inspection.statistics.num_records <= len(few)


def test_a_mask_on_the_cls_of_a_second_sequence_is_found(tmp_path, sound, few):
    start = second_start(few[0])
    numbers = recorded.values_of(few[0], "input_mask")
    places = recorded.values_of(few[0], "masked_lm_positions")
    first = next(k for k, p in enumerate(places) if numbers[p] == 2)
    places[first] = start
    wrong = recorded.changed(few[0], "masked_lm_positions", places)
    path = recorded.write(tmp_path / "changed", [wrong, *few[1:]])
    inspection = recorded.inspect(path, vocab_file=sound[1])
    assert recorded.places(inspection) == {
        (findings.RULES["positions"].title, 0)
    }


def test_packed_and_other_records_are_not_for_one_training(tmp_path, sound):
    plain, _ = recorded.build_samples(tmp_path, **FLAGS)
    inspection = recorded.inspect(sound[0], plain, vocab_file=sound[1])
    assert "other lengths" in inspection.found.counts

"""Every kind of mistake in a record is found, and the record is named."""

import pytest

from tests import tiny
from tests.data import unmasked
from tests.tools import recorded
from tools.inspection import findings

_WRONG = 3  # The record that the tests change.


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """(records, vocabulary) that nothing is wrong with."""
    directory = tmp_path_factory.mktemp("sound")
    path, _ = recorded.build_samples(directory, t2s=True)
    return recorded.serialized(path), str(directory / "vocab.txt")


def last_of(record, name="input_mask"):
    """The position of the last token."""
    return sum(recorded.values_of(record, name)) - 1


def put(name, place, value):
    """A change of one value of a feature; `place` may ask the record."""

    def change(record):
        values = recorded.values_of(record, name)
        index = place(record) if callable(place) else place
        values[index] = value(record) if callable(value) else value
        return recorded.changed(record, name, values)

    return change


def end_of_first(record):
    return last_of(record) - sum(recorded.values_of(record, "segment_ids"))


def unmasked_place(record):
    masked = recorded.values_of(record, "masked_lm_positions")
    ends = {0, end_of_first(record), last_of(record)}
    return next(n for n in range(200) if n not in ends | set(masked))


_CHANGES = {
    "input_mask": put("input_mask", 2, 0),
    "segment_ids": put("segment_ids", last_of, 2),
    "padding": put("input_ids", -1, 7),
    "id": put("input_ids", 1, 99_999),
    "label id": put("masked_lm_ids", 0, -1),
    "weights": put("masked_lm_weights", 0, 0.5),
    "labels behind": put("masked_lm_ids", -1, 9),
    "next_sentence_labels": put("next_sentence_labels", 0, 2),
    "[CLS]": put("input_ids", 0, 8),
    "[SEP]": put("input_ids", end_of_first, 8),
    "special": put("input_ids", unmasked_place, 4),
    "label": put("masked_lm_ids", 0, 2),
    "features": lambda x: recorded.changed(x, "segment_ids", None),
    "kind": lambda x: recorded.changed(x, "input_ids", [0.5] * 128),
    "length": lambda x: recorded.changed(x, "input_ids", [1] * 127),
    "example": lambda x: x[:-1],
}


@pytest.mark.parametrize("rule", _CHANGES)
def test_a_wrong_record_is_named_with_what_is_wrong(tmp_path, sound, rule):
    records = sound[0][: recorded.NUM_FEW]
    # Padding, and places for masks that are not used, are in a short one.
    short = min(sound[0], key=last_of)
    records[_WRONG] = _CHANGES[rule](short)
    path = recorded.write(tmp_path / "a", records)
    inspection = recorded.inspect(path, vocab_file=sound[1])
    title = findings.RULES[rule].title
    assert (title, _WRONG) in recorded.places(inspection)
    assert {number for _, number in recorded.places(inspection)} == {_WRONG}
    assert inspection.statistics.num_records == len(records) - 1


@pytest.mark.parametrize(
    "place",
    [
        lambda record: 0,
        last_of,
        end_of_first,
        lambda record: last_of(record) + 1,
        lambda record: -1,
        lambda record: 1 << 40,
        lambda record: recorded.values_of(record, "masked_lm_positions")[1],
    ],
)
def test_masks_stand_in_the_text_in_order(tmp_path, sound, place):
    records = sound[0][: recorded.NUM_FEW]
    records[_WRONG] = put("masked_lm_positions", 0, place)(records[_WRONG])
    path = recorded.write(tmp_path / "a", records)
    inspection = recorded.inspect(path, vocab_file=sound[1])
    title = findings.RULES["positions"].title
    assert recorded.places(inspection) == {(title, _WRONG)}


_DYNAMIC_CHANGES = {
    "first_segment_tokens": put("first_segment_tokens", 0, 99),
    "segments": put("first_segment_tokens", 0, 2),
    "[SEP]": put("input_ids", -1, 8),
    "special": put("input_ids", 1, 4),
    "id": put("input_ids", 1, tiny.VOCAB_SIZE),
    "next_sentence_labels": put("next_sentence_labels", 0, -1),
    "word_starts": put("word_starts", 0, b"\xff\xff"),
    "length": lambda x: unmasked.serialize([2, *[9] * 20, 3], 22),
}


@pytest.mark.parametrize("rule", _DYNAMIC_CHANGES)
def test_a_wrong_record_without_masks_is_named(tmp_path, rule):
    path = str(tmp_path / "a")
    records = [unmasked.serialize(*row) for row in unmasked.rows(8)]
    records[_WRONG] = _DYNAMIC_CHANGES[rule](records[_WRONG])
    recorded.write(path, records)
    unmasked.write_manifest(path, len(records))
    inspection = recorded.inspect(path)
    title = findings.RULES[rule].title
    assert (title, _WRONG) in recorded.places(inspection)
    assert {number for _, number in recorded.places(inspection)} == {_WRONG}

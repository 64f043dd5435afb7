"""The report and the page say what the builder said of the text."""

import json

import pytest

from tests.tools import recorded
from tools.inspection import page, report


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """(path, vocabulary, manifest) of records of samples/."""
    directory = tmp_path_factory.mktemp("made")
    path, manifest = recorded.build_samples(directory, max_seq_length=64)
    return path, str(directory / "vocab.txt"), manifest


def rows_of(inspection):
    return dict(report.numbers(inspection))


def test_what_was_lost_and_unknown_is_what_the_builder_counted(made):
    path, vocabulary, manifest = made
    inspection = recorded.inspect(path, vocab_file=vocabulary)
    rows = rows_of(inspection)
    lost = manifest.statistics["num_lost_tokens"]
    share = lost / manifest.statistics["num_tokens"]
    assert lost > 0
    assert rows["lost to truncation"] == (
        f"{lost:,} tokens, {share:.1%} of the text"
    )
    said = report.text(inspection)
    assert f"lost to truncation {lost:,} tokens" in said
    assert len(manifest.unk_characters) == 10
    told = rows["[UNK] characters"].split(", ")
    assert len(told) == 10
    for (character, number), shown in zip(
        manifest.unk_characters.items(), told, strict=True
    ):
        assert shown == f"{character} {number:,}"
    shown = page.make(inspection)
    assert "lost to truncation" in shown and f"{share:.1%}" in shown
    assert "Characters that became [UNK]" in shown and "未登录字符" in shown


@pytest.mark.parametrize(
    "unk_characters", [None, {}, {"": 0}, {"<odd>": 2, "\u200b": 1}]
)
@pytest.mark.parametrize("counts", [None, {}, {"lost_rate": 0.5}])
def test_a_manifest_that_says_less_is_read(
    made, tmp_path, unk_characters, counts
):
    path = recorded.copy_of(made[0], tmp_path)
    place = f"{path}.manifest.json"
    with open(place, encoding="utf-8") as file:
        value = json.load(file)
    del value["unk_characters"], value["statistics"]
    if unk_characters is not None:
        value["unk_characters"] = unk_characters
    if counts is not None:
        value["statistics"] = counts
    with open(place, "w", encoding="utf-8") as file:
        json.dump(value, file)
    inspection = recorded.inspect(path)
    assert "lost to truncation" not in rows_of(inspection)
    shown = page.make(inspection)
    assert "<odd>" not in shown
    has_card = bool(unk_characters and any(unk_characters.values()))
    assert ("Characters that became [UNK]" in shown) == has_card


def test_records_without_a_mask_say_so(made, tmp_path):
    records = recorded.serialized(made[0])[:20]
    for name in ("masked_lm_positions", "masked_lm_ids", "masked_lm_weights"):
        records = [
            recorded.changed(
                record, name, [0 * x for x in recorded.values_of(record, name)]
            )
            for record in records
        ]
    path = recorded.write(tmp_path / "a", records)
    rows = rows_of(recorded.inspect(path))
    assert rows["masked"] == "0.0% of the tokens"
    assert rows["masks"] == "0.0 a sequence"
    assert "shown as" not in rows and "labels" not in rows

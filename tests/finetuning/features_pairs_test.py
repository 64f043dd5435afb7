"""Which lines are pairs of texts: those of google-research/bert, no other."""

import random
import re

import pytest

from finetuning import features
from tests.finetuning import features_test, tiny_task


def _google(line):
    """extract_features.py, read_examples."""
    line = line.strip()
    found = re.match(r"^(.*) \|\|\| (.*)$", line)
    if found is None:
        return line, None
    return found.group(1), found.group(2)


_PUBLISHED = {
    "a ||| b ||| c": ("a ||| b", "c"),
    "a|||b": ("a|||b", None),
    "||| x": ("||| x", None),
    "x |||": ("x |||", None),
    "a ||| b": ("a", "b"),
    "  a ||| b  ": ("a", "b"),
    "a |||b": ("a |||b", None),
    "a\t|||\tb": ("a\t|||\tb", None),
    "a |||| b": ("a |||| b", None),
    "a ||| ||| b": ("a |||", "b"),
    "||| ||| |||": ("|||", "|||"),
    "": ("", None),
    "|||": ("|||", None),
}


def _write(path, lines):
    path.write_text("".join(f"{x}\n" for x in lines), encoding="utf-8")
    return str(path)


def test_bars_part_a_pair_where_google_research_parts_it(tmp_path):
    assert {line: _google(line) for line in _PUBLISHED} == _PUBLISHED
    path = _write(tmp_path / "in.txt", _PUBLISHED)
    assert features._read(path) == [*_PUBLISHED.values()]


def test_random_lines_are_parted_as_by_google_research(tmp_path):
    rng = random.Random(5)
    parts = ["|", "||", "|||", " ", "  ", " ||| ", "a", "好", "\t", "b c"]
    lines = [
        "".join(rng.choices(parts, k=rng.randrange(9))) for _ in range(999)
    ]
    wanted = [_google(line) for line in lines]
    assert sum(second is not None for _, second in wanted) > 100
    path = _write(tmp_path / "in.txt", [*lines, "end"])
    assert features._read(path) == [*wanted, ("end", None)]


def test_tokens_and_segments_of_a_file_are_the_published_ones(tmp_path):
    tiny_task.write_inputs(tmp_path)
    features_test.write_model(tmp_path)
    rows = {
        "w1 ||| w2 ||| w3": "[CLS] w1 | | | w2 [SEP] w3 [SEP]",
        "w1|||w2": "[CLS] w1 | | | w2 [SEP]",
        "||| w4": "[CLS] | | | w4 [SEP]",
        "w4 |||": "[CLS] w4 | | | [SEP]",
        "w1 ||| w2": "[CLS] w1 [SEP] w2 [SEP]",
        # A second text of which no token is left has no [SEP].
        "w1 ||| \u200b": "[CLS] w1 [SEP]",
    }
    vocabulary = (tmp_path / "vocab.txt").read_text().replace("w95", "|")
    (tmp_path / "vocab.txt").write_text(vocabulary)
    _write(tmp_path / "texts.txt", rows)
    lines = features_test.run(tmp_path, "out.jsonl", layers="-1")
    found = [[x["token"] for x in line["features"]] for line in lines]
    assert found == [tokens.split() for tokens in rows.values()]


@pytest.mark.parametrize("ending", ["jsonl", "npz"])
def test_a_place_that_cannot_be_written_is_told_before_the_model_is_read(
    tmp_path, ending
):
    """Neither the model nor the texts are there to be read."""
    file = tmp_path / "file"
    file.touch()
    folder = tmp_path / f"folder.{ending}"
    folder.mkdir()
    for path, words in (
        (folder, f"--output_file={folder} is a folder; name a file"),
        (file / f"x.{ending}", f"--output_file: {file}: "),
    ):
        with pytest.raises(ValueError, match=re.escape(words)):
            features_test.run(tmp_path, str(path.relative_to(tmp_path)))


def test_a_missing_folder_is_made(tmp_path):
    tiny_task.write_inputs(tmp_path)
    features_test.write_model(tmp_path)
    _write(tmp_path / "texts.txt", ["w1"])
    assert len(features_test.run(tmp_path, "a/b/out.jsonl", layers="-1")) == 1

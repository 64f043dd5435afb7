"""What a build tells of its text: forms of files, [UNK], and how many files."""

import dataclasses
import gzip
import json
import pathlib

import pytest

from data import manifest
from data.building import build
from tests import project
from tests.data import built, warned
from tests.data.stoppable import Build

LINES = [["春天的雨下得很细", "我们去看海"], ["船很小", "海很大"]]
TEXT = warned.text_of(LINES * 3)
FORMS = {
    "JSON lines": json.dumps({"text": TEXT}, ensure_ascii=False) + "\n",
    "HTML": f"<html><body>\n{TEXT}</body></html>\n",
    "WikiExtractor <doc>": f'<doc id="1" title="海">\n{TEXT}</doc>\n',
    "WARC": f"WARC/1.0\r\nWARC-Type: conversion\r\n\r\n{TEXT}",
}


@pytest.fixture
def builder(tmp_path, caplog, capsys):
    return warned.Builder(tmp_path, caplog, capsys)


@pytest.mark.parametrize("encoding", ["UTF-8", "GB18030", ".gz"])
@pytest.mark.parametrize("form", FORMS)
def test_what_is_no_sentences_is_warned_of_and_built(builder, form, encoding):
    data = FORMS[form].encode(encoding if encoding[0] != "." else "UTF-8")
    name = "wrapped.txt"
    flags = {"encoding": encoding}
    if encoding == ".gz":
        name, data, flags = name + encoding, gzip.compress(data), {}
    path = builder.path.with_name(name)
    path.write_bytes(data)
    builder.path.write_bytes(TEXT.encode(flags.get("encoding", "UTF-8")))
    settings = built.make_config(
        builder.path.parent, input_file=f"{builder.path},{path}", **flags
    )
    assert build.build(settings).statistics["num_records"]
    (told,) = [x for x in builder.warnings() if "seem to be" in x]
    assert told.startswith(
        f"1 of the 2 files looked at seem to be {form}, the first is {path}: "
    )
    assert "prepare_corpus.py" in told
    # Built already: nothing is trained on anew.
    builder._caplog.clear()
    build.build(settings)
    assert not builder.warnings()


def test_what_cannot_be_read_is_named_beside_the_error(builder):
    builder.path.write_bytes(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n" * 99)
    with pytest.raises(ValueError, match="not UTF-8 at byte"):
        builder.build(None)
    (told,) = builder.warnings()
    assert "1 of the 1 files looked at seem to be PDF" in told


def test_sentences_are_not_warned_of(builder):
    _, told, _ = builder.build(TEXT)
    assert not [x for x in told if "looked at" in x]


def test_of_very_many_files_some_are_looked_at(builder, monkeypatch):
    monkeypatch.setattr(build, "_LOOKED_AT", 10)
    paths = [builder.path.with_name(f"{k:03d}.txt") for k in range(95)]
    for path in paths:
        path.write_text(FORMS["HTML"], encoding="utf-8")
    _, told, _ = builder.build(
        TEXT, input_file=str(builder.path.with_name("0*.txt"))
    )
    (told,) = [x for x in told if "seem to be" in x]
    assert told.startswith("10 of the 10 files looked at seem to be HTML, ")


def test_files_are_counted_not_names(builder):
    other = builder.path.with_name("other.txt")
    other.write_text(TEXT, encoding="utf-8")
    files = f"{builder.path},{other},{builder.path}"
    manifest, _, summary = builder.build(TEXT, input_file=files)
    assert manifest.num_input_files == 2
    assert " in 2 file(s), 1 shard(s)\n" in summary
    builder.path.write_text("\n")
    with pytest.raises(ValueError, match=r"no sentence in 1 file\(s\)"):
        builder.build(None, input_file=f"{builder.path},{builder.path}")


def test_characters_without_a_row_are_listed(builder):
    text = warned.text_of([["天地龘龘", "日月\u9f98é"], ["天😀", "é地"]] * 3)
    rows = ["天", "地", "日", "月"]
    manifest, told, summary = builder.build(text, rows, do_lower_case=False)
    wanted = {"龘": 9, "é": 6, "😀": 3}
    assert manifest.unk_characters == wanted
    assert list(manifest.unk_characters) == ["龘", "é", "😀"]
    assert manifest.statistics["num_unk_tokens"] == sum(wanted.values())
    assert "[UNK] characters   龘 9, é 6, 😀 3\n" in summary
    (unk,) = [x for x in told if "tokens are [UNK]" in x]
    assert "% of the tokens are [UNK], most of them for 龘 9, é 6, 😀" in unk
    manifest, _, summary = builder.build(TEXT)
    assert manifest.unk_characters == {}
    assert "[UNK] characters" not in summary


def test_characters_of_several_shards_add_up(builder, monkeypatch):
    monkeypatch.setattr("data.building.shards._BYTES_A_MEGABYTE", 1000)
    text = warned.text_of([["天地" * 20 + "龘", "天" * 40 + "魑"]] * 20)
    manifest, *_ = builder.build(text, ["天", "地"], shard_megabytes=2)
    assert len(manifest.shards) > 2
    assert manifest.unk_characters == {"魑": 20, "龘": 20}


def test_no_mask_at_all_is_told_of_whatever_was_asked_for(builder):
    manifest, told, summary = builder.build(
        warned.text_of([["天地玄黄宇宙洪荒日月盈昃辰宿列张" * 2] * 3] * 3),
        pair_task="none",
        masked_lm_prob=0.0,
        do_whole_word_mask=True,
        word_segmenter="spaces",
    )
    assert manifest.statistics["num_masks"] == 0
    assert [x for x in told if x.startswith("0.0% OF THE TOKENS ARE MASKED")]
    assert "masked             0.0% of the tokens\n" in summary


def records_of(made):
    """The files of records, without the manifest."""
    return {
        name: data
        for name, data in made.contents().items()
        if not name.endswith(".json")
    }


def old(value):
    """A manifest or an entry as it was before anything here was counted."""
    new = ("longest_line", "unk_characters", "document_hashes")
    value = {k: x for k, x in value.items() if k not in new}
    for counts in ("counts", "statistics"):
        value[counts] = {
            name: number
            for name, number in value.get(counts, {}).items()
            if "lost" not in name
            and "alone" not in name
            and "duplicate" not in name
        }
    for source in value.get("inputs", ()):
        source.pop("num_lines", None)
    return value


def test_a_build_goes_on_from_one_that_counted_less(tmp_path, monkeypatch):
    made = Build(tmp_path, 1, monkeypatch)
    flags = {"pair_task": "nsp", "max_seq_length": 16}
    made.run(**flags)
    wanted = records_of(made)
    path = pathlib.Path(manifest.path_of(made.settings(**flags)))
    whole = manifest.read(str(path))
    assert {"lost_rate", "num_duplicate_documents"} <= whole.statistics.keys()
    made.clear()
    assert made.is_killed(5, **flags)
    (entry, *_) = sorted(made.folder.rglob("*.unfinished/*.json"))
    entry.write_text(json.dumps(old(json.loads(entry.read_text()))))
    made.run(**flags)
    assert records_of(made) == wanted
    found = manifest.read(str(path))
    left = {
        name: number
        for name, number in whole.statistics.items()
        if "lost" not in name
        and "alone" not in name
        and "duplicate" not in name
    }
    assert found.statistics == left
    assert found.unk_characters is None
    # And a finished one is the same build.
    plain = json.loads(path.read_text())
    plain["shards"] = [old(x) for x in plain["shards"]]
    path.write_text(json.dumps(old(plain)))
    assert made.run(**flags) == set()
    assert manifest.read(str(path)).statistics == left


def test_lines_that_were_not_counted_are_counted_from_a_byte(
    builder, monkeypatch
):
    monkeypatch.setattr("data.building.shards._BYTES_A_MEGABYTE", 1000)
    documents = [["天地" * 20] * 3] * 20
    documents[15] = ["天" * 900]
    manifest, told, _ = builder.build(
        warned.text_of(documents), shard_megabytes=2
    )
    assert [x for x in told if f"{builder.path}:61 with 900 tokens" in x]
    settings = built.make_config(
        builder.path.parent,
        input_file=str(builder.path),
        shard_megabytes=2,
    )
    shards = [
        dataclasses.replace(
            shard,
            inputs=[
                dataclasses.replace(x, num_lines=None) for x in shard.inputs
            ],
        )
        for shard in manifest.shards
    ]
    pieces = build.shards.cut(settings, [str(builder.path)])
    place = build.advice.longest_line(pieces, shards)
    (begin,) = [
        text.pieces[0].begin
        for text, shard in zip(pieces, shards, strict=True)
        if shard.longest_line.num_tokens == 900
    ]
    rest = builder.path.read_bytes()[begin:].split(b"\n")
    number = 1 + rest.index(("天" * 900).encode())
    assert place == (
        f"{builder.path}:{number} from byte {begin:,} on with 900 tokens"
    )
    blank = [dataclasses.replace(x, longest_line=None) for x in shards]
    assert build.advice.longest_line(pieces, blank) == "not known"


def test_the_samples_are_plain_text():
    for path in project.SAMPLES:
        assert build.content.look(pathlib.Path(path).read_bytes()) is None

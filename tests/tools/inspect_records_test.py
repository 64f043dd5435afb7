"""Wrong records are found and named; sound ones are counted right."""

import html.parser
import json
import pathlib
import re
import subprocess
import sys

import numpy as np
import pytest

from tests import project, tiny
from tests.tools import recorded
from tools import inspect_records
from tools.inspection import findings, inspecting, report


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    """(path, vocabulary, manifest) of records that nothing is wrong with."""
    directory = tmp_path_factory.mktemp("sound")
    path, manifest = recorded.build_samples(directory, t2s=True)
    return path, str(directory / "vocab.txt"), manifest


@pytest.fixture(scope="module")
def few(sound):
    """A few of these records, serialized."""
    return recorded.serialized(sound[0])[: recorded.NUM_FEW]


def rules_of(inspection):
    return set(inspection.found.counts)


def test_numbers_are_those_that_the_builder_counted(sound):
    path, vocabulary, manifest = sound
    counts = recorded.inspect(path, vocab_file=vocabulary).statistics
    stated = manifest.statistics
    assert counts.num_records == stated["num_records"] > 100
    num_tokens = counts.num_tokens
    assert num_tokens / counts.num_records == stated["mean_tokens"]
    assert 1 - num_tokens / counts.num_places == stated["padding_rate"]
    assert counts.num_masks / num_tokens == stated["masked_rate"]
    rate = counts.num_label_1 / counts.num_pairs
    assert rate == stated["random_next_rate"]
    labels = [
        label
        for record in recorded.serialized(path)
        for label in recorded.values_of(record, "masked_lm_ids")
        if label
    ]
    assert counts.labels.tolist() == np.bincount(labels).tolist()


@pytest.mark.parametrize(
    "flags",
    [
        {},
        {"do_whole_word_mask": True},
        {"pair_task": "sop", "mask_unit": "ngram"},
        {"pair_task": "none", "mask_unit": "span"},
        {"pair_task": "electra", "mask_unit": "electra"},
        {"mask_unit": "macbert", "random_words": "no_specials"},
        {"masking": "dynamic"},
        {"masking": "dynamic", "pair_task": "none"},
        {"gzip_compress": True},
    ],
    ids=str,
)
def test_what_the_builder_writes_is_sound(tmp_path, flags):
    path, _ = recorded.build_samples(tmp_path, t2s=True, **flags)
    vocabulary = str(tmp_path / "vocab.txt")
    for options in ({}, {"vocab_file": vocabulary}):
        inspection = recorded.inspect(path, **options)
        assert inspection.statistics.num_records > 100
        assert not inspection.found.number(findings.ERROR), report.text(
            inspection
        )
        assert "replaced" not in rules_of(inspection)


def test_records_are_sound_without_their_manifest(tmp_path, few):
    path = recorded.write(tmp_path / "a", few)
    inspection = recorded.inspect(path)
    assert not inspection.found.number(findings.ERROR)
    assert inspection.statistics.num_records == recorded.NUM_FEW


def test_other_features_are_told_of_and_no_error(tmp_path, few):
    records = [recorded.changed(x, "token_boundary", [1, 0]) for x in few]
    inspection = recorded.inspect(recorded.write(tmp_path / "a", records))
    assert "token_boundary" in report.text(inspection)
    assert not inspection.found.number(findings.ERROR)
    assert inspection.statistics.num_records == len(records)


def test_masks_left_out_are_found_by_the_flags_of_the_build(tmp_path, sound):
    path = recorded.copy_of(sound[0], tmp_path)
    records = recorded.serialized(path)
    wrong = 3
    names = ("masked_lm_positions", "masked_lm_ids", "masked_lm_weights")
    for name in names:
        values = recorded.values_of(records[wrong], name)
        num_masks = sum(map(bool, values))
        values[num_masks - 1] = 0 * values[0]
        records[wrong] = recorded.changed(records[wrong], name, values)
    # [MASK] may stand where the label was; put a word there.
    labels = recorded.values_of(records[0], "masked_lm_ids")
    ids = recorded.values_of(records[wrong], "input_ids")
    masked = recorded.values_of(records[wrong], names[0])
    ids = [
        labels[0] if token == 4 and place not in masked else token
        for place, token in enumerate(ids)
    ]
    records[wrong] = recorded.changed(records[wrong], "input_ids", ids)
    recorded.write(path, records)
    inspection = recorded.inspect(path, vocab_file=sound[1])
    title = findings.RULES["masks"].title
    assert (title, wrong) in recorded.places(inspection)


def test_a_manifest_of_other_records_is_found(tmp_path, sound, few):
    path = recorded.copy_of(sound[0], tmp_path)
    recorded.write(path, few)
    other = project.write_vocabulary(tmp_path, ["a"], "other.txt")
    stated = pathlib.Path(path + ".manifest.json")
    changed = json.loads(stated.read_text()) | {"max_seq_length": 64}
    stated.write_text(json.dumps(changed))
    rules = rules_of(recorded.inspect(path, vocab_file=other))
    for name in ("count", "bytes", "lengths", "vocabulary"):
        assert f"manifest {name}" in rules
    stated.write_text("{")
    assert rules_of(recorded.inspect(path)) == {"manifest"}


def test_files_that_differ_in_length_are_found(tmp_path, few):
    one = recorded.write(tmp_path / "a", few)
    other = tiny.write_records(tmp_path / "b", 3)
    assert "other lengths" in rules_of(recorded.inspect(one, other))


def test_what_is_no_record_file_is_an_error_and_no_traceback(tmp_path):
    (tmp_path / "text").write_bytes(b"a text of more than twelve bytes\n")
    (tmp_path / "empty").touch()
    other = recorded.write(tmp_path / "other", [b"", b"\xff" * 40])
    inspection = recorded.inspect(
        tmp_path / "text", tmp_path / "empty", tmp_path / "other"
    )
    wanted = {"length checksum", "empty", "features", "example"}
    assert rules_of(inspection) & wanted >= {"length checksum", "empty"}
    assert inspection.found.of_files[other]


def test_useless_records_are_warned_of(tmp_path, sound):
    records = recorded.serialized(sound[0])
    # Every label the same, one text again and again, hardly a token.
    short = min(records, key=lambda x: sum(recorded.values_of(x, "input_mask")))
    short = recorded.changed(short, "next_sentence_labels", [1])
    path = recorded.write(tmp_path / "a", [short] * 200)
    inspection = recorded.inspect(path, vocab_file=sound[1])
    assert not inspection.found.number(findings.ERROR)
    assert inspection.statistics.num_same == 199
    rules = rules_of(inspection)
    assert rules >= {"one label", "same text", "padding share", "replaced"}


def test_only_the_first_few_findings_of_a_kind_are_shown(tmp_path, few):
    wrong = recorded.changed(few[0], "next_sentence_labels", [2])
    path = recorded.write(tmp_path / "a", [wrong] * 2000)
    said = report.text(recorded.inspect(path))
    assert said.count(" record ") == findings.MAX_SHOWN
    assert "(2,000)" in said and "... and 1,990 more" in said


def test_a_short_look_reads_the_first_records(sound):
    (file,) = recorded.inspect(sound[0], max_records=5).files
    assert file.num_records == 5


class _Page(html.parser.HTMLParser):
    """Notes the text of a page, its attributes and whether tags close."""

    _VOID = ("meta",)

    def __init__(self, text):
        super().__init__()
        self.open, self.attributes, self.text = [], {}, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.attributes.update(attrs)
        if tag not in self._VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.attributes.update(attrs)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def test_the_page_is_whole_and_shows_markup_as_text(tmp_path, sound, few):
    rows = pathlib.Path(sound[1]).read_text().split("\n")
    common = np.bincount(recorded.values_of(few[0], "input_ids")[1:])
    common[:5] = 0
    rows[common.argmax()] = "<script>&"
    vocabulary = tmp_path / "vocab.txt"
    vocabulary.write_text("\n".join(rows))
    records = [*few, recorded.changed(few[0], "next_sentence_labels", [2])]
    path = recorded.write(tmp_path / "<i>.tfrecord", records)
    page = tmp_path / "page.html"
    config = inspect_records.InspectConfig(
        vocab_file=str(vocabulary), html=str(page)
    )
    assert not inspecting.run([path], config)
    text = page.read_text()
    read = _Page(text)
    assert not read.open and "not sound: 1 error" in "".join(read.text)
    assert "<script" not in text and "<script>&" in "".join(read.text)
    assert not {"src", "href", "onload"} & set(read.attributes)
    assert not re.search(r"url\(|@import|https?:", text)
    assert text.count("<article") == recorded.NUM_FEW
    assert not inspecting.run([path], config)
    assert page.read_text() == text


@pytest.mark.parametrize("masking", ["static", "dynamic"])
def test_the_page_tells_how_the_records_were_built(tmp_path, masking):
    path, manifest = recorded.build_samples(
        tmp_path, masking=masking, pair_task="sop"
    )
    page = tmp_path / "page.html"
    config = inspect_records.InspectConfig(
        vocab_file=str(tmp_path / "vocab.txt"), html=str(page), num_samples=7
    )
    assert inspecting.run([path], config)
    text = "\n".join(_Page(page.read_text()).text)
    for name, value in manifest.made_from.flags.items():
        assert f"--{name}={value}" in text
    for name in project.SAMPLES:
        assert pathlib.Path(name).name in text
    drawn = [int(number) for number in re.findall(r"record (\d+)\n", text)]
    assert len(set(drawn)) == 7 and drawn == sorted(drawn)
    # Each label stands in the chart, in its tip and at its records.
    for number, label in enumerate(("A and B in order", "A and B swapped")):
        labels = [
            int(recorded.values_of(record, "next_sentence_labels")[0])
            for row, record in enumerate(recorded.serialized(path))
            if row in drawn
        ]
        assert text.count(label) == 2 + labels.count(number)


def test_the_program_ends_with_a_status_and_one_line(tmp_path, few):
    good = recorded.write(tmp_path / "good", few)
    bad = recorded.write(tmp_path / "bad", [few[0][:-1]])
    program = [sys.executable, "-m", "tools.inspect_records"]

    def run(*arguments):
        return subprocess.run(
            [*program, *arguments],
            env=project.environment(),
            cwd=project.ROOT,
            capture_output=True,
            text=True,
        )

    done = run(good)
    assert done.returncode == 0 and done.stdout.endswith("\nsound\n")
    done = run(good, bad)
    assert done.returncode == 1 and f"{bad} record 0" in done.stdout
    done = run(str(tmp_path / "none*"))
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "error: --FILE: no file matches" in done.stderr.splitlines()[-1]

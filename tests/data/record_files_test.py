"""Record files that a trainer cannot use are refused, each by name."""

import gzip
import json
import os
import zlib

import numpy as np
import pytest
import tensorflow as tf

from data.feeding import record_checks, record_files
from tests import tiny
from tests.data import unmasked

_SIZES = {
    "max_seq_length": tiny.NUM_TOKENS,
    "max_predictions_per_seq": tiny.NUM_PREDICTIONS,
    "vocab_size": tiny.VOCAB_SIZE,
}


def _write_manifest(path, **changes):
    entry = {"num_records": 7, "num_bytes": os.path.getsize(path)}
    manifest = _SIZES | {
        "compression": "",
        "made_from": {},
        "files": {os.path.basename(path): entry},
    }
    with open(path + ".manifest.json", "w") as file:
        json.dump(manifest | changes, file)


@pytest.mark.parametrize("compression", ["", "GZIP"])
def test_records_are_counted_without_a_manifest(tmp_path, compression):
    path = tiny.write_records(tmp_path / "a", 7, compression=compression)
    (file,) = record_files.find(path)
    assert (file.compression, file.num_records) == (compression, 7)
    record_checks.check([file], **_SIZES)


def test_a_manifest_spares_the_counting(tmp_path):
    path = tiny.write_records(tmp_path / "a", 3)
    _write_manifest(path)
    (file,) = record_files.find(path)
    assert file.num_records == 7


@pytest.mark.parametrize("with_manifest", [False, True])
@pytest.mark.parametrize("cut_bytes", [1, 5, 200])
def test_a_truncated_file_is_named_with_the_byte_offset(
    tmp_path, cut_bytes, with_manifest
):
    path = tiny.write_records(tmp_path / "a", 3)
    if with_manifest:
        _write_manifest(path)
    third = 2 * os.path.getsize(path) // 3
    size = os.path.getsize(path)
    os.truncate(path, size - cut_bytes)
    with pytest.raises(ValueError, match=f"{path} is truncated") as raised:
        record_files.find(path)
    words = str(raised.value).split()
    offset = int(words[words.index("offset") + 1])
    assert abs(offset - third) < 30


def test_a_file_that_ends_between_records_is_found_by_its_manifest(tmp_path):
    path = tiny.write_records(tmp_path / "a", 3)
    _write_manifest(path)
    tiny.write_records(path, 2)
    with pytest.raises(ValueError, match="bytes where its manifest says"):
        record_files.find(path)


def test_a_truncated_gzip_file_is_named(tmp_path):
    path = tiny.write_records(tmp_path / "a", 3, compression="GZIP")
    os.truncate(path, os.path.getsize(path) - 20)
    with pytest.raises(ValueError, match=f"{path} is truncated"):
        record_files.find(path)


def test_what_is_no_record_file_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("a text of more than twelve bytes\n")
    with pytest.raises(ValueError, match="no TFRecord file"):
        record_files.find(str(tmp_path / "a.txt"))
    with gzip.open(tmp_path / "b.gz", "wb") as file:
        file.write(b"a text of more than twelve bytes")
    with pytest.raises(ValueError, match="no TFRecord file"):
        record_files.find(str(tmp_path / "b.gz"))
    (tmp_path / "empty").touch()
    with pytest.raises(ValueError, match="have no records"):
        record_files.find(str(tmp_path / "empty"))


def test_no_matching_file_names_the_flag(tmp_path):
    with pytest.raises(ValueError, match="eval_input_file.*nothing"):
        record_files.find(str(tmp_path / "nothing*"), flag="eval_input_file")


@pytest.mark.parametrize("with_manifest", [False, True])
@pytest.mark.parametrize(
    ("name", "value"), [("max_seq_length", 32), ("max_predictions_per_seq", 5)]
)
def test_other_lengths_name_file_both_values_and_the_flag(
    tmp_path, name, value, with_manifest
):
    path = tiny.write_records(tmp_path / "a", 3)
    if with_manifest:
        _write_manifest(path)
    files = record_files.find(path)
    with pytest.raises(
        ValueError,
        match=f"{path} .* {name}={_SIZES[name]}, .* --{name}={value}",
    ):
        record_checks.check(files, **_SIZES | {name: value})


def test_a_vocabulary_larger_than_the_models_is_refused(tmp_path):
    path = tiny.write_records(tmp_path / "a", 3)
    files = record_files.find(path)
    with pytest.raises(ValueError, match=f"{path} .*id .* vocab_size=50"):
        record_checks.check(files, **_SIZES | {"vocab_size": 50})
    _write_manifest(path, vocab_size=102)
    files = record_files.find(path)
    with pytest.raises(ValueError, match="102 rows, but vocab_size=101"):
        record_checks.check(files, **_SIZES)


def test_records_of_something_else_are_refused(tmp_path):
    path = str(tmp_path / "a")
    for data, words in (
        (b"\xff\xff no example", "no tf.train.Example"),
        (b"", "they lack 'input_ids'"),
    ):
        with tf.io.TFRecordWriter(path) as writer:
            writer.write(data)
        with pytest.raises(ValueError, match=f"{path} .*{words}"):
            record_checks.check(record_files.find(path), **_SIZES)


def _is_whole(damaged, good):
    try:
        return gzip.decompress(damaged) == gzip.decompress(good)
    except (EOFError, OSError, zlib.error):
        return False


@pytest.mark.parametrize("compression", ["", "GZIP"])
def test_a_flipped_bit_is_found_and_its_file_named(tmp_path, compression):
    tiny.write_records(tmp_path / "whole", 3, compression=compression)
    path = tmp_path / "a"
    tiny.write_records(path, 3, compression=compression)
    good = path.read_bytes()
    rng = np.random.default_rng(1)
    # Of GZIP's ten header bytes, not all mean something.
    for place in rng.integers(10, len(good), 40):
        damaged = bytearray(good)
        damaged[place] ^= 1 << rng.integers(8)
        # A few bits of GZIP, such as those behind its last code, mean nothing.
        if compression and _is_whole(damaged, good):
            continue
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=f"{path} is .*damaged") as raised:
            record_checks.check(record_files.find(str(tmp_path)), **_SIZES)
        assert "{{" not in str(raised.value) and "\n" not in str(raised.value)


def test_records_without_masks_may_get_any_number_of_masks(tmp_path):
    path = unmasked.write(tmp_path / "a", 20)
    (file,) = record_files.find(path)
    assert file.masking == "dynamic"
    record_checks.check([file], **_SIZES | {"max_predictions_per_seq": 9})
    for length in (8, 32):
        with pytest.raises(ValueError, match=f"--max_seq_length={length}"):
            record_checks.check([file], **_SIZES | {"max_seq_length": length})
    # What the manifest says is not all that is looked at.
    unmasked.write_manifest(path, 20, max_seq_length=8)
    with pytest.raises(ValueError, match="max_seq_length=9, but"):
        record_checks.check(
            record_files.find(path), **_SIZES | {"max_seq_length": 8}
        )
    unmasked.write_manifest(path, 20, vocab_size=50)
    with pytest.raises(ValueError, match=f"{path} .*token id .*vocab_size=50"):
        record_checks.check(
            record_files.find(path), **_SIZES | {"vocab_size": 50}
        )


def test_records_without_masks_need_the_manifest_that_says_so(tmp_path):
    path = unmasked.write(tmp_path / "a", 3, with_manifest=False)
    with pytest.raises(ValueError, match=f"{path} .*manifest.json"):
        record_checks.check(record_files.find(path), **_SIZES)
    _write_manifest(path)
    with pytest.raises(ValueError, match=f"{path} .*manifest.json"):
        record_checks.check(record_files.find(path), **_SIZES)
    manifest = {k: v for k, v in unmasked.MANIFEST.items() if k != "mask_id"}
    _write_manifest(path, **manifest)
    with pytest.raises(ValueError, match=f"{path}: .*not say mask_id;"):
        record_checks.check(record_files.find(path), **_SIZES)
    tiny.write_records(path, 3)
    unmasked.write_manifest(path, 3)
    with pytest.raises(ValueError, match="lack 'first_segment_tokens'"):
        record_checks.check(record_files.find(path), **_SIZES)


@pytest.mark.parametrize(
    ("name", "value"),
    [("pair_task", "sop"), ("special_ids", [0, 1]), ("mask_id", 5)],
)
def test_files_of_different_builds_are_named_with_the_difference(
    tmp_path, name, value
):
    a = unmasked.write(tmp_path / "a", 3)
    b = unmasked.write(tmp_path / "b", 3, **{name: value})
    files = record_files.find(f"{a},{b}")
    with pytest.raises(ValueError, match=f"{b} .*{name}=.* {a} .*{name}="):
        record_checks.check(files, **_SIZES)


def test_records_with_and_without_masks_do_not_mix(tmp_path):
    a = tiny.write_records(tmp_path / "a", 3)
    b = unmasked.write(tmp_path / "b", 3)
    words = f"{b} .*masking=dynamic, but {a} with masking=static"
    with pytest.raises(ValueError, match=words):
        record_checks.check(record_files.find(f"{a},{b}"), **_SIZES)


def test_records_of_older_builds_are_masked_pairs(tmp_path):
    a = tiny.write_records(tmp_path / "a", 3)
    b = tiny.write_records(tmp_path / "b", 3)
    _write_manifest(b, masking="static", pair_task="nsp")
    files = record_files.find(f"{a},{b}")
    record_checks.check(files, **_SIZES)
    _write_manifest(a)
    files = record_files.find(f"{a},{b}")
    record_checks.check(files, **_SIZES)
    assert files[0].facts.pair_task == files[1].facts.pair_task

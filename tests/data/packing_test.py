"""Records of several sequences against the same sequences one by one."""

import collections
import itertools

import numpy as np
import pytest
import tensorflow as tf

from data import manifest, records
from data.building import build, mersenne, packing, recipes, shards
from data.building.encoder import Encoder
from data.feeding import record_checks, record_files
from tests.data import built, records_test

N = 6
NAMES = [feature.name for feature in records.PACKED_FEATURES]
# Short sequences, so that there is something to pack.
SHORT = {"short_seq_prob": 0.8, "dupe_factor": 3}


def read(path, compression=""):
    """The packed records of a file as {name: list}."""
    for record in tf.data.TFRecordDataset(str(path), compression):
        example = tf.train.Example.FromString(record.numpy())
        assert len(example.SerializeToString()) == len(record.numpy())
        features = example.features.feature
        assert set(features) == set(NAMES)
        yield {
            name: list(
                features[name].float_list.value
                if name.endswith("weights")
                else features[name].int64_list.value
            )
            for name in NAMES
        }


def unpack(record, padding_id=0):
    """Yields the sequences of a record as records of one each, by lists."""
    numbers = record["input_mask"]
    masks = list(
        zip(
            record["masked_lm_positions"],
            record["masked_lm_ids"],
            record["masked_lm_weights"],
            strict=True,
        )
    )
    length, most = len(numbers), len(masks)
    for number in range(1, max(numbers) + 1):
        places = [p for p, n in enumerate(numbers) if n == number]
        start = record["next_sentence_positions"][number - 1]
        assert places == list(range(start, start + len(places)))
        assert record["next_sentence_weights"][number - 1] == 1.0
        own = [(p - start, i) for p, i, w in masks if w and p in places]
        padding = [0] * (length - len(places))
        unused = [0] * (most - len(own))
        yield {
            "input_ids": [record["input_ids"][p] for p in places]
            + [padding_id] * len(padding),
            "input_mask": [1] * len(places) + padding,
            "segment_ids": [record["segment_ids"][p] for p in places] + padding,
            "masked_lm_positions": [p for p, _ in own] + unused,
            "masked_lm_ids": [i for _, i in own] + unused,
            "masked_lm_weights": [1.0] * len(own) + unused,
            "next_sentence_labels": [
                record["next_sentence_labels"][number - 1]
            ],
        }


def check_form(record, length=128, most=20, sequences=N, padding=0):
    """What holds for a record as a whole."""
    sizes = {"input_ids": length, "masked_lm_ids": most}
    sizes["next_sentence_labels"] = sequences
    for name, size in sizes.items():
        assert len(record[name]) == size
    numbers = [n for n in record["input_mask"] if n]
    assert numbers == sorted(numbers) and set(numbers) == {
        *range(1, max(numbers) + 1)
    }
    num_tokens = len(numbers)
    assert not any(record["input_mask"][num_tokens:])
    assert {*record["input_ids"][num_tokens:]} <= {padding}
    assert not any(record["segment_ids"][num_tokens:])
    for name in ("masked_lm", "next_sentence"):
        weights = record[f"{name}_weights"]
        num_used = int(sum(weights))
        assert weights == [1.0] * num_used + [0.0] * (len(weights) - num_used)
        positions = record[f"{name}_positions"]
        assert positions[:num_used] == sorted(positions[:num_used])
        assert not any(positions[num_used:])
    assert sum(record["next_sentence_weights"]) == max(numbers)


def frozen(record):
    return tuple((name, tuple(record[name])) for name in sorted(record))


@pytest.mark.parametrize(
    "flags",
    [
        SHORT,
        SHORT | {"pair_task": "none"},
        SHORT | {"do_whole_word_mask": True, "pair_task": "sop"},
        SHORT | {"max_seq_length": 300, "max_predictions_per_seq": 46},
        SHORT | {"gzip_compress": True, "mask_unit": "ngram"},
    ],
)
def test_packed_sequences_are_those_of_the_same_build_without_packing(
    tmp_path, flags
):
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    (wanted,) = built.run(tmp_path, output_file=str(plain), **flags)
    found = built.build_only(
        tmp_path, output_file=str(packed), pack_sequences=N, **flags
    )
    compression = "GZIP" if "gzip_compress" in flags else ""
    rows = list(read(packed, compression))
    for record in rows:
        check_form(
            record,
            flags.get("max_seq_length", 128),
            flags.get("max_predictions_per_seq", 20),
        )
    got = [sequence for record in rows for sequence in unpack(record)]
    assert collections.Counter(map(frozen, got)) == collections.Counter(
        map(frozen, wanted)
    )
    assert len(rows) < 0.8 * len(wanted)
    counts = found.statistics
    assert counts["num_records"] == len(rows)
    assert counts["num_sequences"] == len(wanted)
    assert found.files["packed"].num_records == len(rows)
    assert found.pack_sequences == N
    num_tokens = sum(np.count_nonzero(r["input_mask"]) for r in rows)
    num_places = sum(len(r["input_mask"]) for r in rows)
    assert counts["padding_rate"] == pytest.approx(1 - num_tokens / num_places)
    assert counts["mean_tokens"] == pytest.approx(num_tokens / len(wanted))


def test_files_shards_and_workers_change_nothing_in_what_is_packed(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(shards, "_BYTES_A_MEGABYTE", 40_000)
    flags = SHORT | {"shard_megabytes": 1}
    bytes_of = {}
    for workers in (1, 2):
        path = tmp_path / str(workers)
        built.build_only(
            tmp_path,
            output_file=f"{path}a,{path}b,{path}c",
            pack_sequences=N,
            num_workers=workers,
            **flags,
        )
        files = [tmp_path / f"{workers}{letter}" for letter in "abc"]
        bytes_of[workers] = [file.read_bytes() for file in files]
    assert bytes_of[1] == bytes_of[2]
    names = "pa", "pb", "pc"
    plain = built.run(
        tmp_path,
        output_file=",".join(str(tmp_path / name) for name in names),
        **flags,
    )
    for file, wanted in zip(files, plain, strict=True):
        got = [frozen(x) for record in read(file) for x in unpack(record)]
        assert sorted(got) == sorted(map(frozen, wanted))


@pytest.mark.parametrize(
    ("length", "most", "sequences"), [(5, 1, 1), (130, 40, 9), (2000, 300, 600)]
)
def test_a_record_holds_what_its_recipes_say(tmp_path, length, most, sequences):
    rng = np.random.default_rng(length)
    short = max(5, length // 4)
    text, matrix, rows = records_test.make_recipes(rng, short, most, 80)
    order = rng.permutation(80).astype(np.uint32)
    counts = packing.pack(
        order,
        recipes.sizes(matrix, 3),
        (length, most, sequences),
        mersenne.state(1),
    )
    encoder = Encoder(text, records_test.make_rules(length, most), sequences)
    path = tmp_path / "records"
    path.write_bytes(encoder.encode(matrix, order, counts).tobytes())
    got = list(read(path))
    assert [max(record["input_mask"]) for record in got] == counts.tolist()
    for record in got:
        check_form(record, length, most, sequences, records_test.PADDING)
    sequences = (unpack(record, records_test.PADDING) for record in got)
    assert [*itertools.chain(*sequences)] == [
        records_test.plain(text, rows[i], length, most) for i in order
    ]


def test_what_cannot_be_packed_is_refused(tmp_path):
    for flags, words in (
        ({"pack_sequences": -1}, "must not be negative, got -1"),
        ({"pack_sequences": 43}, "at most 42, .*=128, got 43"),
        ({"pack_sequences": 4, "masking": "dynamic"}, "--masking=dynamic"),
    ):
        with pytest.raises(ValueError, match=words):
            built.make_config(tmp_path, **flags)


def test_records_that_are_packed_are_not_taken_for_others(tmp_path):
    plain, packed = str(tmp_path / "plain"), str(tmp_path / "packed")
    sizes = {
        "max_seq_length": 128,
        "max_predictions_per_seq": 20,
        "vocab_size": 100_000,
    }
    settings = built.make_config(tmp_path, output_file=plain)
    build.build(settings)
    built.build_only(tmp_path, output_file=packed, pack_sequences=N)
    record_checks.check(record_files.find(packed), **sizes)
    words = f"{packed} .*pack_sequences=6, but {plain} with pack_sequences=0"
    with pytest.raises(ValueError, match=words):
        record_checks.check(record_files.find(f"{plain},{packed}"), **sizes)
    with pytest.raises(FileExistsError, match="--pack_sequences=6, not 0"):
        built.build_only(tmp_path, output_file=packed)
    # A build that knew no such flag.
    path = manifest.path_of(settings)
    older = manifest.read(path)
    del older.made_from.flags["pack_sequences"]
    manifest.write(path, older)
    assert build.build(settings).made_from == older.made_from
    (tmp_path / "packed.manifest.json").unlink()
    with pytest.raises(ValueError, match=f"{packed} .*manifest.json"):
        record_checks.check(record_files.find(packed), **sizes)


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        ({"pack_sequences": 2}, ["pack_sequences"]),
        ({"max_predictions_per_seq": 12}, ["max_predictions_per_seq"]),
        ({"max_predictions_per_seq": 28}, []),
    ],
)
def test_what_keeps_records_from_being_filled_is_told(
    tmp_path, caplog, flags, names
):
    # Documents of a short line each.
    text = tmp_path / "text"
    text.write_text("\n\n".join(f"short line {k % 97}" for k in range(900)))
    flags = {"pack_sequences": 42, "pair_task": "none", **flags}
    found = built.build_only(tmp_path, input_file=str(text), **flags)
    assert (found.statistics["padding_rate"] > 0.05) == bool(names)
    warnings = [x for x in caplog.messages if "is reached first" in x]
    assert len(warnings) == len(names)
    for name, warning in zip(names, warnings, strict=True):
        assert f"--{name}={flags[name]} " in warning

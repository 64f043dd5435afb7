"""Records that tf-models' create_pretraining_data wrote are read as ours."""

import os

import numpy as np
import pytest
import tensorflow as tf

from data.feeding import input_pipeline, record_checks, record_files
from pretraining import config, preflight
from tests import tiny

_SIZES = {
    "max_seq_length": tiny.NUM_TOKENS,
    "max_predictions_per_seq": tiny.NUM_PREDICTIONS,
    "vocab_size": tiny.VOCAB_SIZE,
}
# --use_v2_feature_names of official/nlp/data/create_pretraining_data.py.
_V2 = {"input_ids": "input_word_ids", "segment_ids": "input_type_ids"}
_LABELS = "next_sentence_labels"


def write(path, size, *, renamed=None, without=(), seed=0):
    """Writes the records of `tiny.write_records` under other names."""
    source = tiny.write_records(str(path) + ".source", size, seed)
    renamed = renamed or {}
    with tf.io.TFRecordWriter(str(path)) as writer:
        for row in tf.data.TFRecordDataset(source).as_numpy_iterator():
            features = tf.train.Example.FromString(row).features.feature
            kept = {
                renamed.get(name, name): value
                for name, value in features.items()
                if name not in without
            }
            example = tf.train.Example(features=tf.train.Features(feature=kept))
            writer.write(example.SerializeToString())
    return str(path)


def read(path, size):
    """The features of all records, as the trainer sees them."""
    files = record_files.find(path)
    record_checks.check(files, **_SIZES)
    masking = config.MaskingConfig(max_predictions_per_seq=tiny.NUM_PREDICTIONS)
    parse = input_pipeline.parser(
        files,
        masking,
        max_seq_length=tiny.NUM_TOKENS,
        vocab_size=tiny.VOCAB_SIZE,
        seed=1,
    )
    rows = tf.data.TFRecordDataset(path)
    (batch,) = input_pipeline.batches_of(rows, parse, size).as_numpy_iterator()
    return batch


@pytest.mark.parametrize("renamed", [{}, _V2])
@pytest.mark.parametrize("without", [(), (_LABELS,)])
def test_every_feature_comes_under_our_name(tmp_path, renamed, without):
    path = write(tmp_path / "a", 5, renamed=renamed, without=without)
    wanted = tiny.batch(5)
    if without:
        wanted[_LABELS] = np.zeros(5, np.int32)
    assert wanted[_LABELS].any() != bool(without)
    found = read(path, 5)
    assert found.keys() == wanted.keys()
    for name, values in wanted.items():
        np.testing.assert_array_equal(found[name], values, err_msg=name)
        assert found[name].dtype == values.dtype


@pytest.mark.parametrize(
    ("size", "words"),
    [
        ({"max_seq_length": 32}, "max_seq_length=16, but --max_seq_length=32"),
        ({"max_predictions_per_seq": 9}, "max_predictions_per_seq=4, but"),
        ({"vocab_size": 50}, "the token id .*vocab_size=50"),
    ],
)
def test_other_sizes_are_refused_under_their_names_too(tmp_path, size, words):
    path = write(tmp_path / "a", 5, renamed=_V2)
    files = record_files.find(path)
    with pytest.raises(ValueError, match=f"{path} .*{words}"):
        record_checks.check(files, **_SIZES | size)


def test_half_of_the_new_names_are_no_records_of_a_pretraining(tmp_path):
    renamed = {"input_ids": "input_word_ids"}
    path = write(tmp_path / "a", 5, renamed=renamed)
    with pytest.raises(ValueError, match="they lack 'input_ids' and have"):
        record_checks.check(record_files.find(path), **_SIZES)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"renamed": _V2}, "is_v2=True, but"),
        ({"without": (_LABELS,)}, "has_pairs=False, but"),
    ],
)
def test_files_of_two_kinds_do_not_mix(tmp_path, changes, words):
    ours = tiny.write_records(tmp_path / "a", 3)
    theirs = write(tmp_path / "b", 3, **changes)
    files = record_files.find(f"{ours},{theirs}")
    with pytest.raises(ValueError, match=f"{theirs} was built with {words}"):
        record_checks.check(files, **_SIZES)
    alike = write(tmp_path / "c", 3, **changes)
    record_checks.check(record_files.find(f"{theirs},{alike}"), **_SIZES)


@pytest.mark.parametrize("use_nsp", [True, False])
def test_records_without_labels_of_pairs_want_no_loss_of_pairs(
    tmp_path, use_nsp
):
    path = write(tmp_path / "a", 5, without=(_LABELS,))
    settings = config.PretrainingConfig(
        bert_config_file="x",
        input_file=path,
        output_dir="x",
        do_train=True,
        max_seq_length=tiny.NUM_TOKENS,
        max_predictions_per_seq=tiny.NUM_PREDICTIONS,
        use_nsp=use_nsp,
    )
    if not use_nsp:
        files, _ = preflight.find_records(settings, tiny.config())
        assert [file.num_records for file in files] == [5]
        return
    words = f"{path} has no next_sentence_labels, .* set --use_nsp=false"
    with pytest.raises(ValueError, match=words):
        preflight.find_records(settings, tiny.config())


def test_a_pointer_of_git_lfs_is_no_damaged_record_file(tmp_path):
    path = tmp_path / "a.tfrecord"
    path.write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\n"
    )
    with pytest.raises(ValueError, match="pointer of git-lfs.*git lfs pull"):
        record_files.find(str(path))


def test_a_pipe_is_no_record_file(tmp_path):
    tiny.write_records(tmp_path / "a", 3)
    os.mkfifo(tmp_path / "b")
    with pytest.raises(ValueError, match=f"{tmp_path}/b is a pipe"):
        record_files.find(str(tmp_path))

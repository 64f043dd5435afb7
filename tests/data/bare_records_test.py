"""google-research/electra's records, without masks, are trained on as ours."""

import numpy as np
import pytest
import tensorflow as tf

from data.config import MaskingConfig
from data.feeding import input_pipeline, record_checks, record_files
from tests import project, tiny
from tests.data import unmasked
from tests.pretraining import tiny_job
from text import vocab

_LENGTH = tiny.NUM_TOKENS


def _write(path, size, **changes):
    """Writes `unmasked.rows` as ExampleBuilder._make_tf_example does."""
    with tf.io.TFRecordWriter(str(path)) as writer:
        for ids, num_first, _, _ in unmasked.rows(size):
            num_tokens = len(ids)
            padding = [0] * (_LENGTH - num_tokens)
            values = {
                "input_ids": [*ids, *padding],
                "input_mask": [1] * num_tokens + padding,
                "segment_ids": [0] * num_first
                + [1] * (num_tokens - num_first)
                + padding,
            }
            features = {
                name: tf.train.Feature(int64_list=tf.train.Int64List(value=x))
                for name, x in (values | changes).items()
                if x is not None
            }
            example = tf.train.Example(
                features=tf.train.Features(feature=features)
            )
            writer.write(example.SerializeToString())
    return str(path)


def _vocabulary(directory):
    """Rows as `unmasked.MANIFEST` has them."""
    rows = [f"w{i}" for i in range(tiny.VOCAB_SIZE - 5)]
    return project.write_vocabulary(directory, rows)


def _batch(path, files, masking):
    parse = input_pipeline.parser(
        files,
        masking,
        max_seq_length=_LENGTH,
        vocab_size=tiny.VOCAB_SIZE,
        seed=1,
    )
    rows = tf.data.TFRecordDataset(path)
    (batch,) = input_pipeline.batches_of(rows, parse, 24).as_numpy_iterator()
    return batch


def test_they_are_masked_as_our_own_of_the_same_text(tmp_path):
    vocabulary = vocab.load(_vocabulary(tmp_path))
    masking = MaskingConfig(
        mask_unit="electra", max_predictions_per_seq=tiny.NUM_PREDICTIONS
    )
    theirs = _write(tmp_path / "theirs.tfrecord", 24)
    bare = record_files.with_vocabulary(
        record_files.find(theirs), vocabulary, _LENGTH
    )
    assert bare[0].is_bare and bare[0].masking == "dynamic"
    sizes = {
        "max_seq_length": _LENGTH,
        "max_predictions_per_seq": tiny.NUM_PREDICTIONS,
        "vocab_size": tiny.VOCAB_SIZE,
    }
    record_checks.check(bare, **sizes)
    ours = unmasked.write(tmp_path / "ours.tfrecord", 24)
    files = record_files.find(ours)
    assert bare[0].facts.mask_id == files[0].facts.mask_id
    assert bare[0].facts.special_ids == files[0].facts.special_ids
    found, wanted = _batch(theirs, bare, masking), _batch(ours, files, masking)
    assert found.keys() == wanted.keys()
    for name in found.keys() - {"next_sentence_labels"}:
        np.testing.assert_array_equal(found[name], wanted[name], err_msg=name)
    assert not found["next_sentence_labels"].any()
    assert found["masked_lm_weights"].sum() > 24


def test_they_are_trained_on_with_their_vocabulary(tmp_path):
    tiny_job.write_inputs(tmp_path)
    (tmp_path / "bert.json").write_text(tiny.config("electra").to_json())
    flags = {
        "input_file": _write(tmp_path / "a.tfrecord", 30),
        "objective": "replaced_token",
        "use_nsp": False,
        "mask_unit": "electra",
        "num_train_steps": 2,
    }
    with pytest.raises(ValueError, match="a.tfrecord holds records without m"):
        tiny_job.run(tmp_path, "out", **flags)
    flags["vocab_file"] = _vocabulary(tmp_path)
    with pytest.raises(ValueError, match="leave --do_whole_word_mask out"):
        tiny_job.run(tmp_path, "out", do_whole_word_mask=True, **flags)
    with pytest.raises(ValueError, match="without masks|use_nsp"):
        tiny_job.run(tmp_path, "out", **flags | {"use_nsp": True})
    tiny_job.run(tmp_path, "out", **flags)
    assert (tmp_path / "out/export/generator/vocab.txt").exists()
    rows = tiny_job.metrics(tmp_path / "out")
    assert {"disc_auc", "replaced_rate"} <= rows[-1].keys()


def test_records_that_lack_more_are_refused(tmp_path):
    path = _write(tmp_path / "a.tfrecord", 4, segment_ids=None)
    files = record_files.find(path)
    assert not files[0].is_bare
    with pytest.raises(ValueError, match="they lack 'masked_lm_positions'"):
        record_checks.check(
            files,
            max_seq_length=_LENGTH,
            max_predictions_per_seq=4,
            vocab_size=tiny.VOCAB_SIZE,
        )

"""The share of masked tokens over a run."""

import numpy as np
import pytest

from pretraining import config, mask_share, train
from tests import tiny
from tests.data import unmasked
from tests.pretraining import tiny_job


def _config(**flags):
    defaults = {
        "input_file": "a",
        "output_dir": "b",
        "bert_config_file": "c",
        "do_train": True,
        "masked_lm_prob": 0.3,
        "masked_lm_prob_end": 0.15,
        "max_predictions_per_seq": 39,
    }
    return config.PretrainingConfig(**defaults | flags)


def test_the_largest_share_has_to_have_room():
    mask_share.check_room(_config())
    mask_share.check_room(
        _config(masked_lm_prob_end=None, max_predictions_per_seq=5)
    )
    for flags in ({}, {"masked_lm_prob": 0.15, "masked_lm_prob_end": 0.3}):
        with pytest.raises(ValueError, match="set it to 39"):
            mask_share.check_room(_config(max_predictions_per_seq=38, **flags))


def test_parts_of_a_run_follow_one_line():
    whole = mask_share.of_training(_config(), 1000)
    part = mask_share.of_training(_config(), 1000, num_before=400)
    assert (whole.first_record, whole.last_record) == (0, 1000)
    assert (part.first_record, part.last_record) == (-400, 600)
    assert mask_share.of_training(_config(masked_lm_prob_end=None), 9) is None


def test_evaluations_mask_the_share_of_the_end():
    assert mask_share.of_evaluation(_config()).masked_lm_prob == 0.15
    settings = _config(masked_lm_prob_end=None)
    assert mask_share.of_evaluation(settings) is settings


def test_a_run_masks_less_and_less_and_goes_on_where_it_was(tmp_path):
    tiny_job.write_inputs(tmp_path)
    unmasked.write(tmp_path / "train.tfrecord", tiny_job.NUM_RECORDS)
    flags = {
        "masked_lm_prob": 0.5,
        "masked_lm_prob_end": 0.1,
        "max_predictions_per_seq": tiny.NUM_TOKENS // 2,
        "eval_input_file": None,
    }
    tiny_job.run(tmp_path, "once", **flags)
    tiny_job.run(tmp_path, "twice", **flags)
    for path in (tmp_path / "twice").glob("model.ckpt-8.*"):
        path.unlink()
    tiny_job.run(tmp_path, "twice", **flags)
    once, twice = (
        tiny_job.tensors(tmp_path / name, 8) for name in ("once", "twice")
    )
    assert all(np.array_equal(once[name], twice[name]) for name in once)


def test_masks_of_the_builder_have_no_other_share(tmp_path):
    tiny_job.write_inputs(tmp_path)
    settings = _config(
        input_file=str(tmp_path / "train.tfrecord"),
        output_dir=str(tmp_path / "out"),
        bert_config_file=str(tmp_path / "bert.json"),
        masked_lm_prob=0.15,
        masked_lm_prob_end=0.1,
        max_seq_length=tiny.NUM_TOKENS,
        max_predictions_per_seq=tiny.NUM_PREDICTIONS,
    )
    with pytest.raises(ValueError, match="--masked_lm_prob_end=0.1 has no"):
        train.run(settings)

"""Means of checkpoints."""

import numpy as np
import pytest
import tensorflow as tf

from tools import average_checkpoints
from training import checkpoint

KERNEL = "bert/pooler/dense/kernel"


def write(directory, step, value, shape=(3, 2)):
    checkpoint.write(
        f"{directory}/model.ckpt-{step}",
        {
            KERNEL: np.full(shape, value, np.float32),
            f"{KERNEL}/adam_m": np.ones(shape, np.float32),
            checkpoint.GLOBAL_STEP: np.int64(step),
        },
    )


def average(directory, last):
    return average_checkpoints.average(
        average_checkpoints.AverageConfig(
            model_dir=str(directory),
            output_file=f"{directory}/mean/bert_model.ckpt",
            last=last,
        )
    )


def test_the_last_ones_are_averaged_and_the_optimizer_is_left_out(tmp_path):
    for step, value in ((9, 100.0), (10, 1.0), (200, 2.0), (1000, 6.0)):
        write(tmp_path, step, value)
    assert "10, 200, 1000; 1 tensors" in average(tmp_path, 3)
    reader = tf.train.load_checkpoint(f"{tmp_path}/mean/bert_model.ckpt")
    assert list(reader.get_variable_to_shape_map()) == [KERNEL]
    np.testing.assert_array_equal(
        reader.get_tensor(KERNEL), np.full((3, 2), 3.0, np.float32)
    )


def test_too_few_checkpoints_are_refused(tmp_path):
    write(tmp_path, 1, 1.0)
    with pytest.raises(ValueError, match=r"has 1 checkpoint.*--last=2"):
        average(tmp_path, 2)


def test_checkpoints_of_different_models_are_refused(tmp_path):
    write(tmp_path, 1, 1.0)
    write(tmp_path, 2, 1.0, shape=(4, 2))
    with pytest.raises(ValueError, match=rf"{KERNEL} in shape \[4, 2\]"):
        average(tmp_path, 2)

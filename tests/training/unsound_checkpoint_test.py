"""What cannot be gone on from is not saved, not counted and not called good."""

import os

import numpy as np
import pytest
import tensorflow as tf

from storage import tensors
from training import checkpoint

NAMES = ("bert/a/kernel", "bert/a/kernel/adam_m", "bert/a/kernel/adam_v")


def variables(step=0, fill=0.0):
    made = {name: tf.Variable(tf.fill([2, 3], fill)) for name in NAMES}
    return made | {"global_step": tf.Variable(step, dtype=tf.int64)}


def save(directory, step, *, keep_max=5, fill=None):
    fill = float(step) if fill is None else fill
    checkpoint.Checkpoints(
        str(directory), variables(step, fill), keep_max=keep_max
    ).save(step)


def steps(directory):
    return checkpoint.saved_steps(str(directory))


def cut(directory, step):
    path = directory / f"model.ckpt-{step}{tensors.DATA}"
    os.truncate(path, path.stat().st_size // 2)


def spoil(directory, step, value=np.nan):
    """Writes a checkpoint with a number that is none, as an older run might."""
    values = {k: v.numpy() for k, v in variables(step, 1.0).items()}
    values["bert/a/kernel"][1, 2] = value
    checkpoint.write(f"{directory}/model.ckpt-{step}", values)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", NAMES)
def test_a_number_that_is_not_finite_is_not_saved(tmp_path, name, bad):
    save(tmp_path, 10)
    before = {x.name: x.read_bytes() for x in tmp_path.iterdir()}
    ruined = variables(20, 1.0)
    ruined[name].assign(
        tf.tensor_scatter_nd_update(ruined[name], [[0, 1]], [bad])
    )
    newest = checkpoint.Checkpoints(str(tmp_path), ruined, keep_max=1)
    with pytest.raises(
        ValueError, match="^step 20 cannot be saved: "
    ) as caught:
        newest.save(20)
    said = str(caught.value)
    assert (
        f"1 numbers of 1 tensors are not finite, the first in {name}; " in said
    )
    assert said.endswith(f"numbers only is {tmp_path}/model.ckpt-10")
    assert {x.name: x.read_bytes() for x in tmp_path.iterdir()} == before


def test_of_nothing_saved_the_error_says_so(tmp_path):
    with pytest.raises(
        ValueError, match="there is no checkpoint to go on from"
    ):
        save(tmp_path, 10, fill=np.nan)
    assert steps(tmp_path) == []


def test_a_worker_that_saves_nothing_refuses_nothing(tmp_path):
    checkpoint.Checkpoints(
        str(tmp_path), variables(1, np.nan), keep_max=1, is_chief=False
    ).save(1)
    assert os.listdir(tmp_path) == []


def test_the_good_one_is_neither_damaged_nor_ruined(tmp_path):
    for step in (5, 10, 20, 30):
        save(tmp_path, step)
    spoil(tmp_path, 20)
    cut(tmp_path, 30)
    newest = checkpoint.Checkpoints(str(tmp_path), variables(), keep_max=5)
    assert newest.newest() == f"{tmp_path}/model.ckpt-30"
    assert newest.describe_good() == (
        "the newest checkpoint that can be read and has finite numbers only is "
        f"{tmp_path}/model.ckpt-10"
    )


def test_one_with_numbers_that_are_none_is_named_and_the_one_before_taken(
    tmp_path, caplog
):
    save(tmp_path, 10)
    spoil(tmp_path, 20)
    restored = variables()
    prefix = checkpoint.restore_newest(str(tmp_path), restored)
    assert prefix == f"{tmp_path}/model.ckpt-10"
    assert restored["global_step"].numpy() == 10
    assert (restored["bert/a/kernel"].numpy() == 10).all()
    words = f"{tmp_path}/model.ckpt-20: 1 numbers of 1 tensors are not finite"
    assert words in caplog.text
    (tmp_path / f"model.ckpt-10{tensors.INDEX}").unlink()
    with pytest.raises(
        ValueError, match="not one checkpoint in .* can be read"
    ):
        checkpoint.restore_newest(str(tmp_path), variables())


def test_to_keep_one_keeps_one_that_can_be_read(tmp_path, caplog):
    save(tmp_path, 10)
    save(tmp_path, 20)
    cut(tmp_path, 20)
    # The run goes on from step 10, and comes to step 15 before 20.
    assert checkpoint.restore_newest(str(tmp_path), variables()).endswith("-10")
    save(tmp_path, 15, keep_max=1)
    assert 15 in steps(tmp_path) and 10 not in steps(tmp_path)
    assert checkpoint.restore_newest(str(tmp_path), variables()).endswith("-15")
    save(tmp_path, 20, keep_max=1)
    assert steps(tmp_path) == [20]
    assert checkpoint.restore_newest(str(tmp_path), variables()).endswith("-20")


def test_the_list_for_tensorflow_names_what_was_saved_last(tmp_path):
    save(tmp_path, 10)
    save(tmp_path, 20)
    cut(tmp_path, 20)
    save(tmp_path, 15, keep_max=2)
    assert tf.train.latest_checkpoint(str(tmp_path)) == (
        f"{tmp_path}/model.ckpt-15"
    )


def test_none_is_dropped_where_all_are_kept(tmp_path):
    for step in (1, 2, 3, 10):
        save(tmp_path, step, keep_max=0)
    assert steps(tmp_path) == [1, 2, 3, 10]


@pytest.mark.parametrize(
    "left_out",
    [
        ("bert/a/kernel/adam_m", "bert/a/kernel/adam_v"),
        ("bert/a/kernel/adam_m", "bert/a/kernel/adam_v", "global_step"),
        ("global_step",),
    ],
)
def test_weights_alone_are_not_called_another_model(tmp_path, left_out):
    values = {k: v.numpy() for k, v in variables(7, 1.0).items()}
    for name in left_out:
        del values[name]
    prefix = f"{tmp_path}/model.ckpt-7"
    checkpoint.write(prefix, values)
    with pytest.raises(ValueError) as caught:
        checkpoint.restore_newest(str(tmp_path), variables())
    said = str(caught.value)
    assert said == (
        f"{prefix} has the weights of this model and no {left_out[0]}: it is "
        "no checkpoint of a training to go on with. To start from its weights "
        "name it by --init_checkpoint, with another --output_dir"
    )
    # An evaluation wants nothing else than they.
    weights = {"bert/a/kernel": variables()["bert/a/kernel"]}
    assert checkpoint.restore_newest(str(tmp_path), weights) == prefix
    assert (weights["bert/a/kernel"].numpy() == 1).all()
    assert checkpoint.step_of(prefix) == 7


def test_a_missing_weight_is_of_another_model(tmp_path):
    save(tmp_path, 7)
    more = variables() | {
        name: tf.Variable(0.0) for name in ("bert/b", "bert/c", "bert/b/adam_m")
    }
    with pytest.raises(
        ValueError, match=r"lacks bert/b and 2 more: it is of an"
    ):
        checkpoint.restore_newest(str(tmp_path), more)


@pytest.mark.parametrize(
    ("name", "is_state"),
    [
        ("global_step", True),
        ("bert/a/kernel/adam_m", True),
        ("bert/a/kernel/a_slot_of_tomorrow", True),
        ("cls/predictions/output_bias/adafactor_vr", True),
        ("optimizer/lamb", True),
        ("loss_scale", True),
        ("loss_scale_good_steps", True),
        ("bert/a/kernel", False),
        ("bert/adam/kernel", False),
        ("cls/seq_relationship/output_weights", False),
    ],
)
def test_state_and_weights_are_told_apart(name, is_state):
    names = {name, "bert/a/kernel", "cls/predictions/output_bias"}
    assert tensors.is_state(name, names) == is_state


def test_a_folder_whose_name_is_a_pattern_is_a_folder(tmp_path):
    folder = tmp_path / "run[1]*"
    save(folder, 10)
    restored = variables()
    assert checkpoint.restore_newest(str(folder), restored) == (
        f"{folder}/model.ckpt-10"
    )
    assert restored["global_step"].numpy() == 10

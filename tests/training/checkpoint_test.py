"""Checkpoints are whole or not there, and carry names, not objects."""

import os

import numpy as np
import pytest
import tensorflow as tf

from training import best_checkpoint, checkpoint


def _variables(step=0, fill=0.0, shape=(2, 3)):
    return {
        "bert/a/kernel": tf.Variable(tf.fill(shape, fill)),
        "bert/a/kernel/adam_m": tf.Variable(tf.fill(shape, fill + 0.5)),
        "global_step": tf.Variable(step, dtype=tf.int64),
    }


def _save(directory, steps, keep_max=5):
    for step in steps:
        variables = _variables(step, float(step))
        checkpoint.Checkpoints(
            str(directory), variables, keep_max=keep_max
        ).save(step)


def _restore(directory, variables=None):
    variables = variables or _variables()
    prefix = checkpoint.Checkpoints(
        str(directory), variables, keep_max=5
    ).restore_newest()
    return prefix, variables


def test_what_is_saved_is_restored(tmp_path):
    _save(tmp_path, [10, 20])
    prefix, variables = _restore(tmp_path)
    assert prefix == str(tmp_path / "model.ckpt-20")
    assert variables["global_step"].numpy() == 20
    assert (variables["bert/a/kernel"].numpy() == 20.0).all()
    assert (variables["bert/a/kernel/adam_m"].numpy() == 20.5).all()


def test_tensorflow_reads_it_by_name(tmp_path):
    _save(tmp_path, [10])
    assert tf.train.latest_checkpoint(tmp_path) == str(
        tmp_path / "model.ckpt-10"
    )
    names = dict(tf.train.list_variables(str(tmp_path)))
    assert names == {
        "bert/a/kernel": [2, 3],
        "bert/a/kernel/adam_m": [2, 3],
        "global_step": [],
    }


def test_only_the_newest_are_kept_and_nothing_else_lies_about(tmp_path):
    _save(tmp_path, [5, 10, 100], keep_max=2)
    assert sorted(os.listdir(tmp_path)) == [
        "checkpoint",
        "model.ckpt-10.data-00000-of-00001",
        "model.ckpt-10.index",
        "model.ckpt-100.data-00000-of-00001",
        "model.ckpt-100.index",
    ]


def test_nothing_saved_restores_nothing(tmp_path):
    assert _restore(tmp_path / "none")[0] is None


@pytest.mark.parametrize("suffix", ["data-00000-of-00001", "index"])
@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_a_damaged_newest_one_is_named_and_the_one_before_taken(
    tmp_path, caplog, suffix, damage
):
    _save(tmp_path, [10, 20])
    path = tmp_path / f"model.ckpt-20.{suffix}"
    data = bytearray(path.read_bytes())
    if damage == "cut":
        del data[len(data) // 2 :]
    else:
        data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)
    prefix, variables = _restore(tmp_path)
    assert prefix == str(tmp_path / "model.ckpt-10")
    assert variables["global_step"].numpy() == 10
    assert "model.ckpt-20 is damaged" in caplog.text


def test_no_readable_checkpoint_is_an_error_and_no_fresh_start(tmp_path):
    _save(tmp_path, [10])
    (tmp_path / "model.ckpt-10.data-00000-of-00001").unlink()
    with pytest.raises(ValueError, match="can be read; the warnings say why"):
        _restore(tmp_path)


def test_another_models_checkpoint_is_refused_by_name_and_shapes(tmp_path):
    _save(tmp_path, [10])
    with pytest.raises(
        ValueError, match=r"bert/a/kernel has shape \[2, 3\].*\[4, 3\]"
    ):
        _restore(tmp_path, _variables(shape=(4, 3)))
    more = _variables() | {"bert/b": tf.Variable(0.0)}
    with pytest.raises(ValueError, match="lacks bert/b"):
        _restore(tmp_path, more)


def test_files_that_a_kill_left_are_neither_taken_nor_kept(tmp_path):
    _save(tmp_path, [10])
    (tmp_path / "model.ckpt-20.data-00000-of-00001").write_bytes(b"half")
    unfinished = tmp_path / ".unfinished"
    unfinished.mkdir()
    (unfinished / "model.ckpt-20.index").write_bytes(b"half")
    assert _restore(tmp_path)[0] == str(tmp_path / "model.ckpt-10")
    _save(tmp_path, [20])
    assert not unfinished.exists()
    assert _restore(tmp_path)[0] == str(tmp_path / "model.ckpt-20")


def _fail(monkeypatch, num_times, error):
    """Lets the next saves fail; returns the waits between tries."""
    waits, write = [], checkpoint.write
    left = [num_times]

    def write_or_fail(prefix, values, unfinished):
        if left[0]:
            left[0] -= 1
            # What a full disk leaves.
            os.makedirs(unfinished, exist_ok=True)
            with open(f"{unfinished}/x.tempstate", "wb") as file:
                file.write(b"half")
            raise error
        write(prefix, values, unfinished)

    monkeypatch.setattr(checkpoint, "write", write_or_fail)
    monkeypatch.setattr(checkpoint.time, "sleep", waits.append)
    return waits


_FULL = tf.errors.ResourceExhaustedError(None, None, "No space left on device")


@pytest.mark.parametrize("error", [_FULL, OSError("lost")])
def test_a_save_that_fails_is_tried_again(tmp_path, monkeypatch, caplog, error):
    _save(tmp_path, [10])
    waits = _fail(monkeypatch, 3, error)
    _save(tmp_path, [20])
    assert waits == [1, 5, 15]
    assert caplog.text.count("could not be saved, trying again") == 3
    assert _restore(tmp_path)[0] == str(tmp_path / "model.ckpt-20")
    assert not (tmp_path / ".unfinished").exists()


def test_a_save_that_goes_on_failing_names_the_checkpoint_before(
    tmp_path, monkeypatch
):
    _save(tmp_path, [10])
    files = sorted(os.listdir(tmp_path))
    waits = _fail(monkeypatch, 100, _FULL)
    with pytest.raises(
        OSError, match=r"No space left.*numbers only is \S+model.ckpt-10"
    ):
        _save(tmp_path, [20])
    assert len(waits) == 5
    assert sorted(os.listdir(tmp_path)) == files
    assert _restore(tmp_path)[0] == str(tmp_path / "model.ckpt-10")


def _offer(directory, values, metric="masked_lm_loss"):
    for step, value in values.items():
        newest = checkpoint.Checkpoints(
            str(directory), _variables(step, float(step)), keep_max=5
        )
        best = best_checkpoint.BestCheckpoint(newest, metric=metric)
        best.offer(step, {metric: value})
    return sorted(path.name for path in directory.glob("best/*.index"))


def test_the_best_is_kept_and_remembered_by_a_resumed_run(tmp_path):
    found = _offer(tmp_path, {10: 3.0, 20: 2.0, 30: 2.5, 40: float("nan")})
    assert found == ["model.ckpt-20.index"]
    assert _restore(tmp_path / "best")[1]["global_step"].numpy() == 20
    # The same once more, as a run does that was killed after its evaluation.
    assert _offer(tmp_path, {20: 2.0}) == found
    assert _offer(tmp_path, {50: 1.9}) == ["model.ckpt-50.index"]


def test_the_highest_accuracy_is_the_best(tmp_path):
    values = {10: 0.1, 20: 0.3, 30: 0.2}
    found = _offer(tmp_path, values, "masked_lm_accuracy")
    assert found == ["model.ckpt-20.index"]
    with pytest.raises(
        ValueError, match="is of --keep_best_metric=masked_lm_a"
    ):
        _offer(tmp_path, {40: 1.0})


def test_a_best_one_that_a_kill_left_without_its_record_is_made_anew(tmp_path):
    _offer(tmp_path, {10: 3.0, 20: 2.0})
    record = tmp_path / "best" / "best.json"
    record.write_text(record.read_text().replace("20", "10"))
    assert _offer(tmp_path, {20: 2.0}) == ["model.ckpt-20.index"]
    assert '"step": 20' in record.read_text()


def test_values_of_a_large_tensor_survive_bit_for_bit(tmp_path):
    value = np.random.default_rng(1).normal(size=(300, 70)).astype(np.float32)
    variables = {"w": tf.Variable(value), "global_step": tf.Variable(1)}
    checkpoint.Checkpoints(str(tmp_path), variables, keep_max=1).save(1)
    variables["w"].assign(tf.zeros_like(value))
    _restore(tmp_path, variables)
    assert (variables["w"].numpy() == value).all()

"""Runs of the whole job, in this process."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from pretraining import config, train
from tests import tiny

_NUM_RECORDS = 22


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("job")
    (directory / "bert.json").write_text(
        json.dumps(tiny.CONFIG | {"num_hidden_layers": 1})
    )
    tiny.write_records(directory / "train.tfrecord", _NUM_RECORDS, seed=1)
    tiny.write_records(directory / "eval.tfrecord", 11, seed=2)
    return directory


@pytest.fixture(scope="module")
def job(directory):
    """Returns a function that runs a job in `directory`."""

    def run(output, **settings):
        defaults = {
            "bert_config_file": str(directory / "bert.json"),
            "input_file": str(directory / "train.tfrecord"),
            "eval_input_file": str(directory / "eval.tfrecord"),
            "output_dir": str(directory / output),
            "max_seq_length": tiny.NUM_TOKENS,
            "max_predictions_per_seq": tiny.NUM_PREDICTIONS,
            "do_train": True,
            "train_batch_size": 8,
            "learning_rate": 1e-3,
            "num_train_steps": 8,
            "num_warmup_steps": 2,
            "save_checkpoints_steps": 4,
        }
        return train.run(config.PretrainingConfig(**defaults | settings))

    return run


@pytest.fixture(scope="module")
def trained(job, directory):
    """Returns the output of a run that nothing has stopped."""
    job("trained")
    return directory / "trained"


def _tensors(directory, step):
    reader = tf.train.load_checkpoint(str(directory / f"model.ckpt-{step}"))
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
    }


def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(
    job, directory, trained
):
    # As a kill after the save at step 4 leaves it.
    stopped = directory / "stopped"
    shutil.copytree(trained, stopped)
    for path in stopped.glob("model.ckpt-8.*"):
        path.unlink()
    job("stopped")
    uninterrupted, resumed = _tensors(trained, 8), _tensors(stopped, 8)
    assert uninterrupted.keys() == resumed.keys()
    for name, tensor in uninterrupted.items():
        assert np.array_equal(tensor, resumed[name]), name
    lines = (stopped / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [4, 8]


def test_a_finished_run_prints_its_arithmetic_and_does_nothing(
    job, trained, caplog
):
    before = {p: p.stat().st_mtime_ns for p in trained.iterdir()}
    caplog.set_level("INFO")
    job("trained")
    assert before == {p: p.stat().st_mtime_ns for p in trained.iterdir()}
    for line in (
        "devices: 1 CPU replica",
        "batch: 8 sequences = 1 x 8; 128 tokens a step",
        "length: 8 steps = 2.9 epochs of 22 records",
        f"resumed at step 8 from {trained / 'model.ckpt-8'}; 0 steps remain",
    ):
        assert line in caplog.messages


def test_evaluation_does_not_depend_on_the_batch_size(job, trained):
    small, large = (
        job("trained", do_eval=True, do_train=False, eval_batch_size=size)
        for size in (4, 16)
    )
    assert small == pytest.approx(large, rel=1e-5)
    lines = (trained / "eval_results.txt").read_text().splitlines()
    assert [line.split(" = ")[0] for line in lines] == [
        "global_step",
        "loss",
        "masked_lm_accuracy",
        "masked_lm_loss",
        "next_sentence_accuracy",
        "next_sentence_loss",
    ]
    assert lines[0] == "global_step = 8"


def test_a_run_starts_from_anothers_weights_but_not_its_step(
    job, directory, trained, caplog
):
    caplog.set_level("INFO")
    # At a rate of next to nothing the weights stay what they were.
    job(
        "second",
        init_checkpoint=str(trained),
        learning_rate=1e-30,
        do_eval=True,
        eval_input_file=None,
    )
    first, second = _tensors(trained, 8), _tensors(directory / "second", 8)
    for name in first:
        if not name.endswith(("adam_m", "adam_v")):
            assert np.array_equal(first[name], second[name]), name
    assert f"initialised from {trained}; 8 steps remain" in caplog.text
    assert "EVALUATING ON THE TRAINING FILES" in caplog.text


def test_evaluation_without_a_checkpoint_says_what_to_set(job):
    with pytest.raises(ValueError, match="no checkpoint to evaluate"):
        job("none", do_train=False, do_eval=True)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"do_train": False}, "set --do_train"),
        ({"train_batch_size": 0}, "--train_batch_size must be positive"),
        ({"num_warmup_steps": -1}, "--num_warmup_steps must not be"),
        ({"bert_config_file": "/no.json"}, "--bert_config_file: /no.json"),
        ({"max_seq_length": 512}, "max_position_embeddings=16"),
        ({"max_seq_length": 8}, "max_seq_length=16, but --max_seq_length=8"),
        ({"input_file": "/nothing*"}, "--input_file: no file .*/nothing"),
        ({"init_checkpoint": "/no.ckpt"}, "--init_checkpoint=/no.ckpt"),
        ({"output": "/proc/nowhere"}, "--output_dir: /proc/nowhere"),
        ({"tpu_name": "grpc://127.0.0.1:1"}, "127.0.0.1:1.*--tpu_name"),
    ],
)
def test_a_wrong_setting_is_named_with_its_flag(job, settings, words):
    with pytest.raises((ValueError, ConnectionError), match=words):
        job(**{"output": "wrong"} | settings)

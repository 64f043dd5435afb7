"""metrics.jsonl has each step once, whatever cut the run off."""

import json

import tensorflow as tf

from training import summaries


def _write(directory, start_step, steps):
    with summaries.Summaries(
        str(directory), start_step=start_step, num_steps=100
    ) as told:
        for step in steps:
            told.write(step, {"loss": step / 10})


def _steps(directory):
    lines = (directory / summaries.METRICS_FILE).read_text().splitlines()
    return [json.loads(line)["step"] for line in lines]


def test_a_resumed_run_drops_what_it_will_do_again(tmp_path):
    _write(tmp_path, 0, [10, 20, 30])
    _write(tmp_path, 20, [30, 40])
    assert _steps(tmp_path) == [10, 20, 30, 40]


def test_a_line_cut_short_by_a_kill_is_dropped(tmp_path):
    _write(tmp_path, 0, [10, 20])
    with (tmp_path / summaries.METRICS_FILE).open("a") as file:
        file.write('{"step": 3')
    _write(tmp_path, 20, [30])
    assert _steps(tmp_path) == [10, 20, 30]


def test_tensorboard_gets_the_same_numbers(tmp_path):
    _write(tmp_path, 0, [10, 20])
    (path,) = tmp_path.glob("events.out.tfevents.*")
    values = {
        event.step: float(tf.make_ndarray(value.tensor))
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
    }
    assert {step: round(v, 6) for step, v in values.items()} == {
        10: 1.0,
        20: 2.0,
    }


def test_a_process_that_is_no_chief_writes_nothing(tmp_path):
    with summaries.Summaries(
        str(tmp_path), start_step=0, num_steps=1, is_chief=False
    ) as told:
        told.write(1, {"loss": 1.0})
    assert list(tmp_path.iterdir()) == []

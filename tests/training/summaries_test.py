"""metrics.jsonl has each step once, whatever cut the run off."""

import json
import re

import pytest
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


def test_tensorboard_gets_the_flags_as_text_and_hyperparameters(tmp_path):
    with summaries.Summaries(
        str(tmp_path), start_step=5, num_steps=100
    ) as told:
        told.describe({"learning_rate": 0.5, "use_tpu": False, "master": None})
    (path,) = tmp_path.glob("events.out.tfevents.*")
    values = {
        value.tag: value
        for event in tf.compat.v1.train.summary_iterator(str(path))
        for value in event.summary.value
    }
    text = tf.make_ndarray(values["flags"].tensor).item().decode()
    assert "| learning_rate | 0.5 |" in text and "| master | None |" in text
    start = values["_hparams_/session_start_info"]
    assert b"learning_rate" in start.metadata.plugin_data.content


def test_lines_end_with_the_time_that_is_left(tmp_path, caplog, monkeypatch):
    caplog.set_level("INFO")
    clock = iter([0.0] + [10.0 + 2 * n for n in range(40)])
    monkeypatch.setattr(summaries.time, "monotonic", lambda: next(clock))
    with summaries.Summaries(
        str(tmp_path), start_step=0, num_steps=1000
    ) as told:
        told.advance(10)
        told.write(10, {"loss": 1.5, "tokens_per_step": 64})
        told.advance(20)
        told.write(20, {"loss": 1.25, "eval_loss": 2.1234567})
    # 10 steps in 2 seconds, and 980 are left.
    assert caplog.messages == [
        "step 10  loss 1.5",
        "step 20  loss 1.25  3 min 16 s left",
        "evaluation at step 20  eval_loss 2.12346",
    ]


def test_the_time_left_goes_by_what_steps_cost(tmp_path, caplog, monkeypatch):
    caplog.set_level("INFO")
    clock = iter([0.0] + [10.0 + 2 * n for n in range(40)])
    monkeypatch.setattr(summaries.time, "monotonic", lambda: next(clock))
    with summaries.Summaries(
        str(tmp_path),
        start_step=0,
        num_steps=1000,
        # From step 20 on a step costs three times as much.
        cost_of=lambda step: step + 2 * max(0, step - 20),
    ) as told:
        told.advance(10)
        told.advance(20)
        told.write(20, {"loss": 1.5})
        told.forget_pace()
        told.advance(21)
        told.advance(30)
        told.write(30, {"loss": 1.25})
    assert caplog.messages == [
        # 2 seconds of 10 steps; the 980 that are left are as 2,940.
        "step 20  loss 1.5  9 min 48 s left",
        # 2 seconds of 9 steps; 970 are left.
        "step 30  loss 1.25  3 min 36 s left",
    ]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.2, "0 s"),
        (59.6, "1 min"),
        (61, "1 min 1 s"),
        (3600, "1 h"),
        (7325, "2 h 2 min"),
        (200_000, "2 d 7 h"),
        (86_405, "1 d"),
    ],
)
def test_durations_are_told_in_two_units(seconds, words):
    assert summaries.format_duration(seconds) == words


def test_what_cannot_be_written_is_named_and_written_later(tmp_path, caplog):
    with summaries.Summaries(
        str(tmp_path), start_step=0, num_steps=100
    ) as told:
        # As a full disk would, a directory takes no text.
        path = tmp_path / summaries.METRICS_FILE
        path.mkdir()
        told.write(10, {"loss": 1.0})
        path.rmdir()
        told.write(20, {"loss": 0.5})
    assert re.search("metrics.jsonl could not be written", caplog.text)
    assert _steps(tmp_path) == [10, 20]


def test_the_picture_is_drawn_at_the_end_and_not_at_every_save(tmp_path):
    pytest.importorskip("matplotlib")
    path = tmp_path / summaries.CURVES_FILE
    with summaries.Summaries(
        str(tmp_path), start_step=0, num_steps=100
    ) as told:
        told.write(10, {"loss": 1.0})
        told.saved("ckpt-10", is_last=False)
        assert not path.exists()
        told.write(100, {"loss": 0.5})
        told.saved("ckpt-100", is_last=True)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_a_process_that_is_no_chief_writes_nothing(tmp_path):
    with summaries.Summaries(
        str(tmp_path), start_step=0, num_steps=1, is_chief=False
    ) as told:
        told.describe({"use_tpu": False})
        told.advance(1)
        told.write(1, {"loss": 1.0})
        told.saved("ckpt-1", is_last=True)
    assert list(tmp_path.iterdir()) == []

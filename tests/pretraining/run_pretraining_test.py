"""run_pretraining as a process: killed and run again, and misused."""

import json
import os
import pathlib
import re
import signal
import subprocess
import sys
import time

import pytest
import tensorflow as tf

from tests import tiny

_ROOT = pathlib.Path(__file__).parents[2]
_TIMEOUT_SECS = 600


@pytest.fixture
def command(tmp_path):
    (tmp_path / "bert.json").write_text(json.dumps(tiny.CONFIG))
    records = tiny.write_records(tmp_path / "train.tfrecord", 40)
    return [
        sys.executable,
        str(_ROOT / "run_pretraining.py"),
        f"--bert_config_file={tmp_path / 'bert.json'}",
        f"--input_file={records}",
        f"--output_dir={tmp_path / 'out'}",
        f"--max_seq_length={tiny.NUM_TOKENS}",
        f"--max_predictions_per_seq={tiny.NUM_PREDICTIONS}",
        "--do_train",
        "--train_batch_size=8",
        "--num_train_steps=1,000",
        "--num_warmup_steps=10",
        "--save_checkpoints_steps=100",
        "--iterations_per_loop=10",
    ]


def test_after_sigkill_the_same_command_ends_at_the_right_step(
    command, tmp_path
):
    output = tmp_path / "out"
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    _wait_for(lambda: (output / "model.ckpt-200.index").exists(), process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    killed_after = _last_step(output)
    assert killed_after < 1000
    again = subprocess.run(
        command, stderr=subprocess.PIPE, text=True, timeout=_TIMEOUT_SECS
    )
    assert again.returncode == 0, again.stderr
    resumed_at = int(
        re.search(r"resumed at step ([\d,]+)", again.stderr)[1].replace(",", "")
    )
    assert 200 <= resumed_at < 1000 and resumed_at % 100 == 0
    assert _last_step(output) == 1000
    assert sorted(os.listdir(output)) == sorted(
        ["checkpoint", "export", "metrics.jsonl", "settings.json"]
        + ["training_curves.png"]
        + [p.name for p in output.glob("events.out.tfevents.*")]
        + [
            f"model.ckpt-{step}.{suffix}"
            for step in (600, 700, 800, 900, 1000)
            for suffix in ("data-00000-of-00001", "index")
        ]
    )
    reader = tf.train.load_checkpoint(str(output))
    assert reader.get_tensor("global_step") == 1000


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_saves_and_ends_with_status_4(command, tmp_path, number):
    output = tmp_path / "out"
    # Without the signal nothing would be saved before the end.
    command.append("--save_checkpoints_steps=100,000")
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    _wait_for(lambda: (output / "metrics.jsonl").exists(), process)
    process.send_signal(number)
    _, said = process.communicate(timeout=_TIMEOUT_SECS)
    assert process.returncode == 4, said
    assert "Traceback" not in said
    stopped_at = int(
        re.search(r"stopped at step ([\d,]+)", said)[1].replace(",", "")
    )
    assert _last_step(output) == stopped_at < 1000
    reader = tf.train.load_checkpoint(str(output))
    assert reader.get_tensor("global_step") == stopped_at


def _wait_for(condition, process):
    deadline = time.monotonic() + _TIMEOUT_SECS
    while not condition():
        assert process.poll() is None, "ended before it could be killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _last_step(output):
    lines = (output / "metrics.jsonl").read_text().splitlines()
    steps = [json.loads(line)["step"] for line in lines]
    assert steps == sorted(set(steps))
    return steps[-1]


def test_a_mistake_is_one_line_and_no_traceback(command, tmp_path):
    path = tmp_path / "train.tfrecord"
    os.truncate(path, path.stat().st_size - 7)
    failed = subprocess.run(
        command, stderr=subprocess.PIPE, text=True, timeout=_TIMEOUT_SECS
    )
    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
    errors = [x for x in failed.stderr.splitlines() if x.startswith("error:")]
    assert len(errors) == 1
    assert f"{path} is truncated" in errors[0]
    assert os.listdir(tmp_path / "out") == []

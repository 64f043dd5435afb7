"""Fine-tunings that are killed at any moment end as one that was not."""

import json
import random
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

from tests import project

NUM_KILLS = 10
_TIMEOUT_SECS = 600
# What a run leaves besides its weights.
FILES = (
    "eval_results.txt",
    "classification_report.txt",
    "test_results.tsv",
    "predictions.jsonl",
    "best/best.json",
)


@pytest.fixture(scope="module")
def shape(tmp_path_factory):
    path = tmp_path_factory.mktemp("shape") / "bert.json"
    values = json.loads((project.ROOT / "configs/bert_tiny.json").read_text())
    values |= {"hidden_size": 48, "num_hidden_layers": 1, "vocab_size": 8000}
    path.write_text(json.dumps(values))
    return path


def _start(shape, output, *flags):
    return subprocess.Popen(
        [
            sys.executable,
            "run_classifier.py",
            f"--bert_config_file={shape}",
            "--vocab_file=vocab/zh_en_8k.txt",
            "--task_name=tsv",
            "--data_dir=samples/opinions",
            f"--output_dir={output}",
            "--do_train",
            "--do_eval",
            "--do_predict",
            "--train_batch_size=8",
            "--num_train_epochs=40",
            "--learning_rate=1e-3",
            "--max_seq_length=64",
            "--save_checkpoints_steps=10",
            "--iterations_per_loop=5",
            "--eval_every_steps=25",
            "--keep_best",
            *flags,
        ],
        cwd=project.ROOT,
        env=project.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def _finish(shape, output, *flags):
    started = time.monotonic()
    process = _start(shape, output, *flags)
    _, said = process.communicate(timeout=_TIMEOUT_SECS)
    assert process.returncode == 0, said
    return time.monotonic() - started


def _tensors(folder):
    reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(str(folder)))
    names = reader.get_variable_to_shape_map()
    return {name: reader.get_tensor(name) for name in names}


@pytest.mark.slow
@pytest.mark.parametrize("is_taught", [False, True])
def test_killed_fine_tunings_end_with_the_same_scores(
    shape, tmp_path, is_taught
):
    flags = ()
    if is_taught:
        flags = (f"--teacher_dir={tmp_path / 'teacher'}",)
        _finish(shape, tmp_path / "teacher", "--num_train_epochs=4")
    whole = tmp_path / "whole"
    seconds = _finish(shape, whole, *flags)
    wanted = _tensors(whole)
    rng = random.Random(7)
    num_killed = number = 0
    while num_killed < NUM_KILLS:
        output = tmp_path / f"killed_{number}"
        number += 1
        for kind in (signal.SIGKILL, signal.SIGTERM, signal.SIGKILL):
            process = _start(shape, output, *flags)
            try:
                process.communicate(timeout=rng.uniform(0.2, 1.0) * seconds)
            except subprocess.TimeoutExpired:
                process.send_signal(kind)
                process.communicate(timeout=_TIMEOUT_SECS)
                num_killed += process.returncode != 0
        _finish(shape, output, *flags)
        found = _tensors(output)
        assert found.keys() == wanted.keys()
        for name, tensor in wanted.items():
            assert np.array_equal(found[name], tensor), name
        for name in FILES:
            assert (output / name).read_text() == (whole / name).read_text()
    print(f"{num_killed} killed in {number} runs")

"""Runs on the sample text that are killed again and again end as one that was
not: SIGKILL and SIGTERM, between steps and while a checkpoint is written.
"""

import itertools
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

NUM_RUNS = 5
NUM_STEPS = 120
# Of every run.
KILLS = (
    (signal.SIGKILL, "between"),
    (signal.SIGTERM, "between"),
    (signal.SIGKILL, "in a save"),
    (signal.SIGTERM, "in a save"),
)
_TIMEOUT_SECS = 600


def run(*command, **arguments):
    return subprocess.Popen(
        [sys.executable, *map(str, command)],
        cwd=project.ROOT,
        env=project.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        **arguments,
    )


@pytest.fixture(scope="module")
def records(tmp_path_factory):
    folder = tmp_path_factory.mktemp("records")
    for part in ("train", "heldout"):
        build = run(
            "create_pretraining_data.py",
            f"--input_file=samples/{part}",
            f"--output_file={folder}/{part}.tfrecord",
            "--vocab_file=vocab/zh_en_8k.txt",
            "--dupe_factor=2",
            "--masking=dynamic",
            "--t2s",
        )
        _, said = build.communicate(timeout=_TIMEOUT_SECS)
        assert build.returncode == 0, said
    shape = json.loads((project.ROOT / "configs/bert_tiny.json").read_text())
    # What counts is how often it is stopped, not how long a step takes.
    shape |= {"hidden_size": 48, "num_hidden_layers": 1, "vocab_size": 8000}
    (folder / "bert.json").write_text(json.dumps(shape))
    return folder


def train(records, output, *flags):
    return run(
        "run_pretraining.py",
        f"--bert_config_file={records}/bert.json",
        f"--input_file={records}/train.tfrecord",
        f"--eval_input_file={records}/heldout.tfrecord",
        f"--output_dir={output}",
        "--do_train",
        "--train_batch_size=16",
        "--num_warmup_steps=10",
        "--learning_rate=1e-3",
        f"--num_train_steps={NUM_STEPS}",
        "--save_checkpoints_steps=10",
        "--iterations_per_loop=5",
        "--eval_every_steps=40",
        "--keep_best_metric=masked_lm_loss",
        "--max_eval_steps=4",
        *flags,
    )


def tensors(folder):
    """What the newest checkpoint of a folder holds, and its name."""
    prefix = tf.train.latest_checkpoint(str(folder))
    reader = tf.train.load_checkpoint(prefix)
    names = reader.get_variable_to_shape_map()
    return prefix.rpartition("/")[2], {n: reader.get_tensor(n) for n in names}


def assert_equal(folder, wanted):
    (name, got), (wanted_name, want) = tensors(folder), tensors(wanted)
    assert name == wanted_name and got.keys() == want.keys()
    for name, tensor in want.items():
        assert np.array_equal(got[name], tensor), name


def steps_of(output):
    path = output / "metrics.jsonl"
    text = path.read_text() if path.exists() else ""
    whole = text[: text.rfind("\n") + 1].splitlines()
    return [json.loads(line)["step"] for line in whole]


def wait_for(condition, process):
    deadline = time.monotonic() + _TIMEOUT_SECS
    while not condition() and process.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.0002)


def killed(records, output, kills, rng, *flags):
    """Runs a training that is killed again and again, and then to its end.

    Returns:
        How often it was killed, and how often in a save.
    """
    num_killed = num_in_saves = 0
    for turn, (kind, moment) in enumerate(kills):
        process = train(records, output, *flags)
        step = (turn + rng.random()) * NUM_STEPS / len(kills)
        wait_for(
            lambda step=step: max(steps_of(output), default=0) >= step, process
        )
        if moment == "in a save":
            wait_for((output / ".unfinished").exists, process)
        time.sleep(rng.random() * 0.02)
        process.send_signal(kind)
        _, said = process.communicate(timeout=_TIMEOUT_SECS)
        # Before it trains a process minds no signal: it ends at once.
        statuses = (4, -kind) if kind == signal.SIGTERM else (-kind,)
        num_killed += process.returncode in statuses
        assert process.returncode in (*statuses, 0), said
        num_in_saves += (output / ".unfinished").exists()
    finish(records, output, *flags)
    return num_killed, num_in_saves


def finish(records, output, *flags):
    process = train(records, output, *flags)
    _, said = process.communicate(timeout=_TIMEOUT_SECS)
    assert process.returncode == 0, said


def assert_as_if_undisturbed(output, whole):
    assert_equal(output, whole)
    assert_equal(output / "best", whole / "best")
    steps = steps_of(output)
    assert all(a < b for a, b in itertools.pairwise(steps))
    assert {*range(5, NUM_STEPS + 1, 5)} <= {*steps}
    # Nothing half written is left, here or below.
    assert not [*output.rglob("*.tmp"), *output.rglob(".unfinished")]


def killed_and_whole(records, folder, *flags, seed, num_kills):
    """Holds one run that is killed beside one that is not.

    Returns:
        How often it was killed.
    """
    whole, output = folder / "whole", folder / "killed"
    finish(records, whole, *flags)
    rng = random.Random(seed)
    kills = [rng.choice(KILLS) for _ in range(num_kills)]
    num_killed, num_in_saves = killed(records, output, kills, rng, *flags)
    assert_as_if_undisturbed(output, whole)
    print(f"{num_killed} killed, {num_in_saves} of them in a save")
    return num_killed


@pytest.mark.slow
def test_runs_killed_at_any_moment_end_with_the_same_weights(records, tmp_path):
    whole = tmp_path / "whole"
    finish(records, whole)
    rng = random.Random(5)
    num_killed = num_in_saves = 0
    for number in range(NUM_RUNS):
        output = tmp_path / str(number)
        counts = killed(records, output, rng.sample(KILLS, len(KILLS)), rng)
        num_killed += counts[0]
        num_in_saves += counts[1]
        assert_as_if_undisturbed(output, whole)
    print(f"{num_killed} killed, {num_in_saves} of them in a save")
    assert num_killed >= 0.9 * NUM_RUNS * len(KILLS)
    assert num_in_saves > 0


@pytest.mark.slow
def test_one_run_killed_twenty_times_ends_with_the_same_weights(
    records, tmp_path
):
    # In float32 XLA compiles the whole step.
    flags = ["--mixed_precision=none"]
    num_killed = killed_and_whole(
        records, tmp_path, *flags, seed=6, num_kills=22
    )
    assert num_killed >= 20


@pytest.mark.slow
def test_a_run_that_grows_killed_ten_times_ends_with_the_same_weights(
    records, tmp_path
):
    shape = json.loads((records / "bert.json").read_text())
    bert = tmp_path / "deeper.json"
    bert.write_text(json.dumps(shape | {"num_hidden_layers": 3}))
    flags = [
        f"--bert_config_file={bert}",
        "--stages=128x8x1:.3,128x16x2:.3,128x16:.4",
    ]
    num_killed = killed_and_whole(
        records, tmp_path, *flags, seed=7, num_kills=11
    )
    assert num_killed >= 10


@pytest.mark.slow
@pytest.mark.parametrize(
    "objective",
    ["replaced_token", "distillation", "transformer_distillation"],
)
def test_runs_of_two_networks_killed_ten_times_end_with_the_same_weights(
    records, tmp_path, objective
):
    """Generator and discriminator, or a student and its teacher."""
    flags = [
        f"--objective={objective}",
        "--nouse_nsp",
        "--keep_best_metric=loss",
    ]
    if objective == "replaced_token":
        shape = json.loads((records / "bert.json").read_text())
        electra = tmp_path / "electra.json"
        electra.write_text(
            json.dumps(shape | {"model_type": "electra", "embedding_size": 32})
        )
        flags.append(f"--bert_config_file={electra}")
    else:
        finish(records, tmp_path / "teacher", "--num_train_steps=20")
        flags.append(f"--teacher_dir={tmp_path}/teacher/export")
    num_killed = killed_and_whole(
        records, tmp_path, *flags, seed=8, num_kills=11
    )
    assert num_killed >= 10

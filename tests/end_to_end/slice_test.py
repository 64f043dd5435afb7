"""A slice of four hosts, of a name, trains the weights that one process trains.

On servers of this machine with virtual CPU devices, see `tests.slice_program`:
what `TPUStrategy` itself does is not in it.
"""

import contextlib
import json
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest

from tests import google_cloud, project, tiny, workers
from tests.finetuning.classification import tiny_classifier
from tests.pretraining import tiny_job

pytestmark = pytest.mark.slow
_NUM_HOSTS = 4
_DEVICES_A_HOST = 2
_SECONDS = 400
_NUM_STEPS = 40


def _command(*arguments):
    return [sys.executable, "-m", "tests.slice_program", *map(str, arguments)]


def _free_ports(number):
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


@contextlib.contextmanager
def _slice():
    """Yields the hosts, and the environment in which "slice" is their name."""
    ports = _free_ports(_NUM_HOSTS)
    hosts = [
        workers.start(
            *_command("host", port, _DEVICES_A_HOST),
            env=project.environment(),
            cwd=project.ROOT,
        )
        for port in ports
    ]
    try:
        for host in hosts:
            assert host.stdout.readline() == "ready\n"
        with google_cloud.served() as cloud:
            cloud.nodes["slice"] = google_cloud.node(ports=ports)
            yield hosts, project.environment() | cloud.environment
    finally:
        for host in hosts:
            host.kill()
            host.wait()


@pytest.fixture(scope="module")
def environment():
    with _slice() as (_, found):
        yield found


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    directory = tmp_path_factory.mktemp("slice")
    tiny_job.write_inputs(directory)
    _write_shape(directory)
    return directory


def _write_shape(directory):
    # Replicas draw dropout of their own.
    no_dropout = {
        "num_hidden_layers": 1,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    }
    (directory / "bert.json").write_text(json.dumps(tiny.CONFIG | no_dropout))


def _pretraining(inputs, output, *flags):
    return (
        "run_pretraining.py",
        f"--bert_config_file={inputs}/bert.json",
        f"--input_file={inputs}/train.tfrecord",
        f"--eval_input_file={inputs}/eval.tfrecord",
        f"--output_dir={inputs / output}",
        f"--max_seq_length={tiny.NUM_TOKENS}",
        f"--max_predictions_per_seq={tiny.NUM_PREDICTIONS}",
        "--do_train",
        "--do_eval",
        "--train_batch_size=8",
        "--learning_rate=1e-3",
        f"--num_train_steps={_NUM_STEPS}",
        "--num_warmup_steps=2",
        "--save_checkpoints_steps=4",
        "--eval_every_steps=20",
        "--mixed_precision=none",
        *flags,
    )


def _start(command, environment=None):
    """Starts a program on the slice, or in a process alone."""
    if environment is None:
        command = [sys.executable, *command]
    else:
        command = _command(
            *("run", _NUM_HOSTS * _DEVICES_A_HOST, *command, "--tpu_name=slice")
        )
    return subprocess.Popen(
        command,
        env=environment or project.environment(),
        cwd=project.ROOT,
        stderr=subprocess.PIPE,
        text=True,
    )


def _finish(process, status=0):
    """Returns what a program said until it ended, with this status."""
    try:
        _, said = process.communicate(timeout=_SECONDS)
    finally:
        process.kill()
    print(said[-3000:])
    assert process.returncode == status
    return said


def _largest_difference(one, other):
    assert one.keys() == other.keys()
    return max(np.abs(one[name] - other[name]).max() for name in one)


def _names(folder):
    """The files of a folder without TensorBoard's, one of each start."""
    names = {path.name for path in folder.iterdir()}
    return {name for name in names if not name.startswith("events.")}


def _results(folder):
    lines = (folder / "eval_results.txt").read_text().splitlines()
    return {key: float(x) for key, x in (line.split(" = ") for line in lines)}


def _assert_equal(alone, other):
    difference = _largest_difference(
        tiny_job.tensors(alone, _NUM_STEPS), tiny_job.tensors(other, _NUM_STEPS)
    )
    print(f"largest difference {difference:.1e}")
    assert difference < 1e-6
    assert _results(other) == pytest.approx(_results(alone), rel=1e-5)
    assert _names(alone) == _names(other)


@pytest.fixture(scope="module")
def alone(inputs):
    _finish(_start(_pretraining(inputs, "alone")))
    return inputs / "alone"


def test_a_slice_trains_what_one_process_trains(inputs, environment, alone):
    said = _finish(_start(_pretraining(inputs, "slice"), environment))
    _assert_equal(alone, inputs / "slice")
    assert said.count("grpc://127.0.0.1:") == _NUM_HOSTS
    for mine, other in zip(
        tiny_job.metrics(alone),
        tiny_job.metrics(inputs / "slice"),
        strict=True,
    ):
        assert mine["step"] == other["step"]
        for name in mine.keys() & {"loss", "eval_loss"}:
            assert mine[name] == pytest.approx(other[name], rel=1e-5)


def _wait_for(path, process):
    deadline = time.monotonic() + _SECONDS
    while not path.exists():
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.2)


def test_a_slice_that_is_told_to_end_saves_and_goes_on(
    inputs, environment, alone
):
    output = inputs / "stopped"
    process = _start(_pretraining(inputs, "stopped"), environment)
    _wait_for(output / "model.ckpt-4.index", process)
    process.send_signal(signal.SIGTERM)
    said = _finish(process, status=4)
    assert "saving and ending" in said
    assert not (output / f"model.ckpt-{_NUM_STEPS}.index").exists()
    _finish(_start(_pretraining(inputs, "stopped"), environment))
    _assert_equal(alone, output)


def test_a_slice_that_loses_a_host_ends_and_goes_on_on_another(
    inputs, environment, alone
):
    output = inputs / "lost"
    with _slice() as (hosts, of_slice):
        process = _start(_pretraining(inputs, "lost"), of_slice)
        _wait_for(output / "model.ckpt-4.index", process)
        hosts[2].kill()
        last = _finish(process, status=3).splitlines()[-1]
    assert last.startswith("error: a host of the TPU ")
    _finish(_start(_pretraining(inputs, "lost"), environment))
    _assert_equal(alone, output)


def _fine_tuning(inputs, output):
    return (
        "run_classifier.py",
        f"--bert_config_file={inputs}/bert.json",
        f"--vocab_file={inputs}/vocab.txt",
        f"--data_dir={inputs}",
        f"--output_dir={inputs / output}",
        "--task_name=tsv",
        f"--max_seq_length={tiny.NUM_TOKENS}",
        "--train_batch_size=16",
        "--predict_batch_size=8",
        "--learning_rate=1e-2",
        "--optimizer=adamw",
        "--mixed_precision=none",
        "--num_train_epochs=6",
        "--early_stopping=2",
        "--keep_best",
        "--do_train",
        "--do_eval",
        "--do_predict",
    )


def test_a_fine_tuning_on_a_slice_ends_early_with_the_same_answers(
    tmp_path, environment
):
    tiny_classifier.write_model(tmp_path)
    _write_shape(tmp_path)
    rng = np.random.default_rng(0)
    for name, size in (("train", 60), ("dev", 21), ("test", 9)):
        rows = [("text", "label")]
        for _ in range(size):
            words = rng.choice(tiny_classifier.WORDS, rng.integers(2, 12))
            rows.append((" ".join(words), "yes" if "good" in words else "no"))
        if name == "test":
            rows = [row[:1] for row in rows]
        tiny_classifier.write_lines(tmp_path / f"{name}.tsv", rows)
    _finish(_start(_fine_tuning(tmp_path, "alone")))
    _finish(_start(_fine_tuning(tmp_path, "slice"), environment))
    alone, found = tmp_path / "alone", tmp_path / "slice"
    assert _results(found) == pytest.approx(_results(alone), rel=1e-4)
    assert _results(alone)["global_step"] < 22
    assert _names(found) == _names(alone)
    answers = [
        np.loadtxt(folder / "test_results.tsv") for folder in (alone, found)
    ]
    np.testing.assert_allclose(*answers, atol=1e-5)

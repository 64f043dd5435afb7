"""A signal is noticed while TensorFlow is busy, and the second one kills."""

import signal
import subprocess
import sys
import threading
import time

import pytest
import tensorflow as tf

from tests import project, workers
from training import signals

_TIMEOUT_SECS = 600
# Busy in C code, which no Python handler interrupts.
_PROGRAM = """
import ctypes
import tensorflow as tf
from training import signals

with signals.Stop(tf.distribute.get_strategy()) as stop:
    print("ready", flush=True)
    for _ in range(int({seconds} / 0.5)):
        ctypes.CDLL(None).usleep(500_000)
        stop.agree(0.0)
        if stop.is_asked:
            print("noticed", flush=True)
            while {goes_on}:
                ctypes.CDLL(None).usleep(500_000)
            break
"""


def _start(seconds, goes_on):
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            _PROGRAM.format(seconds=seconds, goes_on=goes_on),
        ],
        cwd=project.ROOT,
        env=project.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_first_signal_is_noted_and_the_second_ends_at_once(number):
    process = _start(_TIMEOUT_SECS, goes_on=True)
    process.send_signal(number)
    assert process.stdout.readline() == "noticed\n"
    assert process.poll() is None
    process.send_signal(number)
    assert process.wait(_TIMEOUT_SECS) == 128 + number


def test_a_signal_interrupts_nothing_that_is_under_way():
    process = _start(_TIMEOUT_SECS, goes_on=False)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=_TIMEOUT_SECS)
    assert (process.returncode, said) == (0, "noticed\n")


def test_afterwards_signals_do_what_they_did_before():
    before = [signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGINT)]
    num_threads = threading.active_count()
    with signals.Stop(tf.distribute.get_strategy()) as stop:
        assert (stop.agree(1.5), stop.is_asked) == (1.5, False)
        signal.raise_signal(signal.SIGINT)
        deadline = time.monotonic() + _TIMEOUT_SECS
        while not stop.is_asked:
            stop.agree(0.0)
            assert time.monotonic() < deadline
    after = [signal.getsignal(s) for s in (signal.SIGTERM, signal.SIGINT)]
    assert after == before
    assert threading.active_count() == num_threads


def test_in_another_thread_there_is_nothing_to_catch():
    found = []

    def work():
        with signals.Stop(tf.distribute.get_strategy()) as stop:
            stop.agree(0.0)
            found.append(stop.is_asked)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert found == [False]


_WORKER = """
import os
import signal
import sys
import tensorflow as tf
from training import signals

rank = int(sys.argv[1])
strategy = tf.distribute.MultiWorkerMirroredStrategy()
with signals.Stop(strategy) as stop:
    mean = stop.agree(float(rank))
    print((stop.is_asked, mean))
    for number in range(1000):
        if (rank, number) == (1, 3):
            os.kill(os.getpid(), signal.SIGTERM)
        stop.agree(0.0)
        if stop.is_asked:
            break
    print(number)
"""


@pytest.mark.slow
def test_all_workers_stop_together_when_one_is_asked_to():
    said = workers.finish(
        [
            workers.start(
                *(sys.executable, "-c", _WORKER, str(rank)),
                cwd=project.ROOT,
                env=project.environment() | {"TF_CONFIG": config},
            )
            for rank, config in enumerate(workers.configs(2))
        ]
    )
    agreed, number = said[0].splitlines()
    assert said[0] == said[1]
    assert agreed == "(False, 0.5)" and 3 <= int(number) < 999

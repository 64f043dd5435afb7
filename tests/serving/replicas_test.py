"""A server of replicas on a Ray cluster, one of which is killed."""

import collections
import os
import signal
import socket
import subprocess
import threading
import time
import urllib.error

import pytest

from serving import replicas
from serving.config import ServeConfig
from tests import house_test
from tests.serving import served

served.skip_without_server()
_SECS_OF_PATIENCE = 120


def test_a_cluster_is_sent_all_that_a_replica_imports():
    wanted = {"serving"} | house_test.MAY_IMPORT["serving"]
    assert wanted == set(replicas.SHIPPED)


@pytest.mark.parametrize(
    ("there", "changes", "wanted"),
    [
        ({"CPU": 4.0}, {}, {"num_cpus": 1}),
        ({"CPU": 4.0, "GPU": 2.0}, {}, {"num_cpus": 1, "num_gpus": 1.0}),
        ({"CPU": 4.0, "GPU": 1.0}, {}, {"num_cpus": 1, "num_gpus": 0.5}),
        ({"CPU": 4.0, "GPU": 2.0}, {"device": "cpu"}, {"num_cpus": 1}),
    ],
)
def test_each_replica_has_a_core_and_a_share_of_the_cards(
    there, changes, wanted
):
    config = ServeConfig(model_dir="m", engine="ray", replicas=2, **changes)
    assert replicas._resources(there, config) == wanted


def test_a_cluster_that_is_too_small_is_said():
    config = ServeConfig(model_dir="m", engine="ray", replicas=3)
    with pytest.raises(ValueError, match="--replicas=3: the cluster has 2"):
        replicas._resources({"CPU": 2.0}, config)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"replicas": 2}, "--replicas=2 needs --engine=ray"),
        (
            {"engine": "ray", "port": 0},
            "--engine=ray needs the number of a --port",
        ),
    ],
)
def test_flags_that_do_not_belong_together(changes, message):
    with pytest.raises(ValueError, match=message):
        ServeConfig(model_dir="m", **changes)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return served.write(tmp_path_factory.mktemp("replicas"))


@pytest.fixture
def server(path):
    """Starts two replicas; yields (their address, the process)."""
    pytest.importorskip("ray.serve", reason="the extra ray is not installed")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with served.started(
        f"--model_dir={path / 'classes'},{path / 'encoder'}",
        "--max_seq_length=16",
        "--engine=ray",
        "--replicas=2",
        f"--port={port}",
    ) as (address, process):
        yield address, process


def _status(address):
    """Returns the status of a request; 0 where it got no answer."""
    try:
        served.post(address, "predict", inputs=["w1 w2"])
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
    return 200


def _pids():
    found = subprocess.run(
        ["pgrep", "-f", "^ray::ServeReplica:hanlin"],
        capture_output=True,
        text=True,
        check=False,
    )
    return set(map(int, found.stdout.split()))


@pytest.mark.slow
def test_replicas_answer_as_one_server_does(path, server):
    address, _ = server
    with served.started(
        f"--model_dir={path / 'classes'},{path / 'encoder'}",
        "--max_seq_length=16",
    ) as (alone, _):
        for text in served.TEXTS * 5:
            for where, body in (
                ("predict", {"inputs": [text]}),
                ("embeddings", {"input": text}),
            ):
                wanted = served.post(alone, where, **body)
                assert served.post(address, where, **body) == wanted


@pytest.mark.slow
def test_a_replica_killed_under_load_is_replaced(server):
    address, process = server
    first = _pids()
    assert len(first) == 2
    counts = collections.Counter()
    ended = threading.Event()

    def load():
        while not ended.is_set():
            counts[_status(address)] += 1

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    while counts[200] < 100:
        time.sleep(0.01)
    os.kill(min(first), signal.SIGKILL)
    deadline = time.monotonic() + _SECS_OF_PATIENCE
    while len(_pids() - {min(first)}) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    before = counts[200]
    while counts[200] < before + 100:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    ended.set()
    for thread in threads:
        thread.join()
    # What the dead one had is answered 5xx at worst; no client hangs.
    lost = counts.total() - counts[200]
    assert set(counts) <= {200, 500, 503}, counts
    assert lost <= 16, counts
    print(dict(counts))
    process.send_signal(signal.SIGTERM)
    assert process.wait(_SECS_OF_PATIENCE) == 0
    assert not _pids()

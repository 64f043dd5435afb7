"""Clients that are slow, many, or send too much, against a process."""

import concurrent.futures
import contextlib
import json
import resource
import select
import signal
import socket
import time
import urllib.error
import urllib.request

import pytest

from benchmarks import whole_process
from tests.serving import served

served.skip_without_server()
pytestmark = pytest.mark.slow

_DEADLINE_SECS = 3
_MANY = 10_000
_BODY = json.dumps({"input": "w1 w2"}).encode()
_HEAD = (
    b"POST /v1/embeddings HTTP/1.1\r\nHost: localhost\r\n"
    b"Content-Type: application/json\r\n"
)


@pytest.fixture(name="path", scope="module")
def write(tmp_path_factory):
    return served.write_encoder(tmp_path_factory.mktemp("clients"))


@pytest.fixture(name="server", scope="module")
def start(path):
    with _started(path, f"--deadline_secs={_DEADLINE_SECS}") as found:
        yield found


def _started(path, *flags):
    return served.started(
        f"--model_dir={path / 'encoder'}", "--max_seq_length=16", *flags
    )


def _connect(address):
    host, port = address.removeprefix("http://").split(":")
    return socket.create_connection((host, int(port)), timeout=60)


def _ask(address):
    request = urllib.request.Request(
        f"{address}/v1/embeddings", _BODY, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return answer.status


def _drip(client, parts):
    """Sends a part every tenth of a second, until the other side is gone."""
    begin = time.monotonic()
    try:
        for part in parts:
            client.sendall(part)
            time.sleep(0.1)
            if time.monotonic() - begin > 20 * _DEADLINE_SECS:
                break
        return client.recv(100), time.monotonic() - begin
    except OSError:
        return b"", time.monotonic() - begin


def test_a_head_that_does_not_come_ends_and_others_are_answered(server):
    address, _ = server
    drip = [bytes([x]) for x in _HEAD * 20]
    with _connect(address) as silent, _connect(address) as slow:
        assert _ask(address) == 200
        answer, secs = _drip(slow, drip)
        assert answer == b"" and secs < 3 * _DEADLINE_SECS
        assert silent.recv(1) == b""
    # After an answer, too.
    with _connect(address) as kept:
        kept.sendall(_HEAD + b"Content-Length: 2\r\n\r\n{}")
        assert b" 400 " in kept.recv(100)
        answer, secs = _drip(kept, drip)
        assert secs < 3 * _DEADLINE_SECS


def test_a_slow_body_is_told(server):
    address, _ = server
    with _connect(address) as slow:
        slow.sendall(_HEAD + b"Content-Length: 1000\r\n\r\n")
        slow.sendall(b"{")
        assert _ask(address) == 200
        assert b" 408 " in slow.recv(100)


@pytest.mark.parametrize("is_told_before", [True, False])
def test_a_gigabyte_is_refused_and_not_kept(server, is_told_before):
    address, process = server
    _ask(address)
    before = whole_process.bytes_of(process.pid)
    part = b" " * 1_000_000
    with _connect(address) as client:
        head = f"Content-Length: {10**9}\r\n\r\n".encode()
        if not is_told_before:
            head = b"Transfer-Encoding: chunked\r\n\r\n"
            part = f"{len(part):x}\r\n".encode() + part + b"\r\n"
        client.sendall(_HEAD + head)
        most, num_sent = before, 0
        try:
            for _ in range(1000):
                client.sendall(part)
                num_sent += 1
                most = max(most, whole_process.bytes_of(process.pid))
        except OSError:
            pass
    assert num_sent < 100
    assert most - before < 50e6
    assert _ask(address) == 200


def test_ten_thousand_connections_are_held_and_others_answered(path):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < _MANY + 500:
        pytest.skip(f"a process may open {hard} files here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    flags = (f"--max_connections={_MANY + 100}", "--deadline_secs=200")
    with contextlib.ExitStack() as stack:
        stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        address, process = stack.enter_context(_started(path, *flags))
        before = whole_process.bytes_of(process.pid)
        clients, ends = [], select.poll()
        for _ in range(_MANY):
            client = stack.enter_context(_connect(address))
            clients.append(client)
            ends.register(client, select.POLLIN)
        assert _ask(address) == 200
        assert not ends.poll(0)
        assert whole_process.bytes_of(process.pid) - before < 1e9
        for client in clients:
            client.close()
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            found = list(pool.map(lambda _: _ask(address), range(80)))
        assert found == [200] * 80


def test_one_that_does_not_read_does_not_keep_the_process(path):
    flag = f"--deadline_secs={_DEADLINE_SECS}"
    with _started(path, flag) as (address, process):
        body = json.dumps({"input": ["w1"] * 256}).encode()
        head = _HEAD + f"Content-Length: {len(body)}\r\n\r\n".encode()
        with _connect(address) as client:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            for _ in range(50):
                client.sendall(head + body)
            time.sleep(1)
            process.send_signal(signal.SIGTERM)
            assert process.wait(20 * _DEADLINE_SECS) == 0

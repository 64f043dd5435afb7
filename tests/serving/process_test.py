"""A server as a process: its port, OpenAI's client, its end under load."""

import asyncio
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error

import numpy as np
import pytest

from tests import project
from tests.serving import served
from tools import predict

served.skip_without_server()

from serving.process import listen  # noqa: E402


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return served.write(tmp_path_factory.mktemp("process"))


@pytest.fixture
def server(path):
    """Starts a server; yields (its address, its process)."""
    with served.started(
        f"--model_dir={path / 'classes'},{path / 'encoder'}",
        "--max_seq_length=16",
        "--drain_secs=0.5",
    ) as (address, process):
        yield address, process


def _predict(address):
    """Returns the status of a request, 0 where the port is closed."""
    try:
        answer = served.post(address, "predict", inputs=["w1 w2"])
    except urllib.error.HTTPError as error:
        return error.code
    except urllib.error.URLError as error:
        assert isinstance(error.reason, ConnectionRefusedError), error
        return 0
    assert len(answer["answers"]) == 1
    return 200


def test_a_signal_under_load_loses_no_request(server):
    address, process = server
    found = []

    def load():
        status = 200
        while status == 200:
            status = _predict(address)
            found.append(status)

    threads = [threading.Thread(target=load) for _ in range(8)]
    for thread in threads:
        thread.start()
    while len(found) < 40:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    for thread in threads:
        thread.join()
    assert process.wait(60) == 0
    assert found.count(200) >= 40
    assert set(found) == {200, 503}


def test_what_is_sent_is_not_kept_back(tmp_path):
    config = served.config(tmp_path)
    delays = []

    async def accept(_, writer):
        accepted = writer.get_extra_info("socket")
        delays.append(
            accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        )
        writer.close()

    async def run():
        listening = listen(config)
        async with await asyncio.start_server(accept, sock=listening):
            address = listening.getsockname()
            reader, writer = await asyncio.open_connection(*address)
            assert await reader.read() == b""
            writer.close()

    asyncio.run(run())
    assert delays == [1]


def test_the_client_of_openai_gets_vectors(server, path):
    openai = pytest.importorskip("openai", reason="the extra dev is missing")
    from finetuning.pretrained import Pretrained

    address, _ = server
    encoder = Pretrained(str(path / "encoder"), max_seq_length=16)
    wanted = encoder.vectors(served.TEXTS, normalize=True)
    with openai.OpenAI(base_url=f"{address}/v1", api_key="none") as client:
        assert [x.id for x in client.models.list()] == ["classes", "encoder"]
        for form in ("float", "base64", openai.NOT_GIVEN):
            answer = client.embeddings.create(
                model="encoder", input=served.TEXTS, encoding_format=form
            )
            found = [x.embedding for x in answer.data]
            if form == "base64":
                import base64

                found = [
                    np.frombuffer(base64.b64decode(x), "<f4") for x in found
                ]
            np.testing.assert_array_equal(np.float32(found), wanted)
        with pytest.raises(openai.NotFoundError, match="no such model"):
            client.embeddings.create(model="gpt", input="w1")
        with pytest.raises(openai.BadRequestError, match="32 dimensions"):
            client.embeddings.create(model="encoder", input="w", dimensions=9)


def test_the_tool_asks_a_server_as_it_asks_a_model(server, path):
    address, _ = server
    lines = path / "lines.txt"
    lines.write_text("".join(f"{text}\n" for text in served.TEXTS))
    found = []
    for flags in (
        {"model_dir": str(path / "classes")},
        {"server": address},
        {"server": address, "server_model": "classes"},
    ):
        output = path / "found.jsonl"
        predict.run(
            predict.PredictConfig(
                input_file=str(lines), output_file=str(output), **flags
            )
        )
        found.append(output.read_text())
    assert found[1] == found[2] == found[0] and found[0].count("\n") == 4
    for flags, words in (
        ({"server": address, "server_model": "none"}, "no such model"),
        ({"server": "http://127.0.0.1:1"}, "http://127.0.0.1:1"),
    ):
        config = predict.PredictConfig(
            input_file=str(lines), output_file=str(path / "no"), **flags
        )
        with pytest.raises((ValueError, ConnectionError), match=words):
            predict.run(config)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (["--host=0.0.0.0"], "--api_keys_file"),
        (["--port=65536"], "--port must be below 65536"),
        (["--api_keys_file=/nowhere"], "--api_keys_file"),
    ],
)
def test_a_wrong_flag_is_one_line(path, flags, words):
    done = subprocess.run(
        [sys.executable, "-m", "tools.serve"]
        + [f"--model_dir={path / 'classes'}", *flags],
        cwd=project.ROOT,
        env=project.environment(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("error: ") and words in line

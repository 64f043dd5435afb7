"""The load counts every request, and no answer is taken for another's."""

import collections
import http.server
import itertools
import json
import os
import threading
import time

import numpy as np
import pytest

from benchmarks import http_load, serving, whole_process


class _Handler(http.server.BaseHTTPRequestHandler):
    """Answers with the number that it is sent, and with a status of it."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.asked[asked] += 1
            self.server.at_once += 1
            self.server.most = max(self.server.most, self.server.at_once)
        time.sleep(0.01)
        with self.server.lock:
            self.server.at_once -= 1
        if asked == 3:
            self.close_connection = True
            return
        body = json.dumps(asked).encode()
        self.send_response(429 if asked == 2 else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Handler) as server:
        server.lock = threading.Lock()
        server.asked = collections.Counter()
        server.at_once = server.most = 0
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def _run(server, **how):
    url = f"http://127.0.0.1:{server.server_port}/"
    bodies = [json.dumps(number).encode() for number in range(5)]
    return http_load.run(url, bodies, **how)


def test_all_are_sent_and_what_was_lost_is_counted(server):
    found = []
    load = _run(server, num_clients=7, num_requests=50, every=found.append)
    assert server.asked == dict.fromkeys(range(5), 10)
    assert load.statuses == {200: 30, 429: 10, 0: 10}
    assert server.most <= 7
    for answer in found:
        expected = b"" if answer.number == 3 else str(answer.number).encode()
        assert answer.body == expected
    secs = [x.secs for x in load.answers if x.status == 200]
    assert min(secs) >= 0.01
    assert load.ms(50) == pytest.approx(1000 * np.median(secs))
    assert load.per_sec == pytest.approx(30 / load.secs)


def test_a_load_ends_in_time_and_a_rate_does_not_wait_for_answers(server):
    load = _run(server, num_clients=2, secs=0.3)
    assert 0.3 <= load.secs < 10
    before = server.asked.total()
    load = _run(server, num_clients=8, secs=0.5, per_sec=40.0)
    assert server.asked.total() - before == len(load.answers) == 20


def test_a_server_that_is_not_there_answers_nothing():
    load = http_load.run(
        "http://127.0.0.1:1/", [b"1"], num_clients=2, num_requests=4
    )
    assert load.statuses == {0: 4} and load.per_sec == 0


def test_texts_are_the_last_column_and_short_ones_the_shortest(tmp_path):
    path = tmp_path / "texts.tsv"
    lines = [f"{n}\t{n * 'x'}" for n in (0, 3, 1, 2, 7, 9, 8, 5, 4)]
    path.write_text("label\ttext\n" + "".join(f"{x}\n" for x in lines))
    texts = serving.texts_of(str(path))
    assert [len(text) for text in texts] == [3, 1, 2, 7, 9, 8, 5, 4]
    assert [len(text) for text in serving.shortest(texts)] == [3, 1, 2]


def test_seconds_on_a_processor_are_those_of_the_system():
    sum(itertools.islice(itertools.count(), 3_000_000))
    times = os.times()
    spent = whole_process.cpu_secs_of(os.getpid())
    assert spent == pytest.approx(times.user + times.system, abs=0.2)

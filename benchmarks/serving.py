"""Times tools.serve against others' servers of the same weights, under load.

Answers of a classifier beside transformers' pipeline behind FastAPI, vectors
beside sentence-transformers behind FastAPI. This process is the clients, each
of which waits for its answer and asks again; servers take turns, so that a busy
minute of the machine slows both. First it is shown that both answer the same.

python -m tools.convert_checkpoint --from=DIR --to=huggingface --output_dir=HF
python -m benchmarks.serving --model_dir=DIR --huggingface_dir=HF \\
    --input_file=reviews.tsv.gz --encoder_dir=MINILM \\
    --encoder_input_file=mrpc.tsv.gz --peers_python=PYTHON

PYTHON has transformers, sentence-transformers, fastapi and uvicorn. With
--requests=100000 tools.serve alone gets so many: lost answers are counted, and
its memory at the start and at the end; with --overload it gets twice as many a
second as it just bore. Short texts are the shortest quarter of a file's.
"""

import collections
import contextlib
import dataclasses
import os
import statistics
import sys
from typing import Annotated

import numpy as np

import config_flags
from benchmarks.served import Server
from settings.flag import Flag, Settings
from text import corpus

_PEERS = os.path.join(os.path.dirname(__file__), "serving_peers.py")
_CHECKED = 64
_OVERLOAD_CONNECTIONS = 900


@dataclasses.dataclass(frozen=True, kw_only=True)
class ServingConfig(Settings):
    """What is asked of whom."""

    model_dir: Annotated[str | None, "A fine-tuned classifier of texts."] = None
    huggingface_dir: Annotated[
        str | None, "The same one, as tools.convert_checkpoint made it."
    ] = None
    input_file: Annotated[
        str | None, "Texts for it: lines, of which the last column is taken."
    ] = None
    encoder_dir: Annotated[
        str | None, "A model of sentence-transformers, which both read."
    ] = None
    encoder_input_file: Annotated[str | None, "Texts for it."] = None
    peers_python: Annotated[str, "The Python of the peers."] = sys.executable
    one_at_a_time: Annotated[
        bool, "Whether the peers compute one request at a time, not forty."
    ] = False
    clients: Annotated[str, "Requests at once, as 1,8,64."] = "1,8,64"
    secs: Annotated[float, Flag("Seconds of each figure.", "positive")] = 5.0
    rounds: Annotated[int, Flag("Turns of each server.", "positive")] = 1
    threads: Annotated[
        int, Flag("Threads of each product, of all servers.", "positive")
    ] = os.cpu_count() or 1
    max_seq_length: Annotated[
        int, Flag("Tokens of a row of the encoder.", "positive")
    ] = 128
    requests: Annotated[
        int | None, Flag("So many to tools.serve alone.", "positive")
    ] = None
    overload: Annotated[
        bool, "Whether tools.serve gets twice as much as it bears."
    ] = False


def servers_of(config: ServingConfig) -> dict[str, tuple[Server, Server]]:
    """Returns {what they are asked for: (ours, theirs)}."""
    length = config.max_seq_length
    ours = [sys.executable, "-m", "tools.serve", f"--max_seq_length={length}"]
    theirs = [config.peers_python, _PEERS, f"--max_length={length}"]
    theirs += ["--one_at_a_time"] if config.one_at_a_time else []
    found = {}
    if config.input_file:
        found["answers"] = (
            Server(
                "tools.serve",
                [*ours, f"--model_dir={config.model_dir}"],
                "/v1/predict",
                lambda text: {"inputs": [text]},
                lambda found: _shares(found["answers"][0]["probabilities"]),
            ),
            Server(
                "pipeline",
                [*theirs, "pipeline", str(config.huggingface_dir)],
                "/",
                lambda text: {"inputs": [text]},
                lambda found: _shares(found["answers"][0]),
            ),
        )
    if config.encoder_input_file:
        found["vectors"] = (
            Server(
                "tools.serve",
                [*ours, f"--model_dir={config.encoder_dir}"],
                "/v1/embeddings",
                lambda text: {"input": text, "truncate": True},
                lambda found: found["data"][0]["embedding"],
            ),
            Server(
                "sentence-transformers",
                [*theirs, "sentence_transformers", str(config.encoder_dir)],
                "/",
                lambda text: {"inputs": [text]},
                lambda found: found["answers"][0],
            ),
        )
    return found


def _shares(probabilities):
    return [probabilities[label] for label in sorted(probabilities)]


def texts_of(path: str) -> list[str]:
    """Returns the last column of a file, without its first line."""
    lines = corpus.read(path).splitlines()[1:]
    texts = [line.rsplit("\t", 1)[-1].strip() for line in lines]
    return [text for text in texts if text]


def shortest(texts: list[str]) -> list[str]:
    """Returns the shortest quarter, in its order."""
    most = sorted(map(len, texts))[len(texts) // 4]
    return [text for text in texts if len(text) <= most]


def compare(config, what, servers, texts):
    """Prints requests a second and milliseconds, servers in turns."""
    checked = [server.answers(texts[:_CHECKED]) for server in servers]
    differences = np.abs(checked[0] - checked[1]).max()
    print(f"{what}: largest difference of {_CHECKED} {differences:.1e}")
    kinds = {"short": shortest(texts), "mixed": texts}
    columns = ("requests/s", "p50 ms", "p99 ms", "lost", "MB", "CPU ms")
    print(f"{'':<48}" + "".join(f"{x:>12}" for x in (*columns, "ours is")))
    for kind, asked in kinds.items():
        for count in map(int, config.clients.split(",")):
            found = {server.name: [] for server in servers}
            for _ in range(config.rounds):
                for server in servers:
                    begin = server.cpu_secs
                    load = server.load(
                        asked, num_clients=count, secs=config.secs
                    )
                    spent = server.cpu_secs - begin
                    found[server.name].append((load, spent))
            print_rows(f"{kind}, {count} clients", servers, found)


def print_rows(name, servers, found):
    """Prints the medians over turns of each server."""
    first = None
    for server in servers:
        figures = [
            (x.per_sec, x.ms(50), x.ms(99), 1000 * spent / len(x.answers))
            for x, spent in found[server.name]
        ]
        speed, half, most, cost = map(
            statistics.median, zip(*figures, strict=True)
        )
        first = first or speed
        lost = sum(
            len(x.answers) - x.statuses[200] for x, _ in found[server.name]
        )
        cells = (
            *(f"{speed:.1f}", f"{half:.1f}", f"{most:.1f}", str(lost)),
            *(f"{server.memory_mb:,.0f}", f"{cost:.1f}"),
            f"{first / speed:.2f} x",
        )
        row = f"{name}, {server.name}"
        print(f"{row:<48}" + "".join(f"{x:>12}" for x in cells), flush=True)


def endure(config, server, texts):
    """Prints what comes of many requests, and what becomes of memory."""
    count = max(map(int, config.clients.split(",")))
    first: dict[int, bytes] = {}
    num_others = 0

    def look(answer):
        nonlocal num_others
        before = first.setdefault(answer.number, answer.body)
        num_others += before != answer.body

    parts, begin = [], server.memory_mb
    size = config.requests // 10
    for number in range(10):
        load = server.load(
            texts, num_clients=count, num_requests=size, every=look
        )
        parts.append(load)
        print(
            f"{(number + 1) * size:>10,} requests, {load.per_sec:.1f} a second,"
            f" p99 {load.ms(99):.1f} ms, {server.memory_mb:,.0f} MB"
            f" (before the first {begin:,.0f})",
            flush=True,
        )
    statuses = sum((load.statuses for load in parts), collections.Counter())
    print(
        f"statuses {dict(statuses)} (0: no answer); {num_others} answers are "
        "other than the first to the same text"
    )


def overload(config, server, texts):
    """Prints what comes of twice the requests that are borne."""
    borne = server.load(texts, num_clients=64, secs=config.secs).per_sec
    load = server.load(
        texts,
        num_clients=_OVERLOAD_CONNECTIONS,
        secs=4 * config.secs,
        per_sec=2 * borne,
    )
    print(
        f"overload: {borne:.1f} a second are borne, {2 * borne:.1f} were sent:"
        f" {load.per_sec:.1f} a second answered, p50 {load.ms(50):.0f} ms, p99"
        f" {load.ms(99):.0f} ms, statuses {dict(load.statuses)}"
    )
    again = server.load(texts, num_clients=1, secs=config.secs)
    print(f"overload: p50 afterwards, alone, {again.ms(50):.1f} ms")


def run(config: ServingConfig) -> None:
    """Prints a table for each kind of model that is given."""
    files = {
        "answers": config.input_file,
        "vectors": config.encoder_input_file,
    }
    for what, servers in servers_of(config).items():
        texts = texts_of(files[what])
        is_alone = config.requests or config.overload
        with contextlib.ExitStack() as stack:
            for server in servers[: 1 if is_alone else 2]:
                stack.enter_context(server.started(config.threads))
            if config.requests:
                endure(config, servers[0], texts)
            if config.overload:
                overload(config, servers[0], texts)
            if not is_alone:
                compare(config, what, servers, texts)


if __name__ == "__main__":
    config_flags.run(run, ServingConfig)

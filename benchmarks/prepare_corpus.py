"""Times prepare_corpus.py beside datatrove, whole processes on one core.

Both read JSON lines, clean and split sentences; with "all" they also drop
repeated lines and documents that are copies, exact and near. The file is made
of the sentences of the texts that are named, drawn at random into paragraphs
and documents, so that it is as long as asked and has few copies.

python -m benchmarks.prepare_corpus --corpus=TEXT,TEXT --megabytes=200 \\
    --datatrove_python=VENV/bin/python
"""

import json
import os
import pathlib
import random
import sys
import tempfile

from absl import app, flags

from benchmarks import whole_process

_CORPUS = flags.DEFINE_list(
    "corpus", None, "Texts, one sentence a line.", required=True
)
_MEGABYTES = flags.DEFINE_integer("megabytes", 200, "Size of the file of ours.")
_PEER_MEGABYTES = flags.DEFINE_float(
    "peer_megabytes", 3, "Size of the file on which ours and the peer run."
)
_DATATROVE = flags.DEFINE_string(
    "datatrove_python",
    None,
    "A Python that has datatrove[io,processing,multilingual].",
)
_RUNS = flags.DEFINE_integer("runs", 3, "Runs of ours; the median is shown.")
_PEER_RUNS = flags.DEFINE_integer("peer_runs", 1, "Runs of the peer.")
_CLEAN = ("--noexact_duplicates", "--nonear_duplicates")
_CLEAN += ("--repeated_line_documents=0",)


def write(path, num_bytes):
    """Writes about so much text as JSON lines."""
    sentences = []
    for name in _CORPUS.value:
        text = pathlib.Path(name).read_text(encoding="utf-8")
        sentences += filter(None, text.split("\n"))
    rng = random.Random(1)
    size = 0
    with open(path, "w", encoding="utf-8") as file:
        while size < num_bytes:
            record = json.dumps(
                {"text": _document(rng, sentences)}, ensure_ascii=False
            )
            file.write(f"{record}\n")
            size += len(record.encode()) + 1


def _document(rng, sentences):
    """Two to twenty paragraphs of one to six sentences."""
    return "\n".join(
        "".join(rng.choice(sentences) for _ in range(rng.randint(1, 6)))
        for _ in range(rng.randint(2, 20))
    )


def measure(name, command, num_runs):
    """Runs a program in an empty folder each time; returns the medians."""
    runs = []
    for _ in range(num_runs):
        with tempfile.TemporaryDirectory() as folder:
            filled = [part.replace("FOLDER", folder) for part in command]
            runs.append(whole_process.measure(name, filled, True))
    return whole_process.median(runs)


def ours(path, *more):
    """The command of ours."""
    flags_of_ours = [f"--input_file={path}", "--output_dir=FOLDER/corpus"]
    program = [sys.executable, "prepare_corpus.py"]
    return [*program, *flags_of_ours, "--num_workers=1", *more]


def compare(path, with_peer):
    """Prints the table of one file."""
    rows = {
        "clean, ours": measure("ours", ours(path, *_CLEAN), _RUNS.value),
        "all, ours": measure("ours", ours(path), _RUNS.value),
    }
    if with_peer:
        peer = [_DATATROVE.value, "benchmarks/datatrove_pipeline.py"]
        for what in ("clean", "all"):
            command = [*peer, path, "FOLDER", what]
            rows[f"{what}, datatrove"] = measure(
                "datatrove", command, _PEER_RUNS.value
            )
    megabytes = os.path.getsize(path) / 1e6
    print(f"\n{megabytes:.1f} MB")
    columns = ("wall s", "CPU s", "MB/s", "peak MB", "ours is")
    print(f"{'':<20}" + "".join(f"{name:>10}" for name in columns))
    for name, run in rows.items():
        own = rows[name.split(",")[0] + ", ours"]
        print(
            f"{name:<20}{run.wall_secs:>10.1f}{run.cpu_secs:>10.1f}"
            f"{megabytes / run.wall_secs:>10.2f}{run.peak_mb:>10,.0f}"
            f"{run.wall_secs / own.wall_secs:>8.1f} x"
        )


def main(_):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "raw.jsonl")
        if _DATATROVE.value:
            write(path, _PEER_MEGABYTES.value * 1e6)
            compare(path, True)
        write(path, _MEGABYTES.value * 1e6)
        compare(path, False)


if __name__ == "__main__":
    app.run(main)

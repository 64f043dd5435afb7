"""Times create_pretraining_data.py against the plain algorithm and a peer.

All run as whole processes on the same text with the same flags: ours;
tests/google_reference.py, which is google-research/bert's algorithm over lists
of strings; and the builder of tf-models-official, where it is installed
(pip install --no-deps tf-models-official tf-keras sentencepiece).

python -m benchmarks.build_data --corpus=small.txt,large.txt --vocab=vocab.txt
"""

import importlib.util
import math
import os
import sys
import tempfile
from typing import NamedTuple

from absl import app, flags

from benchmarks import whole_process
from data.feeding import record_files

_CORPUS = flags.DEFINE_list(
    "corpus", None, "Text files, one sentence a line.", required=True
)
_VOCAB = flags.DEFINE_string("vocab", None, "Vocabulary file.", required=True)
_DUPE_FACTOR = flags.DEFINE_integer(
    "dupe_factor", 10, "How often to go through the corpus."
)
_RUNS = flags.DEFINE_integer("runs", 3, "Runs of ours; the median is shown.")
_PEER_RUNS = flags.DEFINE_integer("peer_runs", 1, "Runs of each of the others.")
_PEER_MEGABYTES = flags.DEFINE_integer(
    "peer_megabytes", 50, "The others are not run on more text than this."
)
_WORKERS = flags.DEFINE_list(
    "workers", ["1", "2"], "Ours on several shards by so many workers."
)
_CORES = flags.DEFINE_bool(
    "one_core", True, "Whether all but several workers run on one core."
)
_SHARDS = 4


class Builder(NamedTuple):
    name: str
    command: list[str]
    is_ours: bool
    num_workers: int = 1


def builders(num_bytes):
    """The programs to compare on a corpus of a size."""
    ours = [sys.executable, "create_pretraining_data.py"]
    shard = math.ceil(num_bytes / 1e6 / _SHARDS)
    found = [
        Builder(
            "plain", [sys.executable, "-m", "tests.google_reference"], False
        )
    ]
    if importlib.util.find_spec("official"):
        module = "official.nlp.data.create_pretraining_data"
        command = [sys.executable, "-m", module, "--do_lower_case=true"]
        found.append(Builder("tf-models", command, False))
    found.append(Builder("ours", [*ours, "--shard_megabytes=0"], True))
    for number in map(int, _WORKERS.value):
        more = [f"--shard_megabytes={shard}", f"--num_workers={number}"]
        name = f"ours, {_SHARDS} shards, {number} worker(s)"
        found.append(Builder(name, [*ours, *more], True, number))
    return found


def compare(path):
    """Prints the table of one corpus."""
    num_bytes = os.path.getsize(path)
    rows, counts = {}, {}
    for builder in builders(num_bytes):
        if not builder.is_ours and num_bytes > _PEER_MEGABYTES.value * 1e6:
            continue
        runs = []
        for _ in range(_RUNS.value if builder.is_ours else _PEER_RUNS.value):
            # What is there already would not be built again.
            with tempfile.TemporaryDirectory() as folder:
                arguments = [
                    f"--input_file={os.path.abspath(path)}",
                    f"--vocab_file={os.path.abspath(_VOCAB.value)}",
                    f"--output_file={folder}/records",
                    f"--dupe_factor={_DUPE_FACTOR.value}",
                ]
                runs.append(
                    whole_process.measure(
                        builder.name,
                        [*builder.command, *arguments],
                        _CORES.value and builder.num_workers == 1,
                    )
                )
                if len(runs) == 1:
                    files = record_files.find(f"{folder}/records")
                    counts[builder.name] = sum(f.num_records for f in files)
        if runs:
            rows[builder.name] = whole_process.median(runs)
    print(f"\n{path}: {num_bytes / 1e6:.1f} MB")
    print(table(rows, counts, num_bytes))


def table(rows, counts, num_bytes):
    """Returns one line for each builder, with its speed relative to ours."""
    columns = ("wall s", "CPU s", "MB/s", "records/s", "peak MB", "ours is")
    lines = [f"{'':<28}" + "".join(f"{name:>11}" for name in columns)]
    for name, run in rows.items():
        cells = (
            f"{run.wall_secs:.1f}",
            f"{run.cpu_secs:.1f}",
            f"{num_bytes / 1e6 / run.wall_secs:.2f}",
            f"{counts[name] / run.wall_secs:,.0f}",
            f"{run.peak_mb:,.0f}",
            f"{run.wall_secs / rows['ours'].wall_secs:.1f} x",
        )
        lines.append(f"{name:<28}" + "".join(f"{cell:>11}" for cell in cells))
    return "\n".join(lines)


def main(_):
    print(
        f"dupe_factor {_DUPE_FACTOR.value}; medians of {_RUNS.value} run(s), "
        f"of the others {_PEER_RUNS.value}"
    )
    for path in _CORPUS.value:
        compare(path)


if __name__ == "__main__":
    app.run(main)

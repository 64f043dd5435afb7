"""Times create_pretraining_data.py against the plain algorithm.

Both run as whole processes on the same text and write the same records: ours,
and tests/google_reference.py, which is google-research/bert's algorithm over
lists of strings.

python -m benchmarks.build_data --corpus=corpus.txt --vocab=vocab.txt
"""

import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

import tensorflow as tf
from absl import app, flags

_CORPUS = flags.DEFINE_string(
    "corpus", None, "Text file, one sentence a line.", required=True
)
_VOCAB = flags.DEFINE_string("vocab", None, "Vocabulary file.", required=True)
_DUPE_FACTOR = flags.DEFINE_integer(
    "dupe_factor", 10, "How often both go through the corpus."
)
_RUNS = flags.DEFINE_integer("runs", 3, "Runs of ours; the median is shown.")
_PLAIN_RUNS = flags.DEFINE_integer(
    "plain_runs", 1, "Runs of the plain algorithm; 0 leaves it out."
)
_CORE = flags.DEFINE_integer(
    "core", 0, "The core that both run on; -1 leaves them all cores."
)
_ROOT = pathlib.Path(__file__).resolve().parents[1]
_PROGRAMS = {
    "plain": [sys.executable, "-m", "tests.google_reference"],
    "ours": [sys.executable, "create_pretraining_data.py", "--overwrite"],
}


class Run(NamedTuple):
    wall_secs: float
    cpu_secs: float
    peak_mb: float


def measure(command):
    """Runs a command to its end and returns its `Run`."""
    start = time.monotonic()
    process = subprocess.Popen(
        command,
        cwd=_ROOT,
        env=os.environ | {"CUDA_VISIBLE_DEVICES": "-1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=_stay_on_core if _CORE.value >= 0 else None,
    )
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(command)} failed:\n{said.decode()}")
    return Run(
        time.monotonic() - start,
        usage.ru_utime + usage.ru_stime,
        usage.ru_maxrss * 1024 / 1e6,
    )


def _stay_on_core():
    os.sched_setaffinity(0, {_CORE.value})


def median(runs):
    return Run(*map(statistics.median, zip(*runs, strict=True)))


def count_records(path):
    """Reads every record, with its checksums."""
    return sum(1 for _ in tf.data.TFRecordDataset(path))


def table(results, num_bytes, num_records):
    """Returns one line for each program and one of ratios."""
    columns = ("wall s", "CPU s", "MB/s", "records/s", "peak MB")
    rows = {
        name: (
            run.wall_secs,
            run.cpu_secs,
            num_bytes / 1e6 / run.wall_secs,
            num_records / run.wall_secs,
            run.peak_mb,
        )
        for name, run in results.items()
    }
    lines = [f"{'':<12}" + "".join(f"{name:>12}" for name in columns)]
    for name, row in rows.items():
        lines.append(f"{name:<12}" + _cells(row, 2))
    if len(rows) == 2:
        ratios = [a / b for a, b in zip(*rows.values(), strict=True)]
        # Above 1 is better for ours: rates are compared the other way round.
        shown = [
            1 / x if "/s" in c else x
            for c, x in zip(columns, ratios, strict=True)
        ]
        lines.append(f"{'times better':<12}" + _cells(shown, 1))
    return "\n".join(lines)


def _cells(numbers, digits):
    return "".join(f"{number:>12,.{digits}f}" for number in numbers)


def main(_):
    runs = {"plain": _PLAIN_RUNS.value, "ours": _RUNS.value}
    results, counts = {}, {}
    with tempfile.TemporaryDirectory() as directory:
        for name, num_runs in runs.items():
            output = os.path.join(directory, name)
            command = [
                *_PROGRAMS[name],
                f"--input_file={os.path.abspath(_CORPUS.value)}",
                f"--vocab_file={os.path.abspath(_VOCAB.value)}",
                f"--output_file={output}",
                f"--dupe_factor={_DUPE_FACTOR.value}",
            ]
            done = [measure(command) for _ in range(num_runs)]
            if done:
                results[name] = median(done)
                counts[name] = count_records(output)
    (num_records,) = set(counts.values())
    num_bytes = os.path.getsize(_CORPUS.value)
    print(
        f"{_CORPUS.value}: {num_bytes / 1e6:.1f} MB, dupe_factor "
        f"{_DUPE_FACTOR.value}, {num_records:,} records; "
        + ("all cores" if _CORE.value < 0 else "one core")
        + f"; median of {_RUNS.value} run(s), plain {_PLAIN_RUNS.value}"
    )
    print(table(results, num_bytes, num_records))


if __name__ == "__main__":
    app.run(main)

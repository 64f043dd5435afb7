"""Times what grows with the number of files, shards, characters and steps.

Each probe runs in a process of its own, in this checkout and, with --other,
in another one (an earlier commit: git worktree add OTHER COMMIT), and says its
seconds and its peak of memory. A probe that outlasts --timeout_secs or passes
--memory_gb is ended and says so.

python -m benchmarks.scale
python -m benchmarks.scale --other=OTHER --probes=record_files --sizes=500,1000
"""

import json
import os
import pathlib
import resource
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np
from absl import app, flags

_ROOT = pathlib.Path(__file__).resolve().parents[1]
_CHARACTERS = "天地玄黄宇宙洪荒日月盈昃辰宿列张"
_STEPS_PER_ROW = 100  # As --iterations_per_loop.
_TIMED = (
    "import resource, sys, time; sys.path.insert(0, '.'); {imports}\n"
    "start = time.perf_counter(); {call}\n"
    "print('SECS', time.perf_counter() - start)"
)
_WINDOWS = """made = windows.make(
    asked, tokenizer, max_seq_length=384, doc_stride=128, max_query_length=64
); windows.is_max_context(made, 384)"""


def _record_files(folder, size):
    """One build of so many record files: what is known of all of them."""
    records = "train.tfrecord"
    _build(_ROOT / "samples/train", folder / records)
    (path,) = folder.glob("*.manifest.json")
    made = json.loads(path.read_text(encoding="utf-8"))
    (entry,) = made["files"].values()
    data = (folder / records).read_bytes()
    names = [f"{records}-{i:05}-of-{size:05}" for i in range(size)]
    for name in names:
        # One file, named so many times.
        os.link(folder / records, folder / name)
    assert entry["num_bytes"] == len(data)
    shard = made["shards"][0]
    shard["parts"] = shard["parts"][:1]
    made["files"] = dict.fromkeys(names, entry)
    made["shards"] = [shard] * size
    made["made_from"]["outputs"] = names
    path.unlink()
    (folder / f"{names[0]}.manifest.json").write_text(
        json.dumps(made, ensure_ascii=False), encoding="utf-8"
    )
    return _timed(
        "from data.feeding import record_files",
        f"record_files.find({str(folder / records) + '-*'!r})",
    )


def _shards(folder, size):
    """A build of two small documents a shard, into so many files."""
    _write_documents(folder / "text.txt", 2 * size)
    return _builder(folder / "text.txt", f"{folder / 'r.tfrecord'}@{size}")


def _input_files(folder, size):
    """A build from so many files of a small document each."""
    (folder / "text").mkdir()
    for i in range(size):
        _write_documents(folder / "text" / f"{i:06}.txt", 1)
    return _builder(folder / "text", folder / "r.tfrecord")


def _text(folder, size):
    """A question to one text of so many characters: its windows."""
    chosen = np.random.default_rng(0).choice(list(_CHARACTERS), size)
    path = folder / "text.txt"
    path.write_text("".join(chosen), encoding="utf-8")
    return _timed(
        "from finetuning.question_answering import examples, windows; "
        "from text import offsets, vocab; tokenizer = offsets.Tokenizer("
        "vocab.load('vocab/zh_en_8k.txt'), True); asked = [examples.Example("
        f"'1', '问', open({str(path)!r}, encoding='utf-8').read())]",
        _WINDOWS,
    )


def _steps(folder, size):
    """A run that goes on at so many steps and saves once: log and picture."""
    with open(folder / "metrics.jsonl", "w", encoding="utf-8") as file:
        for step in range(_STEPS_PER_ROW, size + 1, _STEPS_PER_ROW):
            numbers = {"step": step, "loss": 9.0 - step / size}
            numbers["masked_lm_loss"] = numbers["loss"] - 0.5
            numbers["masked_lm_accuracy"] = step / size
            file.write(json.dumps(numbers) + "\n")
    return _timed(
        "from training import summaries",
        f"made = summaries.Summaries({str(folder)!r}, start_step={size}, "
        f"num_steps={2 * size}); made.__enter__(); made.saved('model.ckpt', "
        "is_last=True); made.__exit__(None, None, None)",
    )


_PROBES = {
    "record_files": (_record_files, 10_000),
    "shards": (_shards, 4_000),
    "input_files": (_input_files, 100_000),
    "text": (_text, 1_000_000),
    "steps": (_steps, 10_000_000),
}
_CHOSEN = flags.DEFINE_list("probes", [*_PROBES], "Which to run.")
_SIZES = flags.DEFINE_list(
    "sizes", None, "Sizes of the probes; by default one each, the largest."
)
_OTHER = flags.DEFINE_string("other", None, "Another checkout to compare with.")
_TIMEOUT = flags.DEFINE_integer("timeout_secs", 600, "Of a probe.")
_MEMORY = flags.DEFINE_integer("memory_gb", 16, "Of a probe, at most.")


def _timed(imports, call):
    return [sys.executable, "-c", _TIMED.format(imports=imports, call=call)]


def _builder(text, records):
    return [
        sys.executable,
        "create_pretraining_data.py",
        f"--input_file={text}",
        f"--output_file={records}",
        "--vocab_file=vocab/zh_en_8k.txt",
        "--dupe_factor=1",
    ]


def _build(text, records):
    command = _builder(text, records)
    subprocess.run(command, cwd=_ROOT, check=True, capture_output=True)


def _write_documents(path, count):
    rng = np.random.default_rng(count)
    with open(path, "w", encoding="utf-8") as file:
        for _ in range(count):
            for _ in range(3):
                words = rng.choice(list(_CHARACTERS), 20)
                file.write("".join(words) + "。\n")
            file.write("\n")


def _measured(command, root):
    """Returns what to show: seconds, and megabytes at the peak."""
    limit = _MEMORY.value << 30
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command,
            cwd=root,
            env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"},
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=lambda: resource.setrlimit(
                resource.RLIMIT_DATA, (limit, limit)
            ),
        )
        clock = threading.Timer(_TIMEOUT.value, process.kill)
        clock.start()
        # Of this process and those that it has waited for alone.
        _, status, usage = os.wait4(process.pid, 0)
        clock.cancel()
        secs = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        lines = output.read().splitlines()
    peak = f"{usage.ru_maxrss >> 10} MB"
    if process.returncode < 0:
        return f"ended after {secs:.0f} s, {peak}"
    if process.returncode:
        return f"failed after {secs:.0f} s, {peak}: {lines[-1][:60]}"
    said = [line for line in lines if line.startswith("SECS ")]
    return f"{float(said[0][5:]) if said else secs:.1f} s, {peak}"


def main(_):
    roots = {"this checkout": _ROOT}
    if _OTHER.value:
        roots[_OTHER.value] = pathlib.Path(_OTHER.value).resolve()
    for name in _CHOSEN.value:
        prepare, largest = _PROBES[name]
        for size in map(int, _SIZES.value or [largest]):
            for root_name, root in roots.items():
                with tempfile.TemporaryDirectory() as folder:
                    command = prepare(pathlib.Path(folder), size)
                    shown = _measured(command, root)
                print(f"{name} {size:,} in {root_name}: {shown}", flush=True)


if __name__ == "__main__":
    app.run(main)

"""Runs exported training steps and their peers on this machine; one table.

All that is carried to a machine with a GPU, with JAX and PyTorch and without
TensorFlow: this file, gpu_step_peers.py and the folders that gpu_step.py
exported beside them. What a machine lacks is said in its row.

python gpu_step_program.py [--seconds=540] [--steps=50] [--out=RESULTS.json]
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

import numpy as np

_HERE = pathlib.Path(__file__).resolve().parent
_BLOCKS = 5
_WARM_UP_STEPS = 3
# {name of a row: (program, further arguments)}, the most telling first.
_ROWS = {
    "ours": (__file__, ("--one",)),
    "PyTorch": (_HERE / "gpu_step_peers.py", ("torch",)),
    "KerasHub": (_HERE / "gpu_step_peers.py", ("keras_hub",)),
}


def first_value(entry):
    """Returns the first value of a part of the state, on any machine the same.

    The raw stream of PCG64 is one that NumPy promises not to change.

    Args:
        entry: a dict with "shape", "dtype", "first" (a number, or "uniform")
            and, of uniform ones, "deviation" and "seed".
    """
    shape = tuple(entry["shape"])
    if entry["first"] != "uniform":
        return np.full(shape, entry["first"], entry["dtype"])
    size = int(np.prod(shape))
    raw = np.random.PCG64(entry["seed"]).random_raw(size)
    share = (raw >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)
    width = np.float32(entry["deviation"] * 12**0.5)
    return ((share - np.float32(0.5)) * width).reshape(shape)


def random_batch(spec, seed):
    """Returns {name: array}, full records of random words."""
    stream = np.random.PCG64(seed)
    rows, tokens, words = (
        spec[name] for name in ("batch", "tokens", "predictions")
    )

    def below(limit, *shape):
        raw = stream.random_raw(int(np.prod(shape))) >> np.uint64(33)
        return (raw % np.uint64(limit)).astype(np.int32).reshape(shape)

    vocab_size = spec["bert"]["vocab_size"]
    order = np.argsort(below(2**30, rows, tokens), axis=1, kind="stable")
    halves = np.arange(tokens) >= tokens // 2
    return {
        "input_ids": 1 + below(vocab_size - 1, rows, tokens),
        "input_mask": np.ones((rows, tokens), np.int32),
        "segment_ids": np.tile(halves.astype(np.int32), (rows, 1)),
        "masked_lm_positions": np.sort(order[:, :words], 1).astype(np.int32),
        "masked_lm_ids": 1 + below(vocab_size - 1, rows, words),
        "masked_lm_weights": np.ones((rows, words), np.float32),
        "next_sentence_labels": below(2, rows),
    }


def loss_of(spec, totals):
    """Returns the loss of one step from the sums of its terms."""
    return sum(
        float(numerator) / float(denominator)
        for name, (numerator, denominator) in zip(
            spec["totals"], np.asarray(totals), strict=True
        )
        if name.endswith("_loss")
    )


def read_spec(folder):
    return json.loads((folder / "spec.json").read_text())


def timed(run, num_steps):
    """Returns the median of the seconds a step of some blocks takes.

    Args:
        run: `run(num_steps)`, which waits for its last step.
        num_steps: in all blocks together.
    """
    count = max(1, num_steps // _BLOCKS)
    seconds = []
    for _ in range(_BLOCKS):
        started = time.perf_counter()
        run(count)
        seconds.append((time.perf_counter() - started) / count)
    return float(np.median(seconds))


def _run_one(folder, num_steps):
    """Returns what there is to say of an exported step."""
    os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
    import jax
    from jax import export

    jax.config.update("jax_enable_x64", True)
    spec = read_spec(folder)
    exported = export.deserialize((folder / "step.jax").read_bytes())
    shapes = [
        [jax.ShapeDtypeStruct(e["shape"], e["dtype"]) for e in spec[part]]
        for part in ("inputs", "state")
    ]
    # An expected loss is of full precision; what is timed is as in a training.
    is_check = bool(spec["losses"])
    precision = "highest" if is_check else None
    started = time.monotonic()
    with jax.default_matmul_precision(precision):
        step = jax.jit(_whole_state(spec, exported.call), donate_argnums=1)
        step = step.lower(*shapes).compile()
    found = {
        "device": jax.devices()[0].device_kind,
        "version": f"jax {jax.__version__}",
        "compile_seconds": time.monotonic() - started,
        "temporary_bytes": step.memory_analysis().temp_size_in_bytes,
    }
    if is_check:
        found["loss_difference"] = _largest_difference(jax, spec, step)
    if num_steps:
        found["seconds"] = _time_ours(jax, spec, step, num_steps)
    return found


def _whole_state(spec, call):
    """Returns `call` with the parts of the state that it does not assign."""

    def step(inputs, state):
        assigned = iter(call(inputs, state))
        return [
            next(assigned) if entry["is_assigned"] else value
            for entry, value in zip(spec["state"], state, strict=True)
        ]

    return step


def _put(jax, spec, seed):
    batch = random_batch(spec, seed)
    return [jax.device_put(batch[entry["name"]]) for entry in spec["inputs"]]


def _largest_difference(jax, spec, step):
    """Returns that of the losses of some steps from TensorFlow's."""
    state = [jax.device_put(first_value(entry)) for entry in spec["state"]]
    where = [entry["name"] for entry in spec["state"]].index("totals")
    differences = []
    for seed, wanted in enumerate(spec["losses"]):
        state[where] = jax.device_put(first_value(spec["state"][where]))
        state = step(_put(jax, spec, seed), state)
        differences.append(abs(loss_of(spec, state[where]) - wanted))
    return max(differences)


def _time_ours(jax, spec, step, num_steps):
    state = [jax.device_put(first_value(entry)) for entry in spec["state"]]
    inputs = _put(jax, spec, seed=0)

    def run(count):
        nonlocal state
        for _ in range(count):
            state = step(inputs, state)
        jax.block_until_ready(state)

    run(_WARM_UP_STEPS)
    return timed(run, num_steps)


def _run_all(seconds, num_steps):
    """Runs each row of each setting in a process; returns what each said."""
    deadline = time.monotonic() + seconds
    results = []
    for name, (program, arguments) in _ROWS.items():
        for spec in sorted(_HERE.glob("*/spec.json")):
            folder = spec.parent
            is_check = bool(read_spec(folder)["losses"])
            if is_check and name != "ours":
                continue
            command = [sys.executable, program, *arguments, folder]
            command += ["--steps", str(0 if is_check else num_steps)]
            found = _answer(command, deadline - time.monotonic())
            results.append({"setting": folder.name, "name": name} | found)
            print(_line(results[-1], read_spec(folder)), flush=True)
    return results


def _answer(command, seconds):
    """Returns the last line of a program, JSON, or {"error": why not}."""
    if seconds <= 0:
        return {"error": "no time left"}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=seconds
        )
    except subprocess.TimeoutExpired:
        return {"error": f"not ready after {seconds:.0f} s"}
    try:
        return json.loads(done.stdout.strip().splitlines()[-1])
    except (IndexError, ValueError):
        lines = done.stderr.strip().splitlines()
        return {"error": lines[-1] if lines else f"exit {done.returncode}"}


def _line(result, spec):
    start = f"{result['setting']:<20}{result['name']:<10}"
    if "error" in result:
        return f"{start}{result['error'][:200]}"
    end = ""
    if "seconds" in result:
        tokens = spec["batch"] * spec["tokens"] / result["seconds"]
        tera = spec["flops"] / result["seconds"] / 1e12
        end += f"{1000 * result['seconds']:10.2f} ms"
        end += f"{tokens:12,.0f} tokens/s{tera:8.1f} TFLOP/s"
    if "loss_difference" in result:
        end += f"   losses apart by {result['loss_difference']:.1e}"
    if "temporary_bytes" in result:
        end += f"{result['temporary_bytes'] / 2**30:8.2f} GiB temporary"
    return f"{start}{end}   {result['version']}, {result['device']}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--one", type=pathlib.Path, help="a single folder")
    parser.add_argument("--seconds", type=float, default=540)
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--out", type=pathlib.Path)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(_run_one(arguments.one, arguments.steps)))
        return
    results = _run_all(arguments.seconds, arguments.steps)
    if arguments.out:
        arguments.out.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()

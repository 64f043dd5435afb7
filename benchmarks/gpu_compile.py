"""Compiles the training step for an NVIDIA card that is not there.

It takes the flags of run_pretraining.py, makes the very step that they ask for,
and hands it to XLA's compiler for an H100: what memory the step needs, what it
moves, in how many kernels. --train_batch_size is what one card computes.

python -m benchmarks.gpu_compile --bert_config_file=configs/bert_base.json \
    --train_batch_size=64 --max_seq_length=512 --max_predictions_per_seq=76

Without a card no kernel can be timed, so all products of matrices are those
that the compiler writes itself, where with one it may choose NVIDIA's. A loop,
as of --gradient_accumulation_steps, counts as one kernel that moves nothing.
The compiler comes with JAX's plugin for CUDA, which is installed into an
environment of its own, once, in ~/.cache/hanlin/gpu_compiler (0.9 GB).
"""

import dataclasses
import pathlib
import re
import tempfile
import time
from typing import Annotated

import config_flags
from benchmarks import compilers, hlo_traffic, step_program
from pretraining import preflight
from settings.flag import Flag

_PLUGIN = ("jax-cuda13-pjrt==0.10.2", "jax-cuda13-plugin==0.10.2")
_GIB = 2**30
# A kernel below it takes as long to start as to run.
_SMALL_BYTES = 4e6

_NAME = "NVIDIA H100 80GB HBM3"
_MOST = {
    "threads_per_warp": 32,
    "threads_per_block_limit": 1024,
    "threads_per_core_limit": 2048,
    "block_dim_limit_x": 2**31 - 1,
    "block_dim_limit_y": 2**16 - 1,
    "block_dim_limit_z": 2**16 - 1,
    "thread_dim_limit_x": 1024,
    "thread_dim_limit_y": 1024,
    "thread_dim_limit_z": 64,
    "shared_memory_per_block": 48 * 2**10,
    "shared_memory_per_block_optin": 227 * 2**10,
    "shared_memory_per_core": 228 * 2**10,
    "registers_per_block_limit": 2**16,
    "registers_per_core_limit": 2**16,
    "core_count": 132,
    "fpus_per_core": 128,
    "clock_rate_ghz": 1.98,
    "memory_bandwidth": 3_352_320_000_000,
    "l2_cache_size": 50 * 2**20,
    "device_memory_size": 84_942_979_072,
    "device_address_bits": 64,
}
_VERSIONS = {
    "driver_version": "13.0.0",
    "runtime_version": "13.0.0",
    "compile_time_toolkit_version": "13.0.0",
    "dnn_version": "9.12.0",
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class CompileConfig(step_program.StepConfig):
    """The flags of run_pretraining, and what to print."""

    num_largest: Annotated[
        int, Flag("How many of the largest kernels to print.", "not_negative")
    ] = 12
    dump_hlo: Annotated[
        str | None, "A file for the program as the compiler optimised it."
    ] = None


def run(config):
    """Compiles the step that a `CompileConfig` gives and prints what it takes.

    Raises:
        ValueError: a setting is wrong, or the compiler refuses the step.
        OSError: the compiler cannot be installed.
    """
    bert = preflight.read_bert_config(config)
    compiler = environment()
    with tempfile.TemporaryDirectory() as directory:
        program = pathlib.Path(directory) / "step.hlo.pb"
        target = program.with_name("h100.txtpb")
        target.write_text(h100())
        started = time.monotonic()
        step = step_program.StepProgram(config, bert)
        program.write_bytes(step.hlo())
        lower_secs = time.monotonic() - started
        program_bytes = program.stat().st_size
        optimised = pathlib.Path(config.dump_hlo or program.with_suffix(".txt"))
        found = compilers.compile_program(
            compiler, program, "cuda", target, optimised
        )
        kernels = list(hlo_traffic.operations(optimised.read_text()))
    found |= {
        "lower_seconds": lower_secs,
        "program_bytes": program_bytes,
        "state_bytes": step.state_bytes,
    }
    for row in rows(found, kernels, config.num_largest):
        print(row)


def environment():
    """Returns the Python that can compile for GPUs, installed if it is not."""
    return compilers.install("gpu_compiler", compilers.JAX, _PLUGIN)


def h100():
    """Returns what the compiler has to know of an H100, as it reads it."""
    fields = [
        *(f"{name}: {value}" for name, value in _MOST.items()),
        *(f'{name}: "{value}"' for name, value in _VERSIONS.items()),
        f'name: "{_NAME}"',
        'device_vendor: "NVIDIA Corporation"',
        "cuda_compute_capability "
        "{ major: 9 feature_extension: ACCELERATED_FEATURES }",
    ]
    return "\n".join(
        (
            'platform_name: "CUDA"',
            f'device_description_str: "{_NAME}"',
            "dnn_version_info { major: 9 minor: 12 }",
            "gpu_device_info {",
            *fields,
            "}",
        )
    )


def rows(found, kernels, num_largest):
    """Yields the lines to print of a compiled program and its kernels."""
    yield f"{found['device_kind']}, {found['num_arguments']} arguments"
    for label, name in (
        ("arguments", "argument_bytes"),
        ("donated", "alias_bytes"),
        ("weights and optimizer", "state_bytes"),
        ("temporary", "temporary_bytes"),
    ):
        yield f"{label:<22}{found[name] / _GIB:10.3f} GiB"
    yield f"{'program':<22}{found['program_bytes'] / 1e6:10.3f} MB"
    moved = sum(kernel.num_bytes for kernel in kernels)
    small = sum(kernel.num_bytes < _SMALL_BYTES for kernel in kernels)
    yield f"{'moved':<22}{moved / 1e9:10.3f} GB"
    yield f"{'kernels':<22}{len(kernels):10}"
    yield f"{'  below 4 MB':<22}{small:10}"
    for name in ("lower_seconds", "compile_seconds"):
        yield f"{name.replace('_', ' '):<22}{found[name]:10.1f}"
    if num_largest:
        yield f"largest kernels, {'GB':>15}"
    ordered = sorted(kernels, key=lambda kernel: -kernel.num_bytes)
    for kernel in ordered[:num_largest]:
        shape = re.sub(r"\{[^{}]*\}|/\*.*?\*/", "", kernel.result)
        yield (
            f"  {kernel.kind:<20}{kernel.num_bytes / 1e9:10.3f}  "
            f"{shape[:60]:<62}{kernel.label[-60:]}"
        ).rstrip()


if __name__ == "__main__":
    config_flags.run(run, CompileConfig)

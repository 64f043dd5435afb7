"""Compiles the training step for a TPU, with none there; says what it takes.

It takes the flags of run_pretraining.py, makes the very step that they ask for,
and hands it to the TPU's own compiler. --train_batch_size is what one chip
computes; the exchange of gradients between chips is not in it.

python -m benchmarks.tpu_compile --bert_config_file=configs/bert_base.json \
    --train_batch_size=16 --max_seq_length=512 --max_predictions_per_seq=76

The compiler comes with libtpu and is called through JAX. Both are installed
into an environment of their own, once, in ~/.cache/hanlin/tpu_compiler (or
under $XDG_CACHE_HOME).
"""

import dataclasses
import pathlib
import tempfile
import time
from typing import Annotated

import config_flags
from benchmarks import compilers, hlo_traffic, step_program
from pretraining import preflight

_PACKAGES = (*compilers.JAX, "libtpu==0.0.42.1")
_GIB = 2**30


@dataclasses.dataclass(frozen=True, kw_only=True)
class CompileConfig(step_program.StepConfig):
    """The flags of run_pretraining, and what to compile for."""

    topology: Annotated[
        str,
        "The chips to compile for, as v5e:2x2, v6e:2x2, v5p:2x2x1 or "
        "v4:2x2x1; the step is that of one of them.",
    ] = "v5e:2x2"
    dump_hlo: Annotated[
        str | None, "A file for the program as the compiler optimised it."
    ] = None


def run(config):
    """Compiles the step that a `CompileConfig` gives and prints what it takes.

    Raises:
        ValueError: a setting is wrong, or the compiler refuses the step, as it
            does where the memory of a chip is too small.
        OSError: the compiler cannot be installed.
    """
    bert = preflight.read_bert_config(config)
    compiler = environment()
    with tempfile.TemporaryDirectory() as directory:
        program = pathlib.Path(directory) / "step.hlo.pb"
        started = time.monotonic()
        step = step_program.StepProgram(config, bert)
        program.write_bytes(step.hlo())
        lower_secs = time.monotonic() - started
        optimised = pathlib.Path(config.dump_hlo or program.with_suffix(".txt"))
        found = compilers.compile_program(
            compiler, program, "tpu", config.topology, optimised
        )
        text = optimised.read_text()
    found |= {
        "hbm_bytes": hlo_traffic.hbm_bytes(text),
        "state_bytes": step.state_bytes,
        "lower_seconds": lower_secs,
        "model_flops": step.flops,
    }
    for row in rows(found):
        print(row)


def environment():
    """Returns the Python that can compile for TPUs, installed if it is not."""
    return compilers.install("tpu_compiler", _PACKAGES)


def rows(found):
    """Yields the lines to print of what `compile_program` found."""
    yield f"{found['device_kind']}, {found['num_arguments']} arguments"
    for label, name in (
        ("HBM, all", "total_bytes"),
        ("  arguments", "argument_bytes"),
        ("  temporary", "temporary_bytes"),
        ("  code", "code_bytes"),
        ("donated", "alias_bytes"),
        ("weights and optimizer", "state_bytes"),
    ):
        yield f"{label:<22}{found[name] / _GIB:10.3f} GiB"
    yield f"{'bytes accessed':<22}{found['bytes_accessed']:10.3e}"
    yield f"{'  of them in HBM':<22}{found['hbm_bytes']:10.3e}"
    yield f"{'flops':<22}{found['flops']:10.3e}"
    ratio = found["flops"] / found["model_flops"]
    yield f"{'  over the model':<22}{ratio:10.3f}"
    for name in ("lower_seconds", "compile_seconds"):
        yield f"{name.replace('_', ' '):<22}{found[name]:10.1f}"


if __name__ == "__main__":
    config_flags.run(run, CompileConfig)

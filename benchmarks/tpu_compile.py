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
import json
import os
import pathlib
import subprocess
import tempfile
import time
import venv
from typing import Annotated, Literal

# A GPU of this machine has no part in this; read at TensorFlow's import.
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import tensorflow as tf  # noqa: E402

import config_flags  # noqa: E402
from benchmarks import hlo_traffic  # noqa: E402
from data import records  # noqa: E402
from pretraining import config as pretraining_config  # noqa: E402
from pretraining import (  # noqa: E402
    masked_lm,
    preflight,
    train,
)
from training.trainer import Trainer  # noqa: E402

# The program uses private names of JAX, so no other version will do. It is the
# last JAX for Python 3.11.
_PACKAGES = ("jax==0.10.2", "jaxlib==0.10.2", "libtpu==0.0.42.1")
_PROGRAM = pathlib.Path(__file__).with_name("tpu_compiler_program.py")
_GIB = 2**30
_ERROR_CHARACTERS = 2000


@dataclasses.dataclass(frozen=True, kw_only=True)
class CompileConfig(pretraining_config.PretrainingConfig):
    """The flags of run_pretraining, and what to compile for."""

    topology: Annotated[
        str,
        "The chips to compile for, as v5e:2x2, v6e:2x2, v5p:2x2x1 or "
        "v4:2x2x1; the step is that of one of them.",
    ] = "v5e:2x2"
    dump_hlo: Annotated[
        str | None, "A file for the program as the compiler optimised it."
    ] = None
    mixed_precision: Annotated[
        Literal["bfloat16", "float16", "none"],
        "What matrices are multiplied in, as run_pretraining's.",
    ] = "bfloat16"
    input_file: Annotated[str, "Not read."] = ""
    output_dir: Annotated[str, "Not written."] = ""
    do_train: Annotated[bool, "Not read."] = True


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
        hlo, state_bytes, model_flops = lower(config, bert)
        program.write_bytes(hlo)
        lower_secs = time.monotonic() - started
        optimised = pathlib.Path(config.dump_hlo or program.with_suffix(".txt"))
        found = compile_program(compiler, program, config.topology, optimised)
        text = optimised.read_text()
    found |= {
        "hbm_bytes": hlo_traffic.hbm_bytes(text),
        "state_bytes": state_bytes,
        "lower_seconds": lower_secs,
        "model_flops": model_flops,
    }
    for row in rows(found):
        print(row)


def lower(config, bert):
    """Returns the HLO of one replica's step, its state's bytes, its flops.

    Args:
        config: a `PretrainingConfig`; its batch is that of the replica.
        bert: a `modeling.config.BertConfig`.
    """
    objective = masked_lm.MaskedLm(
        bert,
        use_nsp=config.use_nsp,
        seed=config.seed,
        mixed_precision=config.mixed_precision,
        recompute=config.recompute,
    )
    trainer = Trainer(
        config,
        tf.distribute.get_strategy(),
        objective,
        train.make_schedule(config),
        seed=config.seed,
    )
    step = tf.function(trainer.replica_step, jit_compile=True)
    make_hlo = step.experimental_get_compiler_ir(_batch(config))
    # Not "TPU": TensorFlow then wants a device to read the variables from. HLO
    # is of no platform; only kernels that ask for the device could differ.
    hlo = make_hlo(stage="hlo_serialized", platform_name="CPU")
    state = [*objective.saved, *trainer.optimizer.variables]
    num_bytes = sum(
        variable.value.dtype.size * variable.value.shape.num_elements()
        for variable in state
    )
    flops = config.train_batch_size * objective.training_flops(
        config.max_seq_length, config.max_predictions_per_seq
    )
    return hlo, num_bytes, flops


def _batch(config):
    """Returns a batch of zeros in the shapes of the records."""
    lengths = {1: ()} | {
        name: (getattr(config, name),)
        for name in (records.SEQUENCE, records.PREDICTIONS)
    }
    return {
        feature.name: tf.zeros(
            (config.train_batch_size, *lengths[feature.length]),
            tf.float32 if feature.kind == "float32" else tf.int32,
        )
        for feature in records.PRETRAINING_FEATURES
    }


def environment():
    """Returns the Python that can compile for TPUs, installed if it is not.

    Raises:
        OSError: the installation failed; says why.
    """
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    name = "-".join(_PACKAGES).replace("==", "-")
    home = pathlib.Path(cache).expanduser() / "hanlin" / "tpu_compiler" / name
    python = pathlib.Path("bin") / "python"
    if not (home / python).exists():
        home.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=home.parent) as directory:
            made = pathlib.Path(directory) / "environment"
            venv.create(made, with_pip=True)
            _run([made / python, "-m", "pip", "install", *_PACKAGES], OSError)
            # Whole or not there, also where two programs make it at a time.
            if not home.exists():
                made.rename(home)
    return home / python


def compile_program(compiler, program, topology, optimised):
    """Compiles HLO for one chip of a topology; returns what the chip needs.

    Args:
        compiler: from `environment`.
        program: the path of serialised HLO.
        topology: as --topology.
        optimised: a path to write the optimised HLO to, as text.

    Raises:
        ValueError: the compiler refuses the program; says why.
    """
    command = [compiler, _PROGRAM, program, topology, optimised]
    return json.loads(_run(command, ValueError))


def _run(command, error):
    """Returns what a command prints; raises `error` with its end if it fails.

    None of this process's Python packages are seen by it, and libtpu asks no
    server which TPU this machine is.
    """
    variables = os.environ | {
        "ALLOW_MULTIPLE_LIBTPU_LOAD": "1",
        "JAX_PLATFORMS": "cpu",
        "TPU_ACCELERATOR_TYPE": "v5litepod-4",
        "TPU_SKIP_MDS_QUERY": "1",
        "TPU_WORKER_HOSTNAMES": "localhost",
    }
    variables.pop("PYTHONPATH", None)
    done = subprocess.run(
        command, env=variables, capture_output=True, text=True
    )
    if done.returncode:
        raise error(
            f"{' '.join(map(str, command[:3]))} ... failed: "
            f"{(done.stderr or done.stdout).strip()[-_ERROR_CHARACTERS:]}"
        )
    return done.stdout


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

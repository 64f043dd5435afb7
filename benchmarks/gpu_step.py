"""Exports the training step, to be run on a GPU machine without TensorFlow.

It takes the flags of run_pretraining.py and writes, into a folder of its own in
--output_dir, the very step as a program that JAX runs, with a few hundred bytes
for each part of its state in place of weights. Beside the folders lie the two
programs that run them and their peers; see gpu_step_program.py.

python -m benchmarks.gpu_step --output_dir=carried --name=base_128 \
    --bert_config_file=configs/bert_base.json --train_batch_size=256
python -m benchmarks.gpu_step --output_dir=carried --name=check_tiny \
    --bert_config_file=configs/bert_tiny.json --train_batch_size=8 \
    --mixed_precision=none --num_check_steps=20

and there, with JAX 0.10.2 or newer, PyTorch and, if wanted, KerasHub:

python carried/gpu_step_program.py

With --num_check_steps the losses that TensorFlow computes here go along, and
the program says how far its own are from them; such a setting is not timed.
"""

import dataclasses
import json
import pathlib
import shutil
import tempfile
from typing import Annotated

import flatbuffers
import numpy as np
import tensorflow as tf

import config_flags
from benchmarks import compilers, gpu_step_program, step_program
from pretraining import preflight
from settings.flag import Flag

_PROGRAMS = ("gpu_step_program.py", "gpu_step_peers.py")
_EXPORT = pathlib.Path(__file__).with_name("step_export_program.py")
# JAX reads and writes programs with it; it is carried along.
_PACKAGES = (*compilers.JAX, f"flatbuffers=={flatbuffers.__version__}")
_LEARNING_RATE = 1e-4


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExportConfig(step_program.StepConfig):
    """The flags of run_pretraining, and what to write."""

    name: Annotated[str, "What the setting is called in the table."] = "step"
    output_dir: Annotated[str, "A folder to carry to a machine with a GPU."] = (
        "gpu_step"
    )
    num_check_steps: Annotated[
        int,
        Flag(
            "Steps whose losses are computed here, to be compared there.",
            "not_negative",
        ),
    ] = 0
    learning_rate: Annotated[
        float, Flag("The peak of the learning rate.", "positive")
    ] = _LEARNING_RATE


def run(config):
    """Writes what an `ExportConfig` asks for and prints where it is.

    Raises:
        ValueError: a setting is wrong.
        OSError: JAX cannot be installed, or the folder not be written.
    """
    bert = preflight.read_bert_config(config)
    compiler = compilers.install("jax_export", _PACKAGES)
    step = step_program.StepProgram(config, bert)
    folder = pathlib.Path(config.output_dir) / config.name
    folder.mkdir(parents=True, exist_ok=True)
    spec, variables = describe(config, bert, step)
    with tempfile.TemporaryDirectory() as directory:
        program = pathlib.Path(directory) / "step.hlo.pb"
        program.write_bytes(step.hlo())
        shapes = program.with_name("spec.json")
        shapes.write_text(json.dumps(spec))
        target = folder / "step.jax"
        compilers.run([compiler, _EXPORT, program, shapes, target], ValueError)
    spec["losses"] = losses(config, step, spec, variables)
    (folder / "spec.json").write_text(json.dumps(spec, indent=1))
    for name in _PROGRAMS:
        shutil.copy(pathlib.Path(__file__).with_name(name), folder.parent)
    shutil.copytree(
        pathlib.Path(flatbuffers.__file__).parent,
        folder.parent / "flatbuffers",
        ignore=shutil.ignore_patterns("__pycache__"),
        dirs_exist_ok=True,
    )
    print(f"{folder}: {target.stat().st_size / 1e6:.1f} MB")


def describe(config, bert, step):
    """Returns what the program has to know of a step, and its variables."""
    batch = step.empty_batch()
    concrete = step.run.get_concrete_function(batch)
    by_handle = {id(v.handle): v for v in concrete.graph.variables}
    variables = [by_handle[id(x)] for x in concrete.captured_inputs]
    assigned = _assigned(concrete)
    spec = {
        "bert": json.loads(bert.to_json()),
        "batch": config.train_batch_size,
        "tokens": config.max_seq_length,
        "predictions": config.max_predictions_per_seq,
        "precision": config.mixed_precision,
        "flops": step.flops,
        "totals": step.trainer.totals.names,
        # TensorFlow gives the features to the program in this order.
        "inputs": [
            {
                "name": name,
                "shape": list(batch[name].shape),
                "dtype": batch[name].dtype.name,
            }
            for name in sorted(batch)
        ],
        "state": [
            _part(number, variable, bert.initializer_range)
            | {"is_assigned": id(variable.handle) in assigned}
            for number, variable in enumerate(variables)
        ],
        "losses": [],
    }
    return spec, variables


def _assigned(concrete):
    """Returns the ids of the handles of what a step assigns.

    The program's results are these variables, and no others: without next
    sentence prediction nothing moves its head.
    """
    outside = {inner.name: outer for outer, inner in concrete.graph.captures}
    return {
        id(outside[operation.inputs[0].name])
        for operation in concrete.graph.get_operations()
        if operation.type.startswith("Assign")
    }


def _part(number, variable, deviation):
    value = variable.numpy()
    first = {"first": "uniform", "deviation": deviation, "seed": number}
    if (value == value.flat[0]).all():
        first = {"first": value.flat[0].item()}
    return {
        "name": variable.name.removesuffix(":0"),
        "shape": list(value.shape),
        "dtype": str(value.dtype),
    } | first


def losses(config, step, spec, variables):
    """Returns those of the first steps, from the values that `spec` says."""
    for variable, part in zip(variables, spec["state"], strict=True):
        variable.assign(gpu_step_program.first_value(part))
    found = []
    for seed in range(config.num_check_steps):
        batch = gpu_step_program.random_batch(spec, seed)
        step.trainer.totals.reset()
        step.run({name: tf.constant(x) for name, x in batch.items()})
        sums = step.trainer.totals.read()
        rows = np.array([sums[name] for name in spec["totals"]])
        found.append(gpu_step_program.loss_of(spec, rows))
    return found


if __name__ == "__main__":
    config_flags.run(run, ExportConfig)

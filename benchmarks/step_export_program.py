"""Turns serialised HLO into what any JAX of today or later can run.

Runs in an environment of its own, with JAX and none of our modules: see
gpu_step.py. The function takes two lists, a batch and the state, and returns
those parts of the next state that it assigns.

python step_export_program.py STEP.hlo.pb SPEC.json STEP.jax
"""

import json
import pathlib
import sys

import compiler_program
import jax
import numpy as np
from jax import export
from jax._src.interpreters import mlir
from jax._src.lib import _jax, xla_client
from jaxlib.mlir import ir
from jaxlib.mlir.dialects import stablehlo

# The step counter is an int64.
jax.config.update("jax_enable_x64", True)


def main(program, spec, result):
    spec = json.loads(pathlib.Path(spec).read_text())
    results = [entry for entry in spec["state"] if entry["is_assigned"]]
    computation = xla_client.XlaComputation(pathlib.Path(program).read_bytes())
    text = xla_client._xla.mlir.xla_computation_to_mlir_module(computation)
    exported = _exported(
        _portable(text),
        _shapes(spec["inputs"]),
        _shapes(spec["state"]),
        _shapes(results),
    )
    pathlib.Path(result).write_bytes(exported.serialize())


def _shapes(entries):
    return [
        jax.core.ShapedArray(tuple(entry["shape"]), np.dtype(entry["dtype"]))
        for entry in entries
    ]


def _portable(text):
    """Returns a module as an artifact that newer versions read."""
    context = mlir.make_ir_context()
    with context, ir.Location.unknown(context):
        module = ir.Module.parse(text, context)
        for function in module.body.operations:
            is_main = ir.StringAttr(function.attributes["sym_name"]).value
            is_main = is_main == "main"
            function.attributes["sym_visibility"] = ir.StringAttr.get(
                "public" if is_main else "private"
            )
            # jax.jit says what is donated.
            if is_main and "arg_attrs" in function.attributes:
                del function.attributes["arg_attrs"]
        compiler_program.remove_copies(module.operation)
        for name in [
            str(getattr(a, "name", a)) for a in module.operation.attributes
        ]:
            if name.startswith("mhlo."):
                del module.operation.attributes[name]
        return _jax.mlir.serialize_portable_artifact(
            module, stablehlo.get_current_version()
        )


def _exported(module, inputs, state, results):
    num_arguments = len(inputs) + len(state)
    return export.Exported(
        fun_name="train_step",
        in_tree=jax.tree.structure(((inputs, state), {})),
        in_avals=(*inputs, *state),
        out_tree=jax.tree.structure(results),
        out_avals=tuple(results),
        _has_named_shardings=True,
        _in_named_shardings=(None,) * num_arguments,
        _out_named_shardings=(None,) * len(results),
        in_shardings_hlo=(None,) * num_arguments,
        out_shardings_hlo=(None,) * len(results),
        nr_devices=1,
        # It is for a CPU as well: nothing in it asks for the platform.
        platforms=("cuda",),
        ordered_effects=(),
        unordered_effects=(),
        disabled_safety_checks=(export.DisabledSafetyCheck.platform(),),
        mlir_module_serialized=module,
        calling_convention_version=(
            export.maximum_supported_calling_convention_version
        ),
        module_kept_var_idx=tuple(range(num_arguments)),
        uses_global_constants=False,
        _get_vjp=None,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])

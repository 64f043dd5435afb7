"""Compiles serialised HLO for one chip of a TPU topology; prints JSON.

Runs in an environment of its own, with JAX and libtpu and none of our modules:
see tpu_compile.py.

python tpu_compiler_program.py STEP.hlo.pb v5e:2x2 OPTIMISED_HLO.txt
"""

import json
import pathlib
import sys
import time

import numpy as np
from jax._src import compiler
from jax._src.interpreters import mlir
from jax._src.lib import xla_client
from jax.experimental import topologies
from jaxlib.mlir import ir


def main(program, topology, optimised):
    device = topologies.get_topology_desc(
        platform="tpu", topology_name=topology
    ).devices[0]
    computation = xla_client.XlaComputation(pathlib.Path(program).read_bytes())
    num_arguments = len(computation.program_shape().parameter_shapes())
    text = xla_client._xla.mlir.xla_computation_to_mlir_module(computation)
    module = ir.Module.parse(text, mlir.make_ir_context())
    _remove_copies(module.operation)
    started = time.monotonic()
    executable = device.client.compile(
        module,
        xla_client.DeviceList((device,)),
        compiler.get_compile_options(
            num_replicas=1,
            num_partitions=1,
            device_assignment=np.array([[device.id]]),
        ),
    )
    compile_seconds = time.monotonic() - started
    pathlib.Path(optimised).write_text(executable.hlo_modules()[0].to_string())
    print(
        json.dumps(
            {
                "device_kind": device.device_kind,
                "num_arguments": num_arguments,
                "compile_seconds": compile_seconds,
                **_memory(executable.get_compiled_memory_stats()),
                **_cost(executable.cost_analysis()),
            }
        )
    )


def _remove_copies(operation):
    """Takes copies of values by themselves away: JAX does not know them."""
    for region in operation.regions:
        for block in region.blocks:
            for one in list(block.operations):
                if one.operation.name == "mhlo.copy":
                    one.operation.results[0].replace_all_uses_with(
                        one.operation.operands[0]
                    )
                    one.operation.erase()
                else:
                    _remove_copies(one.operation)


def _memory(stats):
    sizes = {
        "argument_bytes": stats.argument_size_in_bytes,
        "output_bytes": stats.output_size_in_bytes,
        "alias_bytes": stats.alias_size_in_bytes,
        "temporary_bytes": stats.temp_size_in_bytes,
        "code_bytes": stats.generated_code_size_in_bytes,
    }
    # What is donated is an argument and a result in one place.
    total = sum(sizes.values()) - 2 * sizes["alias_bytes"]
    return sizes | {"total_bytes": total}


def _cost(analysis):
    if isinstance(analysis, list):
        analysis = analysis[0]
    return {
        "flops": analysis["flops"],
        "bytes_accessed": analysis["bytes accessed"],
    }


if __name__ == "__main__":
    main(*sys.argv[1:])

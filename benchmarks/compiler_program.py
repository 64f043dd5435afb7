"""Compiles serialised HLO for a chip that is not there; prints JSON.

Runs in an environment of its own, with JAX and the chip's plugin and none of
our modules: see tpu_compile.py and gpu_compile.py.

python compiler_program.py STEP.hlo.pb tpu v5e:2x2 OPTIMISED_HLO.txt
python compiler_program.py STEP.hlo.pb cuda TARGET.txtpb OPTIMISED_HLO.txt
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


def main(program, platform, target, optimised):
    device = {"tpu": _tpu, "cuda": _cuda}[platform](target)
    computation = xla_client.XlaComputation(pathlib.Path(program).read_bytes())
    num_arguments = len(computation.program_shape().parameter_shapes())
    text = xla_client._xla.mlir.xla_computation_to_mlir_module(computation)
    module = ir.Module.parse(text, mlir.make_ir_context())
    remove_copies(module.operation)
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
                # A compiler for GPUs without one does not count.
                **(_cost(executable) if platform == "tpu" else {}),
            }
        )
    )


def _tpu(topology):
    """Returns a chip of a topology, as v5e:2x2."""
    return topologies.get_topology_desc(
        platform="tpu", topology_name=topology
    ).devices[0]


def _cuda(target):
    """Returns a card, described in a file: a GpuTargetConfigProto as text."""
    import jax_plugins

    (plugin,) = (
        path
        for folder in jax_plugins.__path__
        for path in pathlib.Path(folder).glob("*/xla_cuda_plugin.so")
    )
    api = xla_client.load_pjrt_plugin_dynamically("cuda", str(plugin))
    xla_client.initialize_pjrt_plugin("cuda")
    topology = xla_client.make_c_api_device_topology(
        api,
        "",
        target_config=pathlib.Path(target).read_text(),
        topology="1x1x1",
    )
    return topology._make_compile_only_devices()[0]


def remove_copies(operation):
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
                    remove_copies(one.operation)


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


def _cost(executable):
    analysis = executable.cost_analysis()
    if isinstance(analysis, list):
        analysis = analysis[0]
    return {
        "flops": analysis.get("flops", 0.0),
        "bytes_accessed": analysis.get("bytes accessed", 0.0),
    }


if __name__ == "__main__":
    main(*sys.argv[1:])

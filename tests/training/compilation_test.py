"""XLA gets the step that is faster by it, and of others a part."""

import types

import pytest
import tensorflow as tf

from pretraining import masked_lm
from tests import tiny
from training import compilation, precision


def _nodes(function):
    definition = function.get_concrete_function().graph.as_graph_def()
    return list(definition.node)


def test_all_but_the_products_of_matrices_is_given_to_xla():
    objective = masked_lm.MaskedLm(
        tiny.config(), use_nsp=True, seed=1, mixed_precision="bfloat16"
    )
    batch = {k: tf.constant(v) for k, v in tiny.batch(4).items()}
    found = []

    def step(batch):
        with tf.GradientTape() as tape:
            terms = objective.compute_terms(batch, tf.constant(1))
            loss = terms["masked_lm_loss"].numerator
        found.append(tape.gradient(loss, objective.saved))

    nodes = _nodes(
        tf.function(lambda: compilation.all_but_products(step)(batch))
    )
    is_compiled = {True: set(), False: set()}
    for node in nodes:
        is_compiled[node.attr["_XlaCompile"].b].add(node.op)
    assert {"MatMul", "BatchMatMulV2"} <= is_compiled[False]
    assert {"Rsqrt", "Tanh", "Cast", "Mul"} <= is_compiled[True]
    assert not {"Rsqrt", "Tanh", "Softmax"} & is_compiled[False]
    assert not {"MatMul", "BatchMatMulV2"} & is_compiled[True]


@pytest.mark.parametrize(
    ("mixed_precision", "wanted"),
    [
        ("none", compilation.all_but_products),
        ("float16", compilation.whole),
        ("bfloat16", compilation.all_but_products),
    ],
)
def test_a_cpu_multiplies_outside_xla(mixed_precision, wanted):
    if tf.config.list_logical_devices("GPU"):
        pytest.skip("there is a GPU")
    devices = tf.distribute.get_strategy()
    assert compilation.choose(devices, mixed_precision) is wanted


@pytest.mark.parametrize(
    ("num_gpus", "mixed_precision", "wanted"),
    [
        (2, "bfloat16", compilation.gradient),
        (2, "none", compilation.gradient),
        (0, "none", compilation.gradient),
        (0, "bfloat16", compilation.nothing),
    ],
)
def test_of_several_replicas_each_has_its_gradient_compiled(
    monkeypatch, num_gpus, mixed_precision, wanted
):
    monkeypatch.setattr(
        tf.config, "list_logical_devices", lambda kind: ["GPU"] * num_gpus
    )
    devices = types.SimpleNamespace(num_replicas_in_sync=2)
    assert compilation.choose(devices, mixed_precision) is wanted


@pytest.mark.parametrize(
    ("flags", "wanted"),
    [
        ("fpu sse avx512f avx512_bf16", "bfloat16"),
        ("fpu amx_tile amx_bf16", "bfloat16"),
        ("fpu sse avx512f avx512_vnni", "none"),
    ],
)
def test_the_processor_decides_where_there_is_no_other_device(
    tmp_path, monkeypatch, flags, wanted
):
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("there is a GPU")
    path = tmp_path / "cpuinfo"
    path.write_text(f"processor\t: 0\nflags\t\t: {flags}\nbugs\t\t: spectre\n")
    found = precision.processor_flags(path)
    assert found == set(flags.split())
    monkeypatch.setattr(precision, "processor_flags", lambda: found)
    monkeypatch.delenv("ONEDNN_MAX_CPU_ISA", raising=False)
    devices = tf.distribute.get_strategy()
    assert precision.choose(None, devices) == wanted
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "avx512_core_bf16")
    assert precision.choose(None, devices) == wanted
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "avx2")
    assert precision.choose(None, devices) == "none"


def test_bfloat16_that_would_end_the_process_is_refused(monkeypatch):
    if tf.config.list_physical_devices("GPU"):
        pytest.skip("there is a GPU")
    monkeypatch.setattr(precision, "processor_flags", lambda: {"avx512_bf16"})
    monkeypatch.setenv("ONEDNN_MAX_CPU_ISA", "AVX2")
    devices = tf.distribute.get_strategy()
    with pytest.raises(ValueError, match="ONEDNN_MAX_CPU_ISA=AVX2 is set"):
        precision.choose("bfloat16", devices)
    assert precision.choose("float16", devices) == "float16"


def test_where_there_is_no_such_file_nothing_is_known(tmp_path):
    assert precision.processor_flags(tmp_path / "none") == set()

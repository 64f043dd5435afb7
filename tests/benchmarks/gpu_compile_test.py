"""The step compiles for a card that is not there; its kernels are counted."""

import json

import pytest

from benchmarks import compilers, gpu_compile, hlo_traffic, step_program
from pretraining import preflight
from tests import tiny

_HLO = """HloModule step, is_scheduled=true

%add (a: f32[8], b: f32[8]) -> f32[8] {
  ROOT %sum = f32[8]{0} add(%a, %b)
}

ENTRY %main.1 (p.1: f32[8], p.2: bf16[8]) -> f32[8] {
  %p.1 = f32[8]{0} parameter(0), metadata={op_name="x"}
  %p.2 = bf16[8]{0} parameter(1)
  %fusion = (f32[8]{0}, f32[]) fusion(%p.1, %p.2, /*index=2*/%p.2), \
kind=kLoop, calls=%add, metadata={op_name="layer_0/add"}
  %get = f32[8]{0} get-tuple-element(%fusion), index=0
  %product = f32[8]{0} custom-call(%get, %p.1), custom_call_target="gemm"
  ROOT %copy = f32[8]{0} copy(%product)
}
"""


def test_kernels_are_what_moves_bytes():
    fusion, product, copy = hlo_traffic.operations(_HLO)
    assert fusion == (
        "fusion",
        32 + 16 + 36,
        "(f32[8]{0}, f32[])",
        "layer_0/add",
    )
    assert (product.kind, product.num_bytes) == ("custom-call", 96)
    assert (copy.kind, copy.num_bytes) == ("copy", 64)


def test_the_card_is_described_in_pairs_of_braces():
    text = gpu_compile.h100()
    assert text.count("{") == text.count("}")
    assert 'name: "NVIDIA H100' in text and "core_count: 132" in text


@pytest.fixture(scope="module")
def compiler():
    try:
        return gpu_compile.environment()
    except OSError as error:
        pytest.skip(f"the GPU's compiler cannot be installed: {error}")


@pytest.mark.slow
def test_the_step_compiles_and_its_state_is_updated_in_place(
    compiler, tmp_path, capsys
):
    path = tmp_path / "bert.json"
    path.write_text(json.dumps(tiny.CONFIG))
    config = gpu_compile.CompileConfig(
        bert_config_file=str(path),
        max_seq_length=tiny.NUM_TOKENS,
        max_predictions_per_seq=tiny.NUM_PREDICTIONS,
        train_batch_size=4,
    )
    step = step_program.StepProgram(config, preflight.read_bert_config(config))
    program, target = tmp_path / "step.hlo.pb", tmp_path / "h100.txtpb"
    program.write_bytes(step.hlo())
    target.write_text(gpu_compile.h100())
    found = compilers.compile_program(
        compiler, program, "cuda", target, tmp_path / "optimised.txt"
    )
    assert "H100" in found["device_kind"]
    assert step.state_bytes <= found["alias_bytes"] < step.state_bytes + 2**20
    assert found["argument_bytes"] < step.state_bytes + 2**20
    gpu_compile.run(config)
    assert "kernels" in capsys.readouterr().out

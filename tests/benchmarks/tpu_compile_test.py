"""The TPU's compiler takes the training step, of which donation is kept."""

import json

import pytest

from benchmarks import compilers, hlo_traffic, step_program, tpu_compile
from pretraining import preflight
from tests import tiny

# Room for totals, the batch and the padding of small variables.
_SLACK_BYTES = 2**20


# As the compiler writes it: f32 sums of two vectors, one of them fetched into
# VMEM, S(1), in two slices, and the result copied back to HBM.
_HLO = """HloModule step, is_scheduled=true

%add (a: f32[8], b: f32[8]) -> f32[8] {
  ROOT %sum = f32[8]{0} add(%a, %b)
}

ENTRY %main.1 (p.1: f32[8], p.2: bf16[8]) -> f32[8] {
  %p.1 = f32[8]{0:T(128)} parameter(0), metadata={op_name="x"}
  %p.2 = bf16[8]{0:T(128)(2,1)} parameter(1)
  %slice-start = ((f32[8]{0:T(128)}), f32[4]{0:T(128)S(1)}, s32[]{:S(2)}) \
slice-start(%p.1), slice={[0:4]}
  %slice-done = f32[4]{0:T(128)S(1)} slice-done(%slice-start)
  %half = f32[8]{0:T(128)S(1)} custom-call(%slice-done), target="Concat"
  %fusion = (f32[8]{0:T(128)S(1)}, f32[]{:T(128)}) fusion(%half, %p.2, %p.2), \
kind=kLoop, calls=%add
  %get = f32[8]{0:T(128)S(1)} get-tuple-element(%fusion), index=0
  %copy-start = (f32[8]{0:T(128)}, f32[8]{0:T(128)S(1)}, u32[]{:S(2)}) \
copy-start(%get)
  ROOT %copy-done = f32[8]{0:T(128)} copy-done(%copy-start)
}
"""


def test_what_moves_within_the_chip_is_no_traffic_of_hbm():
    slice_bytes, bfloat16_bytes, scalar_bytes, copy_bytes = 16, 16, 4, 32
    assert hlo_traffic.hbm_bytes(_HLO) == (
        slice_bytes + bfloat16_bytes + scalar_bytes + copy_bytes
    )


def _config(directory, **settings):
    path = directory / "bert.json"
    path.write_text(json.dumps(tiny.CONFIG))
    defaults = {
        "bert_config_file": str(path),
        "max_seq_length": tiny.NUM_TOKENS,
        "max_predictions_per_seq": tiny.NUM_PREDICTIONS,
        "train_batch_size": 4,
    }
    return tpu_compile.CompileConfig(**defaults | settings)


@pytest.fixture(scope="module")
def compiler():
    try:
        return tpu_compile.environment()
    except OSError as error:
        pytest.skip(f"the TPU's compiler cannot be installed: {error}")


@pytest.mark.slow
@pytest.mark.parametrize("topology", ["v5e:2x2", "v4:2x2x1"])
def test_the_step_compiles_and_its_state_is_updated_in_place(
    compiler, tmp_path, topology
):
    config = _config(tmp_path)
    bert = preflight.read_bert_config(config)
    step = step_program.StepProgram(config, bert)
    state_bytes = step.state_bytes
    program = tmp_path / "step.hlo.pb"
    program.write_bytes(step.hlo())
    optimised = tmp_path / "optimised.txt"
    found = compilers.compile_program(
        compiler, program, "tpu", topology, optimised
    )
    assert state_bytes <= found["alias_bytes"] < state_bytes + _SLACK_BYTES
    assert found["argument_bytes"] < state_bytes + _SLACK_BYTES
    assert found["flops"] > step.flops
    text = optimised.read_text()
    # The state is read and written, and the compiler counts more than HBM.
    hbm_bytes = hlo_traffic.hbm_bytes(text)
    assert 2 * state_bytes < hbm_bytes < found["bytes_accessed"]
    for host_call in ("infeed(", "outfeed(", " send(", " recv("):
        assert host_call not in text


@pytest.mark.slow
def test_what_the_compiler_refuses_is_told(compiler, tmp_path):
    program = tmp_path / "step.hlo.pb"
    program.write_bytes(b"no HLO")
    with pytest.raises(ValueError, match="compiler_program.py"):
        compilers.compile_program(
            compiler, program, "tpu", "v5e:2x2", tmp_path / "optimised.txt"
        )


@pytest.mark.slow
def test_a_failed_installation_says_why_and_leaves_nothing(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(OSError, match="No matching distribution .* jax"):
        tpu_compile.environment()
    assert not list((tmp_path / "hanlin" / "tpu_compiler").iterdir())

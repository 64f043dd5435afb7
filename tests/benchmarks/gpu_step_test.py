"""An exported step is TensorFlow's, also where there is no TensorFlow."""

import json
import subprocess

import numpy as np
import pytest

from benchmarks import compilers, gpu_step, gpu_step_program, step_program
from data import records
from pretraining import preflight
from tests import tiny

_SPEC = {"batch": 6, "tokens": 12, "predictions": 4, "bert": {"vocab_size": 9}}


def _config(directory, **settings):
    path = directory / "bert.json"
    path.write_text(json.dumps(tiny.CONFIG))
    return gpu_step.ExportConfig(
        bert_config_file=str(path),
        max_seq_length=tiny.NUM_TOKENS,
        max_predictions_per_seq=tiny.NUM_PREDICTIONS,
        train_batch_size=4,
        output_dir=str(directory / "carried"),
        **{"mixed_precision": "none"} | settings,
    )


def test_first_values_have_the_deviation_and_are_the_same_again():
    entry = {"shape": [300, 40], "dtype": "float32", "first": "uniform"}
    entry |= {"deviation": 0.02, "seed": 3}
    values = gpu_step_program.first_value(entry)
    assert values.dtype == np.float32
    assert abs(values.std() - 0.02) < 2e-4 and abs(values.mean()) < 1e-3
    assert (values == gpu_step_program.first_value(entry)).all()
    other = gpu_step_program.first_value(entry | {"seed": 4})
    assert abs(np.corrcoef(values.ravel(), other.ravel())[0, 1]) < 0.05
    ones = gpu_step_program.first_value(entry | {"first": 1})
    assert (ones == 1).all()


def test_batches_are_full_records():
    batch = gpu_step_program.random_batch(_SPEC, seed=1)
    assert batch.keys() == {f.name for f in records.PRETRAINING_FEATURES}
    assert batch["input_ids"].min() >= 1 and batch["input_ids"].max() < 9
    positions = batch["masked_lm_positions"]
    assert (np.diff(positions) > 0).all() and positions.max() < 12
    again = gpu_step_program.random_batch(_SPEC, seed=1)
    assert all((batch[name] == again[name]).all() for name in batch)


def test_a_loss_is_the_sum_of_its_terms():
    spec = {"totals": ["masked_lm_loss", "hits", "next_sentence_loss"]}
    assert gpu_step_program.loss_of(spec, [(6, 2), (5, 1), (1, 4)]) == 3.25


def test_a_row_says_why_it_has_no_number():
    answer = gpu_step_program._answer(["false"], 5)
    assert answer == {"error": "exit 1"}
    answer = gpu_step_program._answer(["sleep", "9"], 0.1)
    assert "not ready" in answer["error"]
    line = gpu_step_program._line({"setting": "a", "name": "b"} | answer, {})
    assert line.startswith("a ") and line.endswith(answer["error"])


@pytest.mark.parametrize("precision", ["none", "float16"])
def test_every_part_of_the_state_has_a_name_and_a_first_value(
    tmp_path, precision
):
    config = _config(tmp_path, mixed_precision=precision)
    bert = preflight.read_bert_config(config)
    step = step_program.StepProgram(config, bert)
    spec, variables = gpu_step.describe(config, bert, step)
    names = [part["name"] for part in spec["state"]]
    assert "totals" in names and "skipped_in_row" in names
    num_bytes = sum(v.numpy().nbytes for v in variables)
    assert step.state_bytes <= num_bytes < step.state_bytes + 1000
    json.dumps(spec)
    for part, variable in zip(spec["state"], variables, strict=True):
        value = gpu_step_program.first_value(part)
        assert value.shape == variable.shape
        assert value.dtype == variable.dtype.as_numpy_dtype
        if part["first"] != "uniform":
            assert (value == variable.numpy()).all()


def test_what_nothing_moves_is_no_result(tmp_path):
    config = _config(tmp_path, use_nsp=False)
    bert = preflight.read_bert_config(config)
    step = step_program.StepProgram(config, bert)
    spec, _ = gpu_step.describe(config, bert, step)
    still = [p["name"] for p in spec["state"] if not p["is_assigned"]]
    assert still == [
        "bert/pooler/dense/kernel",
        "bert/pooler/dense/bias",
        "cls/seq_relationship/output_weights",
        "cls/seq_relationship/output_bias",
    ]


@pytest.mark.slow
@pytest.mark.parametrize(
    "flags", [{}, {"use_nsp": False, "optimizer": "muon"}], ids=str
)
def test_the_losses_without_tensorflow_are_those_with_it(tmp_path, flags):
    config = _config(tmp_path, num_check_steps=20, name="check", **flags)
    try:
        python = compilers.install("jax_export", gpu_step._PACKAGES)
    except OSError as error:
        pytest.skip(f"JAX cannot be installed: {error}")
    gpu_step.run(config)
    carried = tmp_path / "carried"
    results = tmp_path / "results.json"
    command = [python, "gpu_step_program.py", f"--out={results}"]
    subprocess.run(command, cwd=carried, check=True, timeout=300)
    (result,) = json.loads(results.read_text())
    assert result["loss_difference"] < 1e-5
    spec = json.loads((carried / "check" / "spec.json").read_text())
    assert len(set(spec["losses"])) == 20

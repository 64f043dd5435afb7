"""Runs that grow: stopped anywhere, they end as one that was not."""

import dataclasses
import json
import os
import shutil
import sys

import numpy as np
import pytest

from pretraining import first_values, growth, masked_lm, stages
from tests import project, tiny, workers
from tests.pretraining import tiny_job
from training import optimizer, phases

# 12 tokens and 1 layer, then 16 and 2, then 3.
GROWING = "12x8x1:.25,16x4x2:.25,16x4:.5"
NUM_STEPS = 12
BOUNDARIES = (3, 6)


def plan(text, **settings):
    defaults = {
        "num_train_steps": 1_000,
        "max_seq_length": 128,
        "train_batch_size": 7,
        "num_layers": 4,
    }
    return stages.plan_stages(text, **defaults | settings)


def test_the_step_alone_says_the_stage_and_the_record():
    first, second = plan("32x128x2:.7,128x32:.3")
    assert (first.first_step, first.end_step, second.end_step) == (0, 700, 1000)
    assert (first.num_layers, second.num_layers) == (2, 4)
    # One set of records is gone through by all stages.
    assert second.record_at(700) == 700 * 128
    assert second.record_at(701) == 700 * 128 + 32
    assert plan("32x128:.7,128x32:.3", num_sets=2)[1].record_at(700) == 0
    assert stages.stage_at([first, second], 700) is first
    assert stages.stage_at([first, second], 701) is second
    (alone,) = plan(None)
    assert dataclasses.astuple(alone) == (128, 7, 4, 0, 1_000, 0)
    assert plan("128x7:1") == [alone]


def test_shares_come_to_all_steps_whatever_their_number():
    found = plan(",".join(["32x8:.1"] * 9 + ["128x8:.1"]), num_train_steps=77)
    assert found[-1].end_step == 77
    assert sum(stage.num_steps for stage in found) == 77


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("32:1", "is not LENGTHxBATCH"),
        ("32x8x:1", "is not LENGTHxBATCH"),
        ("128x8:1.1.", "is not LENGTHxBATCH"),
        ("0x8:.5,128x8:.5", "has a 0"),
        ("32x8:.5,128x8:.4", "add up to 0.9, not to 1"),
        ("32x8:.5,64x8:.5", "ends with 64 tokens, but --max_seq_length=128"),
        ("32x8:.9999,128x8:.0001", "stage 2 has no step"),
        ("64x8:.3,32x8:.3,128x8:.4", "max_seq_length falls from 64 to 32"),
        ("32x8x4:.3,128x8x2:.7", "num_layers falls from 4 to 2"),
        ("128x8x3:1", "ends with 3 layers, but --bert_config_file has 4"),
    ],
)
def test_what_is_wrong_with_stages_is_said_in_a_line(text, words):
    with pytest.raises(ValueError, match=f"--stages={text}.*{words}") as raised:
        plan(text)
    assert "\n" not in str(raised.value)


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("job")
    tiny_job.write_inputs(directory)
    shape = tiny.CONFIG | {"num_hidden_layers": 3}
    (directory / "bert.json").write_text(json.dumps(shape))
    tiny.write_records(directory / "short.tfrecord", 30, seed=3, num_tokens=12)
    return directory


@pytest.fixture(scope="module")
def job(directory):
    """Returns a function that runs a job in `directory`."""
    short, long = (
        directory / f"{name}.tfrecord" for name in ("short", "train")
    )

    def run(output, **settings):
        defaults = {
            "stages": GROWING,
            "input_file": f"{short};{long};{long}",
            "num_train_steps": NUM_STEPS,
            "save_checkpoints_steps": 2,
            "keep_checkpoint_max": 0,
            "optimizer": "adamw",
        }
        return tiny_job.run(directory, output, **defaults | settings)

    return run


@pytest.fixture(scope="module")
def trained(job, directory):
    """Returns the output of a run that nothing has stopped."""
    job(
        "trained",
        eval_every_steps=3,
        keep_best_metric="masked_lm_loss",
        peak_teraflops=1.0,
    )
    return directory / "trained"


def stopped_after(trained, output, step):
    """Leaves what a kill after the save of a step leaves."""
    shutil.copytree(trained, output)
    for path in output.glob("model.ckpt-*"):
        if int(path.name.split("-")[1].split(".")[0]) > step:
            path.unlink()


def assert_equal(got, wanted):
    assert got.keys() == wanted.keys()
    for name, tensor in wanted.items():
        assert np.array_equal(tensor, got[name]), name


@pytest.mark.parametrize(
    "step",
    [
        pytest.param(2, marks=pytest.mark.slow),
        3,
        pytest.param(4, marks=pytest.mark.slow),
        6,
        8,
    ],
)
def test_a_run_killed_in_a_stage_or_between_two_goes_on_bit_for_bit(
    job, directory, trained, step, caplog
):
    caplog.set_level("INFO")
    output = directory / f"stopped{step}"
    stopped_after(trained, output, step)
    job(output.name)
    # It grows again only where it stopped before it had grown.
    second = "stage 2 of 3: 16 tokens x 4, 2 layers, from step 3: positions"
    third = "stage 3 of 3: 16 tokens x 4, 3 layers, from step 6: layers from"
    assert (f"{second} from 12 on and layers from 1 on" in caplog.text) == (
        step <= 3
    )
    assert (f"{third} 2 on begin as copies" in caplog.text) == (step <= 6)
    assert "stage 1 of 3: 12 tokens x 8, 1 layer, steps 0 to 3" in caplog.text
    for later in (*BOUNDARIES, NUM_STEPS):
        if later > step:
            assert_equal(
                tiny_job.tensors(output, later),
                tiny_job.tensors(trained, later),
            )


def test_checkpoints_have_one_shape_and_what_is_to_come_is_untouched(
    trained, job, directory
):
    first, second = (tiny_job.tensors(trained, step) for step in (2, 3))
    assert first.keys() == second.keys()
    last = tiny_job.tensors(trained, NUM_STEPS)
    assert {k: v.shape for k, v in first.items()} == {
        k: v.shape for k, v in last.items()
    }
    for name, value in first.items():
        is_to_come = "/layer_1/" in name or "/layer_2/" in name
        assert np.array_equal(value, second[name]) == is_to_come or (
            name.startswith("optimizer/")
        ), name
        if is_to_come and name.endswith(("adam_m", "adam_v")):
            assert not value.any(), name


def test_growth_copies_weights_and_slots(job, directory, trained):
    # At a rate of next to nothing what was copied stays as it was.
    output = directory / "copied"
    stopped_after(trained, output, 3)
    job("copied", learning_rate=1e-30, num_train_steps=NUM_STEPS)
    before, after = (tiny_job.tensors(output, step) for step in (3, 6))
    last = tiny_job.tensors(output, NUM_STEPS)
    layers = [name for name in before if "/layer_0/" in name]
    assert layers
    for name in layers:
        if not name.endswith(("adam_m", "adam_v")):
            second = name.replace("/layer_0/", "/layer_1/")
            third = name.replace("/layer_0/", "/layer_2/")
            for found in (after[second], last[third]):
                np.testing.assert_allclose(found, before[name], atol=1e-7)
    table = "bert/embeddings/position_embeddings"
    np.testing.assert_allclose(
        after[table], before[table][np.arange(16) % 12], atol=1e-7
    )


def test_sinusoids_that_were_not_trained_stay(job, directory):
    output = directory / "sinusoids"
    job("sinusoids", position_init="sinusoidal", learning_rate=1e-3)
    table = "bert/embeddings/position_embeddings"
    before, after = (tiny_job.tensors(output, step)[table] for step in (3, 4))
    waves = first_values.sinusoids(*after.shape)
    assert np.abs(before[:12] - waves[:12]).max() > 1e-4
    # The decay alone has touched them.
    np.testing.assert_allclose(before[12:], waves[12:], rtol=1e-3, atol=1e-6)
    # What was trained goes on from there, and what was not begins.
    assert np.abs(after[12:16] - waves[12:16]).max() > 1e-4
    assert np.abs(after[:12] - before[:12]).max() < 0.01


def test_slots_are_copied_with_what_they_are_of():
    objective = masked_lm.MaskedLm(
        tiny.config(num_hidden_layers=3), use_nsp=True, seed=1
    )
    adam = optimizer.AdamWeightDecay(1e-3)
    adam.build(objective.trained)
    variables = {v.path: v for v in objective.saved} | adam.slots()
    rng = np.random.default_rng(1)
    for variable in variables.values():
        variable.assign(rng.normal(size=variable.shape))
    before = {name: v.numpy() for name, v in variables.items()}
    short, long = (
        dataclasses.replace(plan(None)[0], max_seq_length=n, num_layers=m)
        for n, m in ((12, 2), (16, 3))
    )
    growth.grow(variables, objective.encoder, short, long)
    rows = np.arange(16) % 12
    for name, variable in variables.items():
        wanted = before[name.replace("/layer_2/", "/layer_0/")]
        if "position_embeddings" in name:
            wanted = wanted[rows]
        assert np.array_equal(variable.numpy(), wanted), name
    assert sum("/layer_2/" in name for name in variables) == 16 * 3


def test_one_stage_is_a_run_without_stages(job, directory):
    long = str(directory / "train.tfrecord")
    settings = {"input_file": long, "num_train_steps": 4}
    job("plain", stages=None, **settings)
    job("one", stages="16x8:1", **settings)
    assert_equal(
        tiny_job.tensors(directory / "one", 4),
        tiny_job.tensors(directory / "plain", 4),
    )


def test_what_is_reported_fits_the_stage(trained):
    rows = tiny_job.metrics(trained)
    assert [row["step"] for row in rows if "eval_loss" in row] == [3, 6, 9, 12]
    for row in rows:
        if "tokens_per_second" in row:
            length = 12 if row["step"] <= 3 else 16
            assert row["tokens_per_second"] == pytest.approx(
                row["examples_per_second"] * length
            )
            assert row["model_flops_utilization"] > 0
    # A model that is still to grow is none to keep.
    kept = json.loads((trained / "best" / "best.json").read_text())
    assert kept["step"] > BOUNDARIES[-1]


def test_the_arithmetic_is_the_sum_of_that_of_the_stages():
    objective = masked_lm.MaskedLm(
        tiny.config(num_hidden_layers=3), use_nsp=True, seed=1
    )
    one, two, three = (objective.training_flops(12, 4, n) for n in (1, 2, 3))
    assert two - one == three - two > 0
    assert three == objective.training_flops(12, 4)
    shallow = masked_lm.MaskedLm(
        tiny.config(num_hidden_layers=1), use_nsp=True, seed=1
    )
    assert one == shallow.training_flops(12, 4)
    run = [
        phases.Phase(end_step=end, batches=None, step_cost=cost)
        for end, cost in ((3, one), (5, three))
    ]
    costs = [phases.cost_of(run, step) for step in range(6)]
    assert np.diff(costs).tolist() == [one, one, one, three, three]


def test_stages_that_would_leave_growth_out_are_refused(
    job, directory, trained
):
    output = directory / "changed"
    stopped_after(trained, output, 4)
    with pytest.raises(ValueError, match="step 4 was trained with 16 tokens x"):
        job("changed", num_train_steps=24)
    with pytest.raises(ValueError, match="step 4 was trained with 16 tokens x"):
        job(
            "changed", stages=None, input_file=str(directory / "train.tfrecord")
        )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"input_file": "a;b"}, "names 2 sets .* has 3 stages"),
        ({"stages": "12x8x1:.5,16x4:.4"}, "add up to 0.9"),
        ({"stages": "12x8x1:.5,16x4x2:.3,16x4x2:.2"}, "ends with 2 layers"),
        ({"stages": "16x8:1"}, "names 3 sets"),
        ({"gradient_accumulation_steps": 3}, "stage 1 of --stages=8 .* of 3"),
        ({"init_checkpoint": "trained"}, "begins with 1 of 3 layers"),
        ({"stages": "13x8:.2,16x4:.3,16x4:.5"}, "max_seq_length=12, but"),
    ],
)
def test_a_wrong_setting_is_named_with_its_flag(
    job, directory, trained, settings, words
):
    if "init_checkpoint" in settings:
        settings = {"init_checkpoint": str(trained)}
    with pytest.raises(ValueError, match=words):
        job("wrong", **settings)


def test_weights_of_a_stage_are_evaluated_by_its_layers(
    job, directory, trained
):
    output = directory / "evaluated"
    stopped_after(trained, output, 3)
    results = job("evaluated", do_train=False, do_eval=True)
    (row,) = [r for r in tiny_job.metrics(trained) if r["step"] == 3]
    assert results["masked_lm_loss"] == pytest.approx(
        row["eval_masked_lm_loss"], rel=1e-5
    )


def test_two_replicas_that_grow_give_the_result_of_one(directory):
    shape = tiny.CONFIG | {
        "num_hidden_layers": 3,
        "hidden_dropout_prob": 0.0,
        "attention_probs_dropout_prob": 0.0,
    }
    (directory / "bert_plain.json").write_text(json.dumps(shape))
    outputs = [directory / f"replicas{n}" for n in (1, 2)]
    for number, output in enumerate(outputs, 1):
        program = workers.start(
            *(sys.executable, "-m", "tests.pretraining.stages_program"),
            *(str(number), str(directory), output.name),
            cwd=project.ROOT,
            env=os.environ,
        )
        workers.finish([program])
    # The ends of the stages, and what the first one left.
    for step in (2, 4, 6):
        one, two = (tiny_job.tensors(output, step) for output in outputs)
        assert one.keys() == two.keys()
        for name, tensor in one.items():
            np.testing.assert_allclose(
                two[name], tensor, atol=1e-5, err_msg=name
            )

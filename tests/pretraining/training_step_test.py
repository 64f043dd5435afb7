"""Runs of the whole job with other optimizers, schedules and parts."""

import dataclasses
import json
import math
import shutil

import numpy as np
import pytest
import tensorflow as tf

from pretraining import config, masked_lm, train
from tests import tiny
from training.trainer import Trainer

_NO_DROPOUT = {
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
}


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("job")
    (directory / "bert.json").write_text(
        json.dumps(tiny.CONFIG | _NO_DROPOUT | {"num_hidden_layers": 1})
    )
    tiny.write_records(directory / "train.tfrecord", 22, seed=1)
    return directory


@pytest.fixture(scope="module")
def run(directory):
    """Returns a function that runs a job and returns its last tensors."""

    def run(output, **settings):
        output = directory / output
        train.run(_config(directory, output_dir=str(output), **settings))
        reader = tf.train.load_checkpoint(str(output))
        return {
            name: reader.get_tensor(name)
            for name in reader.get_variable_to_shape_map()
        }

    return run


def _config(directory, **settings):
    defaults = {
        "bert_config_file": str(directory / "bert.json"),
        "input_file": str(directory / "train.tfrecord"),
        "output_dir": "unused",
        "max_seq_length": tiny.NUM_TOKENS,
        "max_predictions_per_seq": tiny.NUM_PREDICTIONS,
        "do_train": True,
        "train_batch_size": 8,
        "learning_rate": 1e-3,
        "num_train_steps": 4,
        "num_warmup_steps": 1,
        "save_checkpoints_steps": 2,
        "mixed_precision": "none",
    }
    return config.PretrainingConfig(**defaults | settings)


def _assert_same(one, other):
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert np.array_equal(tensor, other[name]), name


@pytest.mark.parametrize("optimizer", ["lamb", "adafactor", "muon"])
def test_a_resumed_run_is_the_uninterrupted_one_and_no_other_optimizers(
    run, directory, optimizer
):
    settings = {"optimizer": optimizer, "lr_schedule": "cosine"}
    whole = run(optimizer, **settings)
    stopped = directory / f"{optimizer}_stopped"
    shutil.copytree(directory / optimizer, stopped)
    for path in stopped.glob("model.ckpt-4.*"):
        path.unlink()
    with pytest.raises(ValueError, match=f"with --optimizer={optimizer}, not "):
        run(stopped.name)
    _assert_same(run(stopped.name, **settings), whole)


@pytest.fixture(scope="module")
def default(run):
    return run("default")


def test_the_default_is_refused_to_others_and_holds_nothing_new(run, default):
    names = {name.rsplit("/", 1)[-1] for name in default}
    assert names >= {"adam_m", "adam_v", "global_step"}
    assert not [n for n in default if n.startswith(("optimizer", "loss_scale"))]
    with pytest.raises(
        ValueError, match="with --optimizer=bert_adam, not lamb"
    ):
        run("default", optimizer="lamb")


def test_parts_of_a_batch_train_as_the_batch(run, directory, default):
    parts = run("parts", gradient_accumulation_steps=4)
    for name, tensor in default.items():
        np.testing.assert_allclose(tensor, parts[name], atol=1e-6, err_msg=name)
    lines = (directory / "parts" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["skipped_steps"] for line in lines] == [0, 0]


@pytest.mark.slow
def test_bfloat16_changes_nothing_in_a_checkpoint_but_its_numbers(
    run, directory, default
):
    low = run("low", mixed_precision="bfloat16")
    assert {n: t.dtype for n, t in low.items()} == {
        n: t.dtype for n, t in default.items()
    }
    assert any((low[n] != default[n]).any() for n in default)
    stopped = directory / "low_stopped"
    shutil.copytree(directory / "low", stopped)
    for path in stopped.glob("model.ckpt-4.*"):
        path.unlink()
    _assert_same(run(stopped.name, mixed_precision="bfloat16"), low)
    run("low", num_train_steps=6, mixed_precision="none")


def test_a_loss_scale_is_saved_and_resumed(run, directory):
    settings = {"mixed_precision": "float16", "num_train_steps": 4}
    whole = run("scaled", **settings)
    assert whole["loss_scale"] > 0
    assert whole["loss_scale_good_steps"] > 0
    stopped = directory / "scaled_stopped"
    shutil.copytree(directory / "scaled", stopped)
    for path in stopped.glob("model.ckpt-4.*"):
        path.unlink()
    _assert_same(run(stopped.name, **settings), whole)


@pytest.mark.parametrize(
    ("num_skipped", "loss"), [(0, 3.0), (2, 3.0), (5, math.nan)]
)
def test_skipped_steps_are_told_and_have_no_loss(directory, num_skipped, loss):
    objective = masked_lm.MaskedLm(tiny.config(), use_nsp=False, seed=1)
    settings = _config(directory)
    trainer = Trainer(
        settings,
        tf.distribute.get_strategy(),
        objective,
        train.make_schedule(settings),
        seed=1,
    )
    num_good = 5 - num_skipped
    sums = {
        "masked_lm_loss": (6.0 * num_good, 2.0 * num_good),
        "masked_lm_accuracy": (0.0, 2.0 * num_good),
        "gradient_norm": (1.5 * num_good, 1.0 * num_good),
        # Three replicas add a third of a step each.
        "skipped_steps": (num_skipped * (1 - 1e-7), 5.0000001),
    }
    assert trainer.totals.names == tuple(sums)
    metrics = trainer.metrics(sums)
    assert metrics["skipped_steps"] == num_skipped
    assert metrics["loss"] == pytest.approx(loss, nan_ok=True)
    assert metrics["gradient_norm"] == pytest.approx(loss / 2, nan_ok=True)


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"num_warmup_steps": 30}, 30),
        ({"num_warmup_steps": 30, "warmup_proportion": 0.06}, 6),
        ({"warmup_proportion": 0.0}, 0),
    ],
)
def test_warm_up_is_a_number_of_steps_or_a_share(directory, settings, wanted):
    settings |= {"num_train_steps": 100}
    assert _config(directory, **settings).warmup_steps == wanted


def test_every_new_flag_has_the_default_of_google_research_bert():
    defaults = {
        field.name: field.default
        for field in dataclasses.fields(config.PretrainingConfig)
    }
    assert (
        defaults
        | {
            "optimizer": "bert_adam",
            "bias_correction": None,
            "weight_decay": 0.01,
            "adam_beta1": 0.9,
            "adam_beta2": 0.999,
            "adam_epsilon": 1e-6,
            "clip_norm": 1.0,
            "lr_schedule": "linear",
            "layerwise_lr_decay": 1.0,
            "gradient_accumulation_steps": 1,
        }
        == defaults
    )


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"gradient_accumulation_steps": 3}, "in 3 parts each .*multiple of 3"),
        ({"gradient_accumulation_steps": 0}, "--gradient_acc.* positive"),
        ({"clip_norm": -1.0}, "--clip_norm must not be negative"),
        ({"warmup_proportion": 1.5}, "--warmup_proportion must be between"),
        ({"adam_beta2": 1.0}, "--adam_beta2 must be .* below 1"),
    ],
)
def test_a_wrong_setting_is_named_with_its_flag(run, settings, words):
    with pytest.raises(ValueError, match=words):
        run("wrong", **settings)

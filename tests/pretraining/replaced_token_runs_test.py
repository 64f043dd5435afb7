"""Runs of ELECTRA's objective: stopped, evaluated, exported, taken up again."""

import shutil

import numpy as np
import pytest

from interop import formats
from storage import tensors
from tests import tiny
from tests.data import unmasked
from tests.pretraining import tiny_job

_SETTINGS = {
    "objective": "replaced_token",
    "use_nsp": False,
    "generator_hidden_size": 0.5,
    "num_train_steps": 4,
    "save_checkpoints_steps": 2,
}


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("job")
    tiny_job.write_inputs(directory)
    (directory / "bert.json").write_text(tiny.config("electra").to_json())
    tiny_job.run(directory, "trained", **_SETTINGS)
    return directory


def test_a_stopped_run_goes_on_bit_for_bit(directory):
    shutil.copytree(directory / "trained", directory / "stopped")
    for path in (directory / "stopped").glob("model.ckpt-4.*"):
        path.unlink()
    tiny_job.run(directory, "stopped", **_SETTINGS)
    wanted = tiny_job.tensors(directory / "trained", 4)
    found = tiny_job.tensors(directory / "stopped", 4)
    assert found.keys() == wanted.keys()
    for name, tensor in wanted.items():
        np.testing.assert_array_equal(found[name], tensor, err_msg=name)


def test_both_networks_are_handed_on_and_taken_up_again(directory, caplog):
    export = directory / "trained" / "export"
    last = tiny_job.tensors(directory / "trained", 4)
    for folder, head, scope in (
        ("", "pretraining", "electra/"),
        ("generator", "masked_lm", "generator/"),
    ):
        model = formats.read(str(export / folder))
        assert model.head == head
        assert model.config.hidden_size == (16 if folder else 32)
        for name, value in model.values.items():
            if "/embeddings/" not in name:
                name = name.replace("electra/", scope)
            np.testing.assert_array_equal(last[name], value)
    names = tensors.shapes(str(export / "generator" / "bert_model.ckpt"))
    assert "generator_predictions/dense/kernel" in names
    # From both, in a checkpoint or in two folders, the numbers are the same.
    caplog.set_level("INFO")
    results = []
    for source in (directory / "trained/model.ckpt-4", export):
        caplog.clear()
        output = f"evaluated_{source.name}"
        flags = {"init_checkpoint": str(source), "do_train": False}
        results.append(
            tiny_job.run(directory, output, **_SETTINGS | flags, do_eval=True)
        )
        assert "newly initialised     0" in caplog.text
    assert results[0] == results[1]
    assert {"disc_auc", "replaced_rate"} <= results[0].keys()


def test_evaluations_are_the_same_whatever_the_batch(directory):
    found = []
    for size in (4, 4, 5):
        flags = {"do_train": False, "do_eval": True, "eval_batch_size": size}
        found.append(tiny_job.run(directory, "trained", **_SETTINGS | flags))
    assert found[0] == found[1]
    assert found[0] == pytest.approx(found[2], rel=1e-5)


def test_a_discriminator_alone_is_taken_only_where_that_is_meant(
    directory, caplog
):
    alone = directory / "alone"
    shutil.copytree(directory / "trained/export", alone)
    shutil.rmtree(alone / "generator")
    flags = _SETTINGS | {"init_checkpoint": str(alone)}
    with pytest.raises(ValueError, match="has no generator, generator/.* rand"):
        tiny_job.run(directory, "refused", **flags)
    tiny_job.run(directory, "begun", allow_partial_init=True, **flags)
    assert "has no generator" in caplog.text
    narrow = flags | {
        "init_checkpoint": str(directory / "trained/export"),
        "generator_hidden_size": 1.0,
    }
    with pytest.raises(ValueError, match="generator/.* has shape"):
        tiny_job.run(directory, "narrow", **narrow)


def test_lengths_are_stages_and_layers_are_none(directory):
    flags = _SETTINGS | {
        "input_file": unmasked.write(
            directory / "alone.tfrecord", 40, pair_task="none"
        ),
        "mask_unit": "electra",
    }
    with pytest.raises(ValueError, match="--stages with 1 of 2 layers"):
        tiny_job.run(directory, "deep", stages="16x4x1:.5,16x4:.5", **flags)
    tiny_job.run(directory, "long", stages="8x8:.5,16x4:.5", **flags)
    positions = "electra/embeddings/position_embeddings"
    before, after = (
        tiny_job.tensors(directory / "long", step)[positions] for step in (2, 4)
    )
    # Rows of the second stage began as copies, and were trained since.
    moved = np.abs(after[8:] - before[:8]).max()
    assert 0 < moved < np.abs(before[8:] - before[:8]).max()

"""shell/pretrain_two_phases.sh: the recipes, one phase after the other."""

import json
import os
import pathlib
import subprocess
import sys

import pytest
import tensorflow as tf

from tests import tiny

_ROOT = pathlib.Path(__file__).parents[2]
_TIMEOUT_SECS = 300


def _run(tmp_path, records, recipe, *flags):
    return subprocess.run(
        [
            "bash",
            str(_ROOT / "shell/pretrain_two_phases.sh"),
            records,
            records,
            str(tmp_path / "out"),
            f"--bert_config_file={tmp_path / 'bert.json'}",
            f"--max_seq_length={tiny.NUM_TOKENS}",
            f"--max_predictions_per_seq={tiny.NUM_PREDICTIONS}",
            "--train_batch_size=8",
            "--gradient_accumulation_steps=2",
            "--num_train_steps=4",
            *flags,
        ],
        env=os.environ | {"PYTHON": sys.executable, "RECIPE": recipe},
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_SECS,
    )


def test_the_second_phase_goes_on_from_the_weights_of_the_first(tmp_path):
    (tmp_path / "bert.json").write_text(json.dumps(tiny.CONFIG))
    records = tiny.write_records(tmp_path / "train.tfrecord", 40)
    first = _run(tmp_path, records, "configs/pretrain/bert_large_lamb")
    assert first.returncode == 0, first.stderr
    phases = [str(tmp_path / "out" / f"phase{n}") for n in (1, 2)]
    assert f"initialised from {phases[0]}/model.ckpt-4" in first.stderr
    for phase in phases:
        reader = tf.train.load_checkpoint(phase)
        assert reader.get_tensor("global_step") == 4
    again = _run(tmp_path, records, "configs/pretrain/bert_large_lamb")
    assert again.returncode == 0, again.stderr
    assert again.stderr.count("resumed at step 4") == 2


def test_googles_recipe_is_one_run_of_two_stages(tmp_path):
    (tmp_path / "bert.json").write_text(json.dumps(tiny.CONFIG))
    records = tiny.write_records(tmp_path / "train.tfrecord", 40)
    command = (tmp_path, records, "configs/pretrain/bert_base")
    flags = f"--stages={tiny.NUM_TOKENS}x8:.5,{tiny.NUM_TOKENS}x4:.5"
    done = _run(*command, flags)
    assert done.returncode == 0, done.stderr
    assert "stage 2 of 2: 16 tokens x 4, 2 layers, from step 2" in done.stderr
    reader = tf.train.load_checkpoint(str(tmp_path / "out"))
    assert reader.get_tensor("global_step") == 4
    assert "resumed at step 4" in _run(*command, flags).stderr


def test_what_was_begun_as_two_runs_goes_on_so(tmp_path):
    (tmp_path / "bert.json").write_text(json.dumps(tiny.CONFIG))
    records = tiny.write_records(tmp_path / "train.tfrecord", 40)
    (tmp_path / "out" / "phase1").mkdir(parents=True)
    done = _run(tmp_path, records, "configs/pretrain/bert_base")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "phase2" / "model.ckpt-4.index").exists()


@pytest.mark.slow
def test_a_mistake_in_the_first_phase_ends_the_script(tmp_path):
    (tmp_path / "bert.json").write_text(json.dumps(tiny.CONFIG))
    result = _run(tmp_path, "nowhere", "configs/pretrain/bert_large_lamb")
    assert result.returncode == 1
    assert result.stderr.count("error:") == 1
    assert not (tmp_path / "out" / "phase2").exists()

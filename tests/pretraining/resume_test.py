"""Runs that are stopped, and that evaluate, end as one that does neither."""

import functools
import os
import shutil
import signal
import time

import numpy as np
import pytest

from tests.pretraining import tiny_job
from training import checkpoint, signals


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("job")
    tiny_job.write_inputs(directory)
    return directory


@pytest.fixture(scope="module")
def job(directory):
    """Returns a function that runs a job in `directory`."""
    return functools.partial(tiny_job.run, directory)


@pytest.fixture(scope="module")
def trained(job, directory):
    """Returns the output of a run that nothing has stopped."""
    job("trained")
    return directory / "trained"


def assert_equal(got, wanted):
    assert got.keys() == wanted.keys()
    for name, tensor in wanted.items():
        assert np.array_equal(tensor, got[name]), name


def test_a_resumed_run_equals_an_uninterrupted_one_bit_for_bit(
    job, directory, trained
):
    # As a kill after the save at step 4 leaves it.
    stopped = directory / "stopped"
    shutil.copytree(trained, stopped)
    for path in stopped.glob("model.ckpt-8.*"):
        path.unlink()
    job("stopped")
    assert_equal(tiny_job.tensors(stopped, 8), tiny_job.tensors(trained, 8))
    assert [row["step"] for row in tiny_job.metrics(stopped)] == [4, 8]


def test_a_run_that_goes_on_with_other_settings_says_so(
    job, directory, trained, caplog
):
    assert "other settings" not in caplog.text
    other = directory / "other"
    shutil.copytree(trained, other)
    job("other", num_train_steps=9, max_eval_steps=3)
    (told,) = [x for x in caplog.messages if "other settings" in x]
    assert "model.ckpt-8 was trained with other settings" in told
    assert "--num_train_steps was 8 and is 9" in told
    assert "max_eval_steps" not in told


def test_evaluations_between_steps_tell_what_one_of_the_checkpoint_tells(
    job, directory, trained
):
    settings = {
        "eval_every_steps": 4,
        "keep_best_metric": "masked_lm_loss",
        "do_eval": True,
    }
    results = job("between", **settings)
    rows = tiny_job.metrics(directory / "between")
    assert [row["step"] for row in rows] == [4, 8]
    for name, value in results.items():
        if name != "global_step":
            assert rows[-1][f"eval_{name}"] == pytest.approx(value, rel=1e-5)
    best = min(rows, key=lambda row: row["eval_masked_lm_loss"])["step"]
    # Evaluating changes nothing.
    kept = tiny_job.tensors(directory / "between" / "best", best)
    assert_equal(kept, tiny_job.tensors(trained, best))


def test_a_signal_while_a_checkpoint_is_written_is_minded_after_it(
    job, directory, trained, monkeypatch, caplog
):
    write = checkpoint.write

    def write_and_signal(prefix, values, unfinished):
        # A second signal would end the process.
        monkeypatch.undo()
        os.kill(os.getpid(), signal.SIGTERM)
        while "SIGTERM: saving" not in caplog.text:
            time.sleep(0.01)
        write(prefix, values, unfinished)

    monkeypatch.setattr(checkpoint, "write", write_and_signal)
    settings = {
        "save_checkpoints_steps": 3,
        "eval_every_steps": 3,
        "keep_best_metric": "loss",
    }
    with pytest.raises(signals.Stopped):
        job("signalled", **settings)
    output = directory / "signalled"
    before = tiny_job.metrics(output)
    assert 3 <= before[-1]["step"] < 6
    job("signalled", **settings)
    assert_equal(tiny_job.tensors(output, 8), tiny_job.tensors(trained, 8))
    rows = tiny_job.metrics(output)
    assert rows[: len(before)] == before
    assert [r["step"] for r in rows if "eval_loss" in r] == [3, 6]
    best = min(rows, key=lambda row: row.get("eval_loss", np.inf))["step"]
    assert (output / "best" / f"model.ckpt-{best}.index").exists()

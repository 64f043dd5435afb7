"""Runs that end when their time is up."""

import shutil

import pytest

from pretraining import config
from tests.pretraining import tiny_job

# The first step is compiled in some of it.
_MINUTES = 0.5
_SETTINGS = {
    "train_minutes": _MINUTES,
    "num_train_steps": 100_000,
    "num_warmup_steps": 10_000,
    "lr_schedule": "wsd",
    "save_checkpoints_steps": 50,
    "keep_checkpoint_max": 0,
    "optimizer": "muon",
}


@pytest.mark.slow
def test_a_run_ends_decayed_when_its_time_is_up_and_goes_on_where_it_was(
    tmp_path,
):
    tiny_job.write_inputs(tmp_path)
    tiny_job.run(tmp_path, "trained", **_SETTINGS)
    rows = tiny_job.metrics(tmp_path / "trained")
    last = rows[-1]["step"]
    assert rows[-1]["share_done"] == 1.0
    assert rows[-1]["learning_rate"] == 0.0
    assert max(row["learning_rate"] for row in rows) == pytest.approx(1e-3)
    saved = tiny_job.tensors(tmp_path / "trained", last)
    # A busy machine may take longer for a last step, never less.
    assert saved["seconds_done"] > 60 * _MINUTES - 5
    # The same command again has nothing to do.
    tiny_job.run(tmp_path, "trained", **_SETTINGS)
    assert tiny_job.metrics(tmp_path / "trained") == rows

    middle = last // 2 // 50 * 50
    before = tiny_job.tensors(tmp_path / "trained", middle)
    stopped = tmp_path / "stopped"
    shutil.copytree(tmp_path / "trained", stopped)
    for path in stopped.glob("model.ckpt-*"):
        if int(path.name.split("-")[1].split(".")[0]) > middle:
            path.unlink()
    tiny_job.run(tmp_path, "stopped", **_SETTINGS)
    rows = tiny_job.metrics(stopped)
    shares = [row["share_done"] for row in rows]
    assert shares == sorted(shares) and shares[-1] == 1.0
    assert rows[-1]["learning_rate"] == 0.0
    after = tiny_job.tensors(stopped, rows[-1]["step"])
    assert before["seconds_done"] < after["seconds_done"]
    assert after["seconds_done"] > 60 * _MINUTES - 5


@pytest.mark.parametrize(
    "flag", [{"num_train_steps": 500}, {"num_warmup_steps": 0}]
)
def test_a_number_of_steps_is_refused_beside_minutes(flag):
    ((name, value),) = flag.items()
    with pytest.raises(
        ValueError, match=f"--{name}={value} .* --train_minutes=5; give "
    ):
        _config(train_minutes=5.0, **flag)


def test_the_warm_up_is_a_share_of_the_time():
    assert _config(train_minutes=5.0).warmup_steps == 100_000
    share = _config(train_minutes=5.0, warmup_proportion=0.03)
    assert share.warmup_steps == 30_000
    assert share.schedule_steps == 1_000_000
    assert _config().schedule_steps == 100_000


def _config(**settings):
    return config.PretrainingConfig(
        bert_config_file="b",
        input_file="i",
        output_dir="o",
        do_train=True,
        **settings,
    )

"""The benchmark gives all the same work and reckons its table rightly."""

import json
import subprocess
import sys

import numpy as np
import pytest

from benchmarks import training_step, training_step_peers
from tests import project, tiny

_SETTINGS = training_step_peers.Settings("none", 4, tiny.NUM_TOKENS, 3)


def test_all_get_full_records_of_the_same_shape():
    batch = training_step_peers.random_batch(_SETTINGS, tiny.VOCAB_SIZE)
    assert (batch["input_mask"] == 1).all()
    assert (batch["masked_lm_weights"] == 1).all()
    positions = batch["masked_lm_positions"]
    # No place twice: a trainer that takes labels by place would have fewer.
    assert (np.diff(positions) > 0).all() and positions.max() < tiny.NUM_TOKENS
    assert batch.keys() == {*tiny.batch(1)}
    for name, value in tiny.batch(4).items():
        assert batch[name].dtype == value.dtype


def test_the_table_says_how_many_times_ours_is():
    ours = [(0.1, 0.4), (0.3, 0.4), (0.2, 0.5)]
    theirs = [(0.5, 1.0), (0.4, 1.0), (9.0, 1.1)]
    lines = training_step.table({"ours": ours, "theirs": theirs}, 1000)
    rows = [line.split() for line in lines.splitlines()]
    assert rows[1][:6] == ["ours", "200", "100", "5,000", "1.00", "x"]
    assert rows[2][:6] == ["theirs", "500", "400", "2,000", "2.50", "x"]
    assert rows[2][6:] == ["1000", "2.50", "x"]


@pytest.mark.slow
def test_ours_and_another_are_timed_and_what_is_not_there_is_named(tmp_path):
    pytest.importorskip("keras_hub")
    (tmp_path / "bert.json").write_text(json.dumps(tiny.CONFIG))
    done = subprocess.run(
        [
            *(sys.executable, "-m", "benchmarks.training_step"),
            f"--bert_config_file={tmp_path / 'bert.json'}",
            "--only=ours,KerasHub float32,nobody",
            *("--batch_size=4", f"--max_seq_length={tiny.NUM_TOKENS}"),
            *("--max_predictions_per_seq=3", "--rounds=2", "--steps=1"),
        ],
        cwd=project.ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "skipped nobody: KeyError" in done.stdout
    names = [line[:24].strip() for line in done.stdout.splitlines()[-2:]]
    assert names == ["ours", "KerasHub float32"]

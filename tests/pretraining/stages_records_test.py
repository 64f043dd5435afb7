"""What the stages of a run read: one set of records, or one for each."""

import json

import numpy as np
import pytest

from tests import tiny
from tests.data import unmasked
from tests.pretraining import tiny_job
from tests.pretraining.stages_test import assert_equal, stopped_after


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("job")
    tiny_job.write_inputs(directory)
    shape = tiny.CONFIG | {"num_hidden_layers": 3}
    (directory / "bert.json").write_text(json.dumps(shape))
    return directory


@pytest.fixture(scope="module")
def job(directory):
    """Returns a function that runs a job in `directory`."""

    def run(output, **settings):
        settings |= {"save_checkpoints_steps": 2, "keep_checkpoint_max": 0}
        return tiny_job.run(directory, output, optimizer="adamw", **settings)

    return run


def test_one_set_of_records_is_cut_and_gone_through_by_all_stages(
    job, directory, caplog
):
    caplog.set_level("INFO")
    records = unmasked.write(directory / "alone.tfrecord", 40, pair_task="none")
    settings = {
        "stages": "8x8x1:.5,16x4:.5",
        "input_file": records,
        "num_train_steps": 4,
        "use_nsp": False,
        "masked_lm_prob": 0.4,
        "masked_lm_prob_end": 0.2,
        "max_predictions_per_seq": 7,
    }
    job("cut", **settings)
    said = caplog.text
    assert "40 records" in said and "a window of 8" in said
    # Half of the tokens, half of the masks, rounded up.
    assert "40% going to 20% of the tokens and at most 4," in said
    assert "at most 7," in said
    output = directory / "cut_and_stopped"
    stopped_after(directory / "cut", output, 2)
    job(output.name, **settings)
    assert_equal(
        tiny_job.tensors(output, 4), tiny_job.tensors(directory / "cut", 4)
    )


def test_the_head_of_pairs_is_trained_where_the_records_have_pairs(
    job, directory, caplog
):
    caplog.set_level("INFO")
    alone = unmasked.write(directory / "first.tfrecord", 40, pair_task="none")
    pairs = unmasked.write(directory / "pairs.tfrecord", 40, pair_task="nsp")
    settings = {"stages": "8x8:.5,16x4:.5", "num_train_steps": 4}
    job("pairs_at_last", input_file=f"{alone};{pairs}", **settings)
    assert "8 tokens x 8, 3 layers, masked words alone, from" in caplog.text
    output = directory / "pairs_at_last"
    first, last = (tiny_job.tensors(output, step) for step in (2, 4))
    of_pairs = [x for x in first if "/pooler/" in x or "seq_relation" in x]
    weights = [x for x in of_pairs if x.endswith(("kernel", "weights"))]
    assert len(weights) == 2
    for name in of_pairs:
        if name.endswith("adam_m"):
            assert not first[name].any(), name
            assert last[name].any(), name
    for name in weights:
        assert not np.array_equal(first[name], last[name]), name
    output = directory / "pairs_at_last_stopped"
    stopped_after(directory / "pairs_at_last", output, 2)
    job(output.name, input_file=f"{alone};{pairs}", **settings)
    assert_equal(tiny_job.tensors(output, 4), last)
    with pytest.raises(ValueError, match="pair_task=none .*use_nsp"):
        job("no_pairs_at_all", input_file=alone, **settings)

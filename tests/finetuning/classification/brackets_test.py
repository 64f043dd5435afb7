"""A name with brackets is a name: to TensorFlow it would be a pattern."""

import json

import numpy as np
import pytest

from storage import tensors
from tests.finetuning import trained
from tools import average_checkpoints, predict
from training import checkpoint

_NAMES = ("run[1]", "a*b?[[{x,y}[!z]\\s")


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """What each step leaves in a directory whose name has no such sign."""
    path = tmp_path_factory.mktemp("plain")
    return _all_steps(path, path / "plain")


def _all_steps(directory, output):
    """Trains, goes on, predicts, answers; returns what came of it."""
    trained.write_inputs(directory)
    settings = {"output_dir": str(output), "keep_checkpoint_max": 0}

    def run(**changes):
        return trained.run(
            trained.CLASSIFIER, directory, "", **settings | changes
        )

    run(do_train=True)
    run(do_train=True, num_train_epochs=2.0)
    again = run(do_eval=True)
    run(do_predict=True)
    answers = directory / "said.jsonl"
    predict.run(
        predict.PredictConfig(
            model_dir=str(output),
            input_file=str(directory / "rows.jsonl"),
            output_file=str(answers),
        )
    )
    average_checkpoints.average(
        average_checkpoints.AverageConfig(
            model_dir=str(output),
            output_file=str(output / "mean" / "bert_model.ckpt"),
            last=2,
        )
    )
    from_it = run(
        output_dir=str(output / "new"),
        do_train=True,
        do_eval=True,
        init_checkpoint=str(output / "model.ckpt-4"),
    )
    return {
        "scores": [again, from_it],
        "steps": checkpoint.saved_steps(str(output)),
        "weights": tensors.read(str(output / "model.ckpt-4")),
        "mean": tensors.read(str(output / "mean" / "bert_model.ckpt")),
        "predictions": trained.read_objects(output / "predictions.jsonl"),
        "answers": trained.read_objects(answers),
    }


@pytest.mark.parametrize("name", _NAMES)
def test_a_run_in_it_is_the_run_in_any_other(plain, tmp_path, caplog, name):
    caplog.set_level("INFO")
    found = _all_steps(tmp_path, tmp_path / name / name)
    assert found["steps"] == plain["steps"] == [2, 4]
    # It went on from where it was, and did not begin anew.
    assert "resumed at step 2 from" in caplog.text
    assert "damaged" not in caplog.text
    for part in ("weights", "mean"):
        assert found[part].keys() == plain[part].keys()
        for key, value in found[part].items():
            np.testing.assert_array_equal(value, plain[part][key], key)
    for part in ("scores", "predictions", "answers"):
        assert json.dumps(found[part]) == json.dumps(plain[part])

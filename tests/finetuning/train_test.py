"""The run of a task, whatever the task: order, resuming, the best, seeds."""

import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from finetuning import batches, cache
from storage import tensors
from tests.finetuning import tiny_task
from training import checkpoint


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    path = tmp_path_factory.mktemp("job")
    tiny_task.write_inputs(path)
    return path


@pytest.fixture(scope="module")
def whole(directory):
    """A run from start to end."""
    return tiny_task.run(directory, "whole")


def _weights(directory, step=30):
    reader = tf.train.load_checkpoint(str(directory / f"model.ckpt-{step}"))
    return {
        name: reader.get_tensor(name)
        for name in reader.get_variable_to_shape_map()
    }


def _assert_same_weights(one, other):
    one, other = _weights(one), _weights(other)
    assert one.keys() == other.keys()
    for name in one:
        np.testing.assert_array_equal(one[name], other[name], name)


def test_it_learns_and_says_so(directory, whole):
    assert whole["eval_accuracy"] > 0.9
    assert whole["global_step"] == 30  # 100 rows / 10 * 3 epochs
    lines = (directory / "whole/eval_results.txt").read_text().splitlines()
    assert lines == [f"{key} = {whole[key]}" for key in sorted(whole)]


def test_a_run_that_was_cut_off_ends_with_the_same_weights(directory, whole):
    output = directory / "resumed"
    shutil.copytree(directory / "whole", output)
    # What is left of a run that was killed after step 21's checkpoint.
    steps = checkpoint.saved_steps(str(output))
    assert steps == [28, 30]
    for path in output.glob("model.ckpt-30*"):
        path.unlink()
    assert tiny_task.run(directory, "resumed") == whole
    _assert_same_weights(directory / "whole", output)


def test_a_finished_run_is_only_scored_again(directory, whole, caplog):
    assert tiny_task.run(directory, "whole") == whole
    assert tiny_task.run(directory, "whole", do_train=False) == whole
    assert "other settings" not in caplog.text


class FewerRows(tiny_task.WhichHalf):
    num_rows = tiny_task.WhichHalf.num_rows | {"train": 90}


def test_a_run_that_goes_on_with_other_settings_says_so(
    directory, whole, caplog
):
    settings = directory / "whole/settings.json"
    before = settings.read_bytes()
    tiny_task.run(
        directory,
        "whole",
        FewerRows,
        learning_rate=0.25,
        num_train_epochs=2,
        keep_best=True,
    )
    (told,) = [x for x in caplog.messages if "other settings" in x]
    assert "model.ckpt-30 was trained with other settings" in told
    assert "--learning_rate was 0.003 and is 0.25" in told
    assert "--num_train_epochs was 3.0 and is 2" in told
    assert "the training rows are others" in told
    assert "keep_best" not in told
    # Nothing was trained with them.
    assert settings.read_bytes() == before


class OtherLabels(tiny_task.WhichHalf):
    labels = ("left", "right")


def test_a_run_cannot_go_on_as_another(directory, whole):
    with pytest.raises(ValueError, match="labels below, from, and these rows"):
        tiny_task.run(directory, "whole", OtherLabels)
    with pytest.raises(ValueError, match="trained with --optimizer="):
        tiny_task.run(directory, "whole", optimizer="lamb")


def test_one_more_batch_size_of_prediction_changes_nothing(directory, whole):
    found = {}
    for size in (1, 4, 64):
        made = []

        def make_task(config, made=made):
            made.append(tiny_task.WhichHalf(config))
            return made[0]

        tiny_task.run(
            directory,
            "whole",
            make_task,
            do_train=False,
            do_predict=True,
            predict_batch_size=size,
        )
        found[size] = made[0].written["predict"]["logits"]
    assert found[1].shape == (11, 2)
    for size in (4, 64):
        np.testing.assert_allclose(found[size], found[1], atol=1e-5)


def test_the_best_checkpoint_is_the_one_that_is_scored(directory):
    scores = tiny_task.run(
        directory, "best", keep_best=True, eval_every_steps=5
    )
    record = json.loads((directory / "best/best/best.json").read_text())
    lines = (directory / "best/metrics.jsonl").read_text().splitlines()
    found = {
        row["step"]: row["eval_accuracy"]
        for row in map(json.loads, lines)
        if "eval_accuracy" in row
    }
    assert sorted(found) == [5, 10, 15, 20, 25, 30]
    assert record["value"] == max(found.values()) == scores["eval_accuracy"]
    assert scores["global_step"] == min(
        step for step in found if found[step] == record["value"]
    )


class NeverBetter(tiny_task.WhichHalf):
    def score(self, split, outputs):
        return {"eval_accuracy": 0.5}


def test_training_ends_early_where_nothing_gets_better(directory):
    settings = {"early_stopping": 2, "eval_every_steps": 5}
    scores = tiny_task.run(directory, "early", NeverBetter, **settings)
    assert scores["global_step"] == 15
    # The same command does not go on.
    again = tiny_task.run(directory, "early", NeverBetter, **settings)
    assert again["global_step"] == 15


def test_several_seeds_give_mean_and_deviation(directory):
    scores = tiny_task.run(
        directory, "seeds", seeds="1,2", num_train_epochs=1.0
    )
    runs = json.loads((directory / "seeds/seeds.json").read_text())["runs"]
    found = [runs[seed]["eval_accuracy"] for seed in ("1", "2")]
    assert scores["eval_accuracy_mean"] == pytest.approx(np.mean(found))
    assert scores["eval_accuracy_deviation"] == pytest.approx(
        np.std(found, ddof=1)
    )
    best = directory / f"seeds/seed_{scores['best_seed']}"
    assert scores["eval_accuracy"] == max(found)
    assert (directory / "seeds/model.ckpt-10.index").exists()
    one, other = _weights(best, 10), _weights(directory / "seeds", 10)
    np.testing.assert_array_equal(one["output_bias"], other["output_bias"])
    with pytest.raises(ValueError, match="different integers"):
        tiny_task.run(directory, "seeds", seeds="1,x")


def test_batches_of_several_lengths_train_as_those_of_one(
    directory, monkeypatch
):
    shape = json.loads((directory / "bert.json").read_text())
    # What is dropped depends on the shape.
    shape |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    path = directory / "no_dropout.json"
    path.write_text(json.dumps(shape))
    settings = {"bert_config_file": str(path), "num_train_epochs": 10.0}
    settings |= {"learning_rate": 1e-4}
    monkeypatch.setattr(batches, "_STEPS_FOR_LENGTHS", 1)
    tiny_task.run(directory, "lengths", **settings)
    monkeypatch.setattr(batches, "_MAX_LENGTHS", 1)
    tiny_task.run(directory, "one_length", **settings)
    one, other = (
        _weights(directory / name, 100) for name in ("lengths", "one_length")
    )
    for name in one:
        np.testing.assert_allclose(one[name], other[name], atol=2e-5)


def test_a_frozen_encoder_stays_as_it_was(directory):
    settings = {"freeze_encoder": True, "num_train_epochs": 0.1}
    tiny_task.run(directory, "start", num_train_epochs=0.1, learning_rate=1e-30)
    start = _weights(directory / "start", 1)
    settings |= {"num_train_epochs": 1.0, "warmup_proportion": 0.0}
    tiny_task.run(directory, "frozen", **settings)
    frozen = _weights(directory / "frozen", 10)
    changed = {
        name
        for name in start
        if name in frozen
        and not tensors.is_state(name, start)
        and np.abs(start[name] - frozen[name]).max() > 1e-6
    }
    assert changed == {"output_weights", "output_bias"}


def test_rows_are_made_again_only_for_another_description(tmp_path):
    made = []

    def make():
        made.append(1)
        return {
            "ids": np.arange(12, dtype=np.int32).reshape(3, 2, 2),
            "rate": np.array([0.5, 1, 2], np.float32),
        }

    path = str(tmp_path / "train.tf_record")
    first = cache.rows(path, {"a": (1, 2)}, make)
    second = cache.rows(path, {"a": (1, 2)}, make)
    assert len(made) == 1
    for name, value in first.items():
        assert second[name].dtype == value.dtype
        np.testing.assert_array_equal(second[name], value)
    cache.rows(path, {"a": (1, 3)}, make)
    assert len(made) == 2
    # A file cut short is made again, too.
    (tmp_path / "train.tf_record").write_bytes(b"torn")
    np.testing.assert_array_equal(
        cache.rows(path, {"a": (1, 3)}, make)["ids"], first["ids"]
    )
    assert len(made) == 3


def test_wrong_settings_are_told(directory):
    for settings, message in (
        ({"do_train": False, "do_eval": False}, "set --do_train"),
        ({"max_seq_length": 99}, "max_seq_length=99 is more than max_position"),
        ({"train_batch_size": 1000}, "100 training rows are no step"),
        ({"do_train": False, "output_dir": str(directory / "x")}, "no checkp"),
        ({"unfreeze_top_layers": 1}, "needs --freeze_encoder"),
    ):
        with pytest.raises(ValueError, match=message):
            tiny_task.run(directory, "wrong", **settings)

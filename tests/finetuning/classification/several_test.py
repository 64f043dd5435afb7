"""Several tasks on one encoder: each as if it were alone, and all resumed."""

import dataclasses
import json
import random
import sys

import numpy as np
import pytest
import tensorflow as tf

from finetuning import answering, batches, programs
from finetuning.classification import mixing, several, task
from tests import project, tiny, workers
from tests.finetuning.classification import tiny_classifier
from training import checkpoint

_NAMES = ("opinions", "things")
_TASKS = "tsv:opinions,tsv:things"
_SAID = {"good": "yes", "bad": "no"}


pytestmark = pytest.mark.usefixtures("uncompiled")


def _write(directory):
    """Writes two tasks of like sentences, whose labels have other names."""
    tiny_classifier.write_model(directory)
    (directory / "bert.json").write_text(
        json.dumps(
            tiny.CONFIG
            | {
                "num_hidden_layers": 1,
                "hidden_dropout_prob": 0.0,
                "attention_probs_dropout_prob": 0.0,
            }
        )
    )
    rng = random.Random(0)
    for name in _NAMES:
        (directory / name).mkdir()
        for part, size in (("train", 120), ("dev", 30), ("test", 5)):
            if (name, part) == ("things", "train"):
                size = 80
            rows = [("label", "text")]
            for _ in range(size):
                opinion = rng.choice(("good", "bad"))
                thing = rng.choice(("film", "food"))
                label = opinion if name == "opinions" else _SAID[opinion]
                rows.append((label, f"a {thing} {opinion}"))
            if part == "test":
                rows = [row[1:] for row in rows]
            tiny_classifier.write_lines(directory / name / f"{part}.tsv", rows)


def config_of(directory, output, **changes):
    defaults = {
        "task_name": _TASKS,
        "data_dir": str(directory),
        "output_dir": str(directory / output),
        "do_train": True,
        "do_eval": True,
        "num_train_epochs": 4.0,
    }
    return tiny_classifier.settings(directory, **defaults | changes)


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with the tasks and a training of both in `both`."""
    directory = tmp_path_factory.mktemp("several")
    _write(directory)
    found = several.run(config_of(directory, "both", do_predict=True))
    return directory, found


def _weights(directory):
    step = checkpoint.saved_steps(str(directory))[-1]
    return checkpoint.tensors.read(str(directory / f"model.ckpt-{step}"))


def read_lines(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_each_task_has_its_score_and_the_mean_decides(trained):
    directory, found = trained
    scores = [found[f"eval_accuracy_{name}"] for name in _NAMES]
    assert found["eval_mean"] == pytest.approx(np.mean(scores))
    for name, score in zip(_NAMES, scores, strict=True):
        folder = directory / "both" / name
        said = read_lines(folder / "eval_predictions.jsonl")
        right = [line["label"] == line["wanted"] for line in said]
        assert len(right) == 30 and np.mean(right) == pytest.approx(score)
        wanted = {"opinions": {*_SAID}, "things": {*_SAID.values()}}[name]
        assert {line["wanted"] for line in said} == wanted
        lines = (folder / "eval_results.txt").read_text()
        assert f"eval_accuracy = {score}" in lines


def test_each_folder_is_a_model_by_itself(trained):
    """It answers, is scored, and is gone on from as of its own training."""
    directory, found = trained
    for name in _NAMES:
        folder = directory / "both" / name
        said = read_lines(folder / "predictions.jsonl")
        answers = answering.Answerer.load(str(folder)).answer(
            [line["texts"][0] for line in said]
        )
        for answer, line in zip(answers, said, strict=True):
            assert answer["probabilities"] == pytest.approx(
                line["probabilities"], abs=1e-5
            )
        alone = {"task_name": "tsv", "data_dir": str(directory / name)}
        again = task.run(
            config_of(directory, f"both/{name}", do_train=False, **alone)
        )
        assert again["eval_accuracy"] == found[f"eval_accuracy_{name}"]
        tuned = config_of(
            directory,
            f"tuned_{name}",
            init_checkpoint=str(folder),
            bert_config_file=str(folder / "bert_config.json"),
            num_train_epochs=1.0,
            learning_rate=1e-9,
            **alone,
        )
        assert task.run(tuned)["eval_loss"] == pytest.approx(
            again["eval_loss"], rel=1e-4
        )
    with pytest.raises(ValueError, match="has several tasks; name one: .*/op"):
        programs.load(str(directory / "both"))


def test_a_row_is_learned_from_as_alone(trained):
    """The loss of all rows is that of each task, weighted by its rows."""
    directory, _ = trained
    config = config_of(directory, "both")
    joint = several.SeveralTasks(config)
    examples = joint.read("train")
    rows = joint.make_rows("train", examples)
    rng = np.random.default_rng(0)
    outputs = {
        f"logits_{number}": rng.normal(size=(len(examples), size)).astype("f4")
        for number, size in enumerate((2, 2))
    }
    (term,) = joint.compute_terms(outputs, rows).values()
    total = 0.0
    for number, part in enumerate(config.parts.values()):
        own = task.Classification(part)
        alone = own.make_rows("train", own.read("train"))
        chosen = rows["task"] == number
        for name in ("input_ids", "input_mask", "segment_ids"):
            np.testing.assert_array_equal(rows[name][chosen], alone[name])
        logits = outputs[f"logits_{number}"][chosen]
        total += tf.keras.losses.SparseCategoricalCrossentropy(
            from_logits=True, reduction="sum"
        )(alone["label_ids"], logits)
    assert float(term.numerator) == pytest.approx(float(total), rel=1e-5)
    assert float(term.denominator) == len(examples) == 200


def test_a_run_that_was_stopped_ends_with_the_same_weights(trained):
    directory, _ = trained
    settings = {"task_temperature": 3.0, "save_checkpoints_steps": 15}
    whole = config_of(directory, "whole", keep_checkpoint_max=0, **settings)
    several.run(whole)
    wanted = _weights(directory / "whole")
    for path in (directory / "whole").glob("model.ckpt-*"):
        if "-15." not in path.name:
            path.unlink()
    several.run(whole)
    found = _weights(directory / "whole")
    assert found.keys() == wanted.keys() and "task_1/output_bias" in wanted
    for name, value in wanted.items():
        np.testing.assert_array_equal(found[name], value, err_msg=name)


def test_two_replicas_end_with_the_weights_of_one(trained):
    directory, _ = trained
    program = "tests.finetuning.classification.several_program"
    workers.finish(
        [
            workers.start(
                *(sys.executable, "-m", program, "2", str(directory)),
                cwd=project.ROOT,
                env=project.environment(),
            )
        ]
    )
    found, wanted = (_weights(directory / x) for x in ("replicas", "both"))
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, atol=1e-5, err_msg=name)


@pytest.mark.parametrize(
    ("sizes", "temperature"),
    [((100, 10), 1), ((100, 10), 2), ((900, 90, 10), 5), ((7, 3, 1), 1000)],
)
def test_shares_are_those_of_the_formula(sizes, temperature):
    drawn = mixing.draws(sizes, temperature)
    powers = np.array(sizes, float) ** (1 / temperature)
    assert sum(drawn) == sum(sizes)
    wanted = powers / powers.sum() * sum(sizes)
    np.testing.assert_allclose(drawn, wanted, atol=len(sizes) / 2 + 0.5)
    if temperature == 1:
        assert drawn == list(sizes)


def test_each_kind_is_drawn_as_often_as_said_and_each_row_alike():
    rows = {
        "input_ids": np.arange(60, dtype=np.int32)[:, None],
        "input_mask": np.ones((60, 1), np.int32),
    }
    drawn = batches.training_batches(
        rows,
        batch_size=10,
        seed=3,
        start_step=0,
        num_steps=60,
        lengths=[1],
        group_by_length=False,
        context=None,
        draws=[(50, 30), (10, 30)],
    )
    ids = np.concatenate(
        [x["input_ids"].numpy().ravel() for x in drawn.take(60)]
    )
    for epoch in ids.reshape(10, 60):
        assert (epoch < 50).sum() == 30
    counts = np.bincount(ids, minlength=60)
    assert (counts[:50] == 6).all() and (counts[50:] == 30).all()


def test_bad_input_is_one_line(tmp_path):
    def refused(message, **changes):
        with pytest.raises(ValueError, match=message):
            several.SeveralTasks(config_of(tmp_path, "output", **changes))

    tiny_classifier.write_model(tmp_path)
    refused("--task_temperature=2 is for several", task_name="tsv", **_T2)
    refused("--task_temperature must be .*, got 0", task_temperature=0.0)
    refused("--train_file is for one task", train_file="x.tsv")
    refused("--regression is for one task", regression=True)
    refused("--long_text is for one task", long_text="max")
    refused("--ensemble is for one task", seeds="1,2", ensemble=2)
    refused("--test_file is for one task", test_file="x.tsv")
    refused("--teacher_dir is for one task", teacher_dir="x")
    refused("--class_weights=1,2 is for one task", class_weights="1,2")
    refused("needs --data_dir", data_dir=None)
    refused("folders that differ", task_name="tsv:a,csv:a")
    refused("folders that differ", task_name="tsv:a")
    refused("no slash", task_name="tsv:a/b,tsv:c")
    refused("no slash", task_name="tsv:best,tsv:c")
    refused("'tsv' must be a published", task_name="tsv,mrpc")
    refused("'x:b' must be a published", task_name="mrpc,x:b")
    refused("--task_name=nope is none of", task_name="mrpc,nope")
    refused("swag has texts to choose from", task_name="mrpc,swag")


_T2 = {"task_temperature": 2.0}


def test_other_tasks_in_the_same_directory_are_refused(trained):
    directory, _ = trained
    config = config_of(directory, "both", do_train=False)
    other = dataclasses.replace(config, task_name="tsv:things,tsv:opinions")
    with pytest.raises(ValueError, match="tasks opinions, things, and --task"):
        several.run(other)
    with pytest.raises(ValueError, match="a training with the labels"):
        several.run(dataclasses.replace(other, do_train=True))

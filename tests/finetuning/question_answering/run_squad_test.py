"""A run from questions to answers, and what is said of wrong settings."""

import argparse
import dataclasses
import json
import random
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from finetuning.question_answering import config, examples, task
from tests import project, tiny
from tests.finetuning.question_answering import squads

WORDS = [f"w{i}" for i in range(20)]
METALS = ["Gold", "Zinc", "Iron"]
LENGTH = 24
FILES = {"predictions", "nbest_predictions"}


def write_questions(path, count, *, with_answers=True, share_without=0.0):
    """Texts of words with a metal among them, which is what is asked for."""
    rng = random.Random(str(path))
    paragraphs = []
    for number in range(count):
        words = [rng.choice(WORDS) for _ in range(rng.randrange(4, 40))]
        answers = []
        if rng.random() >= share_without:
            place = rng.randrange(len(words))
            words[place] = metal = rng.choice(METALS)
            start = len(" ".join([*words[:place], ""]))
            answers = [(metal, start)]
        entry = squads.entry(number, "Which metal?", *answers)
        if not with_answers:
            del entry["answers"]
        paragraphs.append((" ".join(words), [entry]))
    return squads.write(path, *paragraphs)


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    path = tmp_path_factory.mktemp("squad")
    rows = ["which", "metal", "?", "zinc", "iron", "go", "##ld", *WORDS]
    project.write_vocabulary(path, rows)
    shape = {"num_hidden_layers": 1, "max_position_embeddings": LENGTH}
    (path / "bert.json").write_text(json.dumps(tiny.CONFIG | shape))
    for name, count in (("train", 200), ("dev", 40)):
        write_questions(path / f"{name}.json", count, share_without=0.4)
    write_questions(path / "test.json", 20, with_answers=False)
    return path


def settings(directory, output, **others):
    return {
        "bert_config_file": str(directory / "bert.json"),
        "vocab_file": str(directory / "vocab.txt"),
        "output_dir": str(directory / output),
        "max_seq_length": LENGTH,
        "max_query_length": 8,
        "doc_stride": 12,
        "train_batch_size": 16,
        "eval_batch_size": 64,
        "predict_batch_size": 64,
        "learning_rate": 3e-3,
        "num_train_epochs": 4.0,
        "group_by_length": False,
        "optimizer": "adamw",
        "mixed_precision": "none",
    } | others


def run(directory, output, **others):
    made = config.QuestionAnsweringConfig(
        **settings(directory, output, **others)
    )
    return task.run(made)


def assert_answers(directory, output, name, wanted):
    """Checks the files of the predictions; returns predictions.json."""
    found = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in (directory / output).glob("*.json")
        if path.stem in ("predictions", "nbest_predictions", "null_odds")
    }
    assert found.keys() == wanted
    data = json.loads((directory / name).read_text())["data"]
    contexts = {
        x["paragraphs"][0]["qas"][0]["id"]: x["paragraphs"][0]["context"]
        for x in data
    }
    for values in found.values():
        assert values.keys() == contexts.keys()
    for key, entries in found["nbest_predictions"].items():
        assert sum(x["probability"] for x in entries) == pytest.approx(1)
        assert all(x["text"] in contexts[key] for x in entries)
        assert entries[0].keys() == {
            "text",
            "probability",
            "start_logit",
            "end_logit",
        }
        best = next((x["text"] for x in entries if x["text"]), "")
        assert found["predictions"][key] in ("", best)
    return found["predictions"]


def _check_evaluated(output, results, given):
    """Each question's line agrees with the files of the predictions."""
    # The evaluation's rows are those that were predicted.
    texts = [
        (output / name).read_text(encoding="utf-8")
        for name in ("eval_predictions.jsonl", "predictions.jsonl")
    ]
    assert texts[0] == texts[1]
    said = [json.loads(line) for line in texts[0].splitlines()]
    assert {x["id"]: x["answer"] for x in said} == given
    for name in ("exact_match", "f1"):
        mean = 100 * sum(x[name] for x in said) / len(said)
        assert mean == pytest.approx(results[name])
    best = json.loads((output / "nbest_predictions.json").read_text())
    for one in said:
        entries = {x["text"]: x["probability"] for x in best[one["id"]]}
        assert one["probability"] == entries[one["answer"]]
        if one["answer"]:
            span = one["context"][one["start"] : one["end"]]
            assert span == one["answer"]
        assert (one["answer"] in one["wanted"]) <= one["exact_match"]


def test_it_learns_scores_and_answers(directory):
    results = run(
        directory,
        "out",
        do_train=True,
        do_eval=True,
        do_predict=True,
        keep_best=True,
        version_2_with_negative=True,
        train_file=str(directory / "train.json"),
        predict_file=str(directory / "dev.json"),
    )
    assert "predict_f1" not in results
    assert results["HasAns_f1"] > 70 and results["NoAns_f1"] > 70
    assert results["best_f1"] >= results["f1"] > 70
    lines = (directory / "out/eval_results.txt").read_text().splitlines()
    assert lines == [f"{key} = {results[key]}" for key in sorted(results)]
    found = assert_answers(directory, "out", "dev.json", FILES | {"null_odds"})
    odds = json.loads((directory / "out/null_odds.json").read_text())
    assert all((odds[key] > 0) == (not found[key]) for key in odds)
    assert {"Gold", "Zinc", "Iron"} & set(found.values())
    _check_evaluated(directory / "out", results, found)
    # The model it left answers where no answer is known.
    for name in ("eval_results.txt", "null_odds.json"):
        (directory / "out" / name).unlink()
    test_file = str(directory / "test.json")
    assert not run(directory, "out", do_predict=True, predict_file=test_file)
    found = assert_answers(directory, "out", "test.json", FILES)
    assert sum(text in METALS for text in found.values()) > 14
    assert not (directory / "out/eval_results.txt").exists()
    # Answered questions that are predicted do not pass for the evaluation's.
    again = run(
        directory,
        "out",
        do_eval=True,
        do_predict=True,
        version_2_with_negative=True,
        eval_file=str(directory / "dev.json"),
        predict_file=str(directory / "train.json"),
    )
    assert results.items() <= again.items()
    assert again["predict_loss"] != again["loss"]


def make_task(directory, **others):
    return task.QuestionAnswering(
        config.QuestionAnsweringConfig(**settings(directory, "x", **others))
    )


def test_the_loss_is_that_of_both_ends_over_the_real_tokens(directory):
    made = make_task(directory)
    rng = np.random.default_rng(0)
    lengths = [5, 8, 3, 0]
    mask = (np.arange(8) < np.array(lengths)[:, None]).astype(np.int32)
    outputs = {
        f"{end}_logits": rng.normal(size=(4, 8)).astype(np.float32)
        for end in ("start", "end")
    }
    positions = {"start": [1, 7, 0, 0], "end": [4, 7, 0, 0]}
    batch = {"input_mask": mask} | {
        f"{end}_positions": np.array(values, np.int32)
        for end, values in positions.items()
    }
    term = made.compute_terms(
        {name: tf.constant(value) for name, value in outputs.items()},
        {name: tf.constant(value) for name, value in batch.items()},
    )["loss"]
    wanted = 0.0
    for row, length in enumerate(lengths[:3]):
        for end, values in positions.items():
            logits = outputs[f"{end}_logits"][row, :length].astype(float)
            chances = np.exp(logits) / np.exp(logits).sum()
            wanted -= np.log(chances[values[row]]) / 2
    assert term.in_loss and float(term.denominator) == 3.0
    np.testing.assert_allclose(float(term.numerator), wanted, rtol=1e-6)


def test_rows_depend_on_what_the_flags_say(directory):
    files = {
        "train_file": str(directory / "train.json"),
        "predict_file": str(directory / "dev.json"),
    }
    described = make_task(directory, **files).describe_rows("train")
    assert make_task(directory, **files).describe_rows("train") == described
    json.dumps(described)
    for change in (
        {"doc_stride": 5},
        {"max_query_length": 9},
        {"max_seq_length": 31},
        {"do_lower_case": False},
        {"version_2_with_negative": True},
        {"train_file": files["predict_file"]},
    ):
        other = make_task(directory, **files | change)
        assert other.describe_rows("train") != described
    of_eval = make_task(directory, **files).describe_rows("eval")
    assert of_eval == make_task(directory, **files).describe_rows("predict")


def test_the_questions_for_evaluation_are_those_with_answers(directory):
    dev, test = (str(directory / x) for x in ("dev.json", "test.json"))
    train = str(directory / "train.json")
    assert len(make_task(directory, predict_file=dev).read("eval")) == 40
    both = {"eval_file": train, "predict_file": dev}
    assert len(make_task(directory, **both).read("eval")) == 200
    assert len(make_task(directory, **both).read("predict")) == 40
    with pytest.raises(ValueError, match="set --eval_file"):
        make_task(directory).read("eval")
    with pytest.raises(ValueError, match="no question has an answer"):
        make_task(directory, predict_file=test).read("eval")
    with pytest.raises(ValueError, match="--predict_file: no file 'gone'"):
        make_task(directory, predict_file="gone").read("predict")


def test_texts_without_any_token_are_refused(directory, tmp_path):
    entries = [squads.entry(1, "Which?", ("\u200b", 0))]
    path = squads.write(tmp_path / "q.json", ("\u200b", entries))
    made = make_task(directory, predict_file=path)
    with pytest.raises(ValueError, match="no text has a token"):
        made.make_rows("predict", made.read("predict"))


@pytest.mark.parametrize(
    "changes,message",
    [
        (
            {"max_seq_length": 67, "max_query_length": 64},
            "--max_seq_length=67 has no room for a text after a question of "
            "--max_query_length=64",
        ),
        ({"doc_stride": 0}, "--doc_stride must be positive, got 0"),
        ({"n_best_size": -1}, "--n_best_size must be positive"),
        ({"max_answer_length": 0}, "--max_answer_length must be positive"),
        ({"do_train": True}, "--do_train needs --train_file"),
        ({"do_predict": True}, "--do_predict needs --predict_file"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(directory, changes, message):
    with pytest.raises(ValueError, match=message):
        config.QuestionAnsweringConfig(**settings(directory, "x", **changes))


@pytest.mark.parametrize("name", ["squad1", "squad2", "cmrc2018", "drcd"])
def test_a_recipe_is_made_of_flags(directory, name):
    path = project.ROOT / f"configs/finetune/{name}.flags"
    lines = path.read_text().splitlines()
    flags = [line.removeprefix("--") for line in lines if line[0] != "#"]
    parser = argparse.ArgumentParser()
    for field in dataclasses.fields(config.QuestionAnsweringConfig):
        parser.add_argument(f"--{field.name}", nargs="?", const=True)
    given = vars(parser.parse_args([f"--{flag}" for flag in flags]))
    given = {key: value for key, value in given.items() if value is not None}
    assert given["do_train"] and given["do_predict"]
    assert len(given) == len(flags)


def test_the_program_says_what_is_wrong_in_one_line(directory, tmp_path):
    path = tmp_path / "q.json"
    path.write_text('{"version": 1}')
    flags = settings(directory, tmp_path / "out", predict_file=path)
    found = subprocess.run(
        [sys.executable, "run_squad.py", "--do_predict"]
        + [f"--{name}={value}" for name, value in flags.items()],
        cwd=project.ROOT,
        env=project.environment(),
        capture_output=True,
        text=True,
    )
    assert found.returncode == 1
    words = f"error: {path}: it has no 'data', only [\"version\"]"
    assert words in found.stderr
    assert "Traceback" not in found.stderr


def test_half_a_surrogate_pair_is_written_as_json_writes_it(
    directory, tmp_path
):
    context = "w1 \ud800 w2"
    made = make_task(directory)
    found = [examples.Example("q1", "which", context)]
    rows = made.make_rows("predict", found)
    outputs = {
        f"{end}_logits": np.zeros((1, LENGTH), np.float32)
        for end in ("start", "end")
    }
    outputs["start_logits"][0, 3] = outputs["end_logits"][0, 5] = 9
    split = task.Split("predict", found, rows)
    made.write(split, outputs, str(tmp_path))
    written = json.loads((tmp_path / "predictions.json").read_text("utf-8"))
    assert written == {"q1": context}

"""A run of each kind of label from files to files."""

import json
import random

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics

from finetuning.classification import task
from tests.finetuning.classification import tiny_classifier

_GOOD, _BAD = ("good", "fine"), ("bad", "poor")
_THINGS = ("film", "food")
_ALL = {"do_train": True, "do_eval": True, "do_predict": True}
_SIZES = {"train": 160, "dev": 33, "test": 9}


pytestmark = pytest.mark.usefixtures("uncompiled")


def _run(directory, columns, make_row, **settings):
    """Runs on rows of random sentences; test.tsv has no labels."""
    tiny_classifier.write_model(directory)
    rng = random.Random(1)
    for name, size in _SIZES.items():
        rows = [columns, *(make_row(rng) for _ in range(size))]
        if name == "test":
            label = columns.index("label")
            rows = [row[:label] + row[label + 1 :] for row in rows]
        tiny_classifier.write_lines(directory / f"{name}.tsv", rows)
    made = tiny_classifier.settings(
        directory, data_dir=str(directory), **_ALL | settings
    )
    return task.run(made), directory / "output"


def _sentence(rng, words):
    return f"the {rng.choice(_THINGS)} a {rng.choice(words)}"


def _read_json(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def _read_numbers(path):
    return np.loadtxt(path, delimiter="\t", ndmin=2)


def test_labels(tmp_path):
    def row(rng):
        label = rng.choice(["neg", "pos"])
        words = _GOOD if label == "pos" else _BAD
        return [_sentence(rng, words), label]

    found, output = _run(
        tmp_path, ["text", "label"], row, class_weights="balanced"
    )
    assert found["eval_accuracy"] == found["eval_macro_f1"] == 1
    said = _read_json(output / "eval_predictions.jsonl")
    assert len(said) == _SIZES["dev"]
    assert all(line["label"] == line["wanted"] for line in said)
    answers = _read_json(output / "predictions.jsonl")
    numbers = _read_numbers(output / "test_results.tsv")
    assert numbers.shape == (_SIZES["test"], 2)
    np.testing.assert_allclose(numbers.sum(axis=1), 1, atol=1e-6)
    for line, row in zip(answers, numbers, strict=True):
        assert line["probabilities"] == {"neg": row[0], "pos": row[1]}
        is_good = any(word in line["texts"][0] for word in _GOOD)
        assert line["label"] == ("pos" if is_good else "neg")
    results = (output / "eval_results.txt").read_text().splitlines()
    keys = [line.split(" = ")[0] for line in results]
    assert keys == sorted(keys)
    assert {"eval_accuracy", "eval_loss", "global_step", "loss"} <= {*keys}
    assert (output / "confusion_matrix.png").read_bytes()[:4] == b"\x89PNG"
    # A second call scores and predicts with the labels of the first.
    (tmp_path / "train.tsv").unlink()
    again = tiny_classifier.settings(
        tmp_path, data_dir=str(tmp_path), do_eval=True, do_predict=True
    )
    assert task.run(again) == found


def test_pairs(tmp_path):
    def row(rng):
        first, second = (_sentence(rng, _GOOD + _BAD) for _ in range(2))
        return [first, second, str(int(second.endswith(_GOOD)))]

    found, output = _run(
        tmp_path,
        ["text_a", "text_b", "label"],
        row,
        num_train_epochs=10.0,
        label_smoothing=0.1,
    )
    assert found["eval_accuracy"] > 0.9
    assert len(_read_json(output / "predictions.jsonl")[0]["texts"]) == 2


def test_regression(tmp_path):
    def row(rng):
        words = rng.choice([_GOOD, _BAD])
        value = (1 if words == _GOOD else -1) + rng.uniform(-0.2, 0.2)
        return [_sentence(rng, words), f"{value:.3f}"]

    found, output = _run(tmp_path, ["text", "label"], row, regression=True)
    said = _read_json(output / "eval_predictions.jsonl")
    values = [[line["value"], line["wanted"]] for line in said]
    pearson = stats.pearsonr(*np.transpose(values)).statistic
    assert found["eval_pearson"] == pytest.approx(pearson, abs=1e-5)
    assert found["eval_pearson"] > 0.8
    assert found["eval_mean_squared_error"] == pytest.approx(
        found["eval_loss"], rel=1e-4
    )
    assert _read_numbers(output / "test_results.tsv").shape == (9, 1)


def test_several_labels(tmp_path):
    def row(rng):
        label = [name for name in _THINGS if rng.random() < 0.5]
        return [" ".join(["the", *label, "a"]), ",".join(label)]

    found, output = _run(
        tmp_path,
        ["text", "label"],
        row,
        multi_label=True,
        class_weights="balanced",
        num_train_epochs=10.0,
    )
    said = _read_json(output / "eval_predictions.jsonl")
    wanted, decided = (
        [[name in line[key] for name in _THINGS] for line in said]
        for key in ("wanted", "labels")
    )
    assert found["eval_f1"] == metrics.f1_score(
        wanted, decided, average="micro"
    )
    assert found["eval_f1"] > 0.9
    assert "film" in (output / "classification_report.txt").read_text()


def test_choices(tmp_path):
    def row(rng):
        label = rng.randrange(2)
        words = [_BAD, _BAD]
        words[label] = _GOOD
        return ["the film", *(rng.choice(x) for x in words), "xy"[label]]

    found, output = _run(
        tmp_path,
        ["text", "x", "y", "label"],
        row,
        choice_columns="x,y",
        num_train_epochs=8.0,
    )
    assert found["eval_accuracy"] > 0.9
    line = _read_json(output / "predictions.jsonl")[0]
    assert len(line["choices"]) == 2
    assert set(line["probabilities"]) == {"x", "y"}

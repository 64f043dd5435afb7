"""The files of a run, from outputs that a test makes up."""

import json

import numpy as np
import pytest
from scipy import special

from finetuning import task as tasks
from finetuning.classification import task
from tests.finetuning.classification import forms, tiny_classifier

_LOGITS = np.array([[3.0, 1, 0], [0, 1, 3], [0, 2, 1]], np.float32)


def _split(directory, name, split_name, files, **settings):
    """Returns the task and a split of what is written in files."""
    tiny_classifier.write_model(directory)
    for file, text in files.items():
        (directory / file).write_text(text, encoding="utf-8")
    made = task.Classification(
        tiny_classifier.settings(
            directory, task_name=name, data_dir=str(directory), **settings
        )
    )
    found = made.read(split_name)
    rows = made.make_rows(split_name, found)
    return made, tasks.Split(split_name, found, rows)


def _lines(path):
    return path.read_text(encoding="utf-8").splitlines()


def _mnli(name, labels):
    row = f"{forms.MNLI_ROW}A\tB\tneutral\t"
    head = f"{forms.MNLI}sentence1\tsentence2\tlabel1\tgold_label\n"
    return {f"dev_{name}.tsv": head + "".join(f"{row}{x}\n" for x in labels)}


def test_mnli_is_scored_matched_and_mismatched_apart(tmp_path):
    # The order of the labels is contradiction, entailment, neutral.
    files = _mnli("matched", ["contradiction", "neutral"])
    files |= _mnli("mismatched", ["contradiction"])
    made, split = _split(tmp_path, "mnli", "eval", files)
    assert split.rows["label_ids"].tolist() == [0, 2, 0]
    found = made.score(split, {"logits": _LOGITS})
    assert found == {"eval_accuracy": 1, "eval_accuracy_mismatched": 0}
    made.write(split, {"logits": _LOGITS}, str(tmp_path))
    wrong = json.loads(*_lines(tmp_path / "eval_predictions_mismatched.jsonl"))
    assert (wrong["label"], wrong["wanted"]) == ("entailment", "contradiction")
    report = _lines(tmp_path / "classification_report.txt")
    assert any(line.split()[:2] == ["accuracy", "1.0000"] for line in report)


def test_mnli_is_handed_in_in_two_files(tmp_path):
    head = f"{forms.MNLI}sentence1\tsentence2\n"
    row = f"{forms.MNLI_ROW}A\tB\n"
    files = {
        "test_matched.tsv": head + row * 2,
        "test_mismatched.tsv": head + row,
    }
    made, split = _split(tmp_path, "mnli", "predict", files)
    made.write(split, {"logits": _LOGITS}, str(tmp_path))
    assert _lines(tmp_path / "MNLI-m.tsv") == [
        "index\tprediction",
        "0\tcontradiction",
        "0\tneutral",
    ]
    assert _lines(tmp_path / "MNLI-mm.tsv")[1:] == ["0\tentailment"]
    numbers = [
        np.loadtxt(tmp_path / name, delimiter="\t", ndmin=2)
        for name in ("test_results.tsv", "test_results_mismatched.tsv")
    ]
    np.testing.assert_allclose(
        np.concatenate(numbers), special.softmax(_LOGITS, axis=1), rtol=1e-6
    )


def test_clue_is_handed_in_with_the_ids_and_labels_of_its_files(tmp_path):
    rows = ({"id": number, "sentence": "题"} for number in (4, 7))
    files = {"test.json": forms.as_json(*rows)}
    made, split = _split(tmp_path, "TNEWS", "predict", files)
    logits = np.eye(15, dtype=np.float32)[[0, 14]]
    made.write(split, {"logits": logits}, str(tmp_path))
    assert _lines(tmp_path / "tnews11_predict.json") == [
        '{"id": 4, "label": "100"}',
        '{"id": 7, "label": "116"}',
    ]
    first = json.loads(_lines(tmp_path / "predictions.jsonl")[0])
    assert first["texts"] == ["题"]
    assert list(first["probabilities"]) == list(made.labels)


def test_a_regression_of_glue_hands_in_numbers(tmp_path):
    files = {"test.tsv": "index\tsentence1\tsentence2\n0\tA\tB\n1\tA\tB\n"}
    made, split = _split(tmp_path, "sts-b", "predict", files)
    assert not made.labels and made.key_metric == "eval_pearson_spearman"
    logits = np.array([[2.5], [0.1]], np.float32)
    made.write(split, {"logits": logits}, str(tmp_path))
    assert _lines(tmp_path / "STS-B.tsv")[1:] == ["0\t2.5", "1\t0.1"]
    assert _lines(tmp_path / "test_results.tsv") == ["2.5", "0.1"]


def test_rows_are_described_by_all_that_changes_them(tmp_path):
    files = {"train.tsv": "a\tx\nb\ty\n"}

    def describe(**settings):
        made, _ = _split(tmp_path, "tsv", "train", files, **settings)
        return json.dumps(made.describe_rows("train"), sort_keys=True)

    first = describe()
    assert describe(learning_rate=1.0) == first
    others = {
        describe(truncation="tail"),
        describe(max_seq_length=8),
        describe(do_lower_case=False),
        describe(labels="b,a"),
        describe(text_column="1", label_column="2"),
    }
    files["train.tsv"] += "b\tz\n"
    assert len(others | {first, describe()}) == 7


def test_a_trained_task_answers_texts_that_are_in_no_file(tmp_path):
    files = {"train.tsv": "text_a\ttext_b\tlabel\nx\ty\tno\nx\tz\tyes\n"}
    trained, _ = _split(tmp_path, "tsv", "train", files)
    settings = json.loads(json.dumps(trained.settings()))
    made = task.Classification(tiny_classifier.settings(tmp_path))
    made.restore(settings)
    found = made.examples_of_lines(["the film\tgood", "bad\tfood"], "input", 1)
    rows = made.make_rows("predict", found)
    assert rows["segment_ids"].sum(axis=1).tolist() == [2, 2]
    answers = made.answers(
        tasks.Split("predict", found, rows), {"logits": _LOGITS[:2, :2]}
    )
    assert [x["label"] for x in answers] == ["no", "yes"]
    assert list(answers[0]["probabilities"]) == ["no", "yes"]
    with pytest.raises(ValueError, match="input, line 1: 1 columns .*wanted 2"):
        made.examples_of_lines(["alone"], "input", 1)

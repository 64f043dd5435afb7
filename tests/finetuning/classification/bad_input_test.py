"""What is wrong with a file is said with its name and its line."""

import re

import pytest

from finetuning.classification import reader, task
from tests.finetuning.classification import tiny_classifier

_GOOD = ["label\ttext", "a\tx", "b\ty"]


def _reader(tmp_path, lines, name="train", **settings):
    tiny_classifier.write_model(tmp_path)
    ending = settings.get("task_name", "tsv")
    path = tmp_path / f"{name}.{ending}"
    path.write_bytes("".join(f"{line}\n" for line in lines).encode())
    made = tiny_classifier.settings(
        tmp_path, data_dir=str(tmp_path), **settings
    )
    return reader.Reader(made)


@pytest.mark.parametrize(
    "lines, settings, message",
    [
        (
            ["label\tbody", "a\tx"],
            {},
            "no column 'text or text_a .* among 'label', 'body'; --text_column",
        ),
        (
            _GOOD,
            {"text_column": "body"},
            "train.tsv: no column 'body' among 'label', 'text'; --text_column",
        ),
        (
            ["label\ttext", "a\tx"],
            {"label_column": "mood"},
            "no column 'mood' among 'label', 'text'; --label_column",
        ),
        (
            ["a\tx", "b\ty"],
            {"text_column": "4", "label_column": "1"},
            r"no column '4' among '1', '2' \(it has no header\)",
        ),
        ([*_GOOD[:2], "a\ty"], {}, "all rows have the label 'a'"),
        (["label\ttext"], {}, "train.tsv: the file has a header and no rows"),
        ([], {}, "train.tsv: the file has no rows"),
        (["x"], {}, "one column and no header"),
        (["label\ttext", "a\t "], {}, "no row is left of 1"),
        (
            [*_GOOD, *(f"l{n}\tx{n}" for n in range(30))],
            {},
            "32 labels in 32 rows, .* is --label_column right",
        ),
        (
            _GOOD,
            {"labels": "b,c"},
            "train.tsv, line 2: the label 'a' is none of the 2 known ones: "
            "'b', 'c'",
        ),
        (_GOOD, {"strict": True, "regression": True}, "line 2: a label that"),
        (
            ["[1, 2]"],
            {"task_name": "jsonl"},
            "one JSON list; wanted is a JSON object a line",
        ),
        (
            ["label,text", 'a,"x'],
            {"task_name": "csv"},
            "train.csv, line 2: no CSV from here on",
        ),
    ],
)
def test_what_stops_a_run(tmp_path, lines, settings, message):
    made = _reader(tmp_path, lines, **settings)
    with pytest.raises(ValueError, match=message):
        made.read("train")


@pytest.mark.parametrize(
    "line, settings, reason",
    [
        ("a\t", {}, "an empty text"),
        ("a\t\u3000", {}, "an empty text"),
        ("\tx", {}, "no label"),
        ("a", {}, "1 columns, not 2"),
        ("a\tx\tz", {}, "3 columns, not 2"),
        ("a\tx\0", {}, "a NUL character"),
        ("", {}, "an empty line"),
        (
            "good\tx",
            {"regression": True},
            "a label that is no number (--regression)",
        ),
        ("nan\tx", {"regression": True}, "a label that is no number"),
        ("{", {"task_name": "jsonl"}, "no JSON object"),
        ('{"label": "a"}', {"task_name": "jsonl"}, "a text is missing"),
    ],
)
def test_what_is_left_out_and_counted(tmp_path, caplog, line, settings, reason):
    ending = settings.get("task_name", "tsv")
    if ending == "jsonl":
        lines = ['{"label": "a", "text": "x"}', '{"label": "b", "text": "y"}']
    elif settings:
        lines = ["label\ttext", "1.5\tx", "2\ty"]
    else:
        lines = _GOOD
    number = len(lines)
    lines = [*lines[:-1], line, lines[-1]]
    place = f"{tmp_path}/train.{ending}, line {number}"
    assert len(_reader(tmp_path, lines, **settings).read("train")) == 2
    assert f"left out 1: {reason}" in caplog.text
    assert place in caplog.text
    strict = _reader(tmp_path, lines, strict=True, **settings)
    with pytest.raises(
        ValueError, match=re.escape(f"{place}: {reason}") + ".*--strict"
    ):
        strict.read("train")


def test_an_unknown_label_in_dev(tmp_path):
    made = _reader(tmp_path, _GOOD)
    made.read("train")
    _reader(tmp_path, [*_GOOD, "c\tz"], name="dev")
    with pytest.raises(
        ValueError,
        match="dev.tsv, line 4: the label 'c' is none of the 2 known ones: "
        "'a', 'b'; mend the row, or name all labels with --labels",
    ):
        made.read("eval")


def test_each_row_to_predict_is_answered(tmp_path, caplog):
    made = _reader(tmp_path, _GOOD)
    made.read("train")
    _reader(tmp_path, ["text", "x", "", " ", "y"], name="test")
    with pytest.raises(
        ValueError, match="line 3: an empty line; each row is answered"
    ):
        made.read("predict")
    _reader(tmp_path, ["text", "x", " ", "y"], name="test")
    assert len(made.read("predict")) == 3
    assert "1 rows with an empty text or a NUL" in caplog.text


def test_a_byte_order_mark_and_line_ends_are_no_text(tmp_path):
    made = _reader(tmp_path, ["\ufefflabel\ttext\r", "a\tx\r", "b\ty\r"])
    found = made.read("train")
    assert [x.pairs[0][0] for x in found] == ["x", "y"]


def test_missing_files_and_labels(tmp_path):
    made = _reader(tmp_path, _GOOD, name="other")
    with pytest.raises(ValueError, match="has no train.tsv.*--train_file"):
        made.read("train")
    made = _reader(tmp_path, _GOOD, train_file="nowhere.tsv")
    with pytest.raises(ValueError, match="no file nowhere.tsv"):
        made.read("train")
    made = _reader(tmp_path, ["text", "x"], name="test")
    with pytest.raises(ValueError, match="labels are not known.*--labels"):
        made.read("predict")


@pytest.mark.parametrize(
    "settings, message",
    [
        ({"max_seq_length": 4}, "--max_seq_length must be at least 8"),
        (
            {"label_smoothing": 1.0},
            "--label_smoothing must be at least 0 and below 1",
        ),
        (
            {"regression": True, "multi_label": True},
            "--regression and --multi_label are different kinds",
        ),
        (
            {"task_name": "mrpc", "label_column": "x"},
            "--label_column is for files of your own; --task_name=mrpc",
        ),
        (
            {"regression": True, "class_weights": "balanced"},
            "--class_weights is for labels",
        ),
        (
            {"regression": True, "label_smoothing": 0.1},
            "--label_smoothing is for labels",
        ),
        ({"task_name": "mine"}, "--task_name=mine is none of"),
    ],
)
def test_wrong_settings(tmp_path, settings, message):
    tiny_classifier.write_model(tmp_path)
    with pytest.raises(ValueError, match=message):
        task.Classification(tiny_classifier.settings(tmp_path, **settings))


@pytest.mark.parametrize("weights", ["1", "1,x", "1,0", "1,2,3"])
def test_wrong_class_weights(tmp_path, weights):
    _reader(tmp_path, _GOOD)
    made = task.Classification(
        tiny_classifier.settings(
            tmp_path, data_dir=str(tmp_path), class_weights=weights
        )
    )
    with pytest.raises(ValueError, match="for each of the labels a, b"):
        made.read("train")


def test_a_header_of_unknown_names_is_not_taken_for_a_row_in_silence(
    tmp_path, caplog
):
    lines = ["mood\twords", "a\tx", "b\ty", "a\tz"]
    assert len(_reader(tmp_path, lines).read("train")) == 4
    assert "no header, as the first row has no name known here: " in caplog.text
    assert "['mood', 'words']; if it is one set --header=true" in caplog.text
    flags = {"text_column": "words", "label_column": "mood"}
    assert len(_reader(tmp_path, lines, **flags).read("train")) == 3

"""Columns, labels and rows of files as people write their own."""

import gzip
import json

import pytest

from finetuning.classification import config, reader
from tests import project
from tests.finetuning.classification import tiny_classifier


def _reader(directory, task_name, **settings):
    files = {"data_dir": str(directory), "task_name": task_name}
    return reader.Reader(
        config.ClassifierConfig(
            bert_config_file="",
            vocab_file="vocab.txt",
            output_dir="",
            **files | settings,
        )
    )


def _read(directory, task_name, split="train", **settings):
    """Returns [(pairs, label, id)] of a split."""
    found = _reader(directory, task_name, **settings).read(split)
    return [(x.pairs, x.label, x.id) for x in found]


def _write(path, *lines):
    return tiny_classifier.write_lines(path, lines)


def _write_json(path, *rows):
    return _write(path, *(json.dumps(x, ensure_ascii=False) for x in rows))


@pytest.mark.parametrize(
    "lines, pairs, labels",
    [
        (["label\ttext", "b\tx", "a\ty"], ("x", None), ("a", "b")),
        (["text_a\ttext_b\tlabel", "x\ty\t1", "x\ty\t0"], ("x", "y"), "01"),
        # Without a header the column with the fewest values is the label's.
        (["neg\tx", "pos\ty", "neg\tz"], ("x", None), ("neg", "pos")),
        (["x\tu\t10", "y\tv\t9", "z\tw\t10"], ("x", "u"), ("9", "10")),
        (["评论\t标签", "好\t1", "坏\t0"], ("好", None), "01"),
    ],
)
def test_columns_and_labels_are_found(tmp_path, lines, pairs, labels):
    _write(tmp_path / "train.tsv", *lines)
    made = _reader(tmp_path, "tsv")
    assert made.read("train")[0].pairs == (pairs,)
    assert made.labels == tuple(labels)


def test_own_files_in_other_forms(tmp_path):
    path = tmp_path / "train.csv.gz"
    with gzip.open(path, "wt", encoding="utf-8") as file:
        file.write('id,Text,Label\n7,"a\nb, ""c""",x\n8,d,y\n')
    found = _read(tmp_path, "csv")
    assert found[0] == ((('a\nb, "c"', None),), "x", "7")
    _write_json(
        tmp_path / "train.jsonl",
        {"text": "a", "labels": ["x", "y"]},
        {"text": "b", "labels": []},
        {"text": "c", "labels": "y; z"},
    )
    made = _reader(tmp_path, "jsonl", multi_label=True, label_separator=";")
    assert [x.label for x in made.read("train")] == [("x", "y"), (), ("y", "z")]
    assert made.labels == ("x", "y", "z")


def test_choices_by_name_by_number_and_by_label(tmp_path):
    _write(
        tmp_path / "train.tsv",
        ["question", "A1", "B1", "label"],
        ["q", "a", "b", "B1"],
        ["q", "a", "b", "0"],
    )
    settings = {"choice_columns": "A1,B1"}
    found = _read(tmp_path, "tsv", **settings)
    assert [label for _, label, _ in found] == ["B1", "A1"]
    assert found[0][0] == (("q", "a"), ("q", "b"))


def test_a_file_to_predict_may_have_the_texts_alone(tmp_path):
    _write(tmp_path / "train.tsv", ["0", "x"], ["1", "y"], ["0", "z"])
    _write(tmp_path / "test.tsv", "first", "second")
    made = _reader(tmp_path, "tsv")
    made.read("train")
    found = made.read("predict")
    assert [x.pairs[0][0] for x in found] == ["first", "second"]


def test_labels_and_columns_are_restored(tmp_path):
    _write(tmp_path / "train.tsv", ["mood", "words"], ["b", "x"], ["a", "y"])
    _write(tmp_path / "test.tsv", ["words"], ["x"])
    flags = {"text_column": "words", "label_column": "mood"}
    trained = _reader(tmp_path, "tsv", **flags)
    trained.read("train")
    again = _reader(tmp_path, "tsv", **flags)
    again.restore(json.loads(json.dumps(trained.settings())))
    assert again.labels == ("a", "b")
    assert again.read("predict")[0].pairs == (("x", None),)


@pytest.mark.parametrize(
    "name, settings, num_rows, labels",
    [
        ("zh_reviews.train", {}, 15_014, ("0", "1")),
        ("en_movie.dev", {}, 1_007, ("neg", "pos")),
        (
            "en_bbc.train",
            {},
            2_004,
            ("business", "entertainment", "politics", "sports", "tech"),
        ),
        # One of 894 has no second text.
        ("zh_title_match.dev", {}, 893, ("0", "1")),
        ("mrpc.train", {"task_name": "mrpc"}, 4_076, ("0", "1")),
        (
            "en_tweets.valence",
            {"regression": True, "label_column": "valence"},
            4_200,
            None,
        ),
    ],
)
def test_real_sets_are_read(name, settings, num_rows, labels):
    path = project.shared() / "data" / "tasks" / f"{name}.tsv.gz"
    settings = {"task_name": "tsv", "train_file": str(path)} | settings
    made = _reader("", settings.pop("task_name"), **settings)
    assert len(made.read("train")) == num_rows
    assert made.labels == labels


def test_the_sample_set_is_even_and_shares_no_text():
    folder = project.ROOT / "samples" / "opinions"
    made = _reader(folder, "tsv", strict=True)
    texts = []
    for split, num_rows in (("train", 40), ("eval", 12), ("predict", 4)):
        found = made.read(split)
        assert len(found) == num_rows
        texts += [x.pairs[0][0] for x in found]
        if split != "predict":
            labels = [x.label for x in found]
            assert labels.count("praise") == labels.count("complaint")
    assert made.labels == ("complaint", "praise")
    assert len(set(texts)) == len(texts)

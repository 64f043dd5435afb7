"""--t2s makes the rows of simplified texts, in each program."""

import json

import numpy as np
import pytest

from finetuning import programs
from tests import project, tiny
from tests.finetuning.classification import tiny_classifier
from tests.finetuning.question_answering import squads

TRADITIONAL, SIMPLIFIED = "乾隆學漢語", "乾隆学汉语"


def classification(directory, text):
    lines = ["label\ttext", f"a\t{text}", "b\tabc"]
    path = tiny_classifier.write_lines(directory / "train.tsv", lines)
    return path, {"task_name": "tsv"}


def question_answering(directory, text):
    entry = squads.entry(1, text[:2], (text[2:], 2))
    return squads.write(directory / "train.json", (text, [entry])), {}


def tagging(directory, text):
    lines = [f"{x} {y}" for x, y in zip(text, "OOOBI", strict=True)]
    lines = [x.replace(" B", " B-X").replace(" I", " I-X") for x in lines]
    return tiny_classifier.write_lines(
        directory / "train.conll", [*lines, ""]
    ), {}


def rows_of(directory, name, make_file, text, *, simplify):
    directory.mkdir()
    vocabulary = project.write_vocabulary(directory, [*SIMPLIFIED, "abc"])
    shape = directory / "bert.json"
    shape.write_text(json.dumps(tiny.CONFIG))
    path, others = make_file(directory, text)
    make_config, make_task = programs.PROGRAMS[name]
    made = make_task(
        make_config(
            bert_config_file=str(shape),
            vocab_file=vocabulary,
            output_dir=str(directory),
            train_file=path,
            max_seq_length=128,
            t2s=simplify,
            **others,
        )
    )
    examples = made.read("train")
    return made.make_rows("train", examples), made.describe_rows("train")


@pytest.mark.parametrize(
    ("name", "make_file"),
    [
        ("Classification", classification),
        ("QuestionAnswering", question_answering),
        ("Tagging", tagging),
    ],
)
def test_rows_are_those_of_simplified_text(tmp_path, name, make_file):
    (found, described), (plain, as_plain), (wanted, _) = (
        rows_of(tmp_path / folder, name, make_file, text, simplify=simplify)
        for folder, text, simplify in (
            ("converted", TRADITIONAL, True),
            ("as_it_is", TRADITIONAL, False),
            ("simplified", SIMPLIFIED, False),
        )
    )
    assert found.keys() == wanted.keys()
    for key, value in wanted.items():
        np.testing.assert_array_equal(found[key], value)
    assert not np.array_equal(plain["input_ids"], wanted["input_ids"])
    # Rows that were made without the flag are not taken for rows with it.
    assert described != as_plain

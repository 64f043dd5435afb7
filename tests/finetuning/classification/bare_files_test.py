"""A file to predict may hold the texts of a published task, and nothing else.

Each row is then what the task's own file with a header would give.
"""

import csv

import pytest

from finetuning.classification import config, datasets, reader
from tests.finetuning.classification import forms

_ROWS = (
    ["喜欢", "爱 it", "c", "d", "e", "f"],
    ["好 | x", "坏", "g", "h", "i", "j"],
)
# Its targets are objects, for which a line of text has no place.
_WITHOUT = ("wsc",)
_TASKS = [name for name in datasets.DATASETS if name not in _WITHOUT]


def _read(path, task):
    settings = config.ClassifierConfig(
        bert_config_file="bert_config.json",
        vocab_file="vocab.txt",
        output_dir="output",
        task_name=task,
        predict_file=str(path),
        strict=True,
    )
    made = reader.Reader(settings)
    if made.labels is None and made.kind != "regression":
        made.labels = ("a", "b")
    return made.read("predict")


def _write(path, rows):
    with path.open("w", encoding="utf-8", newline="") as file:
        delimiter = "," if path.suffix == ".csv" else "\t"
        csv.writer(
            file, delimiter=delimiter, lineterminator="\n", quotechar='"'
        ).writerows(rows)
    return path


def _said(found):
    return [(x.id, x.label, *x.pairs) for x in found]


@pytest.mark.parametrize("ending", ["tsv", "txt", "csv"])
@pytest.mark.parametrize("task", _TASKS)
def test_texts_alone_are_read_as_those_of_the_tasks_own_file(
    tmp_path, task, ending
):
    texts = datasets.find(task).texts
    rows = [row[: len(texts)] for row in _ROWS]
    bare = _said(_read(_write(tmp_path / f"test.{ending}", rows), task))
    for place in (0, -1):
        # Every name that a column of it may have.
        header = [names.split("|")[place] for names in texts]
        path = _write(tmp_path / f"named.{ending}", [header, *rows])
        assert _said(_read(path, task)) == bare
    wanted = [datasets.find(task).make_pairs(*row) for row in rows]
    assert bare == [(n, None, *pairs) for n, pairs in enumerate(wanted)]


@pytest.mark.parametrize("task", _TASKS)
def test_other_columns_than_the_texts_are_refused_with_the_names_wanted(
    tmp_path, task
):
    dataset = datasets.find(task)
    count = len(dataset.texts) + 4
    path = _write(tmp_path / "test.tsv", [["x"] * count])
    if count == len(dataset.columns):
        return
    name = dataset.texts[0].replace("|", " or ")
    with pytest.raises(ValueError, match="it has no header") as error:
        _read(path, task)
    assert f"{path}: no column {name!r} among '1', '2'" in str(error.value)


def test_published_files_without_a_header_keep_their_own_columns(tmp_path):
    # The test files of LCQMC and ChnSentiCorp have labels, which are no texts.
    path = _write(tmp_path / "a.tsv", [["谁", "哪个", "1"]])
    assert _said(_read(path, "lcqmc")) == [(0, None, ("谁", "哪个"))]
    path = _write(tmp_path / "b.tsv", [["1", "房间"]])
    assert _said(_read(path, "chnsenticorp")) == [(0, None, ("房间", None))]
    path = _write(tmp_path / "c.tsv", [["gj04", "1", "", "We."]])
    assert _said(_read(path, "cola")) == [(0, None, ("We.", None))]


def test_a_choice_of_nouns_is_predicted_from_json_only(tmp_path):
    path = _write(tmp_path / "test.tsv", [["裂开的伤口", "它们"]])
    with pytest.raises(ValueError, match="test.tsv, line 1: WSC is predicted"):
        _read(path, "wsc")
    path = tmp_path / "test.json"
    path.write_text(forms.as_json(forms.WSC), encoding="utf-8")
    assert len(_read(path, "wsc")) == 1

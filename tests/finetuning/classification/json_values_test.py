"""JSON lines whose texts are of another kind are named with file and line."""

import pytest

from finetuning.classification import datasets, reader
from tests.finetuning import trained
from tests.finetuning.classification import forms, tiny_classifier

_GOOD = {"text": "good", "label": "a"}, {"text": "bad", "label": "b"}
_OTHER = "a text of another form than the task's"


def _reader(directory, name, rows, split="train", **settings):
    path = trained.write_objects(directory / "rows.jsonl", *rows)
    settings |= {f"{split}_file": path, "task_name": name}
    return reader.Reader(tiny_classifier.settings(directory, **settings))


@pytest.mark.parametrize(
    "row, reason",
    [
        ({"text": ["好", "很好"]}, _OTHER),
        ({"text": []}, _OTHER),
        ({"text": {"a": "b"}}, _OTHER),
        ({"text": None}, "a text is missing"),
        ({}, "a text is missing"),
        ({"text": "x", "label": ["a"]}, "a label that is a list or an object"),
        ({"text": "x", "label": {}}, "a label that is a list or an object"),
        ({"text": "x", "label": None}, "no label"),
        ({"text": "x", "label": "\ud83d"}, "a label with half of a surrogate"),
        ([1], "no JSON object"),
        (7, "no JSON object"),
        (None, "no JSON object"),
        ("text", "no JSON object"),
    ],
)
def test_the_row_is_named_and_left_out_or_refused(
    tmp_path, caplog, row, reason
):
    if isinstance(row, dict):
        row = {"label": "a"} | row
    rows = [*_GOOD, row]
    found = _reader(tmp_path, "jsonl", rows).read("train")
    assert [x.pairs[0][0] for x in found] == ["good", "bad"]
    place = f"{tmp_path / 'rows.jsonl'}, line 3"
    assert f"left out 1: {reason}" in caplog.text and place in caplog.text
    with pytest.raises(ValueError) as error:
        _reader(tmp_path, "jsonl", rows, strict=True).read("train")
    assert str(error.value).startswith(f"{place}: {reason}")
    # Each row is answered, so there is none to leave out.
    if "label" in reason:
        return
    made = _reader(tmp_path, "jsonl", rows, split="predict", labels="a,b")
    with pytest.raises(ValueError) as error:
        made.read("predict")
    assert str(error.value).startswith(f"{place}: {reason}; each row is answ")


def test_numbers_and_truth_values_are_texts_as_a_table_has_them(tmp_path):
    rows = [x | {"text": y} for x, y in zip(_GOOD, (7.5, True), strict=True)]
    found = _reader(tmp_path, "jsonl", rows, strict=True).read("train")
    assert [x.pairs for x in found] == [(("7.5", None),), (("true", None),)]


_JSON = [
    (name, texts, place)
    for name in ("afqmc", "tnews", "iflytek", "cmnli", "ocnli", "wsc", "csl")
    for texts in [datasets.find(name).texts]
    for place in range(len(texts))
]


@pytest.mark.parametrize("name, texts, place", _JSON)
@pytest.mark.parametrize("value", [["x", 1], {"x": 1}, None, [None], [["x"]]])
def test_no_published_task_ends_in_a_traceback(
    tmp_path, name, texts, place, value
):
    good = forms.WSC if name == "wsc" else dict.fromkeys(texts, "好")
    rows = [good | {texts[place]: value, "id": 0}]
    made = _reader(tmp_path, name, rows, split="predict")
    with pytest.raises(ValueError, match="rows.jsonl, line 1: a (text|span) "):
        made.read("predict")

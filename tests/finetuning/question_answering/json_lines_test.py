"""Questions as lines of JSON, and what is said of lines that are none."""

import gzip
import json

import pytest

from finetuning.question_answering import examples
from tests.finetuning import trained
from tests.finetuning.question_answering import squads

_GOOD = {"question": "What?", "context": "Zinc\tis.", "id": "q\ud83d"}


def _read(path):
    return examples.read_any(str(path), version_2=False)


def test_each_line_is_a_question_under_its_id_or_its_number(tmp_path):
    rows = [_GOOD, {"question": "", "context": ""}, _GOOD | {"id": 7}]
    path = tmp_path / "asked.json"
    trained.write_objects(path, *rows)
    found = _read(path)
    assert [x.id for x in found] == ["q\ud83d", "2", "7"]
    assert [x.question for x in found] == ["What?", "", "What?"]
    assert [x.context for x in found] == [x["context"] for x in rows]
    for name, data in (
        ("asked.jsonl", path.read_bytes()),
        ("bom.jsonl", b"\xef\xbb\xbf" + path.read_bytes()),
        ("crlf.jsonl", path.read_bytes().replace(b"\n", b"\r\n")),
        ("asked.jsonl.gz", gzip.compress(path.read_bytes())),
    ):
        (tmp_path / name).write_bytes(data)
        assert _read(tmp_path / name) == found


def test_squads_own_form_is_told_apart_however_it_is_laid_out(tmp_path):
    data = squads.data_of(("Zinc is.", [squads.entry(1, "What?")]))
    for indent in (None, 1):
        path = tmp_path / "asked.json"
        path.write_text(json.dumps(data, indent=indent))
        assert [x.id for x in _read(path)] == ["q1"]


@pytest.mark.parametrize(
    "row, reason",
    [
        ([1], "it must be an object, got [1]"),
        (7, "it must be an object, got 7"),
        (None, "it must be an object, got null"),
        (_GOOD | {"question": ["a"]}, 'question must be a string, got ["a"]'),
        (_GOOD | {"context": 7}, "context must be a string, got 7"),
        (_GOOD | {"context": None}, "context must be a string, got null"),
        ({"question": "What?"}, "it has no 'context', only [\"question\"]"),
    ],
)
@pytest.mark.parametrize("is_first", [False, True])
def test_a_value_of_another_kind_is_named_with_its_line(
    tmp_path, row, reason, is_first
):
    path = tmp_path / "asked.jsonl"
    trained.write_objects(path, *([row, _GOOD] if is_first else [_GOOD, row]))
    with pytest.raises(ValueError) as error:
        _read(path)
    line = 1 if is_first else 2
    assert str(error.value).startswith(f"{path}, line {line}: {reason}")


def test_what_is_no_json_is_named_with_its_line_and_column(tmp_path):
    path = tmp_path / "asked.jsonl"
    trained.write_objects(path, _GOOD)
    with path.open("a") as file:
        file.write('{"question": }\n')
    with pytest.raises(ValueError) as error:
        _read(path)
    assert str(error.value).startswith(f"{path}, line 2, column 14: not JSON")

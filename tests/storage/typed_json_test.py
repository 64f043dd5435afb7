"""Dataclasses of JSON: what is read, what may be missing, what is refused."""

import dataclasses
import json
from typing import Annotated, Any

import pytest

from storage import json_files, typed_json


@dataclasses.dataclass
class Part:
    name: str
    size: int = 0


@dataclasses.dataclass(kw_only=True)
class Whole:
    parts: list[Part]
    by_name: dict[str, Part] = dataclasses.field(default_factory=dict)
    flags: Annotated[dict[str, Any], {"share?": float}]
    rest: Any = None
    note: str | None = None


VALUE = {
    "parts": [{"name": "a", "size": 2}, {"name": "b", "size": 0}],
    "by_name": {"c": {"name": "c", "size": 1}},
    "flags": {"share": 0.5, "other": None},
}
WHOLE = Whole(
    parts=[Part("a", 2), Part("b")],
    by_name={"c": Part("c", 1)},
    flags={"share": 0.5, "other": None},
)


def test_what_is_written_is_read_again(tmp_path):
    path = str(tmp_path / "whole.json")
    json_files.write(path, typed_json.plain(WHOLE))
    assert typed_json.read(path, Whole) == WHOLE
    assert json.loads((tmp_path / "whole.json").read_text()) == VALUE
    assert list(typed_json.plain(WHOLE)) == ["parts", "by_name", "flags"]


def test_what_has_a_default_may_be_missing_and_more_may_be_there(tmp_path):
    path = tmp_path / "whole.json"
    path.write_text('{"parts": [{"name": "a"}], "flags": {}, "new": 1}')
    wanted = Whole(parts=[Part("a", 0)], flags={})
    assert typed_json.read(str(path), Whole) == wanted


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"parts": {}}, "parts must be a list"),
        ({"parts": [{"size": 1}]}, r"parts\[0\] has no 'name'"),
        ({"by_name": {"c": {"name": 1}}}, "by_name.c.name must be a string"),
        ({"flags": {"share": "x"}}, "flags.share must be a number"),
        ({"note": None}, "note must be a string, got null"),
    ],
)
def test_what_has_another_form_is_refused_by_its_place(tmp_path, change, words):
    path = tmp_path / "whole.json"
    path.write_text(json.dumps(VALUE | change))
    with pytest.raises(ValueError, match=words):
        typed_json.read(str(path), Whole)

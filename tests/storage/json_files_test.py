"""Damaged JSON is named with its file and place, whatever the damage is."""

import json
import math

import pytest

from storage import json_files

RECORDS = {"name": str, "sizes": [int], "share?": float, "is_good?": bool}


def said(data, shape=dict):
    """The one line that refuses some JSON."""
    with pytest.raises(ValueError) as caught:
        json_files.parse(data, "a.json", shape)
    assert type(caught.value) is ValueError
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "a.json, line 1, column 1: not JSON: Expecting value"),
        (b"\0\0\0", "a.json, line 1, column 1: not JSON: "),
        (b'{"a": 1', "a.json, line 1, column 8: not JSON: "),
        (b'{"a": 1,\n}', "a.json, line "),
        (b'{\n "a": // no\n1}', "a.json, line 2, column 7: not JSON: "),
        (b"{'a': 1}", "a.json, line 1, column 2: not JSON: "),
        (b'{"a": 1}{}', "a.json, line 1, column 9: not JSON: Extra data"),
        (b'{"a": "\t"}', "a.json, line 1, column 8: not JSON: Invalid"),
        (b"[" * 100_000, "a.json: not JSON: nested too deep"),
        (b'{"a":' * 100_000, "a.json: not JSON: nested too deep"),
        (b'{"a": ' + b"9" * 5000 + b"}", "a.json: not JSON: Exceeds"),
        (b'{"a": "\xce\xd2"}', "a.json: not UTF-8 at byte 7 (0xce)"),
        ('{"a": 1}'.encode("utf-16"), "a.json: UTF-16 and not UTF-8; convert"),
        (b"\xfe\xff" + '{"a": 1}'.encode("utf-16-be"), "a.json: UTF-16 and"),
    ],
)
def test_what_is_no_json_is_named_with_its_place(data, words):
    assert said(data).startswith(words)


@pytest.mark.parametrize("data", ["[]", "5", '"a"', "null", "true", "1.5"])
def test_json_that_is_no_object_is_refused_where_one_is_asked_for(data):
    assert said(data) == f"a.json: it must be an object, got {data}"
    assert json_files.parse(data, "a.json", object) == json.loads(data)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"name": 1, "sizes": []}, "name must be a string, got 1"),
        ({"name": "x"}, "it has no 'sizes', only [\"name\"]"),
        ({"name": "x", "sizes": {}}, "sizes must be a list, got {}"),
        (
            {"name": "x", "sizes": [1, "2"]},
            'sizes[1] must be an integer, got "',
        ),
        ({"name": "x", "sizes": [1.0]}, "sizes[0] must be an integer, got 1.0"),
        ({"name": "x", "sizes": [True]}, "sizes[0] must be an integer, got tr"),
        (
            {"name": "x", "sizes": [], "share": "1"},
            'share must be a number, got "1"',
        ),
        (
            {"name": "x", "sizes": [], "share": False},
            "share must be a number, got false",
        ),
        (
            {"name": "x", "sizes": [], "share": None},
            "share must be a number, got null",
        ),
        (
            {"name": "x", "sizes": [], "is_good": 1},
            "is_good must be true or false, got 1",
        ),
    ],
)
def test_a_value_of_another_type_is_named_with_its_place(value, words):
    assert said(json.dumps(value), RECORDS).startswith(f"a.json: {words}")


def test_the_place_goes_down_into_lists_and_objects():
    shape = {"shards": [{"files": {str: {"num_bytes": int}}}]}
    value = {"shards": [{"files": {}}, {"files": {"b": {"num_bytes": "7"}}}]}
    words = 'shards[1].files.b.num_bytes must be an integer, got "7"'
    assert said(json.dumps(value), shape) == f"a.json: {words}"
    value["shards"][1]["files"]["b"] = {}
    words = "shards[1].files.b has no 'num_bytes', only []"
    assert said(json.dumps(value), shape) == f"a.json: {words}"
    value["shards"][1] = None
    words = "shards[1] must be an object, got null"
    assert said(json.dumps(value), shape) == f"a.json: {words}"


def test_what_fits_is_returned_as_it_is():
    value = {"name": "天", "sizes": [1, 2], "share": 1, "more": [None]}
    assert json_files.parse(json.dumps(value), "a.json", RECORDS) == value
    shape = {"host": (str, None), "time": float}
    for host in ("a", None):
        value = {"host": host, "time": 1.5}
        assert json_files.parse(json.dumps(value), "a", shape) == value
    assert "host must be a string" in said('{"host": 1, "time": 0}', shape)


def test_a_byte_order_mark_is_no_part_of_json(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b'\xef\xbb\xbf{"a": 1}\r\n')
    assert json_files.read(str(path)) == {"a": 1}


def test_numbers_that_are_none_are_read_and_pass_for_no_number():
    found = json_files.parse('{"a": NaN, "b": -Infinity}', "a", {str: object})
    assert math.isnan(found["a"]) and found["b"] == -math.inf
    for value in ("NaN", "Infinity", "-Infinity"):
        data = f'{{"a": {value}}}'
        for kind, words in ((int, "an integer"), (float, "a number")):
            wanted = f"a.json: a must be {words}, got {value}"
            assert said(data, {"a": kind}) == wanted


def test_of_two_equal_keys_the_later_one_counts_for_the_check_too():
    assert json_files.parse('{"a": "x", "a": 1}', "a", {"a": int}) == {"a": 1}
    assert "a must be an integer" in said('{"a": 1, "a": "x"}', {"a": int})


def test_a_long_or_strange_value_is_shown_short_and_printable():
    line = said(json.dumps({"a": "天" * 1000}), {"a": int})
    assert len(line) < 120 and line.endswith("天 ...")
    line = said('{"a": "\\ud800\\n"}', {"a": int})
    assert line.endswith('got "\\ud800\\n"')
    line.encode()


def test_of_no_depth_is_there_another_error():
    # Between what is shown and what is no JSON lie some that are neither.
    for depth in range(900, 1100):
        value = "[" * depth + "]" * depth
        assert said(f'{{"a": {value}}}', {"a": int}).startswith("a.json: ")


def test_half_of_a_surrogate_pair_comes_back_as_it_went(tmp_path):
    path = str(tmp_path / "a.json")
    value = {"头\udfff": ["\ud800", "发"]}
    json_files.write(path, value)
    assert json_files.read(path) == value


def test_a_file_is_written_for_people_and_read_back(tmp_path):
    path = str(tmp_path / "a.json")
    json_files.write(path, {"天": [1]})
    with open(path, encoding="utf-8") as file:
        assert file.read() == '{\n "天": [\n  1\n ]\n}\n'
    assert json_files.line({"天": "a\nb"}) == '{"天": "a\\nb"}'


def test_an_error_names_the_file(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("[1]")
    with pytest.raises(ValueError, match=f"^{path}: it must be an object"):
        json_files.read(str(path))
    path.write_text("{")
    with pytest.raises(ValueError, match=f"^{path}, line 1, column 2: not"):
        json_files.read(str(path))


def test_a_run_goes_on_without_a_file_it_can_do_without(tmp_path, caplog):
    path = tmp_path / "a.json"
    assert json_files.read_or_none(str(path)) is None
    assert caplog.text == ""
    path.write_text('{"a": 1}')
    assert json_files.read_or_none(str(path), {"a": int}) == {"a": 1}
    for damage in ("", "[]", '{"a": null}', "{", "\0" * 9, "5"):
        caplog.clear()
        path.write_text(damage)
        assert json_files.read_or_none(str(path), {"a": int}) is None
        assert f"as if it were not there: {path}" in caplog.text

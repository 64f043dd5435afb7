"""JSON read and written in one place: damage is named, with file and place.

A shape says what a value must be, and is itself made of what it describes:

    int, float, str, bool, dict, list    a value of this type; float takes int,
                                         and neither takes NaN nor Infinity
    [shape]                              a list of such values
    {str: shape}                         an object with such values
    {"key": shape, "other?": shape}      an object with these keys, ? optional
    (shape, None)                        such a value, or null
    object                               anything
"""

import json
import math
from typing import Any

from absl import logging

from storage import file_io

_NAMES = {
    int: "an integer",
    float: "a number",
    str: "a string",
    bool: "true or false",
    dict: "an object",
    list: "a list",
}
_SHOWN_CHARACTERS = 60
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


def read(path: str, shape: Any = dict) -> Any:
    """Reads the JSON of a local or remote file.

    Args:
        path: the file; UTF-8, with or without a byte order mark.
        shape: what it must hold; see above.

    Raises:
        ValueError: it is not JSON or not of this shape; names file and place.
        OSError: it cannot be read.
    """
    return parse(file_io.read_bytes(path), path, shape)


def read_or_none(path: str, shape: Any = dict) -> Any:
    """Reads a file that a run can do without: None where it is not there.

    One that is damaged is named in a warning and left aside.
    """
    if not file_io.exists(path):
        return None
    try:
        return read(path, shape)
    except ValueError as error:
        logging.warning("left aside, as if it were not there: %s", error)
        return None


def parse(data: bytes | str, source: str, shape: Any = dict) -> Any:
    """Returns the value that JSON says.

    Args:
        data: bytes or a string.
        source: where it is from, for errors.
        shape: what it must hold; see above.

    Raises:
        ValueError: it is not JSON or not of this shape; says where.
    """
    if isinstance(data, bytes):
        data = _decode(data, source)
    try:
        value = json.loads(data)
    except json.JSONDecodeError as error:
        raise ValueError(
            f"{source}, line {error.lineno}, column {error.colno}: not JSON: "
            f"{error.msg}"
        ) from None
    except RecursionError:
        raise ValueError(f"{source}: not JSON: nested too deep") from None
    except ValueError as error:  # A number of thousands of digits.
        raise ValueError(f"{source}: not JSON: {error}") from None
    check(value, shape, source)
    return value


def parse_line(
    line: bytes | str, path: str, number: int, shape: Any = dict
) -> Any:
    """Returns the value of a line of a file of JSON lines; see `parse`."""
    place = f"{path}, line {number}"
    try:
        return parse(line, place, shape)
    except ValueError as error:
        # The line of the file says where it is, not that of the JSON.
        text = str(error).replace(f"{place}, line 1,", f"{place},", 1)
        raise ValueError(text) from None


def _decode(data, source):
    if data.startswith(_UTF_16):
        raise ValueError(
            f"{source}: UTF-16 and not UTF-8; convert it, for example with "
            "iconv -f UTF-16 -t UTF-8"
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{source}: not UTF-8 at byte {error.start} "
            f"(0x{data[error.start]:02x})"
        ) from None


def check(value: Any, shape: Any, source: str, place: str = "") -> None:
    """Checks that a value is of a shape; see above.

    Args:
        value: of JSON.
        shape: what it must be.
        source: where it is from, for errors.
        place: of the value in there, such as shards[3].inputs.

    Raises:
        ValueError: it is not; says which part is not.
    """
    if isinstance(shape, tuple):
        if value is None:
            return
        shape = shape[0]
    if shape is object:
        return
    kind = shape if isinstance(shape, type) else type(shape)
    if not _is(value, kind):
        raise ValueError(
            f"{source}: {place or 'it'} must be {_NAMES[kind]}, got "
            f"{shown(value)}"
        )
    if isinstance(shape, list):
        for number, item in enumerate(value):
            check(item, shape[0], source, f"{place}[{number}]")
    elif isinstance(shape, dict):
        _check_keys(value, shape, source, place)


def _check_keys(value, shape, source, place):
    prefix = f"{place}." if place else ""
    if str in shape:
        for key, item in value.items():
            check(item, shape[str], source, prefix + key)
        return
    for key, wanted in shape.items():
        name = key.removesuffix("?")
        if name in value:
            check(value[name], wanted, source, prefix + name)
        elif name == key:
            raise ValueError(
                f"{source}: {place or 'it'} has no {name!r}, only "
                f"{shown(sorted(value))}"
            )


def _is(value, kind):
    if kind is float:
        return _is_number(value)
    # In Python true and false are integers.
    is_boolean = isinstance(value, bool)
    return isinstance(value, kind) and (kind is bool or not is_boolean)


def _is_number(value):
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # An integer of hundreds of digits.
        return False


def shown(value: Any) -> str:
    """Returns a value as an error shows it: not too long, and printable."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except RecursionError:  # Little less deep than what is no JSON.
        text = f"a {type(value).__name__} nested very deep"
    if len(text) > _SHOWN_CHARACTERS:
        text = text[:_SHOWN_CHARACTERS] + " ..."
    return text.encode("utf-8", "backslashreplace").decode()


def line(value: Any) -> str:
    """Returns a value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False)


def write(path: str, value: Any) -> None:
    """Writes a value as JSON that people can read, all of it or none."""
    text = json.dumps(value, indent=1, ensure_ascii=False)
    file_io.write_lines(path, [text])

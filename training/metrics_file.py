"""metrics.jsonl: a JSON object of numbers a line, each with its step.

A run may write millions of lines. None of what is done here at a start or at a
save keeps them all in memory.
"""

import os
import re
import sys
from typing import Any

from absl import logging

from storage import file_io, json_files

NAME = "metrics.jsonl"

_EVAL = b'"eval_'
_BLOCK_BYTES = 1 << 20
_LINE = re.compile(rb"[^\n]*\n|[^\n]+")


def append(path: str, text: str) -> None:
    """Appends whole lines to a local or remote file."""
    with file_io.open_binary(path, "ab") as file:
        file.write(text.encode())


def cut_after(path: str, step: int) -> int | None:
    """Drops the lines of steps after `step`, and a line that a kill cut short.

    Returns:
        The step of the last line that stays, or None where there is none.
    """
    if not file_io.exists(path):
        return None
    size = end = file_io.num_bytes(path)
    last, num_others = None, 0
    for begin, line in _lines_from_the_end(path, size):
        is_whole = line.endswith(b"\n")
        row = _parse(line)
        if row and row["step"] <= step and is_whole:
            last = row["step"]
            break
        num_others += is_whole and row is None
        end = begin
    _warn(path, num_others, "dropped")
    if end < size:
        _truncate(path, end)
    return last


def _lines_from_the_end(path, size):
    """Yields (place, line) of a file, the last line first."""
    rest, begin = b"", size
    with file_io.open_binary(path) as file:
        while begin:
            count = min(_BLOCK_BYTES, begin)
            file.seek(begin - count)
            block = file.read(count) + rest
            begin -= count
            # At \n alone, as where the file is read forward.
            lines = _LINE.findall(block)
            # The first one may have begun before this block.
            rest = lines.pop(0) if begin and lines else b""
            place = begin + len(rest)
            places = []
            for line in lines:
                places.append(place)
                place += len(line)
            yield from zip(reversed(places), reversed(lines), strict=True)


def _truncate(path, size):
    if not file_io.is_remote(path):
        os.truncate(path, size)
        return
    with file_io.open_binary(path) as file:
        data = file.read(size)
    file_io.write_whole(path, data)


def rows(
    path: str, *, with_name: str | None = None, most: int | None = None
) -> list[dict[str, Any]]:
    """Returns the rows of a file, as dicts of "step" and numbers.

    A line that is none is left out; how many there are is said.

    Args:
        path: a local or remote file; one that is not there has no rows.
        with_name: only those with a number of this name.
        most: about how many, evenly spread; rows of evaluations all stay.
    """
    if not file_io.exists(path):
        return []
    stride = 1
    if most:
        stride = max(1, _num_lines(path) // most)
    wanted = b'"%s":' % with_name.encode() if with_name else b""
    found, num_others = [], 0
    with file_io.open_binary(path) as file:
        for number, line in enumerate(file):
            if wanted not in line or (number % stride and _EVAL not in line):
                continue
            row = _parse(line)
            if row:
                found.append(row)
            elif line.strip():
                num_others += 1
    _warn(path, num_others, "left out")
    return found


def _warn(path, num_lines, fate):
    if num_lines:
        logging.warning(
            "%s: %s lines are no metrics and are %s", path, num_lines, fate
        )


def _num_lines(path):
    count = 0
    with file_io.open_binary(path) as file:
        while block := file.read(_BLOCK_BYTES):
            count += block.count(b"\n")
    return count


def _parse(line: bytes) -> dict[str, Any] | None:
    """Returns the numbers of a line, or None."""
    try:
        row = json_files.parse(line, NAME, {"step": int})
    except ValueError:
        return None
    found = {name: value for name, value in row.items() if _is_number(value)}
    return found if "step" in found else None


def _is_number(value):
    """Whether a value is a number that can be computed with, also NaN."""
    is_integer = type(value) is int and abs(value) <= sys.float_info.max
    return is_integer or isinstance(value, float)

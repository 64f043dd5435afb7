"""What an optimised program reads from and writes to the chip's memory.

A TPU's compiler counts in its own "bytes accessed" what moves within the chip
as well: an array that is fetched into VMEM beforehand and read there counts
several times. Here only arrays in HBM count, once for each operation of the
main computation that reads or writes them. What a loop does within counts not
at all, and a gather as its whole table.
"""

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

_ITEM_BITS = {"pred": 8, "bf16": 16}
_ARRAY = re.compile(r"\b(pred|bf16|[fsu]\d+)\[([\d,]*)\](\{[^{}]*\})?")
_NAME = re.compile(r"\s+(?:ROOT )?%?([\w.\-]+) = ")
_OPERATION = re.compile(r" ?([\w\-]+)\((.*)")
# Moves by themselves, begun by one operation and awaited by another.
_MOVES = {"copy-start", "slice-start"}
_FREE = {
    "bitcast",
    "constant",
    "copy-done",
    "get-tuple-element",
    "iota",
    "parameter",
    "slice-done",
    "tuple",
}
_OF_TENSORFLOW = re.compile(r'op_name="([^"]*)"')


class Operation(NamedTuple):
    """Of the main computation: on a GPU, a kernel.

    `num_bytes` is what it reads and writes, `result` its shape and `label`
    what TensorFlow calls it.
    """

    kind: str
    num_bytes: int
    result: str
    label: str


def hbm_bytes(text: str) -> int:
    """Returns the bytes that a TPU's program moves.

    Args:
        text: of an optimised HLO module.
    """
    # Its custom calls allocate.
    return sum(
        operation.num_bytes
        for operation in operations(text)
        if operation.kind != "custom-call"
    )


def operations(text: str) -> Iterator[Operation]:
    """Yields those that move bytes.

    Args:
        text: of an optimised HLO module.
    """
    shapes = {}
    for line in text[text.index("\nENTRY") :].splitlines():
        if not (start := _NAME.match(line)):
            continue
        shape, rest = _split(line[start.end() :])
        shapes[start[1]] = shape
        kind, arguments = _OPERATION.match(rest).groups()
        if kind in _FREE:
            continue
        if kind in _MOVES:
            num_bytes = _moved_bytes(shape)
        else:
            # What follows the operands names computations, not arrays.
            names = re.findall(r"%([\w.\-]+)", arguments.split("), ")[0])
            num_bytes = _bytes(shape)
            num_bytes += sum(
                _bytes(shapes.get(name, "")) for name in set(names)
            )
        label = _OF_TENSORFLOW.search(line)
        yield Operation(kind, num_bytes, shape, label[1] if label else "")


def _split(text):
    """Splits "shape operation(...)"; a tuple's shape has parentheses."""
    depth = 0
    for index, character in enumerate(text):
        depth += (character == "(") - (character == ")")
        if not depth and character == " ":
            return text[:index], text[index + 1 :]
    raise ValueError(f"no operation in {text!r}")


def _arrays(shape):
    """Yields (bytes, whether in HBM) of the arrays of a shape."""
    for kind, sizes, layout in _ARRAY.findall(shape):
        bits = _ITEM_BITS.get(kind) or int(kind[1:])
        count = math.prod(int(size) for size in sizes.split(",") if size)
        yield count * bits // 8, "S(" not in layout


def _bytes(shape):
    return sum(size for size, is_in_hbm in _arrays(shape) if is_in_hbm)


def _moved_bytes(shape):
    """Of (from, to, ...): the smaller is what moves, a slice of the other."""
    (size, first), (other_size, second), *_ = _arrays(shape)
    return min(size, other_size) * (first + second)

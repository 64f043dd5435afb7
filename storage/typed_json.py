"""JSON objects as dataclasses: declared once, checked as they are read.

A field's annotation says what its value must be:

    int, float, str, bool, Any              as in `storage.json_files`
    list[X], dict[str, X]                   a list of X, an object of X
    a dataclass                             an object with its fields
    Annotated[X, shape]                     of this shape of `json_files`
    X | None                                X; None is for a missing one

A field with a default may be missing. One that is None is not written.
"""

import dataclasses
import types
import typing
from typing import Any, TypeVar

from storage import json_files

T = TypeVar("T")


def read(path: str, kind: type[T]) -> T:
    """Reads a JSON file as an instance of a dataclass.

    Keys that are no fields are passed over.

    Raises:
        ValueError: it is not JSON or not of this kind; names file and place.
        OSError: it cannot be read.
    """
    return make(kind, json_files.read(path, shape(kind)))


def shape(kind: Any) -> Any:
    """Returns what an annotation asks for as a shape of `json_files`."""
    arguments = typing.get_args(kind)
    match typing.get_origin(kind):
        case typing.Annotated:
            return arguments[1]
        case types.UnionType:
            return shape(arguments[0])
        case origin if origin is list:
            return [shape(arguments[0])]
        case origin if origin is dict:
            return {str: shape(arguments[1])}
    if kind is Any:
        return object
    if not dataclasses.is_dataclass(kind):
        return kind
    return {
        f"{name}?" if _may_be_missing(field) else name: shape(hint)
        for name, (field, hint) in _fields(kind).items()
    }


def make(kind: Any, value: Any) -> Any:
    """Makes what an annotation names of a value that has its `shape`."""
    arguments = typing.get_args(kind)
    match typing.get_origin(kind):
        case types.UnionType:
            return make(arguments[0], value)
        case origin if origin is list:
            return [make(arguments[0], item) for item in value]
        case origin if origin is dict:
            return {key: make(arguments[1], x) for key, x in value.items()}
    if not (isinstance(kind, type) and dataclasses.is_dataclass(kind)):
        return value
    return kind(
        **{
            name: make(hint, value[name])
            for name, (_, hint) in _fields(kind).items()
            if name in value
        }
    )


def plain(value: Any) -> Any:
    """Returns a value as `json_files.write` takes it; undoes `make`."""
    if dataclasses.is_dataclass(value):
        fields = {
            field.name: getattr(value, field.name)
            for field in dataclasses.fields(value)
        }
        value = {name: x for name, x in fields.items() if x is not None}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value


def _may_be_missing(field):
    missing = dataclasses.MISSING
    return not field.default is field.default_factory is missing


def _fields(kind):
    """{name: (field, annotation)} of a dataclass."""
    hints = typing.get_type_hints(kind, include_extras=True)
    return {x.name: (x, hints[x.name]) for x in dataclasses.fields(kind)}

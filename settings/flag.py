"""A setting says everything once: its help, its bound, and what it decides.

A program's settings are a frozen dataclass that inherits from `Settings`. A
field looks like this:

    clip_norm: Annotated[
        float,
        Flag("Largest norm of the gradient; 0 is no limit.", "not_negative"),
    ] = 1.0

`config_flags` makes the command line's flag of it. A field whose number needs
no bound may have the help alone in place of the `Flag`. A subclass changes a
default, or the choices of a `Literal`, in one line, and keeps the rest.
"""

import dataclasses
import math
import typing
from collections.abc import Callable
from typing import Annotated, Any, Literal

# {name: (test of a number, what an error says of it)}
BOUNDS: dict[str, tuple[Callable[[float], bool], str]] = {
    "positive": (lambda x: x > 0, "be positive"),
    "not_negative": (lambda x: x >= 0, "not be negative"),
    "share": (lambda x: 0 <= x <= 1, "be between 0 and 1"),
    "below_1": (lambda x: 0 <= x < 1, "be at least 0 and below 1"),
}

# What another value would change:
#   result   the records, or the weights, that a program makes;
#   rows     the same, by way of the rows that a text becomes;
#   reading  the same, by what of a file is read;
#   content  the same, but a file counts by what is in it, not by its name;
#   nothing  where, how fast, how much is reported and kept.
Decision = Literal["result", "rows", "reading", "content", "nothing"]


@dataclasses.dataclass(frozen=True)
class Flag:
    """What stands beside the type of a setting.

    Args:
        help: a sentence for --help.
        bound: a key of `BOUNDS`, for numbers.
        decides: what another value would change.
    """

    help: str
    bound: str | None = None
    decides: Decision = "result"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """The base of every program's settings; checks the bounds.

    Raises:
        ValueError: a number is out of bounds, or is no finite number; names
            the flag and the value.
    """

    def __post_init__(self) -> None:
        for name, flag in flags_of(type(self)).items():
            _check(name, flag.bound, getattr(self, name))

    def deciding(self, *decisions: Decision) -> dict[str, Any]:
        """Returns {name: value} of the settings that decide on one of these."""
        return {
            name: getattr(self, name)
            for name, flag in flags_of(type(self)).items()
            if flag.decides in decisions
        }


def flags_of(settings_class: type) -> dict[str, Flag]:
    """Returns the `Flag` of each field, the nearest class's going first."""
    flags: dict[str, Flag] = {}
    for parent in reversed(settings_class.__mro__):
        hints = typing.get_type_hints(parent, include_extras=True)
        for name in parent.__dict__.get("__annotations__", ()):
            if typing.get_origin(hints[name]) is Annotated:
                described = hints[name].__metadata__[0]
                is_help = isinstance(described, str)
                flags[name] = Flag(described) if is_help else described
    return flags


def _check(name: str, bound: str | None, value: Any) -> None:
    # None is a flag that was not given.
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"--{name} must be a finite number, got {value}")
    if bound is None or value is None:
        return
    is_allowed, words = BOUNDS[bound]
    if not is_allowed(value):
        raise ValueError(f"--{name} must {words}, got {value}")


def check_kinds(settings_class: type, values: dict[str, Any]) -> None:
    """Refuses values from a file that are of no kind a setting may have.

    Args:
        settings_class: a dataclass of settings.
        values: {setting: value}; one that is no setting passes.

    Raises:
        ValueError: one is of another kind; names the setting and the value.
    """
    for name, kind in typing.get_type_hints(settings_class).items():
        if name in values and not _is_of(values[name], kind):
            raise ValueError(
                f"{name} must be {getattr(kind, '__name__', kind)}, got "
                f"{str(values[name])[:60]!r}"
            )


def _is_of(value: Any, kind: Any) -> bool:
    if typing.get_origin(kind) is Literal:
        return isinstance(value, str | None) and value in typing.get_args(kind)
    if kinds := typing.get_args(kind):
        return any(_is_of(value, one) for one in kinds)
    if kind is float:
        return type(value) in (int, float) and abs(value) < math.inf
    return type(value) is kind

"""Bounds of settings, checked in one place for every program."""

import dataclasses
import math
import typing


def check(config, *, positive=(), not_negative=(), shares=()):
    """Refuses numbers out of bounds, and whatever is no finite number.

    Args:
        config: a dataclass; a setting that is None is not given and passes.
        positive, not_negative: names of settings above 0, and of 0 or more.
        shares: names of settings from 0 to 1.

    Raises:
        ValueError: one is out of bounds; names the flag and the value.
    """
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(
                f"--{field.name} must be a finite number, got {value}"
            )
    rules = (
        (positive, lambda value: value > 0, "be positive"),
        (not_negative, lambda value: value >= 0, "not be negative"),
        (shares, lambda value: 0 <= value <= 1, "be between 0 and 1"),
    )
    for names, is_allowed, words in rules:
        for name in names:
            value = getattr(config, name)
            if value is not None and not is_allowed(value):
                raise ValueError(f"--{name} must {words}, got {value}")


def check_kinds(config_class, values):
    """Refuses values from a file that are of no kind a setting may have.

    Args:
        config_class: a dataclass of settings.
        values: {setting: value}; one that is no setting passes.

    Raises:
        ValueError: one is of another kind; names the setting and the value.
    """
    for name, kind in typing.get_type_hints(config_class).items():
        if name in values and not _is_of(values[name], kind):
            raise ValueError(
                f"{name} must be {getattr(kind, '__name__', kind)}, got "
                f"{str(values[name])[:60]!r}"
            )


def _is_of(value, kind):
    if typing.get_origin(kind) is typing.Literal:
        return isinstance(value, str | None) and value in typing.get_args(kind)
    if kinds := typing.get_args(kind):
        return any(_is_of(value, one) for one in kinds)
    if kind is float:
        return type(value) in (int, float) and abs(value) < math.inf
    return type(value) is kind

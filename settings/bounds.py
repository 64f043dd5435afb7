"""Bounds of settings, checked in one place for every program."""

import dataclasses
import math


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

"""What --sweep asks for: one run's settings for each combination of values.

    --sweep='learning_rate=2e-5,5e-5; num_train_epochs=2,3'

is four settings, the last name's values going first. Imports no TensorFlow.
"""

import itertools
import os
import typing
from collections.abc import Iterator, Sequence
from typing import Any, Literal

from finetuning.config import FinetuningConfig
from finetuning.inherited import ConfigT
from settings import flag

# Kinds of what another value would change, for which there is a sweep.
_DECISIONS = ("result", "rows")
_BOOLEANS = {"true": True, "false": False}


def of(config: ConfigT) -> list[ConfigT]:
    """Returns the settings of each run of --sweep; none where there is none.

    Each has an --output_dir of its own, a folder that is named after its
    values, and neither predicts nor sees --test_file.

    Raises:
        ValueError: --sweep is of another form, or names what is no setting,
            may not be swept, or has a value that is out of bounds.
    """
    if not (config.sweep and config.do_train):
        return []
    if not config.do_eval:
        raise ValueError(
            f"--sweep={config.sweep} compares scores: set --do_eval"
        )
    lists = dict(_lists(config, config.sweep))
    if config.seeds and "seed" in lists:
        raise ValueError(
            f"--sweep={config.sweep} has a seed: leave --seeds out"
        )
    settings = [
        _one(config, dict(zip(lists, values, strict=True)))
        for values in itertools.product(*lists.values())
    ]
    if len(settings) < 2:
        raise ValueError(
            f"--sweep={config.sweep} is one setting: give a name several "
            "values, as learning_rate=2e-5,5e-5"
        )
    return settings


def names(config: FinetuningConfig) -> list[str]:
    """Returns the flags that --sweep names, in its order."""
    assert config.sweep
    return [name for name, _ in _lists(config, config.sweep)]


def text_of(value: Any) -> str:
    """Returns a value as it stands in names and tables."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).removesuffix(".0")


def rungs(factor: int, num_epochs: Sequence[float]) -> list[float]:
    """Returns the epochs after which settings are given up, and the last.

    Args:
        factor: of --successive_halving.
        num_epochs: of each setting.
    """
    longest = max(num_epochs)
    found: list[float] = []
    if factor:
        epochs = 1
        while epochs < longest:
            found.append(epochs)
            epochs *= factor
    return [*found, longest]


def _lists(config: FinetuningConfig, text: str) -> Iterator[tuple[str, list]]:
    """Yields (name, values) of each part of --sweep."""
    hints = typing.get_type_hints(type(config))
    seen = set()
    for part in filter(str.strip, text.split(";")):
        name, sign, values = part.partition("=")
        name = name.strip().removeprefix("--")
        if not sign or not values.strip():
            raise ValueError(
                f"--sweep: {part.strip()!r} is not of the form NAME=VALUE,VALUE"
            )
        kind = _kind_of(type(config), name, hints)
        if name in seen:
            raise ValueError(f"--sweep names {name} twice")
        seen.add(name)
        parsed = [_parse(name, x.strip(), kind) for x in values.split(",")]
        for value in parsed:
            if parsed.count(value) > 1:
                raise ValueError(f"--sweep: {name} has {text_of(value)} twice")
        yield name, parsed


def _kind_of(config_class, name, hints):
    """Returns the type of a flag's values, without None."""
    flags = flag.flags_of(config_class)
    if name not in flags:
        raise ValueError(f"--sweep: there is no flag --{name}")
    kinds = [
        kind
        for kind in (typing.get_args(hints[name]) or (hints[name],))
        if kind is not type(None)
    ]
    if typing.get_origin(hints[name]) is Literal:
        kinds = [hints[name]]
    is_value = kinds[0] is not str
    if flags[name].decides not in _DECISIONS or not is_value:
        raise ValueError(
            f"--sweep: --{name} may not be swept; numbers, switches and "
            "choices that decide on the weights may"
        )
    return kinds[0]


def _parse(name: str, text: str, kind: Any) -> Any:
    if typing.get_origin(kind) is Literal:
        choices = {str(x): x for x in typing.get_args(kind) if x is not None}
        wanted = "one of " + ", ".join(choices)
    elif kind is bool:
        choices, wanted = _BOOLEANS, "true or false"
    else:
        wanted = {int: "an integer", float: "a number"}[kind]
        try:
            return kind(text)
        except ValueError:
            choices = {}
    if text not in choices:
        raise ValueError(f"--sweep: {name}={text} is not {wanted}")
    return choices[text]


def _one(config: ConfigT, values: dict[str, Any]) -> ConfigT:
    name = "__".join(f"{key}={text_of(x)}" for key, x in values.items())
    try:
        return config.one_run(
            **values,
            seeds=config.seeds,
            do_predict=False,
            output_dir=os.path.join(config.output_dir, name),
        )
    except ValueError as error:
        raise ValueError(f"--sweep, {name}: {error}") from None

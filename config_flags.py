"""One absl flag for each field of a config dataclass.

A setting is written once: the field's name, its type, its default and the text
in its `Annotated` become the flag. Only entry points import this module.
"""

import dataclasses
import io
import os
import sys
import types
import typing
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from absl import app, flags, logging

from settings import flag
from training import signals

T = TypeVar("T", bound=flag.Settings)


class _IntegerParser(flags.IntegerParser):
    """Integers as people write them in scripts: 500000 or 500,000."""

    def convert(self, argument: Any) -> int:
        if isinstance(argument, str):
            argument = argument.replace(",", "").replace("_", "")
        return super().convert(argument)


def define(config_class: type[T]) -> Callable[[], T]:
    """Defines the flags of `config_class`.

    Args:
        config_class: its fields are of the type `str | int | float | bool |
            Literal`, or one of these with `| None`. A field `from_` is the
            flag --from, as Python has the word to itself.

    Returns:
        A function that makes a `config_class` from the parsed flags. One with
        a method `settled` is asked, with the names of the flags that were
        given, what the files it names say where a flag was not.
    """
    hints = typing.get_type_hints(config_class)
    described = flag.flags_of(config_class)
    names = [field.name for field in dataclasses.fields(config_class)]
    for field in dataclasses.fields(config_class):
        kind = _without_none(hints[field.name])
        required = field.default is dataclasses.MISSING
        default = None if required else field.default
        text = described[field.name].help
        _define_one(_flag(field.name), kind, default, text)
        if required:
            flags.mark_flag_as_required(_flag(field.name))

    def make() -> T:
        found = {name: flags.FLAGS[_flag(name)] for name in names}
        for one in found.values():
            _check_text(one)
        config = config_class(**{name: x.value for name, x in found.items()})
        if not hasattr(config, "settled"):
            return config
        given = {name for name, one in found.items() if one.present}
        return config.settled(given)

    return make


def _check_text(flag: flags.Flag) -> None:
    """Refuses what no file could be named and no JSON could hold."""
    if isinstance(flag.value, str):
        try:
            flag.value.encode()
        except UnicodeEncodeError:
            raise ValueError(
                f"--{flag.name}: {os.fsencode(flag.value)!r} is not UTF-8"
            ) from None


def _flag(field_name):
    return field_name.removesuffix("_")


def _define_one(name, kind, default, text):
    # The entry point that called define() is the module that --help lists.
    module = {"module_name": sys.argv[0]}
    if typing.get_origin(kind) is typing.Literal:
        choices = list(typing.get_args(kind))
        flags.DEFINE_enum(name, default, choices, text, **module)
    elif kind is bool:
        flags.DEFINE_boolean(name, default, text, **module)
    elif kind is int:
        flags.DEFINE(
            _IntegerParser(),
            name,
            default,
            text,
            serializer=flags.ArgumentSerializer(),
            **module,
        )
    elif kind is float:
        flags.DEFINE_float(name, default, text, **module)
    else:
        assert kind is str, f"{name}: no flag for the type {kind}"
        flags.DEFINE_string(name, default, text, **module)


def _without_none(kind):
    # A Literal with None is a Union of typing's own.
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        (kind,) = [k for k in typing.get_args(kind) if k is not type(None)]
    return kind


def run(work: Callable[[T], Any], config_class: type[T]) -> None:
    """Runs `work(config)` as a program whose flags are `config_class`.

    A program that needs TensorFlow imports it in `work`: the flags are parsed
    and checked before, so that --help and a wrong flag do not wait for it.

    A `ValueError`, an `OSError` or TensorFlow's error of a file or a device is
    not ours to mend: it is printed as one line, and --verbosity=1 shows where
    it came from. The program ends with status 1, or with 3 where the same
    command may succeed if it is given again, as after a lost connection. It
    ends with 4 where a signal asked for the end and all is saved: the same
    command goes on. Anything else is our mistake and keeps its traceback.
    """
    make_config = define(config_class)

    def main(argv: Sequence[str]) -> None:
        if len(argv) > 1:
            raise app.UsageError(f"unexpected arguments: {argv[1:]}")
        logging.use_absl_handler()
        # Of a terminal of another encoding: text it cannot show is no crash.
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="backslashreplace")
        try:
            work(make_config())
        except signals.Stopped as stopped:
            logging.info("%s", stopped)
            sys.exit(signals.STATUS)
        except Exception as error:
            if not is_for_the_user(error):
                raise
            _, passing_error = _tensorflow_errors()
            logging.debug("", exc_info=True)
            text = getattr(error, "message", None) or str(error)
            print(f"error: {text}", file=sys.stderr)
            may_pass = isinstance(error, (ConnectionError, *passing_error))
            sys.exit(3 if may_pass else 1)

    flags.FLAGS.set_default("verbosity", logging.INFO)
    app.run(main, flags_parser=parse)


def parse(argv: Sequence[str]) -> list[str]:
    """Parses a command line; returns what of it is no flag.

    --help and its like end with status 0. A wrong flag is one line, with the
    nearest ones that there are, and status 1.
    """
    try:
        return flags.FLAGS(argv)
    except flags.Error as error:
        print(f"error: {'; '.join(str(error).split(chr(10)))}", file=sys.stderr)
        sys.exit(1)
    except SystemExit:
        # absl's help has been printed; it would have it that this is an error.
        sys.exit(0)


def is_for_the_user(error: Exception) -> bool:
    """Whether an error says what its reader can mend; else it is ours."""
    tf_errors, _ = _tensorflow_errors()
    return isinstance(error, (ValueError, OSError, *tf_errors))


def _tensorflow_errors():
    """TensorFlow's errors and those that may pass, where it is in use."""
    if "tensorflow" not in sys.modules:
        return (), ()
    errors = sys.modules["tensorflow"].errors
    return (errors.OpError,), (
        errors.AbortedError,
        errors.CancelledError,
        errors.DeadlineExceededError,
        errors.InternalError,
        errors.UnavailableError,
        errors.UnknownError,
    )

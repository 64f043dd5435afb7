"""Converts traditional to simplified Chinese."""

import functools
import importlib.metadata
import re

_WITHOUT_SURROGATES = re.compile(r"[^\ud800-\udfff]+")
# OpenCC 1.3.2 and 1.4.0 turn it into 坯, an unfired brick (BYVoid/OpenCC#1390).
_STAYS = "坏"


@functools.cache
def _converter():
    import opencc

    converter = opencc.OpenCC("t2s")
    if converter.convert(_STAYS) != _STAYS:
        raise ValueError(
            f"--t2s: {version()} turns {_STAYS}, which is simplified, into "
            f"{converter.convert(_STAYS)}; install another version: pip "
            "install 'opencc>=1.1.9,!=1.3.2,!=1.4.0'"
        )
    return converter


def version() -> str:
    """Returns the converter with its version.

    Each version has tables of its own, so records that one has made are not
    those of another.
    """
    try:
        return f"OpenCC {importlib.metadata.version('opencc')}"
    except importlib.metadata.PackageNotFoundError:  # Of another package.
        return "OpenCC of an unknown version"


def to_simplified(text: str) -> str:
    """Returns `text` in simplified characters, by OpenCC's `t2s`.

    Works on any number of lines at once: no phrase crosses a line end, so the
    result is that of converting line by line.
    Source: the flag `--t2s` of CLUEbenchmark/CLUEPretrainedModels.

    Raises:
        ValueError: this version of OpenCC spoils simplified text.
    """
    convert = _converter().convert
    try:
        return convert(text)
    except UnicodeEncodeError:  # JSON may escape half of a surrogate pair.
        return _WITHOUT_SURROGATES.sub(lambda run: convert(run[0]), text)


def to_simplified_in_place(text: str) -> str:
    """Returns `text` in simplified characters, each where it was.

    A line that OpenCC would make longer or shorter, which it does with none
    that was seen, is converted character by character.
    """
    lines = text.split("\n")
    return "\n".join(
        converted
        if len(converted) == len(line)
        else "".join(map(to_simplified, line))
        for line, converted in zip(
            lines, to_simplified(text).split("\n"), strict=True
        )
    )

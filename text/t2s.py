"""Traditional to simplified Chinese."""

import functools
import re

_WITHOUT_SURROGATES = re.compile(r"[^\ud800-\udfff]+")


@functools.cache
def _converter():
    import opencc

    return opencc.OpenCC("t2s")


def to_simplified(text):
    """Returns `text` in simplified characters, by OpenCC's `t2s`.

    Works on any number of lines at once: no phrase crosses a line end, so the
    result is that of converting line by line.
    Source: the flag `--t2s` of CLUEbenchmark/CLUEPretrainedModels.
    """
    convert = _converter().convert
    try:
        return convert(text)
    except UnicodeEncodeError:  # JSON may escape half of a surrogate pair.
        return _WITHOUT_SURROGATES.sub(lambda run: convert(run[0]), text)


def to_simplified_in_place(text):
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

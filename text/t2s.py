"""Traditional to simplified Chinese."""

import functools


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
    return _converter().convert(text)

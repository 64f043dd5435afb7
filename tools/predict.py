"""Answers for lines of text, by a fine-tuned directory and nothing else.

python -m tools.predict --model_dir=output/reviews < texts.txt
python -m tools.predict --model_dir=output/squad --input_file=questions.json

A model of run_classifier.py takes a text a line, or two with a tab between; one
of run_ner.py a sentence a line; one of run_squad.py a question, a tab and its
text a line. Files of JSON lines (.jsonl, .json) are taken as their training
files were, and .json of run_squad.py in SQuAD's form. Each answer is a JSON
object a line, in the order of the input; a pipe is answered line by line, as
its lines come.
"""

import contextlib
import dataclasses
import os
import sys
from typing import Annotated

# TensorFlow's C++ code tells of every kernel it prepares; read at its import.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import config_flags  # noqa: E402
from finetuning import programs, task  # noqa: E402
from settings import bounds  # noqa: E402
from storage import file_io, json_files  # noqa: E402
from text import corpus  # noqa: E402

_STANDARD = "-"
_LINES_AT_ONCE = 4096
_READ_BYTES = 1 << 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class PredictConfig:
    """Every setting of predict."""

    model_dir: Annotated[
        str,
        "The --output_dir of run_classifier.py, run_squad.py or run_ner.py.",
    ]
    input_file: Annotated[
        str, "What to answer, plain or gzipped; - is the standard input."
    ] = _STANDARD
    output_file: Annotated[
        str, "Where the answers go; - is the standard output."
    ] = _STANDARD
    batch_size: Annotated[int, "Rows computed at once."] = 32

    def __post_init__(self):
        bounds.check(self, positive=("batch_size",))


def run(config):
    """Answers the lines of a file or of the standard input."""
    if config.output_file != _STANDARD:
        file_io.check_output(config.output_file, "output_file")
    settings, of_task = programs.load(
        config.model_dir, predict_batch_size=config.batch_size
    )
    outputs_of = programs.load_predictor(settings, of_task)
    with contextlib.ExitStack() as stack:
        out = sys.stdout.buffer
        if config.output_file != _STANDARD:
            out = file_io.open_binary(config.output_file, "wb")
            stack.enter_context(out)
        for examples in _blocks(config, of_task):
            rows = of_task.make_rows("predict", examples)
            split = task.Split("predict", examples, rows)
            for answer in of_task.answers(split, outputs_of(rows)):
                text = json_files.line(answer) + "\n"
                out.write(text.encode("utf-8", "backslashreplace"))
            out.flush()


def _blocks(config, of_task):
    """Yields examples, as many at once as there are and fit."""
    source = config.input_file
    if source.removesuffix(".gz").endswith((".json", ".jsonl")):
        found = of_task.examples_of_file(source)
        for begin in range(0, len(found), _LINES_AT_ONCE):
            yield found[begin : begin + _LINES_AT_ONCE]
        return
    if source == _STANDARD:
        name, blocks = "the standard input", _lines_of_pipe(0)
    else:
        name, blocks = source, _lines_of_file(source)
    first = 1
    for lines in blocks:
        for begin in range(0, len(lines), _LINES_AT_ONCE):
            block = lines[begin : begin + _LINES_AT_ONCE]
            yield of_task.examples_of_lines(block, name, first)
            first += len(block)


def _lines_of_file(path):
    if not file_io.exists(path):
        raise ValueError(f"--input_file: no file {path!r}")
    text = corpus.read(path)
    yield [line.rstrip("\r") for line in text.removesuffix("\n").split("\n")]


def _lines_of_pipe(descriptor):
    """Yields lists of lines as they come, whoever writes them and how slowly.

    Python's own reading waits until there is much to read.
    """
    number, rest = 0, b""
    while data := os.read(descriptor, _READ_BYTES):
        *lines, rest = (rest + data).split(b"\n")
        if lines:
            yield [_decode(x, number + n) for n, x in enumerate(lines, start=1)]
            number += len(lines)
    if rest:
        yield [_decode(rest, number + 1)]


def _decode(line, number):
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"the standard input, line {number}: not UTF-8 at byte "
            f"{error.start} of the line (0x{line[error.start]:02x})"
        ) from None
    return text.rstrip("\r").removeprefix("\ufeff" * (number == 1))


if __name__ == "__main__":
    config_flags.run(run, PredictConfig)

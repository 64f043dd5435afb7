"""Answers for lines of text, by a fine-tuned directory and nothing else.

python -m tools.predict --model_dir=output/reviews < texts.txt
python -m tools.predict --model_dir=output/squad --input_file=questions.json
python -m tools.predict --server=http://127.0.0.1:8000 < texts.txt

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

import config_flags
from settings.flag import Flag
from storage import file_io, inputs, json_files, tensorflow_start
from tools import server_answers
from training.config import GpuSettings

_STANDARD = "-"
_READ_BYTES = 1 << 20


@dataclasses.dataclass(frozen=True, kw_only=True)
class PredictConfig(GpuSettings):
    """Every setting of predict."""

    model_dir: Annotated[
        str | None,
        "The --output_dir of run_classifier.py, run_squad.py or run_ner.py.",
    ] = None
    server: Annotated[
        str | None,
        "In its place a server of tools.serve, as http://127.0.0.1:8000, which "
        f"is given the key in the variable {server_answers.KEY_VARIABLE}, if "
        "it is set.",
    ] = None
    server_model: Annotated[
        str | None, "With --server: what it calls the model, if it has several."
    ] = None
    input_file: Annotated[
        str, "What to answer, plain or gzipped; - is the standard input."
    ] = _STANDARD
    output_file: Annotated[
        str, "Where the answers go; - is the standard output."
    ] = _STANDARD
    batch_size: Annotated[
        int,
        Flag("Rows computed at once.", "positive"),
    ] = 32

    def __post_init__(self):
        super().__post_init__()
        if bool(self.model_dir) == bool(self.server):
            raise ValueError("give one of --model_dir and --server")
        if self.server_model and not self.server:
            raise ValueError("--server_model needs --server")


def run(config: PredictConfig) -> None:
    """Answers the lines of a file or of the standard input."""
    if config.output_file != _STANDARD:
        file_io.check_output(config.output_file, "output_file")
    if config.input_file != _STANDARD:
        inputs.check_file(config.input_file, "input_file")
    answerer = _answerer(config)
    with contextlib.ExitStack() as stack:
        out = sys.stdout.buffer
        if config.output_file != _STANDARD:
            out = file_io.open_binary(config.output_file, "wb")
            stack.enter_context(out)
        for answers in _answers(config.input_file, answerer):
            for answer in answers:
                text = json_files.line(answer) + "\n"
                out.write(text.encode("utf-8", "backslashreplace"))
            out.flush()


def _answerer(config):
    if config.server:
        return server_answers.ServerAnswerer(config.server, config.server_model)
    if not file_io.is_directory(config.model_dir):
        raise ValueError(f"--model_dir: no folder {config.model_dir!r}")
    with tensorflow_start.quiet():
        from finetuning.answering import Answerer
    return Answerer.load(
        config.model_dir, batch_size=config.batch_size, device=config.device
    )


def _answers(source, answerer):
    """Yields iterators of answers, each of lines that came together."""
    if source != _STANDARD:
        yield answerer.answer_file(source)
        return
    first = 1
    for lines in _lines_of_pipe(0):
        yield answerer.answer(lines, "the standard input", first)
        first += len(lines)


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

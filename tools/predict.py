"""Answers for lines of text, by a fine-tuned directory and nothing else.

python -m tools.predict --model_dir=output/reviews < texts.txt
python -m tools.predict --model_dir=output/squad --input_file=questions.json

A model of run_classifier.py takes a text a line, or two with a tab between; one
of run_ner.py a sentence a line; one of run_squad.py a question, a tab and its
text a line, or a file in SQuAD's form (.json). Each answer is a JSON object a
line, in the order of the input.
"""

import contextlib
import dataclasses
import itertools
import json
import os
import sys
from typing import Annotated

# TensorFlow's C++ code tells of every kernel it prepares; read at its import.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import config_flags  # noqa: E402
from finetuning import problems, programs, task  # noqa: E402
from finetuning.question_answering import (  # noqa: E402
    examples as question_examples,
)
from storage import file_io  # noqa: E402
from text import corpus  # noqa: E402

_STANDARD = "-"
_LINES_AT_ONCE = 4096


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


def run(config):
    """Answers the lines of a file or of the standard input."""
    settings, made = programs.load(
        config.model_dir, predict_batch_size=config.batch_size
    )
    answer = _ANSWERS[type(made).__name__]
    predictor = programs.load_predictor(settings, made)
    with contextlib.ExitStack() as stack:
        out = sys.stdout
        if config.output_file != _STANDARD:
            out = stack.enter_context(open(config.output_file, "w"))
        for found in _blocks(config, settings, made):
            for said in answer(made, predictor, found):
                print(json.dumps(said, ensure_ascii=False), file=out)
            out.flush()


def _blocks(config, settings, made):
    """Yields examples, some thousand at once; of a terminal each line's."""
    source = config.input_file
    name = "the standard input" if source == _STANDARD else source
    if source.removesuffix(".gz").endswith(".json"):
        if type(made).__name__ != "QuestionAnswering":
            raise ValueError(f"--input_file={source}: wanted a text a line")
        yield question_examples.read(
            source,
            problems.Problems(strict=False),
            version_2=settings.version_2_with_negative,
            is_training=False,
        )
        return
    at_once = _LINES_AT_ONCE
    if source == _STANDARD:
        lines = sys.stdin
        at_once = 1 if sys.stdin.isatty() else at_once
    else:
        if not file_io.exists(source):
            raise ValueError(f"--input_file: no file {source!r}")
        text = corpus.read(source)
        lines = text.removesuffix("\n").split("\n")
    lines = (line.rstrip("\r\n") for line in lines)
    make = _EXAMPLES[type(made).__name__]
    first = 1
    while block := [*itertools.islice(lines, at_once)]:
        yield make(made, block, name, first)
        first += len(block)


def _questions(made, lines, source, first):
    found = []
    for number, line in enumerate(lines, first):
        texts = line.split("\t")
        if len(texts) != 2:
            raise ValueError(
                f"{source}, line {number}: {len(texts)} columns between tabs, "
                "wanted 2: a question and its text"
            )
        found.append(question_examples.Example(str(number), *texts))
    return found


_EXAMPLES = {
    "Classification": lambda made, *given: made.examples_of_lines(*given),
    "Tagging": lambda made, lines, source, first: made.examples_of_lines(
        lines, source
    ),
    "QuestionAnswering": _questions,
}


def _split(made, predictor, examples):
    rows = made.make_rows("predict", examples)
    split = task.Split("predict", examples, rows)
    return split, predictor.outputs(rows)


def _classify(made, predictor, examples):
    _, outputs = _split(made, predictor, examples)
    return made.answers(outputs)


def _tag(made, predictor, examples):
    split, outputs = _split(made, predictor, examples)
    return [
        made.entities(*pair)
        for pair in zip(examples, made.tags(split, outputs), strict=True)
    ]


def _find_answers(made, predictor, examples):
    split, outputs = _split(made, predictor, examples)
    found = made.find(split, outputs)
    said = []
    for example, answer, text in zip(
        examples, found, made.choose(found), strict=True
    ):
        best = answer.candidates[0] if answer.candidates else None
        place = {}
        if text and best:
            place = {"start": best.begin, "end": best.end}
        said.append({"id": example.id, "answer": text} | place)
    return said


_ANSWERS = {
    "Classification": _classify,
    "Tagging": _tag,
    "QuestionAnswering": _find_answers,
}


if __name__ == "__main__":
    config_flags.run(run, PredictConfig)

"""Finds a learning rate: the loss while the rate rises (Smith 2017).

python -m tools.find_learning_rate run_classifier.py --task_name=tsv \\
    --train_file=train.tsv --bert_config_file=model/bert_config.json \\
    --vocab_file=model/vocab.txt --init_checkpoint=model/bert_model.ckpt \\
    --output_dir=rates

Takes a program and its flags, those of a training. Writes into --output_dir
learning_rate.json and learning_rate.svg, and says two rates; nothing is trained
that is kept. Warm-up and decay are left out.
"""

import dataclasses
import os
import sys
import tempfile
from typing import Annotated, Any, NoReturn

import config_flags
from finetuning import look as finetuning_look
from finetuning.classification import reader
from finetuning.classification.config import ClassifierConfig
from finetuning.config import ONE_RUN
from finetuning.question_answering import files as question_files
from finetuning.question_answering.config import QuestionAnsweringConfig
from finetuning.tagging import files as tagging_files
from finetuning.tagging.config import TaggingConfig
from pages import charts
from pretraining import look as pretraining_look
from pretraining.config import PretrainingConfig
from settings.flag import Flag, Settings
from storage import file_io, json_files, tensorflow_start

_NAME = "learning_rate"
# What a training may be told to do besides.
_UNASKED = {
    *("do_eval", "do_predict", "keep_best", "early_stopping"),
    *("train_minutes", "eval_every_steps", *ONE_RUN),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class SearchSettings(Settings):
    """The flags of this tool, beside those of the program."""

    lowest_rate: Annotated[float, Flag("The first rate.", "positive")] = 1e-7
    highest_rate: Annotated[float, Flag("The last rate.", "positive")] = 1.0
    search_steps: Annotated[
        int, Flag("Steps from the first rate to the last.", "positive")
    ] = 100

    def __post_init__(self):
        super().__post_init__()
        if self.lowest_rate >= self.highest_rate:
            raise ValueError(
                f"--lowest_rate={self.lowest_rate} is not below --highest_rate="
                f"{self.highest_rate}"
            )


@dataclasses.dataclass(frozen=True, kw_only=True)
class _OfClassifier(SearchSettings, ClassifierConfig):
    """Flags of run_classifier.py, and the tool's."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class _OfQuestions(SearchSettings, QuestionAnsweringConfig):
    """Flags of run_squad.py, and the tool's."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class _OfTagging(SearchSettings, TaggingConfig):
    """Flags of run_ner.py, and the tool's."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class _OfPretraining(SearchSettings, PretrainingConfig):
    """Flags of run_pretraining.py, and the tool's."""


# {program: its settings with the tool's}
PROGRAMS: dict[str, type[SearchSettings]] = {
    "run_classifier.py": _OfClassifier,
    "run_squad.py": _OfQuestions,
    "run_ner.py": _OfTagging,
    "run_pretraining.py": _OfPretraining,
}


def take_program(argv: list[str]) -> type[SearchSettings]:
    """Takes the program's name out of a command line; returns its settings.

    Those of the tool alone, which `run` refuses, where it is none of ours.
    """
    is_ours = os.path.basename(argv[0]) == os.path.basename(__file__)
    if not is_ours or len(argv) < 2 or argv[1].startswith("-"):
        return SearchSettings
    return PROGRAMS.get(os.path.basename(argv.pop(1)), SearchSettings)


def run(config: Any) -> None:
    """Looks at the files, searches, and writes and prints what it found."""
    if type(config) not in PROGRAMS.values():
        raise ValueError(
            f"name a program first, one of {', '.join(PROGRAMS)}, and then its "
            "flags"
        )
    config = dataclasses.replace(
        config,
        **{
            field.name: field.default
            for field in dataclasses.fields(config)
            if field.name in _UNASKED
        },
        do_train=True,
    )
    _look(config)
    file_io.check_output_directory(config.output_dir, "output_dir")
    with tempfile.TemporaryDirectory() as folder:
        curve = _search(config, folder)
    path = os.path.join(config.output_dir, _NAME)
    points = {
        "rates": curve.rates.tolist(),
        "losses": [x if x == x else None for x in curve.losses.tolist()],
    }
    json_files.write(f"{path}.json", points)
    found = {
        "steepest": curve.steepest(),
        "tenth_of_minimum": curve.tenth_of_minimum(),
    }
    json_files.write(f"{path}.json", points | found)
    file_io.write_whole(f"{path}.svg", picture(curve).encode())
    print(
        f"the loss falls fastest at {found['steepest']:.2g}; a tenth of the "
        f"rate where it is least is {found['tenth_of_minimum']:.2g}. Try peaks "
        f"between the two; the curve is {path}.svg"
    )


def picture(curve: Any) -> str:
    """Returns the curve as SVG, the loss over the logarithm of the rate."""
    import numpy as np

    exponents = np.log10(curve.rates)
    is_shown = np.isfinite(curve.losses)
    # What leaps out of the picture would leave nothing to see in it.
    most = 1.5 * curve.losses[0]
    groups = {
        name: [list(zip(exponents[is_shown], y[is_shown], strict=True))]
        for name, y in (
            ("loss", np.minimum(curve.losses, most)),
            ("smoothed", np.minimum(curve.smoothed, most)),
        )
    }
    return charts.standalone(
        [charts.lines(groups, x_name="log10 of the rate", y_name="loss")]
    )


def _look(config: Any) -> None:
    """Looks at the files, before what takes seconds is imported."""
    if isinstance(config, PretrainingConfig):
        pretraining_look.at_files(config)
        return
    if isinstance(config, ClassifierConfig):
        find = reader.Reader(config).paths
        finetuning_look.at_files(config, lambda name: find(name).values())
    elif isinstance(config, TaggingConfig):
        finetuning_look.at_files(
            config, lambda name: [tagging_files.find(config, name)]
        )
    else:
        finetuning_look.at_files(
            config, lambda name: question_files.find(config, name)[:1]
        )


class _Found(Exception):  # noqa: N818
    """Leaves a program with a curve before it evaluates or exports."""


def _search(config: Any, folder: str) -> Any:
    """Returns the curve; the program writes into a folder of its own."""
    with tensorflow_start.quiet():
        from finetuning import programs, train
        from pretraining import train as pretraining_train
        from training import rate_search

    def search(*arguments: Any, **named: Any) -> NoReturn:
        raise _Found(
            rate_search.search(
                *arguments,
                **named,
                lowest=config.lowest_rate,
                highest=config.highest_rate,
                num_steps=config.search_steps,
            )
        )

    try:
        own = dataclasses.replace(config, output_dir=folder)
        if isinstance(config, PretrainingConfig):
            pretraining_train.run(own, train=search)
        for kind, task in programs.PROGRAMS.values():
            if isinstance(config, kind):
                train.run(own, task, train=search)
    except _Found as found:
        return found.args[0]
    raise AssertionError(config)


if __name__ == "__main__":
    config_flags.run(run, take_program(sys.argv))

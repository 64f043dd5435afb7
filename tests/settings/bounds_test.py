"""Numbers out of bounds are refused by every program, with the flag's name."""

import dataclasses
import math
import typing

import pytest

from data.config import BuildConfig
from finetuning.classification.config import ClassifierConfig
from finetuning.features_config import FeaturesConfig
from finetuning.question_answering.config import QuestionAnsweringConfig
from finetuning.tagging.config import TaggingConfig
from pretraining.config import PretrainingConfig
from settings import bounds
from tools.average_checkpoints import AverageConfig
from tools.build_vocab import VocabConfig
from tools.convert_checkpoint import ConvertConfig
from tools.extend_vocab import ExtendConfig
from tools.inspect_records import InspectConfig
from tools.predict import PredictConfig

# Every program that has numbers, and what it cannot do without.
PROGRAMS = {
    BuildConfig: {},
    PretrainingConfig: {"do_train": True},
    ClassifierConfig: {"task_name": "mrpc"},
    QuestionAnsweringConfig: {},
    TaggingConfig: {},
    FeaturesConfig: {},
    AverageConfig: {},
    VocabConfig: {},
    ConvertConfig: {"to": "tf1"},
    ExtendConfig: {"shrink": True, "input_file": "x"},
    InspectConfig: {},
    PredictConfig: {},
}
# Flags that any whole number is right for.
_ANY = {"random_seed"}


def make(program, **flags):
    """A config of a program with the flags it needs."""
    needed = {
        field.name: "x"
        for field in dataclasses.fields(program)
        if field.default is dataclasses.MISSING
    }
    return program(**needed | PROGRAMS[program] | flags)


def numbers(kind):
    """(program, flag) of all flags of a type, with or without a default."""
    return [
        pytest.param(program, name, id=f"{program.__name__}-{name}")
        for program in PROGRAMS
        for name, hint in typing.get_type_hints(program).items()
        if hint in (kind, kind | None)
    ]


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_defaults_are_within_bounds(program):
    make(program)


def test_the_flags_of_the_reports_are_among_those_below():
    names = {parameter.values for parameter in numbers(float)}
    for name in (
        "learning_rate",
        "weight_decay",
        "adam_epsilon",
        "clip_norm",
        "layerwise_lr_decay",
        "poly_power",
        "peak_teraflops",
    ):
        assert (PretrainingConfig, name) in names
    assert (BuildConfig, "masked_lm_prob") in names
    assert len(names) > 40


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(("program", "name"), numbers(float))
def test_no_program_takes_what_is_no_finite_number(program, name, value):
    with pytest.raises(ValueError, match=f"--{name} must be .*, got {value}$"):
        make(program, **{name: value})


@pytest.mark.parametrize(("program", "name"), numbers(int))
def test_no_program_takes_a_count_below_0(program, name):
    if name in _ANY:
        assert getattr(make(program, **{name: -1}), name) == -1
        return
    with pytest.raises(ValueError, match=f"--{name}.*-1"):
        make(program, **{name: -1})


@dataclasses.dataclass
class Settings:
    rate: float | None = 1.0
    share: float | None = 0.5
    count: int = 1


def check(**values):
    bounds.check(
        Settings(**values),
        positive=("rate",),
        not_negative=("count",),
        shares=("share",),
    )


def test_the_ends_of_bounds_are_within_them():
    check(share=0.0, count=0, rate=1e-30)
    check(share=1.0, rate=1e30)
    check(share=None, rate=None)
    check(rate=1, share=1)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"rate": 0.0}, "--rate must be positive, got 0.0"),
        ({"rate": -1}, "--rate must be positive, got -1"),
        ({"count": -1}, "--count must not be negative, got -1"),
        ({"share": 1.01}, "--share must be between 0 and 1, got 1.01"),
        ({"share": -0.01}, "--share must be between 0 and 1, got -0.01"),
        ({"rate": math.nan}, "--rate must be a finite number, got nan"),
        ({"share": math.inf}, "--share must be a finite number, got inf"),
        ({"rate": -math.inf}, "--rate must be a finite number, got -inf"),
    ],
)
def test_what_is_out_of_bounds_is_named_with_its_value(values, words):
    with pytest.raises(ValueError) as caught:
        check(**values)
    assert str(caught.value) == words


def test_a_number_without_bounds_of_its_own_is_finite_all_the_same():
    with pytest.raises(ValueError, match="^--rate must be a finite number"):
        bounds.check(Settings(rate=math.nan))
    bounds.check(Settings(rate=-5.0, share=7.0))

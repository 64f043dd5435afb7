"""Numbers out of bounds are refused by every program, with the flag's name."""

import dataclasses
import math
import typing
from typing import Annotated

import pytest

from data.config import BuildConfig
from finetuning.classification.config import ClassifierConfig
from finetuning.features_config import FeaturesConfig
from finetuning.question_answering.config import QuestionAnsweringConfig
from finetuning.tagging.config import TaggingConfig
from pretraining.config import PretrainingConfig
from serving.config import ServeConfig
from settings import flag
from settings.flag import Flag, Settings
from tools.average_checkpoints import AverageConfig
from tools.build_vocab import VocabConfig
from tools.convert_checkpoint import ConvertConfig
from tools.extend_vocab import ExtendConfig
from tools.inspect_records import InspectConfig
from tools.predict import PredictConfig
from tools.stack_layers import StackConfig

# One of the flags that name it, as most programs want.
_VOCABULARY = {"vocab_file": "x"}
# Every program that has numbers, and what it cannot do without.
PROGRAMS = {
    BuildConfig: _VOCABULARY,
    PretrainingConfig: {"do_train": True},
    ClassifierConfig: {"task_name": "mrpc"} | _VOCABULARY,
    QuestionAnsweringConfig: _VOCABULARY,
    TaggingConfig: _VOCABULARY,
    FeaturesConfig: _VOCABULARY,
    AverageConfig: {},
    VocabConfig: {},
    ConvertConfig: {"to": "tf1"},
    ExtendConfig: {"shrink": True, "input_file": "x"},
    InspectConfig: {},
    PredictConfig: {"model_dir": "x"},
    ServeConfig: {},
    StackConfig: {"num_hidden_layers": 2},
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


@dataclasses.dataclass(frozen=True, kw_only=True)
class Shared(Settings):
    rate: Annotated[float | None, Flag("Its rate.", "positive")] = 1.0
    share: Annotated[float | None, Flag("Its share.", "share")] = 0.5
    count: Annotated[int, Flag("How many.", "not_negative", "nothing")] = 1
    plain: Annotated[float, "Any number."] = 0.0


@dataclasses.dataclass(frozen=True, kw_only=True)
class Program(Shared):
    rate: float = 2.0
    share: Annotated[float, Flag("Another share.", "below_1", "rows")] = 0.25


check = Shared


def test_a_subclass_changes_a_default_and_keeps_the_rest():
    flags = flag.flags_of(Program)
    assert flags["rate"] == flag.flags_of(Shared)["rate"]
    assert Program().rate == 2.0
    with pytest.raises(ValueError, match="--rate must be positive, got 0"):
        Program(rate=0)


def test_a_subclass_may_say_all_anew():
    assert flag.flags_of(Program)["share"].help == "Another share."
    with pytest.raises(ValueError, match="at least 0 and below 1, got 1"):
        Program(share=1)
    Shared(share=1)


def test_settings_are_asked_what_they_decide():
    assert Program().deciding("rows") == {"share": 0.25}
    assert Program(count=7).deciding("nothing") == {"count": 7}
    assert Program().deciding("rows", "result") == {
        "rate": 2.0,
        "share": 0.25,
        "plain": 0.0,
    }


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
    with pytest.raises(ValueError, match="^--plain must be a finite number"):
        Shared(plain=math.nan)
    Shared(plain=-5.0)


# Another value of these leaves the weights as they are, or another file shows
# it by what is in it.
_OF_NO_WEIGHT = {
    *("bert_config_file", "vocab_file", "output_dir", "seeds", "strict"),
    *("sweep", "successive_halving", "ensemble", "test_file"),
    *("data_dir", "train_file", "eval_file", "predict_file"),
    *("spm_model_file", "tokenizer"),
    *("eval_input_file", "do_train", "do_eval", "do_predict"),
    *("eval_batch_size", "predict_batch_size", "max_eval_steps"),
    *("eval_every_steps", "keep_best", "keep_best_metric"),
    *("early_stopping", "save_checkpoints_steps", "keep_checkpoint_max"),
    *("iterations_per_loop", "max_bad_steps", "peak_teraflops"),
    *("device", "use_tpu", "tpu_name", "tpu_zone", "gcp_project", "master"),
    *("num_tpu_cores", "n_best_size", "max_answer_length"),
    *("null_score_diff_threshold", "answer_metric", "verbose_logging"),
}
_BESIDE_THE_BYTES = {
    *("input_file", "encoding", "output_file", "vocab_file", "overwrite"),
    *("shard_megabytes", "num_workers", "engine", "ray_address"),
    *("spm_model_file", "tokenizer"),
}


@pytest.mark.parametrize(
    ("program", "idle"),
    [
        (PretrainingConfig, _OF_NO_WEIGHT),
        (ClassifierConfig, _OF_NO_WEIGHT),
        (QuestionAnsweringConfig, _OF_NO_WEIGHT),
        (TaggingConfig, _OF_NO_WEIGHT),
        (BuildConfig, _BESIDE_THE_BYTES),
    ],
)
def test_a_rerun_with_another_value_goes_on_just_where_nothing_changes(
    program, idle
):
    flags = make(program)
    deciding = flags.deciding("result", "rows", "reading")
    names = {field.name for field in dataclasses.fields(program)}
    assert names - set(deciding) == names & idle


# The root scripts; a tool is one file, with settings of its own.
_SCRIPTS = [
    *(BuildConfig, PretrainingConfig, ClassifierConfig),
    *(QuestionAnsweringConfig, TaggingConfig, FeaturesConfig),
]
# They name what a program reads and writes, another thing in each.
_OF_EACH = {"input_file", "output_file", "teacher_dir"}


def test_a_flag_of_several_programs_is_declared_once():
    places = {}
    for program in _SCRIPTS:
        for name in {f.name for f in dataclasses.fields(program)} - _OF_EACH:
            # The base of all that declare it; the others change a default.
            base = [
                parent
                for parent in program.__mro__
                if name in parent.__dict__.get("__annotations__", ())
            ][-1]
            places.setdefault(name, set()).add(base.__name__)
    assert {n: p for n, p in places.items() if len(p) > 1} == {}


def test_every_flag_of_the_scripts_says_what_it_is_for():
    for program in _SCRIPTS:
        flags = flag.flags_of(program)
        assert flags.keys() == {f.name for f in dataclasses.fields(program)}
        for name, described in flags.items():
            assert described.help.endswith("."), name

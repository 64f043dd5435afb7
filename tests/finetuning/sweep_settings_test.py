"""What --sweep asks for, and what it refuses before anything starts."""

import re

import pytest

from finetuning import sweep_settings
from tests.finetuning import tiny_task

_SWEEP = "learning_rate=3e-3,1e-5; train_batch_size=10,20"


def test_it_is_every_combination_the_last_flag_first(tmp_path):
    config = tiny_task.make_config(tmp_path, "x", sweep=_SWEEP)
    found = sweep_settings.of(config)
    assert [(x.learning_rate, x.train_batch_size) for x in found] == [
        *((3e-3, 10), (3e-3, 20), (1e-5, 10), (1e-5, 20)),
    ]
    assert len({x.output_dir for x in found}) == 4
    assert not any(x.sweep or x.successive_halving for x in found)


def test_rungs_are_powers_of_the_factor_up_to_the_longest():
    assert sweep_settings.rungs(0, [2.0, 4.0]) == [4]
    assert sweep_settings.rungs(2, [2.0, 4.0]) == [1, 2, 4]
    assert sweep_settings.rungs(3, [10.0]) == [1, 3, 9, 10]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("learning_rat=1", "there is no flag --learning_rat"),
        ("learning_rate", "'learning_rate' is not of the form NAME=VALUE"),
        ("learning_rate=", "not of the form"),
        ("learning_rate=1e-3,x", "learning_rate=x is not a number"),
        ("learning_rate=1e-3,-1", "--learning_rate must be positive, got -1"),
        ("learning_rate=1e-3,nan", "must be a finite number"),
        ("train_batch_size=8,8.5", "train_batch_size=8.5 is not an integer"),
        ("lr_schedule=linear,cubic", "cubic is not one of linear, linear_fro"),
        ("freeze_encoder=true,yes", "freeze_encoder=yes is not true or false"),
        ("output_dir=a,b", "--output_dir may not be swept"),
        ("train_file=a,b", "--train_file may not be swept"),
        ("init_checkpoint=a,b", "--init_checkpoint may not be swept"),
        ("do_eval=true,false", "--do_eval may not be swept"),
        ("learning_rate=1e-3,1e-3", "learning_rate has 0.001 twice"),
        ("learning_rate=1,2;learning_rate=3", "names learning_rate twice"),
        ("learning_rate=1e-3", "is one setting"),
        (" ; ", "is one setting"),
        ("unfreeze_top_layers=1,2", "unfreeze_top_layers needs --freeze_enco"),
    ],
)
def test_a_wrong_sweep_is_one_line_before_anything_starts(
    tmp_path, text, message
):
    with pytest.raises(ValueError, match=re.escape(message)) as error:
        tiny_task.run(tmp_path, "wrong", sweep=text)
    assert "\n" not in str(error.value)
    assert "--sweep" in str(error.value)
    assert not (tmp_path / "wrong").exists()


def test_flags_that_do_not_go_together_are_told(tmp_path):
    for settings, message in (
        ({"do_eval": False, "sweep": _SWEEP}, "compares scores: set --do_eval"),
        ({"successive_halving": 2}, "needs --sweep"),
        ({"successive_halving": 1, "sweep": _SWEEP}, "gives nothing up"),
        ({"successive_halving": -1, "sweep": _SWEEP}, "not be negative"),
        ({"seeds": "1,2", "sweep": "seed=1,2"}, "leave --seeds out"),
    ):
        with pytest.raises(ValueError, match=message):
            sweep_settings.of(tiny_task.make_config(tmp_path, "x", **settings))


def test_a_setting_that_the_model_cannot_have_is_told_at_once(tmp_path):
    tiny_task.write_inputs(tmp_path)
    with pytest.raises(ValueError, match="max_seq_length=999 is more than"):
        tiny_task.run(tmp_path, "x", sweep="max_seq_length=16,999")
    assert not (tmp_path / "x").exists()

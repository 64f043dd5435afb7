"""A run too short for its warm-up is told of, and no other."""

import pytest

from pretraining import config, preflight
from training import schedules

# No run comes to its peak before the first step at which this is the rate.
_NEARLY_ALL = 0.999


def rates(num_warmup_steps, num_train_steps, shape):
    schedule = schedules.Schedule(
        peak=1.0,
        num_train_steps=num_train_steps,
        num_warmup_steps=num_warmup_steps,
        shape=shape,
    )
    return [float(schedule(step)) for step in range(num_train_steps)]


@pytest.mark.parametrize("num_train_steps", [1, 2, 3, 10])
@pytest.mark.parametrize("num_warmup_steps", [0, 1, 2, 9, 10, 11, 10_000])
def test_a_warning_says_what_the_rates_are(
    caplog, num_warmup_steps, num_train_steps
):
    schedules.warn_of_few_steps(num_warmup_steps, num_train_steps, "THE CURE")
    # That which stays at the peak, as others may fall from it at once.
    found = rates(num_warmup_steps, num_train_steps, "constant")
    assert bool(caplog.text) == (max(found) < _NEARLY_ALL)
    assert ("HAS ONE STEP" in caplog.text) == (found == [0.0])
    assert ("Raise THE CURE" in caplog.text) == bool(caplog.text)


def test_both_numbers_are_told(caplog):
    schedules.warn_of_few_steps(10_000, 2_000, "x")
    words = "THE WARM-UP OF 10,000 STEPS IS NOT SHORTER THAN THE RUN OF 2,000"
    assert words in caplog.text


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ({"num_train_steps": 2_000}, "THE WARM-UP OF 10,000 STEPS"),
        ({"num_train_steps": 10_000}, "THE WARM-UP OF 10,000 STEPS"),
        ({"num_train_steps": 10_001}, ""),
        ({"num_train_steps": 100, "warmup_proportion": 1.0}, "OF 100 STEPS"),
        ({"num_train_steps": 100, "warmup_proportion": 0.5}, ""),
        ({"num_train_steps": 1}, "THE RUN HAS ONE STEP"),
        ({"num_train_steps": 1, "num_warmup_steps": 0}, ""),
        ({"num_train_steps": 5, "do_train": False, "do_eval": True}, ""),
    ],
)
def test_the_flags_of_a_pretraining_are_looked_at(caplog, flags, words):
    settings = config.PretrainingConfig(
        **{
            "bert_config_file": "x",
            "input_file": "x",
            "output_dir": "x",
            "do_train": True,
        }
        | flags
    )
    preflight.warn_of_few_steps(settings)
    assert bool(caplog.text) == bool(words)
    assert words in caplog.text
    assert ("lower" in caplog.text) == bool(words)

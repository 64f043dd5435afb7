"""Skipped steps are counted in a row, and nothing of them is saved."""

import math

import pytest

from training import bad_steps


class Checkpoints:
    def describe_good(self):
        return "GOOD"


def make(most=5, loss_is_scaled=False):
    return bad_steps.BadSteps(most, Checkpoints(), loss_is_scaled)


def numbers(loss=1.0, norm=1.0, skipped=0):
    return {"loss": loss, "gradient_norm": norm, "skipped_steps": skipped}


CURE = "A lower --learning_rate or a longer "


@pytest.mark.parametrize("name", ["loss", "gradient_norm"])
@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_ends_the_run_where_it_was_seen(name, bad):
    with pytest.raises(ValueError) as caught:
        make().check(20, 5, numbers() | {name: bad}, 0)
    said = str(caught.value)
    words = f"{name} became {bad} (noticed between steps 20 and 25); GOOD. "
    assert said.startswith(words + CURE)


def test_of_a_block_that_was_all_skipped_there_are_no_numbers():
    watch = make()
    watch.check(20, 4, numbers(math.nan, math.nan, skipped=4), 4)
    assert not watch.allow_save(24, is_over=False)
    # One that was not has some.
    with pytest.raises(ValueError, match="loss became nan"):
        watch.check(20, 4, numbers(math.nan, skipped=3), 0)


def test_as_many_in_a_row_as_are_allowed_end_the_run():
    watch = make(most=5)
    watch.check(0, 4, numbers(skipped=4), 4)
    with pytest.raises(ValueError, match="^the last 5 steps gave a loss or a"):
        watch.check(4, 1, numbers(skipped=1), 5)


def test_steps_between_good_ones_never_end_it():
    watch = make(most=5)
    for step in range(0, 100, 4):
        watch.check(step, 4, numbers(skipped=3), 1)
        watch.check(step, 4, numbers(skipped=3), 0)
    assert watch.allow_save(100, is_over=True)


def test_weights_of_a_run_of_skipped_steps_are_saved_after_a_good_one(caplog):
    watch = make()
    watch.check(0, 10, numbers(skipped=2), 2)
    assert not watch.allow_save(10, is_over=False)
    assert "step 10 is not saved: the last 2 steps gave a loss" in caplog.text
    watch.check(10, 1, numbers(), 0)
    assert watch.allow_save(11, is_over=False)
    assert watch.allow_save(11, is_over=True)


def test_a_run_that_ends_in_them_is_an_error_unless_a_scale_is_the_reason():
    watch = make()
    watch.check(0, 10, numbers(skipped=1), 1)
    with pytest.raises(ValueError, match="the last 1 steps .* end at step 10;"):
        watch.allow_save(10, is_over=True)
    scaled = make(loss_is_scaled=True)
    scaled.check(0, 10, numbers(skipped=1), 1)
    assert scaled.allow_save(10, is_over=True)
    assert not scaled.allow_save(10, is_over=False)

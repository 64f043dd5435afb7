"""The plan of a pretraining: its arithmetic, and that it fits the budget."""

import json
import math

import pytest

from modeling import families
from pretraining.masked_lm import MaskedLm
from pretraining.stages import plan_stages
from tests import tiny
from tools import plan_pretraining
from tools.planning import budget
from tools.planning.budget import SIZES, Plan


@pytest.mark.parametrize("size", SIZES[:3], ids=lambda size: size.name)
def test_the_arithmetic_of_a_token_is_that_of_the_model(size):
    plan = Plan(size, 1.0, 1.0, 1)
    model = MaskedLm(tiny.config(**plan.bert_config), use_nsp=False, seed=1)
    places = math.ceil(budget.MASKED * budget.SEQUENCE)
    flops = model.training_flops(budget.SEQUENCE, places) / budget.SEQUENCE
    # The pooler, and that places are whole.
    assert size.flops_per_token == pytest.approx(flops, rel=0.03)
    layers = sum(
        math.prod(weight.shape)
        for weight in model.encoder.trainable_variables
        if "/encoder/" in weight.path and len(weight.shape) == 2
    )
    assert size.num_parameters == layers


@pytest.mark.parametrize("model_type", ["bert", "roformer"])
def test_the_shape_is_of_the_family_that_is_asked_for(tmp_path, model_type):
    plan = Plan(SIZES[0], 1.0, 1.0, 1, model_type)
    config = families.read_config(json.dumps(plan.bert_config), "plan")
    assert (config.model_type, config.extra) == (model_type, {})
    flags = plan_pretraining.flags_of(
        plan,
        plan_pretraining.PlanConfig(
            input_file="x", output_dir=str(tmp_path), model_type=model_type
        ),
    )
    assert ("--position_init=random" in flags) == config.rotates


@pytest.mark.parametrize("pace", [3e2, 5e3, 1e5, 3e6])
@pytest.mark.parametrize("minutes", [1, 30, 600])
def test_a_plan_uses_the_time_and_no_more(pace, minutes):
    plan = Plan(SIZES[1], pace, 60.0 * minutes, 10_000_000)
    one_step = plan.batch_size * budget.TOKENS_OF_SEQUENCE
    tokens = plan.num_steps * one_step
    assert tokens == pytest.approx(pace * 60 * minutes, abs=one_step)
    assert plan.num_steps <= budget.MOST_STEPS
    assert (plan.batch_size > budget.USUAL_BATCH) == (
        tokens / (budget.USUAL_BATCH * budget.TOKENS_OF_SEQUENCE)
        > budget.MOST_STEPS
    )
    assert (plan.dropout > 0) == (tokens > 1e8)


@pytest.mark.parametrize("pace", [3e2, 5e3, 1e5])
def test_the_stages_are_those_of_a_training_of_as_many_tokens(pace):
    plan = Plan(SIZES[1], pace, 1800.0, 10_000_000)
    stages = plan_stages(
        plan.stages,
        num_train_steps=plan.num_steps,
        max_seq_length=budget.SEQUENCE,
        train_batch_size=plan.batch_size,
        num_layers=plan.size.layers,
    )
    tokens = [x.num_records * x.max_seq_length for x in stages]
    one_step = plan.batch_size * budget.TOKENS_OF_SEQUENCE
    # A stage has whole steps.
    assert sum(tokens) == pytest.approx(
        plan.num_steps * one_step, abs=plan.batch_size * budget.SEQUENCE
    )


def test_a_larger_size_is_tried_where_it_would_see_enough():
    small, large = SIZES[:2]
    ratio = large.flops_per_token / small.flops_per_token
    seconds = 100.0
    enough = ratio * large.enough_tokens / seconds
    assert budget.larger(small, 1.01 * enough, seconds) is large
    assert budget.larger(small, 0.99 * enough, seconds) is None
    assert budget.larger(SIZES[-1], 1e12, seconds) is None
    # What was expected of it and is not so takes the plan back.
    slow = Plan(large, 0.5 * large.enough_tokens / seconds, seconds, 1)
    taken = plan_pretraining._not_too_large(slow)
    assert taken.size is small
    assert taken.tokens_per_second == pytest.approx(
        ratio * slow.tokens_per_second
    )


def test_the_table_says_which_size_was_measured():
    lines = budget.table(SIZES[1], 1000.0, 60.0).splitlines()
    assert [line.split()[0] for line in lines[1:]] == [s.name for s in SIZES]
    assert [line.endswith("measured") for line in lines[1:]] == [
        size is SIZES[1] for size in SIZES
    ]
    assert lines[2].split()[2:4] == ["1,000", "0.1"]

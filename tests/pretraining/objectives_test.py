"""Every objective of the table keeps what the rest of the program asks."""

import typing

import pytest
import tensorflow as tf

from interop import variables
from pretraining.config import PretrainingConfig
from pretraining.distillation_config import READS
from pretraining.objectives import OBJECTIVES
from tests import tiny
from tests.pretraining import taught
from training import gradients, step
from training.objective import Objective, Term

# Flags, and keys of the config, without which an objective is refused.
_FLAGS = {"left_to_right": {"use_nsp": False}}
_KEYS = {"left_to_right": {"is_decoder": True}}
# Those that are of one family alone.
_FAMILIES = {"replaced_token": "electra"}


def _make(name, folder, mixed_precision="none", **changes):
    flags = _FLAGS.get(name, {})
    if name in READS:
        flags = {"teacher_dir": taught.write_teacher(folder), "use_nsp": False}
    config = PretrainingConfig(
        input_file="a",
        bert_config_file="b",
        output_dir="c",
        do_train=True,
        max_seq_length=tiny.NUM_TOKENS,
        objective=name,
        **flags,
    )
    keys = _KEYS.get(name, {}) | changes
    architecture = tiny.config(_FAMILIES.get(name, "bert"), **keys)
    return OBJECTIVES[name](config, architecture, mixed_precision)


@pytest.fixture(params=OBJECTIVES)
def objective(request, tmp_path):
    return _make(request.param, tmp_path)


def test_the_flag_offers_the_objectives_there_are():
    hints = typing.get_type_hints(PretrainingConfig)
    assert typing.get_args(hints["objective"]) == (*OBJECTIVES,)


def test_its_terms_are_those_that_it_names(objective):
    assert isinstance(objective, Objective)
    batch = {k: tf.constant(x) for k, x in tiny.batch(3).items()}
    terms = objective.compute_terms(batch, None)
    assert tuple(terms) == tuple(objective.term_names)
    for name, term in terms.items():
        assert isinstance(term, Term)
        assert term.in_loss is name.endswith("loss")
        assert term.weight == objective.loss_weights.get(name, 1)
    totals = step.Totals(objective.term_names, objective.term_lengths)
    totals.add(gradients.sums_of(terms))
    metrics = objective.metrics(totals.read())
    assert metrics.keys() == {"loss", *objective.term_names}
    assert set(objective.shown) <= metrics.keys()
    assert metrics["loss"] > 0


def test_every_variable_has_a_name_and_a_depth_of_its_own(objective):
    paths = [variable.path for variable in objective.saved]
    assert len(set(paths)) == len(paths)
    depths = set(map(objective.depth_of, paths))
    assert (min(depths), max(depths)) == (0, objective.head_depth)
    for some in (
        objective.trained,
        objective.initialised,
        objective.exported,
    ):
        assert {variable.path for variable in some} <= set(paths)


def test_what_it_exports_is_a_model_as_models_are_published(objective):
    assert objective.networks[0].head == objective.exported_head
    for network in objective.networks:
        model = variables.PortableModel(
            config=network.architecture,
            head=network.head,
            values={n: x.numpy() for n, x in network.variables.items()},
        )
        variables.check_model(model, "the objective")


def test_its_arithmetic_grows_with_what_it_reads(objective):
    few, many = (objective.training_flops(n, 4) for n in (8, 16))
    assert 0 < few < many


@pytest.mark.parametrize("mixed_precision", tiny.LOW_PRECISIONS)
@pytest.mark.parametrize("name", OBJECTIVES)
def test_half_precision_is_near_float32(name, mixed_precision, tmp_path):
    batch = {k: tf.constant(x) for k, x in tiny.batch(8).items()}
    losses = []
    for precision in ("none", mixed_precision):
        # Wide enough weights that what is rounded is seen.
        objective = _make(name, tmp_path, precision, initializer_range=0.1)
        terms = objective.compute_terms(batch, None)
        assert all(x.numerator.dtype == tf.float32 for x in terms.values())
        losses.append(
            sum(
                x.weight * float(x.numerator / (x.denominator + x.epsilon))
                for x in terms.values()
                if x.in_loss
            )
        )
    assert losses[0] == pytest.approx(losses[1], rel=2e-2)
    assert losses[0] != losses[1]

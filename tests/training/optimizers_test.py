"""The flags choose the optimizer, and a checkpoint remembers it."""

import typing

import numpy as np
import pytest
import tensorflow as tf

from tests.training import optimizer_test
from training import (
    adafactor,
    checkpoint,
    config,
    lamb,
    optimizer,
    optimizers,
)
from training.objective import Objective

_LAYERS = (
    "bert/embeddings/LayerNorm/beta",
    "bert/encoder/layer_0/output/dense/kernel",
    "bert/encoder/layer_1/output/dense/kernel",
    "bert/pooler/dense/kernel",
    "cls/predictions/output_bias",
)


class _TwoLayers(Objective):
    """Variables of two layers, with all that is around them."""

    head_depth = 4
    term_names = ()
    mixed_precision = "none"
    width = 768

    def __init__(self, variables):
        self._variables = variables

    @property
    def saved(self):
        return self._variables

    def depth_of(self, path):
        return _LAYERS.index(path)

    def compute_terms(self, batch, dropout_seed):
        raise NotImplementedError


def _settings(**changes):
    return config.OptimizerSettings(**{"learning_rate": 1e-4, **changes})


def _make(paths=_LAYERS, **changes):
    variables = optimizer_test.make_variables(np.random.default_rng(1), paths)
    objective = _TwoLayers(variables)
    return optimizers.make(_settings(**changes), 0.1, objective), variables


def _warn(*, width=768, **changes):
    objective = _TwoLayers([])
    objective.width = width
    optimizers.warn_of_high_rate(_settings(**changes), objective)


def test_the_flag_offers_the_optimizers_there_are():
    kinds = typing.get_type_hints(config.OptimizerSettings)
    assert typing.get_args(kinds["optimizer"]) == (*optimizers.OPTIMIZERS,)


@pytest.mark.parametrize(
    ("name", "kind", "corrects"),
    [
        ("bert_adam", optimizer.AdamWeightDecay, False),
        ("adamw", optimizer.AdamWeightDecay, True),
        ("lamb", lamb.Lamb, True),
    ],
)
def test_bias_correction_is_as_published_unless_it_is_set(name, kind, corrects):
    for setting, wanted in ((None, corrects), (True, True), (False, False)):
        made, _ = _make(optimizer=name, bias_correction=setting)
        assert type(made) is kind
        assert made.bias_correction is wanted


def test_settings_arrive():
    made, _ = _make(
        weight_decay=0.3, adam_beta1=0.5, adam_beta2=0.7, adam_epsilon=0.1
    )
    settings = made.decay, made.beta_1, made.beta_2, made.epsilon
    assert settings == (0.3, 0.5, 0.7, 0.1)
    assert type(_make(optimizer="adafactor")[0]) is adafactor.Adafactor


@pytest.mark.parametrize("name", optimizers.OPTIMIZERS)
def test_layers_learn_by_electras_rule(name):
    moves = []
    for decay in (1.0, 0.5):
        made, variables = _make(optimizer=name, layerwise_lr_decay=decay)
        before = [v.numpy() for v in variables]
        made.apply([tf.ones(v.shape) for v in variables], variables)
        moves.append(
            [
                np.abs(v.numpy() - old).mean()
                for v, old in zip(variables, before, strict=True)
            ]
        )
    # Two layers: ELECTRA has 0.5^4 for the embeddings, 0.5^2 for the top one.
    np.testing.assert_allclose(
        np.divide(moves[1], moves[0]), [1 / 16, 1 / 8, 1 / 4, 1 / 2, 1], 1e-4
    )


@pytest.mark.parametrize(
    ("changes", "warns"),
    [
        ({"learning_rate": 1e-3}, True),
        ({"learning_rate": 1e-3, "optimizer": "adamw"}, True),
        ({"learning_rate": 1e-3, "optimizer": "lamb"}, False),
        ({"learning_rate": 5e-4}, False),
    ],
)
def test_a_rate_that_is_meant_for_lamb_is_warned_of(caplog, changes, warns):
    _warn(**changes)
    assert ("--optimizer=lamb" in caplog.text) is warns


@pytest.mark.parametrize(
    ("width", "optimizer", "limit"),
    [
        (1024, "adamw", 3.75e-4),
        (768, "adamw", 5e-4),
        (128, "bert_adam", 3e-3),
        (768, "muon", 2e-2),
        (128, "muon", 2e-2),
    ],
)
def test_a_narrow_model_bears_higher_rates(caplog, width, optimizer, limit):
    for rate, warns in ((0.99 * limit, False), (1.01 * limit, True)):
        _warn(width=width, optimizer=optimizer, learning_rate=rate)
        assert (f"a width of {width}: " in caplog.text) is warns


@pytest.mark.parametrize(
    "saved", [x for x in optimizers.OPTIMIZERS if x != "adamw"]
)
def test_another_optimizer_than_the_saved_one_is_refused(tmp_path, saved):
    step = tf.Variable(1, dtype=tf.int64)
    checkpoint.Checkpoints(
        str(tmp_path),
        optimizers.mark(saved) | {checkpoint.GLOBAL_STEP: step},
        keep_max=1,
    ).save(1)
    prefix = str(tmp_path / "model.ckpt-1")
    optimizers.refuse_change(prefix, saved)
    with pytest.raises(ValueError, match=f"{prefix}.*={saved}, not adamw"):
        optimizers.refuse_change(prefix, "adamw")


def test_a_damaged_checkpoint_is_left_to_the_restore(tmp_path):
    (tmp_path / "model.ckpt-1.index").write_bytes(b"nothing")
    optimizers.refuse_change(str(tmp_path / "model.ckpt-1"), "lamb")

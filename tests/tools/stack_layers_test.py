"""Deeper models of copies of layers."""

import json

import numpy as np
import pytest
import tensorflow as tf

from interop import formats
from modeling import families
from pretraining import masked_lm
from tests import tiny
from tools import stack_layers
from training import checkpoint


@pytest.fixture
def model(tmp_path):
    """A model of two layers with random weights, as models are published."""
    (tmp_path / "bert_config.json").write_text(json.dumps(tiny.CONFIG))
    objective = masked_lm.MaskedLm(tiny.config(), use_nsp=True, seed=1)
    rng = np.random.default_rng(0)
    values = {
        variable.path: rng.normal(size=variable.shape).astype(np.float32)
        for variable in objective.saved
    }
    checkpoint.write(str(tmp_path / "bert_model.ckpt"), values)
    return tmp_path


def stack(model, number, output="deep"):
    return stack_layers.stack(
        stack_layers.StackConfig(
            from_=str(model),
            num_hidden_layers=number,
            output_dir=str(model / output),
        )
    )


def encoder(path):
    """Returns the encoder of a published model."""
    found = formats.read(str(path))
    made = families.make_encoder(found.config, "zeros")
    for variable in made.trainable_variables:
        variable.assign(found.values[variable.path])
    return made


def test_layers_are_copies_and_all_else_is_as_it_was(model):
    assert "5 layers, copies of 2" in stack(model, 5)
    before = formats.read(str(model))
    after = formats.read(str(model / "deep"))
    assert after.config.num_hidden_layers == 5
    for name, value in after.values.items():
        for number in (2, 3, 4):
            name = name.replace(f"/layer_{number}/", f"/layer_{number % 2}/")
        assert np.array_equal(value, before.values[name]), name
    assert len(after.values) == len(before.values) + 3 * 16


def test_a_deeper_model_applies_its_layers_again(model):
    """Twice the layers, once each, are the layers gone through twice."""
    stack(model, 4)
    ids = tf.constant([[3, 5, 7, 9]])
    mask, segments = tf.ones_like(ids), tf.zeros_like(ids)
    shallow, deep = (encoder(path) for path in (model, model / "deep"))
    first = shallow(ids, mask, segments).sequence_output
    again = shallow.encoder(first, mask)[-1]
    wanted = deep(ids, mask, segments)
    np.testing.assert_allclose(wanted.sequence_output, again, atol=1e-4)
    np.testing.assert_allclose(wanted.layer_outputs[1], first, atol=1e-4)


def test_what_cannot_be_stacked_is_refused(model):
    with pytest.raises(ValueError, match="=2 is not more than the 2 layers"):
        stack(model, 2)
    stack(model, 3)
    with pytest.raises(ValueError, match="deep is not empty"):
        stack(model, 4)
    with pytest.raises(ValueError, match="--from=.*nowhere"):
        stack(model / "nowhere", 4)

"""What a head reads of the layers, against transformers' hidden states."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import special

from modeling import layer_features
from modeling.encoder import Encoded
from tests import tiny

_LAYERS = 5


def _encoded():
    rng = np.random.default_rng(0)
    states = rng.normal(size=(_LAYERS + 1, 2, 3, tiny.WIDTH)).astype("f4")
    embeddings, *layers = map(tf.constant, states)
    return Encoded(layers[-1], None, layers, embeddings), states


def _config(**changes):
    return tiny.config(num_hidden_layers=_LAYERS, **changes)


def _wanted(choice, states):
    """Of `hidden_states` as transformers numbers them: 0 is the embeddings.

    A sum weighs layer k by the softmax of k's score, here 0, 1, 2, ...
    """
    if choice == "embeddings":
        return states[0]
    if choice.startswith("sum"):
        chosen = states[1:] if choice == "sum_all" else states[-4:]
        shares = special.softmax(np.arange(len(chosen)))
        return 3 * np.einsum("k,kbtw->btw", shares, chosen)
    if choice == "concat_last_four":
        return np.concatenate(states[-4:], axis=-1)
    return states[{"last": -1, "second_to_last": -2}[choice]]


@pytest.mark.parametrize(
    "choice", [layer_features.EMBEDDINGS, *layer_features.CHOICES]
)
def test_it_is_what_the_table_says(choice):
    encoded, states = _encoded()
    layer = layer_features.LayerFeatures(_config(), choice)
    if layer.scores is not None:
        layer.scores.assign(np.arange(layer.scores.shape[0]))
        layer.gamma.assign(3.0)
        assert layer.scores.path == "layer_features/scores"
    found = layer(encoded)
    np.testing.assert_allclose(found, _wanted(choice, states), atol=1e-5)
    assert found.shape[-1] == layer.output_config.hidden_size


def test_a_sum_begins_as_the_mean():
    encoded, states = _encoded()
    layer = layer_features.LayerFeatures(_config(), "sum_all")
    np.testing.assert_allclose(
        layer(encoded), states[1:].mean(axis=0), atol=1e-6
    )


def test_a_sum_has_the_gradient_of_finite_differences():
    encoded, states = _encoded()
    layer = layer_features.LayerFeatures(_config(), "sum_last_four")
    scores = np.array([0.3, -1.0, 0.5, 0.1])
    layer.scores.assign(scores)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.sin(layer(encoded)))
    found = tape.gradient(loss, [layer.scores.value, layer.gamma.value])

    def compute(scores, gamma):
        shares = special.softmax(scores)
        mixed = np.einsum("k,kbtw->btw", shares, states[-4:].astype("f8"))
        return np.sin(gamma * mixed).sum()

    for number in range(4):
        step = 1e-5 * np.eye(4)[number]
        moved = compute(scores + step, 1) - compute(scores - step, 1)
        assert float(found[0][number]) == pytest.approx(moved / 2e-5, rel=1e-3)
    moved = compute(scores, 1 + 1e-5) - compute(scores, 1 - 1e-5)
    assert float(found[1]) == pytest.approx(moved / 2e-5, rel=1e-3)


def test_a_model_with_fewer_layers_is_refused():
    config = tiny.config(num_hidden_layers=3)
    with pytest.raises(
        ValueError,
        match="--head_layers=concat_last_four wants 4 layers, and the model "
        "has 3",
    ):
        layer_features.LayerFeatures(config, "concat_last_four")

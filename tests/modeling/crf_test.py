"""The chain of labels against every path there is, one by one."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from modeling import crf, initializers, recurrent
from modeling.encoder import Encoded
from tests import tiny

_MOST_WORDS = 6
_MOST_LABELS = 4


def _layer(num_labels, rng, rules=None):
    layer = crf.Crf(num_labels, rules)
    for variable in layer.trainable_variables:
        variable.assign(rng.normal(size=variable.shape))
    return layer


def _paths(layer, scores, rules, is_start=1, is_end=1):
    """Yields (score, labels) of each path that may be; `scores` [words, N]."""
    transitions, start, end = (
        x.numpy().astype(float) for x in layer.trainable_variables
    )
    for path in itertools.product(range(scores.shape[1]), repeat=len(scores)):
        pairs = list(itertools.pairwise(path))
        is_legal = rules is None or (
            all(rules.transitions[pair] for pair in pairs)
            and (rules.starts[path[0]] or not is_start)
            and (rules.ends[path[-1]] or not is_end)
        )
        if is_legal:
            score = sum(scores[i, label] for i, label in enumerate(path))
            score += sum(transitions[pair] for pair in pairs)
            score += is_start * start[path[0]] + is_end * end[path[-1]]
            yield score, path


def _check(layer, scores, words, rules, is_start, is_end, rng):
    """Compares every row of a batch with the list of its paths."""
    labels = np.zeros(words.shape, np.int32)
    wanted, best = [], []
    for row, mask in enumerate(words):
        found = list(
            _paths(
                layer,
                scores[row][mask > 0].astype(float),
                rules,
                is_start[row],
                is_end[row],
            )
        )
        score, labels[row, mask > 0] = found[rng.integers(len(found))]
        wanted.append(score - np.logaddexp.reduce([s for s, _ in found]))
        best.append(max(found)[1])
    log_likelihood = layer.log_likelihood(
        scores, labels, words, is_start, is_end
    )
    np.testing.assert_allclose(
        log_likelihood.numpy(), wanted, rtol=1e-5, atol=1e-5
    )
    tags = layer.best_path(scores, words, is_start, is_end).numpy()
    for row, mask in enumerate(words):
        assert tuple(tags[row, mask > 0]) == best[row]
        assert not tags[row, mask == 0].any()


@pytest.mark.parametrize("num_labels", range(1, _MOST_LABELS + 1))
def test_every_sequence_is_as_likely_as_counting_all_paths_says(num_labels):
    rng = np.random.default_rng(num_labels)
    layer = _layer(num_labels, rng)
    shape = (_MOST_WORDS, _MOST_WORDS, num_labels)
    scores = rng.normal(scale=2, size=shape).astype("f4")
    ones = np.ones(_MOST_WORDS, np.int32)
    for num_words in range(1, _MOST_WORDS + 1):
        words = np.zeros((1, _MOST_WORDS), np.int32)
        words[:, :num_words] = 1
        found = dict(
            (path, score)
            for score, path in _paths(layer, scores[0, :num_words], None)
        )
        labels = np.zeros((len(found), _MOST_WORDS), np.int32)
        labels[:, :num_words] = list(found)
        count = (len(found), 1)
        likelihoods = layer.log_likelihood(
            np.tile(scores[:1], (*count, 1)),
            labels,
            np.tile(words, count),
            *np.ones((2, len(found)), np.int32),
        )
        wanted = np.array(list(found.values()))
        wanted -= np.logaddexp.reduce(wanted)
        np.testing.assert_allclose(likelihoods, wanted, rtol=2e-5, atol=1e-5)
        _check(layer, scores, np.tile(words, (6, 1)), None, ones, ones, rng)


@pytest.mark.parametrize("num_labels", [2, 4])
def test_what_is_no_word_is_stepped_over_and_what_is_barred_not_taken(
    num_labels,
):
    rng = np.random.default_rng(num_labels)
    rules = crf.Rules(
        rng.random((num_labels, num_labels)) < 0.6,
        rng.random(num_labels) < 0.6,
        rng.random(num_labels) < 0.6,
    )
    # From the first label everything may be, so that some path may.
    rules.transitions[0], rules.transitions[:, 0] = True, True
    rules.starts[0] = rules.ends[0] = True
    scores = rng.normal(scale=3, size=(40, 9, num_labels)).astype("f4")
    words = (rng.random((40, 9)) < 0.5).astype(np.int32)
    words[:, 0] |= ~words.any(axis=1)
    words[np.cumsum(words, axis=1) > _MOST_WORDS] = 0
    is_start, is_end = rng.integers(0, 2, (2, 40))
    layer = _layer(num_labels, rng, rules)
    _check(layer, scores, words, rules, is_start, is_end, rng)


def test_a_row_without_words_counts_nothing():
    layer = _layer(3, np.random.default_rng(0))
    nothing = np.zeros((2, 4), np.int32)
    scores, ends = np.ones((2, 4, 3), "f4"), np.ones(2)
    found = layer.log_likelihood(scores, nothing, nothing, ends, ends)
    assert found.numpy().tolist() == [0, 0]
    assert not layer.best_path(scores, nothing, ends, ends).numpy().any()


def _head(make, seed=1, **settings):
    initializer = initializers.TruncatedNormal(0.02, seed)
    return make(tiny.config(), initializer, 5, None, **settings)


def _batch(num_tokens=12):
    rng = np.random.default_rng(5)
    lengths = np.array([12, 7, 3])
    mask = (np.arange(num_tokens) < lengths[:, None]).astype(np.int32)
    words = mask * (rng.random(mask.shape) < 0.7)
    sequence = rng.normal(size=(*mask.shape, tiny.WIDTH)).astype("f4")
    return Encoded(tf.constant(sequence)), {
        "input_mask": tf.constant(mask),
        "label_weights": tf.constant(words.astype("f4")),
        "label_ids": tf.constant(rng.integers(0, 5, mask.shape), tf.int32),
        "is_start": tf.ones(3, tf.int32),
        "is_end": tf.ones(3, tf.int32),
    }


_HEADS = {
    "crf": (crf.CrfHead, {}),
    "bilstm_crf": (crf.BilstmCrfHead, {"lstm_size": 7}),
}


@pytest.mark.parametrize("name", _HEADS)
def test_compiled_gradients_are_those_of_the_plain_step(name):
    make, settings = _HEADS[name]
    head = _head(make, **settings)
    encoded, batch = _batch()
    variables = [v.value for v in head.trainable_variables]

    def step(encoded, batch):
        with tf.GradientTape() as tape:
            outputs = head(encoded, batch, dropout_seed=tf.constant(3))
            loss = -tf.reduce_sum(head.log_likelihood(outputs, batch))
        assert "tags" not in outputs
        return loss, *tape.gradient(loss, variables)

    plain = step(encoded, batch)
    compiled = tf.function(step, jit_compile=True)(encoded, batch)
    assert len(plain) == 1 + len(variables)
    for one, other in zip(plain, compiled, strict=True):
        assert np.isfinite(one).all()
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", _HEADS)
def test_padding_changes_nothing(name):
    make, settings = _HEADS[name]
    head = _head(make, **settings)
    encoded, batch = _batch()
    outputs = head(encoded, batch)
    longer = {
        k: tf.pad(v, [[0, 0], [0, 5]]) if len(v.shape) == 2 else v
        for k, v in batch.items()
    }
    sequence = tf.pad(
        encoded.sequence_output, [[0, 0], [0, 5], [0, 0]], constant_values=9
    )
    padded = head(Encoded(sequence), longer)
    np.testing.assert_array_equal(padded["tags"][:, :12], outputs["tags"])
    np.testing.assert_allclose(
        head.log_likelihood(padded, longer),
        head.log_likelihood(outputs, batch),
        rtol=1e-6,
    )


def test_the_variables_have_names_that_last():
    names = {
        name: [v.path for v in _head(make, **settings).trainable_variables]
        for name, (make, settings) in _HEADS.items()
    }
    assert sorted(names["crf"]) == [
        "crf/end",
        "crf/start",
        "crf/transitions",
        "output_bias",
        "output_weights",
    ]
    lstm = {
        f"lstm/{direction}/lstm_cell/{name}"
        for direction in ("forward", "backward")
        for name in ("kernel", "recurrent_kernel", "bias")
    }
    assert {*names["bilstm_crf"]} == {*names["crf"]} | lstm


def test_the_same_seed_gives_the_same_weights():
    one, same, other = (
        _head(crf.BilstmCrfHead, seed, lstm_size=7) for seed in (1, 1, 2)
    )
    for a, b in zip(one.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    kernels = [v.numpy() for v in one.trainable_variables if "kernel" in v.path]
    assert (kernels[0] != other.get_weights()[0]).any()
    assert (kernels[0] != kernels[2]).any()
    # Kernels keep the variance of what they are multiplied with.
    assert abs(kernels[0].std() * tiny.WIDTH**0.5 - 0.88) < 0.1


def test_two_lstms_are_those_of_keras_one_above_the_other():
    ours = crf.BilstmHead(
        tiny.config(), initializers.TruncatedNormal(0.02, 1), 5, None, 7, 2
    )
    paths = [v.path for v in ours.trainable_variables]
    assert "lstm_1/backward/lstm_cell/kernel" in paths
    encoded, batch = _batch()
    sequence, mask = encoded.sequence_output, batch["input_mask"]
    for lstm in ours.lstms:
        theirs = keras.layers.Bidirectional(
            keras.layers.LSTM(7, return_sequences=True)
        )
        theirs.build(sequence.shape)
        weights = [v for d in lstm.directions for v in d.trainable_variables]
        for to, of in zip(theirs.trainable_variables, weights, strict=True):
            to.assign(of)
        sequence = theirs(sequence, mask=tf.cast(mask, bool))
    wanted = sequence @ tf.transpose(ours.head.output_weights.value)
    is_token = mask.numpy()[..., None]
    np.testing.assert_allclose(
        ours(encoded, batch)["logits"] * is_token,
        (wanted + ours.head.output_bias.value) * is_token,
        atol=1e-6,
    )


def test_the_lstm_is_that_of_keras_in_both_directions():
    ours = recurrent.Bilstm(
        tiny.config(), initializers.TruncatedNormal(0.02, 1), 7
    )
    theirs = keras.layers.Bidirectional(
        keras.layers.LSTM(7, return_sequences=True)
    )
    encoded, batch = _batch()
    sequence, mask = encoded.sequence_output, batch["input_mask"]
    theirs.build(sequence.shape)
    weights = [v for d in ours.directions for v in d.trainable_variables]
    for to, of in zip(theirs.trainable_variables, weights, strict=True):
        to.assign(of)
    is_token = mask.numpy()[..., None]
    np.testing.assert_allclose(
        ours(sequence, mask) * is_token,
        theirs(sequence, mask=tf.cast(mask, bool)) * is_token,
        atol=1e-6,
    )

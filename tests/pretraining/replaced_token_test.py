"""ELECTRA's objective: its shapes, its samples, its labels, its numbers."""

import collections
import math
import pathlib

import numpy as np
import pytest
import tensorflow as tf

from modeling import families
from modeling.electra import generator_of
from pretraining import config, objectives, replaced_token
from tests import tiny
from training import gradients, step

_CONFIGS = pathlib.Path(__file__).parents[2] / "configs"


def _objective(**changes):
    architecture = tiny.config("electra", **changes)
    return replaced_token.ReplacedToken(
        architecture,
        generator_of(architecture, 0.5, 0.5),
        disc_weight=50.0,
        seed=1,
    )


def _constants(batch):
    return {name: tf.constant(value) for name, value in batch.items()}


@pytest.mark.parametrize(
    ("name", "share", "wanted"),
    [
        # Width, heads and inner width; Clark et al. 2020, table 6.
        ("small", 0.25, (64, 1, 256, 128)),
        ("small", 1.0, (256, 4, 1024, 128)),
        ("base", 0.33333, (256, 4, 1024, 768)),
        ("large", 0.25, (256, 4, 1024, 1024)),
    ],
)
def test_generators_have_the_published_shapes(name, share, wanted):
    text = (_CONFIGS / f"electra_{name}.json").read_text()
    large = families.read_config(text, name)
    small = generator_of(large, share, 1.0)
    assert wanted == (
        small.hidden_size,
        small.num_attention_heads,
        small.intermediate_size,
        small.embedding_size,
    )
    assert small.num_hidden_layers == large.num_hidden_layers
    assert generator_of(large, share, 0.5).num_hidden_layers * 2 == (
        large.num_hidden_layers
    )


def test_both_networks_have_the_same_embeddings():
    objective = _objective()
    assert objective.generator.embeddings is objective.encoder.embeddings
    paths = [x.path for x in objective.saved]
    assert sum("embeddings/" in path for path in paths) == 5
    beginnings = {path.split("/")[0] for path in paths}
    assert beginnings == {
        "electra",
        "discriminator_predictions",
        "generator",
        "cls",
    }


def test_a_word_is_sampled_as_often_as_it_is_likely():
    batch = tiny.batch(4_000)
    logits = np.random.default_rng(0).normal(0, 2, 11).astype(np.float32)
    noise = replaced_token.noise(_constants(batch), 11, seed=3)
    drawn = np.asarray(noise + logits).argmax(-1).ravel()
    shares = np.exp(logits) / np.exp(logits).sum()
    found = np.bincount(drawn, minlength=11)
    deviation = (found - shares * drawn.size) / np.sqrt(
        drawn.size * shares * (1 - shares)
    )
    # Rows of equal contents would draw alike; 16,000 draws, 11 words.
    assert np.abs(deviation).max() < 4.5
    assert np.isfinite(noise).all()


def test_noise_depends_on_what_stands_in_a_row_and_on_nothing_else():
    batch = tiny.batch(6)
    whole = np.asarray(replaced_token.noise(_constants(batch), 7, seed=3))
    order = [4, 1, 5]
    some = {name: value[order] for name, value in batch.items()}
    part = np.asarray(replaced_token.noise(_constants(some), 7, seed=3))
    # A logarithm may be rounded otherwise at the end of an array.
    np.testing.assert_allclose(part, whole[order], atol=1e-6)
    other = np.asarray(replaced_token.noise(_constants(batch), 7, seed=4))
    assert (other != whole).mean() > 0.99
    # The same text with another mask.
    batch["masked_lm_ids"][0, 0] += 1
    changed = np.asarray(replaced_token.noise(_constants(batch), 7, seed=3))
    assert (changed[0] != whole[0]).mean() > 0.9
    np.testing.assert_allclose(changed[1:], whole[1:], atol=1e-6)


def test_words_are_put_in_at_the_masks_and_right_ones_are_no_fakes():
    batch = tiny.batch(9)
    words = np.random.default_rng(1).integers(1, tiny.VOCAB_SIZE, (9, 4))
    words[::2, 0] = batch["masked_lm_ids"][::2, 0]
    ids, is_replaced = replaced_token.put_in(
        tf.constant(words.astype(np.int32)), _constants(batch)
    )
    wanted, labels = batch["input_ids"].copy(), np.zeros((9, 16), bool)
    for row, slot in np.argwhere(batch["masked_lm_weights"]):
        place = batch["masked_lm_positions"][row, slot]
        wanted[row, place] = words[row, slot]
        was = batch["masked_lm_ids"][row, slot]
        labels[row, place] = words[row, slot] != was
    np.testing.assert_array_equal(ids, wanted)
    np.testing.assert_array_equal(is_replaced, labels)
    assert 0 < labels.sum() < batch["masked_lm_weights"].sum()


def _exact(logits, labels, weights):
    """The numbers of the discriminator, counted token by token."""
    counts = collections.Counter()
    pairs = [[], []]
    for logit, label, weight in zip(
        *(x.ravel() for x in (logits, labels, weights)), strict=True
    ):
        if weight:
            counts[bool(label), bool(logit > 0)] += 1
            pairs[int(label)].append(logit)
    hits, misses = counts[True, True], counts[True, False]
    false, right = counts[False, True], counts[False, False]
    above = np.subtract.outer(*pairs[::-1])
    num_tokens = sum(counts.values())
    return {
        "disc_accuracy": (hits + right) / num_tokens,
        "disc_precision": hits / (hits + false),
        "disc_recall": hits / (hits + misses),
        "disc_auc": (above > 0).mean(),
        "replaced_rate": (hits + misses) / num_tokens,
    }


@pytest.mark.parametrize("shift", [0.0, 1.5])
def test_the_numbers_are_those_of_counting(shift):
    rng = np.random.default_rng(0)
    labels = rng.random((40, 50)) < 0.15
    weights = rng.random((40, 50)) < 0.9
    logits = rng.normal(-1, 2, (40, 50)) + shift * labels
    logits = logits.astype(np.float32)
    terms = replaced_token._disc_terms(
        tf.constant(logits),
        tf.constant(labels),
        tf.constant(weights.astype(np.float32)),
        1.0,
    )
    totals = step.Totals(terms, {"disc_auc": 200})
    for _ in range(2):
        totals.add(gradients.sums_of(terms))
    sums = totals.read()
    found = {
        name: numerator / denominator
        for name, (numerator, denominator) in sums.items()
        if name != "disc_auc"
    }
    found["disc_auc"] = replaced_token.area_under_curve(*sums["disc_auc"])
    for name, value in _exact(logits, labels, weights).items():
        wanted = pytest.approx(value, abs=2e-3 if name == "disc_auc" else 1e-6)
        assert found[name] == wanted, name
    assert (found["disc_auc"] > 0.6) == bool(shift)


def test_an_area_of_nothing_is_no_error():
    nothing, some = np.zeros(4), np.array([0.0, 3, 0, 1])
    assert replaced_token.area_under_curve(nothing, some) == 0
    assert replaced_token.area_under_curve(some, np.eye(4)[0]) == 1


def test_the_weight_and_padding_count_as_they_should():
    objective = _objective(hidden_dropout_prob=0.0)
    batch = tiny.batch(6)
    padded = {
        name: np.concatenate([value, np.zeros_like(value[:2])])
        for name, value in batch.items()
    }
    found = []
    for rows in (batch, padded):
        totals = step.Totals(objective.term_names, objective.term_lengths)
        terms = objective.compute_terms(_constants(rows), None)
        totals.add(gradients.sums_of(terms))
        found.append(objective.metrics(totals.read()))
    assert found[0] == pytest.approx(found[1], rel=1e-5)
    metrics = found[0]
    assert metrics["loss"] == pytest.approx(
        metrics["masked_lm_loss"] + 50 * metrics["disc_loss"]
    )
    num_tokens = batch["input_mask"].sum()
    assert float(terms["disc_loss"].denominator) == num_tokens
    # A discriminator that has learned nothing.
    assert metrics["disc_loss"] == pytest.approx(math.log(2), abs=0.05)


def test_the_shared_embeddings_are_dropped_out_twice_otherwise():
    objective = _objective(hidden_dropout_prob=0.5)
    seen = []
    call = objective.encoder.embeddings.call

    def spy(*args, **options):
        seen.append(options["dropout_seed"])
        return call(*args, **options)

    objective.encoder.embeddings.call = spy
    objective.compute_terms(_constants(tiny.batch(2)), tf.constant(7))
    assert len(seen) == 2 and int(seen[0]) != int(seen[1])


def _settings(**changes):
    return config.PretrainingConfig(
        **{
            "input_file": "a",
            "bert_config_file": "b.json",
            "output_dir": "c",
            "do_train": True,
        }
        | changes
    )


def test_what_does_not_go_together_is_refused():
    for name, value in (
        ("generator_hidden_size", 0.5),
        ("generator_layers", 0.5),
        ("disc_weight", 25.0),
    ):
        with pytest.raises(ValueError, match=f"--{name}=.* has no effect"):
            _settings(**{name: value})
    replaced = _settings(objective="replaced_token")
    with pytest.raises(ValueError, match="b.json is of the family bert, which"):
        objectives.make(replaced, tiny.config(), "none")
    wide = tiny.config("electra", hidden_size=200, num_attention_heads=1)
    wider = _settings(objective="replaced_token", generator_hidden_size=1.0)
    with pytest.raises(ValueError, match="^--generator_hidden_size=1 of the h"):
        objectives.make(wider, wide, "none")
    with pytest.raises(ValueError, match="^--stages with 1 of 2 layers"):
        _objective().compute_terms_of(1)

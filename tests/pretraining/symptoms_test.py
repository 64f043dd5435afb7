"""Guessers are told from models that have learned something."""

import math

import keras
import numpy as np
import pytest

from data import config as data_config
from data.feeding import input_pipeline, record_files
from pretraining import config, symptoms
from tests import tiny


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """Records, a config, and how to parse the former by the latter."""
    path = tiny.write_records(
        tmp_path_factory.mktemp("records") / "train.tfrecord", 300
    )
    files = record_files.find(path)
    parse = input_pipeline.parser(
        files,
        data_config.MaskingConfig(max_predictions_per_seq=tiny.NUM_PREDICTIONS),
        max_seq_length=tiny.NUM_TOKENS,
        vocab_size=tiny.VOCAB_SIZE,
        seed=1,
    )
    settings = config.PretrainingConfig(
        bert_config_file="",
        input_file=path,
        output_dir="",
        do_train=True,
        num_warmup_steps=2_000,
    )
    return settings, files, parse


def test_the_baselines_are_those_of_the_labels(watched):
    _, files, parse = watched
    entropy, share = symptoms.guesses(files, parse, 1)
    batch = tiny.batch(300)
    # 100 words, evenly drawn: their entropy is known.
    assert entropy == pytest.approx(math.log(100), abs=0.05)
    labels = batch["next_sentence_labels"].mean()
    assert share == pytest.approx(max(labels, 1 - labels), abs=0.03)
    is_masked = batch["masked_lm_weights"] > 0
    counts = np.bincount(batch["masked_lm_ids"][is_masked])
    shares = counts[counts > 0] / counts.sum()
    assert entropy >= -(shares * np.log(shares)).sum() - 0.01


def _look(watched, caplog, reports):
    caplog.set_level("INFO")
    found = symptoms.Symptoms(*watched)
    messages = []
    for step, loss, accuracy in reports:
        caplog.clear()
        found.look(
            step,
            {"masked_lm_loss": loss, "next_sentence_accuracy": accuracy},
        )
        messages.append(" ".join(caplog.messages))
    return messages


def test_a_guesser_is_named_after_the_warm_up_and_when_steps_have_doubled(
    watched, caplog
):
    early, first, between, again = _look(
        watched,
        caplog,
        [(1900, 5, 0.5), (2000, 5, 0.5), (3000, 5, 0.5), (4000, 5, 0.5)],
    )
    assert early == between == ""
    for said in (first, again):
        assert "SICK RUN? masked_lm_loss 5.000" in said
        assert "SICK RUN? next_sentence_accuracy 0.500" in said


@pytest.mark.parametrize("rate", [0.05, 0.12])
def test_a_discriminator_that_goes_by_the_share_alone_is_named(
    watched, caplog, rate
):
    # Of always giving the logit of the share, by TensorFlow.
    labels = np.arange(100) < 100 * rate
    guess = np.full(100, rate, np.float32)
    loss = float(keras.losses.binary_crossentropy(labels, guess))
    for better, is_named in ((-0.001, True), (0.02, False)):
        caplog.clear()
        numbers = {"disc_loss": loss - better, "replaced_rate": rate}
        found = symptoms.Symptoms(*watched)
        found.look(2000, {"masked_lm_loss": 1.0} | numbers)
        said = " ".join(caplog.messages)
        assert ("SICK RUN? disc_loss" in said) == is_named


def test_who_learns_pairs_or_words_is_not_called_sick_for_it(watched, caplog):
    (said,) = _look(watched, caplog, [(2000, 4.0, 0.5)])
    assert "is below 4.6" in said
    assert "SICK RUN? masked" not in said and "SICK RUN? next" in said
    (said,) = _look(watched, caplog, [(2000, 4.7, 0.7)])
    assert "SICK RUN? masked" in said and "SICK RUN? next" not in said


def test_steps_that_were_all_skipped_say_nothing(watched, caplog):
    found = symptoms.Symptoms(*watched)
    found.look(5000, {"skipped_steps": 10})
    assert not caplog.messages

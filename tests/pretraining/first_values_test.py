"""The output bias begins at the log frequency of the words."""

import dataclasses
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from data import token_counts
from data.feeding import input_pipeline, record_files
from pretraining import config, first_values
from tests import tiny
from tests.data import built
from tests.pretraining import tiny_job
from text import vocab

_BIAS = first_values.OUTPUT_BIAS
_LENGTH = 64
# A rate at which a run stays where it begins.
_NO_RATE = 1e-30


@pytest.fixture(scope="module", params=["static", "dynamic"])
def directory(tmp_path_factory, request):
    """Records of the samples, with a model of their vocabulary."""
    path = tmp_path_factory.mktemp(request.param)
    built.build_only(
        path,
        masking=request.param,
        pair_task="none",
        max_seq_length=_LENGTH,
        max_predictions_per_seq=10,
    )
    vocab_size = len(vocab.load(str(path / "vocab.txt")))
    (path / "bert.json").write_text(
        json.dumps(
            tiny.CONFIG
            | {
                "num_hidden_layers": 1,
                "max_position_embeddings": _LENGTH,
                # Rows that no record has: they are rare, not impossible.
                "vocab_size": vocab_size + 5,
            }
        )
    )
    return path


def _run(directory, output, **settings):
    defaults = {
        "input_file": str(directory / "records"),
        "max_seq_length": _LENGTH,
        "max_predictions_per_seq": 10,
        "use_nsp": False,
        "output_bias_init": "frequency",
        "learning_rate": _NO_RATE,
        "train_batch_size": 32,
        "num_train_steps": 20,
        "save_checkpoints_steps": 10,
    }
    return tiny_job.run(directory, output, **defaults | settings)


def _entropy(counts):
    shares = counts[counts > 0] / counts.sum()
    return -(shares * np.log(shares)).sum()


def test_the_first_loss_is_the_entropy_of_the_words(directory, caplog):
    caplog.set_level("INFO")
    _run(directory, "frequency")
    assert "words of the records' text" in caplog.text
    (files,) = record_files.find(str(directory / "records"))
    config_file = json.loads((directory / "bert.json").read_text())
    vocab_size = config_file["vocab_size"]
    counts = token_counts.of_manifests([files.manifest], vocab_size)
    shares = (counts + 0.5) / (counts + 0.5).sum()
    bias = tiny_job.tensors(directory / "frequency", 20)[_BIAS]
    assert np.exp(bias) == pytest.approx(shares, rel=1e-5)
    loss = tiny_job.metrics(directory / "frequency")[0]["masked_lm_loss"]
    # What is masked in some records has another entropy than all the text.
    assert loss == pytest.approx(_entropy(counts), abs=0.05)
    assert loss < np.log(vocab_size) - 1


def test_a_run_that_goes_on_does_not_begin_again(directory, caplog):
    caplog.set_level("INFO")
    if not (directory / "frequency").exists():
        _run(directory, "frequency")
    goes_on = directory / "goes_on"
    shutil.copytree(directory / "frequency", goes_on)
    for path in goes_on.glob("model.ckpt-20.*"):
        path.unlink()
    caplog.clear()
    _run(directory, "goes_on")
    assert "resumed at step 10" in caplog.text
    assert "log frequency" not in caplog.text
    once, again = (
        tiny_job.tensors(directory / name, 20)
        for name in ("frequency", "goes_on")
    )
    assert all(np.array_equal(once[name], again[name]) for name in once)


def test_without_counts_masked_words_are_counted(directory):
    (file,) = record_files.find(str(directory / "records"))
    bare = dataclasses.replace(
        file.manifest,
        shards=[
            dataclasses.replace(shard, token_counts=None)
            for shard in file.manifest.shards
        ],
    )
    parse = input_pipeline.parser(
        [file],
        config.MaskingConfig(max_predictions_per_seq=10),
        max_seq_length=_LENGTH,
        vocab_size=file.facts.vocab_size,
        seed=1,
    )
    values = []
    for one, said in (
        (file, "of the records' text"),
        (file._replace(manifest=bare), "as a manifest has no counts"),
    ):
        bias = tf.Variable(tf.zeros(file.facts.vocab_size))
        assert said in first_values.set_output_bias(bias, [one], parse, 1)
        values.append(bias.numpy())
    # A sample of the same words.
    assert np.corrcoef(np.exp(values))[0, 1] > 0.95


def test_labels_of_records_of_others_are_counted_by_weight(tmp_path):
    tiny.write_records(tmp_path / "records", 22, seed=3)
    files = record_files.find(str(tmp_path / "records"))
    parse = input_pipeline.parser(
        files,
        config.MaskingConfig(max_predictions_per_seq=tiny.NUM_PREDICTIONS),
        max_seq_length=tiny.NUM_TOKENS,
        vocab_size=tiny.VOCAB_SIZE,
        seed=1,
    )
    batch = tiny.batch(22, seed=3)
    wanted = np.bincount(
        batch["masked_lm_ids"][batch["masked_lm_weights"] > 0],
        minlength=tiny.VOCAB_SIZE,
    )
    counts, num_records = first_values._masked_words(
        files, parse, 1, tiny.VOCAB_SIZE
    )
    assert num_records == 22
    assert counts.tolist() == wanted.tolist()


@pytest.mark.parametrize(
    "name, value",
    [("output_bias_init", "frequency"), ("position_init", "sinusoidal")],
)
def test_they_do_not_go_with_weights_from_elsewhere(name, value):
    with pytest.raises(ValueError, match=f"--{name}={value} has no effect"):
        config.PretrainingConfig(
            input_file="a",
            output_dir="b",
            bert_config_file="c",
            do_train=True,
            init_checkpoint="d",
            **{name: value},
        )


@pytest.mark.parametrize("width", [8, 9])
def test_among_sinusoids_a_neighbour_is_the_same_turn_away(width):
    waves = first_values.sinusoids(512, width).astype(float)
    if width % 2:
        # Its cosine is not there.
        waves = np.delete(waves, width // 2, axis=1)
    turn, *_ = np.linalg.lstsq(waves[:100], waves[1:101], rcond=None)
    np.testing.assert_allclose(waves[:-1] @ turn, waves[1:], atol=1e-5)
    assert np.sqrt(np.mean(waves**2)) == pytest.approx(0.05, rel=0.01)
    # No two of them are near each other.
    apart = np.linalg.norm(waves[:, None] - waves, axis=-1)
    assert apart[~np.eye(512, dtype=bool)].min() > 1e-3


def test_a_run_begins_with_sinusoids(directory, caplog):
    caplog.set_level("INFO")
    _run(directory, "sinusoids", position_init="sinusoidal", num_train_steps=1)
    table = tiny_job.tensors(directory / "sinusoids", 1)[
        "bert/embeddings/position_embeddings"
    ]
    wanted = first_values.sinusoids(*table.shape)
    np.testing.assert_allclose(table, wanted, atol=1e-6)
    assert "positions at sinusoids" in caplog.text

"""The same sequences, packed and one to a record, train the same model."""

import json

import numpy as np
import pytest
import tensorflow as tf

from data.config import MaskingConfig
from data.feeding import input_pipeline, record_files
from pretraining import config, masked_lm, train
from tests import project, tiny
from tests.data import built

LENGTH, MOST, N = 96, 16, 7
BUILD = {
    "max_seq_length": LENGTH,
    "max_predictions_per_seq": MOST,
    "dupe_factor": 2,
}
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """Records of one build, packed and plain, and a model for them."""
    directory = tmp_path_factory.mktemp("packed")
    # Pairs of lines of uneven lengths, a document each.
    lines = [line for line in project.sample_lines() if len(line) > 30]
    lines = [line[: 5 + 7 * k % 25] for k, line in enumerate(lines)]
    pairs = ["\n".join(lines[k : k + 2]) for k in range(0, 160, 2)]
    (directory / "text").write_text("\n\n".join(pairs), encoding="utf-8")
    for name, pack_sequences in ("plain", 0), ("packed", N):
        built.build_only(
            directory,
            input_file=str(directory / "text"),
            output_file=str(directory / name),
            pack_sequences=pack_sequences,
            **BUILD,
        )
    shape = tiny.CONFIG | {
        "vocab_size": len(project.sample_vocabulary()) + 5,
        "max_position_embeddings": LENGTH,
        "num_hidden_layers": 1,
    }
    (directory / "bert.json").write_text(json.dumps(shape))
    return directory


def batches(path, vocab_size, batch_size):
    files = record_files.find(str(path))
    parse = input_pipeline.parser(
        files,
        MaskingConfig(max_predictions_per_seq=MOST),
        max_seq_length=LENGTH,
        vocab_size=vocab_size,
        seed=1,
    )
    return input_pipeline.evaluation_batches(
        files, parse=parse, batch_size=batch_size
    )


def loss_and_gradients(objective, batch):
    """The training loss of a batch, its terms, and {name: gradient}."""
    with tf.GradientTape() as tape:
        terms = objective.compute_terms(batch, None)
        loss = sum(
            term.numerator / (term.denominator + term.epsilon)
            for term in terms.values()
            if term.in_loss
        )
    names = [variable.path for variable in objective.saved]
    gradients = tape.gradient(loss, [v.value for v in objective.saved])
    return loss, terms, dict(zip(names, gradients, strict=True))


@pytest.mark.parametrize("use_nsp", [True, False])
def test_loss_and_gradients_are_those_of_the_sequences_one_by_one(
    directory, use_nsp
):
    shape = json.loads((directory / "bert.json").read_text())
    bert = tiny.config(**shape | NO_DROPOUT | {"num_hidden_layers": 2})
    objective = masked_lm.MaskedLm(bert, use_nsp=use_nsp, seed=3)
    # Positions that differ more than the first weights do.
    for variable in objective.saved:
        if "embeddings" in variable.path and variable.shape.rank == 2:
            variable.assign(10 * variable.value)
    (file,) = record_files.find(str(directory / "packed"))
    counts = file.manifest.statistics
    results = {}
    for name, number in (
        ("plain", counts["num_sequences"]),
        ("packed", counts["num_records"]),
    ):
        # Rows that the records do not fill count nowhere.
        path = directory / name
        batch = next(iter(batches(path, bert.vocab_size, number + 3)))
        results[name] = loss_and_gradients(objective, batch)
    assert counts["num_sequences"] > 2 * counts["num_records"]
    loss, terms, gradients = results["packed"]
    plain_loss, plain_terms, plain_gradients = results["plain"]
    assert float(loss) == pytest.approx(float(plain_loss), abs=1e-5)
    assert terms.keys() == plain_terms.keys()
    for name, term in terms.items():
        assert float(term.denominator) == float(plain_terms[name].denominator)
        assert float(term.numerator) == pytest.approx(
            float(plain_terms[name].numerator), rel=1e-5
        )
    for name, gradient in gradients.items():
        wanted = plain_gradients[name]
        if wanted is None:
            assert gradient is None and not use_nsp
            continue
        np.testing.assert_allclose(
            tf.convert_to_tensor(gradient),
            tf.convert_to_tensor(wanted),
            atol=1e-5,
            err_msg=name,
        )
    if use_nsp:
        name = "next_sentence_loss"
        assert float(terms[name].denominator) == counts["num_sequences"]


def test_a_sequence_does_not_see_its_neighbours(directory):
    shape = json.loads((directory / "bert.json").read_text())
    bert = tiny.config(**shape)
    objective = masked_lm.MaskedLm(bert, use_nsp=True, seed=3)
    batch = next(iter(batches(directory / "packed", bert.vocab_size, 8)))

    def encode(batch):
        return objective.encoder(
            batch["input_ids"],
            batch["input_mask"],
            batch["segment_ids"],
            batch["next_sentence_positions"],
        )

    is_first = batch["input_mask"] == 1
    other = tf.random.stateless_uniform(
        is_first.shape, (1, 2), maxval=bert.vocab_size, dtype=tf.int32
    )
    changed = tf.where(is_first, batch["input_ids"], other)
    before = encode(batch)
    after = encode(batch | {"input_ids": changed})
    # The places without a sequence point at the first one.
    is_first_cls = batch["next_sentence_positions"] == 0
    for kept, moved, same in (
        (before.sequence_output, after.sequence_output, is_first),
        (before.pooled_output, after.pooled_output, is_first_cls),
    ):
        kept, moved = kept.numpy(), moved.numpy()
        rows = same.numpy()
        np.testing.assert_array_equal(kept[rows], moved[rows])
        assert (kept[~rows] != moved[~rows]).any(axis=-1).all()


@pytest.fixture(scope="module")
def job(directory):
    def run(output, records, **settings):
        defaults = {
            "bert_config_file": str(directory / "bert.json"),
            "input_file": str(directory / records),
            "eval_input_file": str(directory / records),
            "output_dir": str(directory / output),
            "max_seq_length": LENGTH,
            "max_predictions_per_seq": MOST,
            "do_eval": True,
            "train_batch_size": 8,
            "num_train_steps": 2,
            "num_warmup_steps": 1,
            "mixed_precision": "none",
        }
        return train.run(config.PretrainingConfig(**defaults | settings))

    return run


def test_a_run_needs_no_flag_and_evaluates_both_kinds_alike(
    job, directory, caplog
):
    caplog.set_level("INFO")
    packed = job("run", "packed", do_train=True)
    assert packed["global_step"] == 2
    (file,) = record_files.find(str(directory / "packed"))
    counts = file.manifest.statistics
    mean = counts["num_sequences"] / counts["num_records"]
    assert f"{mean:.2f} sequences a record" in caplog.text
    plain = job("run", "plain")
    assert packed == pytest.approx(plain, rel=1e-5)


def test_records_of_both_kinds_do_not_mix(job, directory):
    both = f"{directory / 'plain'},{directory / 'packed'}"
    with pytest.raises(ValueError, match="packed .*pack_sequences=7, but "):
        job("mixed", "plain", input_file=both, do_train=True)

"""What a teacher says of masked words, written into records once."""

import shutil

import numpy as np
import pytest
import tensorflow as tf
from scipy import special

from data import manifest
from data.feeding import input_pipeline, record_files
from data.manifest import FileSize, MadeFrom, Manifest
from pretraining import objectives, soft_targets
from pretraining.config import PretrainingConfig
from tests import tiny
from tests.pretraining import taught, tiny_job
from tools import add_teacher

_TEMPERATURE = 2.0
_LENGTHS = {
    "max_seq_length": tiny.NUM_TOKENS,
    "max_predictions_per_seq": tiny.NUM_PREDICTIONS,
}
_LEARNING = {
    "teacher_dir": None,
    "teacher_in_records": True,
    "restrict_ce_to_mask": True,
    "alpha_cos": 0.0,
}


@pytest.fixture
def job(tmp_path):
    """A job whose records have manifests, in folders of their own."""
    taught.write_job(tmp_path, tiny.config(num_hidden_layers=1))
    for name in ("train", "eval"):
        folder = tmp_path / name
        folder.mkdir()
        path = folder / f"{name}.tfrecord"
        shutil.move(tmp_path / path.name, path)
        _write_manifest(path)
    return tmp_path


def _write_manifest(path, **changes):
    number = sum(1 for _ in tf.data.TFRecordDataset(str(path)))
    options = {"vocab_size": tiny.VOCAB_SIZE, **_LENGTHS} | changes
    found = Manifest(
        made_from=MadeFrom(),
        files={path.name: FileSize(number, path.stat().st_size)},
        **options,
    )
    manifest.write(f"{path}{manifest.SUFFIX}", found)


def _add(job, name="train", output=None, **changes):
    options = {
        "teacher_dir": taught.write_teacher(job),
        "input_file": str(job / name / f"{name}.tfrecord"),
        "output_dir": str(job / (output or f"taught_{name}")),
        "batch_size": 4,
        "mixed_precision": "none",
        "distillation_temperature": _TEMPERATURE,
        "top_k": 5,
    }
    return add_teacher.add(add_teacher.AddTeacherConfig(**options | changes))


def _settings(job, **changes):
    options = {
        "input_file": str(job / "taught_train/train.tfrecord"),
        "bert_config_file": str(job / "bert.json"),
        "output_dir": str(job / "output"),
        "do_train": True,
        "use_nsp": False,
        "objective": "distillation",
        "distillation_temperature": _TEMPERATURE,
        **_LENGTHS,
    }
    return PretrainingConfig(**options | changes)


def _batch(job, folder, with_teacher=True):
    files = record_files.find(str(job / folder / "train.tfrecord"))
    parse = input_pipeline.parser(
        files,
        _settings(job, **_LEARNING),
        max_seq_length=tiny.NUM_TOKENS,
        vocab_size=tiny.VOCAB_SIZE,
        seed=1,
        with_teacher=with_teacher,
    )
    batches = input_pipeline.evaluation_batches(
        files, parse=parse, batch_size=tiny_job.NUM_RECORDS
    )
    return next(iter(batches))


def test_records_keep_what_they_had_and_hold_the_likeliest_words(job):
    said = _add(job)
    assert "1 files, 22 records" in said and "shares are kept" in said
    before = _batch(job, "train", with_teacher=False)
    after = _batch(job, "taught_train")
    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value, err_msg=name)
    live = objectives.make(
        _settings(job, teacher_dir=taught.write_teacher(job)),
        tiny.config(),
        "none",
    ).teacher
    rows = live.encode(before).sequence_output
    rows = tf.gather(rows, before["masked_lm_positions"], batch_dims=1)
    scorer = live.scorer(tf.reshape(rows, (-1, rows.shape[-1])))
    wanted = np.exp(scorer.log_shares(_TEMPERATURE))
    words = after["teacher_words"].numpy().reshape(-1, 5)
    shares = after["teacher_shares"].numpy().reshape(-1, 6)
    highest = np.sort(wanted, axis=1)[:, :-6:-1]
    np.testing.assert_allclose(shares[:, :5], highest, rtol=2**-8)
    others = 1 - highest.sum(axis=1)
    np.testing.assert_allclose(shares[:, 5], others, rtol=2**-8, atol=1e-6)
    of_words = np.take_along_axis(wanted, words, axis=1)
    np.testing.assert_allclose(of_words, highest, rtol=1e-6)


def test_with_all_words_the_loss_is_that_of_the_teacher_itself(job):
    _add(job, top_k=tiny.VOCAB_SIZE)
    batch = _batch(job, "taught_train")
    recorded, live = (
        objectives.make(_settings(job, **options), tiny.config(), "none")
        for options in (
            _LEARNING,
            _LEARNING
            | {
                "teacher_dir": taught.write_teacher(job),
                "teacher_in_records": False,
            },
        )
    )
    assert recorded.term_names == live.term_names
    found, wanted = (x.compute_terms(batch, None) for x in (recorded, live))
    for name in recorded.term_names:
        # Shares of 8 bits.
        assert float(found[name].numerator) == pytest.approx(
            float(wanted[name].numerator), rel=5e-3
        ), name
        assert found[name].weight == wanted[name].weight
    flops = [x.training_flops(16, 4) for x in (recorded, live)]
    assert flops[0] < flops[1]


def test_the_divergence_is_numpys_and_less_than_that_of_all_words():
    rng = np.random.default_rng(0)
    p, q = special.softmax(rng.normal(size=(2, 6, 30), scale=2), axis=-1)
    all_words = (p * np.log(p / q)).sum(axis=1)
    before = np.zeros(6)
    for number in (1, 4, 20, 30):
        words = np.argsort(-p, axis=1)[:, :number]
        kept = np.take_along_axis(p, words, axis=1)
        found = soft_targets.divergence_of_likeliest(
            tf.constant(np.log(q), tf.float32),
            tf.constant(words, tf.int32),
            tf.constant(np.c_[kept, 1 - kept.sum(axis=1)], tf.float32),
        ).numpy()
        others = [
            1 - np.take_along_axis(x, words, axis=1).sum(axis=1) for x in (p, q)
        ]
        wanted = (
            kept * np.log(kept / np.take_along_axis(q, words, axis=1))
        ).sum(axis=1)
        if number < 30:
            wanted += others[0] * np.log(others[0] / others[1])
        np.testing.assert_allclose(found, wanted, atol=1e-5)
        assert (found >= before - 1e-5).all()
        assert (found <= all_words + 1e-5).all()
        before = found


def test_a_run_learns_from_records_and_goes_on_bit_for_bit(job):
    for name in ("train", "eval"):
        _add(job, name)
    settings = _LEARNING | {
        "input_file": str(job / "taught_train/train.tfrecord"),
        "eval_input_file": str(job / "taught_eval/eval.tfrecord"),
        "do_eval": True,
    }
    del settings["teacher_dir"]
    results = taught.run(job, "trained", None, **settings)
    assert results["loss"] == pytest.approx(
        5 * results["distillation_loss"] + 2 * results["masked_lm_loss"]
    )
    wanted, found = taught.tensors_of_a_stopped_run(job, None, **settings)
    assert found.keys() == wanted.keys()
    for name, tensor in wanted.items():
        np.testing.assert_array_equal(found[name], tensor)


def test_what_was_stopped_goes_on_and_other_flags_are_refused(job):
    second = job / "train" / "more.tfrecord"
    shutil.copy(job / "train/train.tfrecord", second)
    _write_manifest(second)
    both = {"input_file": str(job / "train/*.tfrecord")}
    _add(job, **both)
    wanted = {x.name: x.read_bytes() for x in (job / "taught_train").iterdir()}
    assert len(wanted) == 3
    # As if it was killed within the second file.
    _add(job, output="stopped", **both)
    stopped = job / "stopped"
    (stopped / "train.tfrecord").unlink()
    (stopped / "train.tfrecord.unfinished").write_bytes(b"half")
    for path in stopped.glob(f"*{manifest.SUFFIX}"):
        path.unlink()
    with pytest.raises(ValueError, match="stopped is not empty"):
        _add(job, output="stopped", **both)
    _begin_again(job, stopped, **both)
    found = {x.name: x.read_bytes() for x in stopped.iterdir()}
    assert found == wanted


def _begin_again(job, stopped, **both):
    """Goes on with what a killed program leaves beside its files."""
    begun = {}

    def keep(directory, what):
        begun.update(what)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(add_teacher, "_begin", keep)
        patched.setattr(add_teacher.file_io, "remove", lambda path: None)
        (stopped / "train.tfrecord").touch()
        _add(job, output="stopped", **both)
    (stopped / "train.tfrecord").unlink()
    for path in stopped.glob(f"*{manifest.SUFFIX}"):
        path.unlink()
    add_teacher.json_files.write(str(stopped / "add_teacher.json"), begun)
    with pytest.raises(ValueError, match="begun with another teacher"):
        _add(job, output="stopped", top_k=4, **both)
    _add(job, output="stopped", **both)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"masking": "dynamic"}, "was built with --masking=dynamic, and is"),
        ({"vocab_size": 9999}, "has vocab_size=101, the records 9999"),
        ({"max_seq_length": 999}, "=999 is more than the 16 positions of"),
    ],
)
def test_records_that_it_cannot_read_are_refused(job, changes, message):
    _write_manifest(job / "train/train.tfrecord", **changes)
    with pytest.raises(ValueError, match=message):
        _add(job)


def test_records_without_a_manifest_or_with_a_teacher_are_refused(job):
    _add(job)
    taught_ones = {"input_file": str(job / "taught_train/*.tfrecord")}
    with pytest.raises(ValueError, match="the words of a teacher already"):
        _add(job, output="again", **taught_ones)
    with pytest.raises(ValueError, match="--top_k=999 is more than the 101"):
        _add(job, output="again", top_k=999)
    (job / f"train/train.tfrecord{manifest.SUFFIX}").unlink()
    with pytest.raises(ValueError, match="has no manifest beside it"):
        _add(job, output="again")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"distillation_temperature": 3.0}, "at a temperature of 2, but"),
        ({"do_eval": True}, "eval.tfrecord; see tools.add_teacher"),
        ({"alpha_cos": 1.0}, "set --restrict_ce_to_mask and --alpha_cos=0"),
        ({"restrict_ce_to_mask": False}, "set --restrict_ce_to_mask and"),
        ({"teacher_dir": "x"}, "--teacher_dir and --teacher_in_records are"),
        ({"objective": "masked_lm"}, "has no effect with --objective=masked"),
    ],
)
def test_trainings_that_cannot_learn_from_records_are_refused(
    job, changes, message
):
    _add(job)
    settings = _LEARNING | {
        "input_file": str(job / "taught_train/train.tfrecord"),
        "eval_input_file": str(job / "eval/eval.tfrecord"),
    }
    with pytest.raises(ValueError, match=message):
        taught.run(job, "trained", **settings | changes)

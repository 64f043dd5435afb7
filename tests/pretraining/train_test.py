"""Runs of the whole job, in this process."""

import functools
import json

import numpy as np
import pytest
import tensorflow as tf

from data.building import build
from tests import tiny
from tests.data import built, unmasked
from tests.pretraining import tiny_job


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    directory = tmp_path_factory.mktemp("job")
    tiny_job.write_inputs(directory)
    return directory


@pytest.fixture(scope="module")
def job(directory):
    """Returns a function that runs a job in `directory`."""
    return functools.partial(tiny_job.run, directory)


@pytest.fixture(scope="module")
def trained(job, directory):
    """Returns the output of a run that nothing has stopped."""
    job("trained")
    return directory / "trained"


def test_a_finished_run_prints_its_arithmetic_and_does_nothing(
    job, trained, caplog
):
    before = {p: p.stat().st_mtime_ns for p in trained.iterdir()}
    caplog.set_level("INFO")
    job("trained")
    assert before == {p: p.stat().st_mtime_ns for p in trained.iterdir()}
    for line in (
        "devices: 1 CPU replica; matrices are multiplied in float32",
        "batch: 8 sequences = 1 x 8; 128 tokens a step",
        "length: 8 steps = 2.9 epochs of 22 records",
        f"resumed at step 8 from {trained / 'model.ckpt-8'}; 0 steps remain",
    ):
        assert line in caplog.messages


def test_evaluation_does_not_depend_on_the_batch_size(job, trained):
    small, large = (
        job("trained", do_eval=True, do_train=False, eval_batch_size=size)
        for size in (4, 16)
    )
    assert small == pytest.approx(large, rel=1e-5)
    lines = (trained / "eval_results.txt").read_text().splitlines()
    assert [line.split(" = ")[0] for line in lines] == [
        "global_step",
        "loss",
        "masked_lm_accuracy",
        "masked_lm_loss",
        "next_sentence_accuracy",
        "next_sentence_loss",
    ]
    assert lines[0] == "global_step = 8"


def test_a_run_starts_from_anothers_weights_but_not_its_step(
    job, directory, trained, caplog
):
    caplog.set_level("INFO")
    # At a rate of next to nothing the weights stay what they were.
    job(
        "second",
        init_checkpoint=str(trained),
        learning_rate=1e-30,
        do_eval=True,
        eval_input_file=None,
    )
    first, second = (
        tiny_job.tensors(trained, 8),
        tiny_job.tensors(directory / "second", 8),
    )
    for name in first:
        if not name.endswith(("adam_m", "adam_v")):
            assert np.array_equal(first[name], second[name]), name
    assert f"initialised from {trained}/model.ckpt-8; 8 steps" in caplog.text
    assert "EVALUATING ON THE TRAINING FILES" in caplog.text


def test_evaluation_without_a_checkpoint_says_what_to_set(job):
    with pytest.raises(ValueError, match="has no checkpoint; set"):
        job("none", do_train=False, do_eval=True)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"do_train": False}, "set --do_train"),
        ({"train_batch_size": 0}, "--train_batch_size must be positive"),
        ({"num_warmup_steps": -1}, "--num_warmup_steps must not be"),
        ({"eval_every_steps": -1}, "--eval_every_steps must not be"),
        ({"keep_best_metric": "loss"}, "set --eval_every_steps"),
        ({"bert_config_file": "/no.json"}, "--bert_config_file: no file"),
        ({"max_seq_length": 512}, "max_position_embeddings=16"),
        ({"max_seq_length": 8}, "max_seq_length=16, but --max_seq_length=8"),
        ({"input_file": "/nothing*"}, "--input_file: no file .*/nothing"),
        ({"init_checkpoint": "/no.ckpt"}, "--init_checkpoint=/no.ckpt"),
        ({"mask_unit": "span"}, "--mask_unit=span .*--masking=dynamic"),
        ({"masked_lm_prob": 0.2}, "--masked_lm_prob=0.2 .*no effect"),
        ({"masked_lm_prob": 1.2}, "--masked_lm_prob must be between"),
        ({"output": "/proc/nowhere"}, "--output_dir: /proc/nowhere"),
        ({"tpu_name": "grpc://127.0.0.1:1"}, "127.0.0.1:1.*--tpu_name"),
    ],
)
def test_a_wrong_setting_is_named_with_its_flag(job, settings, words):
    with pytest.raises((ValueError, ConnectionError), match=words):
        job(**{"output": "wrong"} | settings)


@pytest.fixture(scope="module")
def without_masks(directory):
    return unmasked.write(directory / "unmasked.tfrecord", 40)


def test_records_without_masks_are_masked_as_the_flags_say(
    job, without_masks, caplog
):
    caplog.set_level("INFO")
    results = job(
        "unmasked",
        input_file=without_masks,
        eval_input_file=None,
        do_whole_word_mask=True,
        mask_unit="ngram",
        random_words="no_specials",
        max_predictions_per_seq=7,
        masked_lm_prob=0.4,
        do_eval=True,
    )
    assert 0 < results["masked_lm_loss"] < 6
    assert (
        "records: pair task nsp; masks drawn anew every epoch: runs of 1 to 3 "
        "words, 40% of the tokens and at most 7, random words from no_specials"
    ) in caplog.messages
    assert "every Chinese character is a word of its own" in caplog.text


def test_masks_of_an_evaluation_depend_on_no_seed(job, without_masks):
    settings = {
        "input_file": without_masks,
        "eval_input_file": None,
        "init_checkpoint": None,
        "do_eval": True,
        "num_train_steps": 1,
        "learning_rate": 1e-30,
    }
    job("seeds", **settings)
    settings |= {"do_train": False, "eval_batch_size": 40}
    first, second = (job("seeds", **settings, seed=seed) for seed in (1, 2))
    assert first == second


def test_a_training_with_masks_may_be_evaluated_without_and_vice_versa(
    job, directory, without_masks
):
    for index, (train_on, evaluate_on) in enumerate(
        [
            (directory / "train.tfrecord", without_masks),
            (without_masks, directory / "eval.tfrecord"),
        ]
    ):
        assert job(
            f"mixed{index}",
            input_file=str(train_on),
            eval_input_file=str(evaluate_on),
            do_eval=True,
            num_train_steps=1,
            mask_unit="span",
        )


def test_what_records_without_masks_do_not_allow_is_named(
    job, directory, without_masks
):
    with pytest.raises(ValueError, match="--masking=static"):
        job("wrong", input_file=without_masks, mask_unit="macbert")
    single = unmasked.write(directory / "alone.tfrecord", 20, pair_task="none")
    with pytest.raises(ValueError, match=f"{single} .*--use_nsp=false"):
        job("wrong", input_file=single)
    job("single", input_file=single, use_nsp=False, num_train_steps=1)


@pytest.mark.parametrize("what", ["a bit", "an id", "a weight", "an example"])
def test_a_damaged_record_far_into_a_file_is_an_error_that_names_the_file(
    job, directory, what
):
    path = tiny.write_records(directory / "damaged", 30)
    rows = list(tf.data.TFRecordDataset(path).as_numpy_iterator())
    if what == "an id":
        rows[20] = _changed(rows[20], "input_ids", tiny.VOCAB_SIZE)
    elif what == "a weight":
        rows[20] = _changed(rows[20], "masked_lm_weights", float("nan"))
    elif what == "an example":
        rows[20] = b"\xff" * 90
    with tf.io.TFRecordWriter(path) as writer:
        for row in rows:
            writer.write(row)
    if what == "a bit":
        with open(path, "r+b") as file:
            file.seek(-100, 2)
            byte = file.read(1)[0]
            file.seek(-100, 2)
            file.write(bytes([byte ^ 4]))
    with pytest.raises(ValueError, match=f"^{path} is damaged") as raised:
        job("wrong", input_file=path, num_train_steps=10)
    assert "\n" not in str(raised.value) and "{{" not in str(raised.value)


def _changed(serialized, name, value):
    example = tf.train.Example.FromString(serialized)
    feature = example.features.feature[name]
    (feature.int64_list.value or feature.float_list.value)[3] = value
    return example.SerializeToString()


def test_a_build_without_masks_is_trained_on(job, tmp_path):
    settings = built.make_config(
        tmp_path, masking="dynamic", max_seq_length=tiny.NUM_TOKENS
    )
    manifest = build.build(settings)
    (tmp_path / "bert.json").write_text(
        json.dumps(tiny.CONFIG | {"vocab_size": manifest.vocab_size})
    )
    job(
        tmp_path / "out",
        bert_config_file=str(tmp_path / "bert.json"),
        input_file=settings.output_file,
        do_whole_word_mask=True,
        num_train_steps=2,
    )
    assert tiny_job.tensors(tmp_path / "out", 2)["global_step"] == 2

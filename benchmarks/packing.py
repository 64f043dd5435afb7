"""What --pack_sequences gains on a corpus: less padding, faster training.

Builds the same sequences one to a record and packed. With --bert_config_file it
also trains on both, in turns, and counts the sequences a second.

python -m benchmarks.packing --input_file=titles.txt --vocab_file=vocab.txt \\
    --pair_task=none --pack_sequences=16 \\
    --bert_config_file=configs/bert_tiny.json
"""

import contextlib
import dataclasses
import io
import os
import tempfile
import time

import tensorflow as tf
from absl import app, flags

from data import config as data_config
from data.building import build
from data.feeding import input_pipeline, record_files
from pretraining import config as pretraining_config
from pretraining import masked_lm, preflight, train
from training import precision
from training.trainer import Trainer

_INPUT_FILE = flags.DEFINE_string("input_file", None, "Text.", required=True)
_VOCAB_FILE = flags.DEFINE_string(
    "vocab_file", None, "Its vocabulary.", required=True
)
_PACK_SEQUENCES = flags.DEFINE_integer(
    "pack_sequences", 8, "Most sequences a record."
)
_MAX_SEQ_LENGTH = flags.DEFINE_integer("max_seq_length", 128, "Tokens.")
_MAX_PREDICTIONS = flags.DEFINE_integer(
    "max_predictions_per_seq", 20, "Most masked tokens."
)
_PAIR_TASK = flags.DEFINE_enum(
    "pair_task", "nsp", ["nsp", "sop", "none"], "What the segments are."
)
_SHORT_SEQ_PROB = flags.DEFINE_float(
    "short_seq_prob", 0.1, "Share of documents of short sequences."
)
_BERT_CONFIG_FILE = flags.DEFINE_string(
    "bert_config_file", None, "The shape of a model to train."
)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 32, "Records a step.")
_ROUNDS = flags.DEFINE_integer("rounds", 8, "Turns of each kind of records.")
_STEPS = flags.DEFINE_integer("steps", 2, "Steps a turn.")


def build_records(path, pack_sequences):
    """Builds records; returns what the manifest counts, and their number."""
    settings = data_config.BuildConfig(
        input_file=_INPUT_FILE.value,
        output_file=path,
        vocab_file=_VOCAB_FILE.value,
        pair_task=_PAIR_TASK.value,
        max_seq_length=_MAX_SEQ_LENGTH.value,
        max_predictions_per_seq=_MAX_PREDICTIONS.value,
        short_seq_prob=_SHORT_SEQ_PROB.value,
        pack_sequences=pack_sequences,
        dupe_factor=1,
    )
    with contextlib.redirect_stdout(io.StringIO()):
        counts = build.build(settings).statistics
    return {"num_sequences": counts["num_records"]} | counts


def trainer(path):
    """Returns a function that trains some steps, and waits for them."""
    settings = pretraining_config.PretrainingConfig(
        bert_config_file=_BERT_CONFIG_FILE.value,
        input_file=path,
        output_dir=os.path.dirname(path),
        max_seq_length=_MAX_SEQ_LENGTH.value,
        max_predictions_per_seq=_MAX_PREDICTIONS.value,
        train_batch_size=_BATCH_SIZE.value,
        use_nsp=_PAIR_TASK.value != "none",
        do_train=True,
    )
    files = record_files.find(path)
    vocab_size = files[0].facts.vocab_size
    bert = dataclasses.replace(
        preflight.read_bert_config(settings), vocab_size=vocab_size
    )
    parse = input_pipeline.parser(
        files,
        settings,
        max_seq_length=settings.max_seq_length,
        vocab_size=vocab_size,
        seed=1,
    )
    batches = input_pipeline.training_batches(
        files, parse=parse, batch_size=settings.train_batch_size, seed=1
    )
    devices = tf.distribute.get_strategy()
    objective = masked_lm.MaskedLm(
        bert,
        use_nsp=settings.use_nsp,
        seed=1,
        mixed_precision=precision.choose(None, devices),
    )
    trainer = Trainer(
        settings, devices, objective, train.make_schedule(settings), seed=1
    )
    run_steps = trainer.make_run_steps()
    iterator = iter(batches)

    def run(num_steps):
        run_steps(iterator, tf.constant(num_steps, tf.int64))
        trainer.totals.read()

    return run


def train_in_turns(paths):
    """Returns the seconds of a step on each file, in its fastest turn.

    Others on the machine can make a turn slower, and none faster.
    """
    trainers = [trainer(path) for path in paths]
    for run in trainers:
        run(2)
    seconds = [[] for _ in trainers]
    for _ in range(_ROUNDS.value):
        for run, spent in zip(trainers, seconds, strict=True):
            start = time.monotonic()
            run(_STEPS.value)
            spent.append((time.monotonic() - start) / _STEPS.value)
    return list(map(min, seconds))


def main(_):
    with tempfile.TemporaryDirectory() as folder:
        kinds = {"plain": 0, "packed": _PACK_SEQUENCES.value}
        paths = [os.path.join(folder, name) for name in kinds]
        counts = list(map(build_records, paths, kinds.values()))
        seconds = [None, None]
        if _BERT_CONFIG_FILE.value:
            seconds = train_in_turns(paths)
    print(f"{counts[0]['num_sequences']:,} sequences")
    for name, count, spent in zip(kinds, counts, seconds, strict=True):
        a_record = count["num_sequences"] / count["num_records"]
        line = (
            f"{name:<8}{count['num_records']:>9,} records, {a_record:6.2f} "
            f"sequences a record, {count['padding_rate']:6.1%} padding"
        )
        if spent:
            sequences = _BATCH_SIZE.value * a_record / spent
            line += (
                f", {1000 * spent:6.0f} ms a step, {sequences:7.1f} sequences "
                f"and {sequences * count['mean_tokens']:8,.0f} tokens a second"
            )
        print(line)


if __name__ == "__main__":
    app.run(main)

"""Turns record files into batches, in `tf.data` alone: any host can run it.

The order of the records is a function of (seed, epoch) and nothing else. Epochs
follow one another without a gap: record number n of a run is record
n mod num_records of epoch n // num_records, whatever was run before. Masks that
are drawn here are a function of the seed and of n.
"""

from collections.abc import Callable, Sequence

import tensorflow as tf

from data import records
from data.config import MaskingConfig
from data.feeding import dynamic_masking, endless, epochs
from data.feeding.record_files import RecordFile

# Of the numbers of records in the run, int64 [B], and of these serialized,
# string [B]: their features.
Parse = Callable[[tf.Tensor, tf.Tensor], dict[str, tf.Tensor]]

# How many records are shuffled together.
_WINDOW_RECORDS = 16_384


def parser(
    files: Sequence[RecordFile],
    masking: MaskingConfig,
    *,
    max_seq_length: int,
    vocab_size: int,
    seed: int,
    fall: dynamic_masking.Fall | None = None,
    with_teacher: bool = False,
) -> Parse:
    """Returns what makes batches of features of serialized records.

    Args:
        files: all static or all dynamic.
        masking: how to mask; of static records, how many masks there may be.
        max_seq_length: tokens of a sequence. Records without masks and pairs
            may have more: each gives a window of it, another one in each
            epoch, see `dynamic_rows`.
        vocab_size: how many token ids the model knows.
        seed: decides the masks of dynamic records.
        fall: where the share of their masks changes over the run.
        with_teacher: whether what `tools.add_teacher` wrote comes along.

    Returns:
        What gives the features of `records.PRETRAINING_FEATURES`, or
        `PACKED_FEATURES` where the files are packed.
        Values that no model can take are an error of the dataset.

    Raises:
        ValueError: the masks cannot be drawn here.
    """
    num_predictions = masking.max_predictions_per_seq
    pack_sequences = files[0].facts.pack_sequences
    if files[0].masking == "dynamic":
        parse = dynamic_masking.parse_fn(
            masking,
            max_seq_length=max_seq_length,
            manifest=files[0].facts,
            seed=seed,
            longest=max(
                file.facts.max_seq_length or max_seq_length for file in files
            ),
            num_records=sum(file.num_records for file in files),
            fall=fall,
            is_bare=files[0].is_bare,
        )
    else:
        parse_static = records.parse_fn(
            max_seq_length,
            num_predictions,
            pack_sequences,
            is_v2=files[0].is_v2,
            has_pairs=files[0].has_pairs,
            teacher=_teacher_of(files) if with_teacher else None,
        )

        def parse(
            numbers: tf.Tensor, serialized: tf.Tensor
        ) -> dict[str, tf.Tensor]:
            return parse_static(serialized)

    largest = {
        "input_ids": vocab_size - 1,
        "input_mask": max(1, pack_sequences),
        "segment_ids": 1,
        "masked_lm_positions": max_seq_length - 1,
        "masked_lm_ids": vocab_size - 1,
        "masked_lm_weights": 1,
        "next_sentence_positions": max_seq_length - 1,
        "next_sentence_labels": 1,
        "next_sentence_weights": 1,
        "teacher_words": vocab_size - 1,
        "teacher_shares": 1,
    }

    def parse_and_check(
        numbers: tf.Tensor, serialized: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        features = parse(numbers, serialized)
        for name, values in features.items():
            _check_range(name, values, largest[name])
        return features

    return parse_and_check


def _teacher_of(files):
    """Returns what `records.parse_fn` wants to know of a teacher."""
    taught = files[0].facts.teacher
    return taught.top_k, taught.vocab_size


def _check_range(name, values, largest):
    # Devices take such values in silence, and compute nonsense.
    tf.debugging.Assert(
        tf.reduce_all((values >= 0) & (values <= largest)),
        [f"a record has {name} outside 0 to {largest}"],
    )


def batches_of(
    rows: tf.data.Dataset, parse: Parse, batch_size: int
) -> tf.data.Dataset:
    """Returns a dataset of records, in order, as one of batches."""
    return (
        rows.enumerate()
        .batch(batch_size)
        .map(parse, num_parallel_calls=tf.data.AUTOTUNE)
    )


def training_batches(
    files: Sequence[RecordFile],
    *,
    parse: Parse,
    batch_size: int,
    seed: int,
    start_record: int = 0,
    context: tf.distribute.InputContext | None = None,
    window_records: int = _WINDOW_RECORDS,
) -> tf.data.Dataset:
    """Returns an endless dataset of the batches of one replica after another.

    Args:
        files: those of an epoch.
        parse: from `parser`.
        batch_size: records a step, over all replicas of all workers.
        seed: decides the order, together with the epoch.
        start_record: how many records a run has already seen.
        context: that of this worker, if there are several replicas.
        window_records: how many records are shuffled together.
    """
    num_records = sum(file.num_records for file in files)
    # A run that goes on begins inside an epoch, and at 0 in those that follow.
    first, offset = divmod(start_record, num_records)
    rows = tf.data.Dataset.range(first, tf.int64.max).flat_map(
        lambda epoch: epochs.records_from(
            files,
            tf.where(epoch == first, tf.constant(offset, tf.int64), 0),
            seed=tf.stack([tf.cast(seed, tf.int64), epoch]),
            window_records=window_records,
        )
    )
    rows = rows.enumerate(start_record)
    rows, per_replica = _share(rows, batch_size, context)
    return (
        rows.batch(per_replica, drop_remainder=True)
        .map(parse, num_parallel_calls=tf.data.AUTOTUNE)
        .apply(endless.ahead)
    )


def evaluation_batches(
    files: Sequence[RecordFile],
    *,
    parse: Parse,
    batch_size: int,
    context: tf.distribute.InputContext | None = None,
) -> tf.data.Dataset:
    """Returns a dataset of every record once, in order, then of zeros.

    A batch that the records do not fill has rows of zeros, which no real record
    is: its input_mask starts with a 1. Batches of such rows follow without end,
    so that all replicas can do the same number of steps. A record's number is
    its place in the files.
    """
    paths = [file.path for file in files]
    types = [file.compression for file in files]
    rows = tf.data.Dataset.from_tensor_slices((paths, types))
    rows = rows.flat_map(epochs.read).enumerate()
    rows, per_replica = _share(rows, batch_size, context)
    batches = (
        rows.batch(per_replica)
        .map(parse, num_parallel_calls=tf.data.AUTOTUNE)
        .map(lambda batch: _fill_up(batch, per_replica))
    )
    zeros = {
        name: tf.zeros(spec.shape, spec.dtype)
        for name, spec in batches.element_spec.items()
    }
    padding = tf.data.Dataset.from_tensors(zeros).repeat()
    return batches.concatenate(padding).apply(endless.ahead)


def _share(rows, batch_size, context):
    """Returns this worker's records of every batch, and a replica's number."""
    if context is None:
        return rows, batch_size
    num_workers = context.num_input_pipelines
    if num_workers > 1:
        # Each batch is cut into as many parts as there are workers, and each
        # takes its own: together they see the batches that one would see.
        rows = (
            rows.batch(batch_size // num_workers)
            .shard(num_workers, context.input_pipeline_id)
            .unbatch()
        )
    return rows, context.get_per_replica_batch_size(batch_size)


def _fill_up(batch, batch_size):
    def fill_up(tensor: tf.Tensor) -> tf.Tensor:
        missing = batch_size - tf.shape(tensor)[0]
        paddings = [[0, missing]] + [[0, 0]] * (tensor.shape.rank - 1)
        return tf.ensure_shape(
            tf.pad(tensor, paddings), (batch_size, *tensor.shape[1:])
        )

    return {name: fill_up(tensor) for name, tensor in batch.items()}

"""Reads the records of an epoch in its order, from any of them on.

Files are shuffled and read a few at a time, a record of each in turn, until all
of these have ended. What comes is cut into windows, and each is shuffled by
itself. With files of 3, 1 and 2 records and windows of 4:

    file a       a0 a1 a2
    file b       b0
    file c       c0 c1

    in turns     a0 b0 c0 | a1 c1 a2     "missing" is 1 in this epoch
    windows      .  a0 b0 c0 | a1 c1 a2
    shuffled        c0 a0 b0   c1 a2 a1

The first window lacks `missing` records, a number drawn for each epoch. So the
cuts move, and records that two windows part meet in another epoch.

A run that goes on at offset 4 of this epoch begins with window 1, as that is
(4 + 1) // 4. Its first record is number 1 * 4 - 1 = 3 in turns. By then each
file has given one record, and it is a's turn: `_places` finds that from the
numbers of records alone. The window is shuffled as before, and 4 - 3 = 1 record
of it is left out. Only the files that are read in this window are skipped
through.

Shapes: F files, C files at a time.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from data.feeding.record_files import RecordFile

FILES_AT_A_TIME = 4


def records_from(
    files: Sequence[RecordFile],
    offset: tf.Tensor,
    *,
    seed: tf.Tensor,
    window_records: int,
) -> tf.data.Dataset:
    """Returns a dataset of the serialized records of an epoch.

    Args:
        files: those of the epoch, in any order.
        offset: int64, how many records of the epoch to leave out.
        seed: two integers, of which the order is a function.
        window_records: how many records are shuffled together.
    """
    files = [file for file in files if file.num_records]
    num_records = sum(file.num_records for file in files)
    seeds = tf.random.split(seed, 3)
    # How many records the first window lacks, so that windows differ between
    # epochs. Where all records fit in one window there is nothing to move.
    missing = tf.constant(0, tf.int64)
    if num_records > window_records:
        missing = tf.random.stateless_uniform(
            (), seeds[0], maxval=window_records, dtype=tf.int64
        )
    window = (offset + missing) // window_records
    start = tf.maximum(window * window_records - missing, 0)
    stand_ins = tf.data.Dataset.from_tensors("").repeat(
        tf.where(window == 0, missing, 0)
    )

    def shuffle(window: tf.Tensor, rows: tf.Tensor) -> tf.Tensor:
        rows = rows[tf.where(window == 0, missing, 0) :]
        order = tf.random.experimental.stateless_shuffle(
            tf.range(tf.size(rows)), tf.random.fold_in(seeds[1], window)
        )
        return tf.gather(rows, order)

    return (
        stand_ins.concatenate(_in_turns(files, start, seeds[2]))
        .batch(window_records)
        .enumerate(window)
        .map(shuffle)
        .prefetch(1)
        .unbatch()
        .skip(offset - start)
    )


def read(path: tf.Tensor, compression: tf.Tensor) -> tf.data.Dataset:
    """Returns a dataset of the serialized records of a file."""
    return tf.data.TFRecordDataset(path, compression_type=compression)


def _in_turns(files, start, seed):
    """Records in the order in which they are read, from number `start` on."""
    num_files = len(files)
    # Groups have FILES_AT_A_TIME files. The last one is filled up with a file
    # that has no records and the number `num_files`.
    counts = tf.constant([*(file.num_records for file in files), 0], tf.int64)
    paths = tf.constant([*(file.path for file in files), ""])
    types = tf.constant([*(file.compression for file in files), ""])
    order = tf.random.experimental.stateless_shuffle(tf.range(num_files), seed)
    order = tf.pad(
        order,
        [(0, -num_files % FILES_AT_A_TIME)],
        constant_values=num_files,
    )
    order = tf.reshape(order, (-1, FILES_AT_A_TIME))
    sizes = tf.gather(counts, order)  # [F / C, C]
    ends = tf.cumsum(tf.reduce_sum(sizes, 1))
    first = tf.searchsorted(ends, start[None], side="right")[0]
    before = start - tf.gather(tf.concat([[0], ends], 0), first)

    def read_together(group: tf.Tensor) -> tf.data.Dataset:
        skips, turn = _places(sizes[group], tf.where(group == first, before, 0))
        columns = [
            tf.roll(column, -turn, 0)
            for column in (order[group], sizes[group], skips)
        ]
        return (
            tf.data.Dataset.from_tensor_slices(tuple(columns))
            .filter(lambda file, size, skip: skip < size)
            .interleave(
                lambda file, size, skip: read(paths[file], types[file]).skip(
                    skip
                ),
                cycle_length=FILES_AT_A_TIME,
                num_parallel_calls=tf.data.AUTOTUNE,
                deterministic=True,
            )
        )

    groups = tf.data.Dataset.range(
        tf.cast(first, tf.int64), -(-num_files // FILES_AT_A_TIME)
    )
    return groups.map(lambda group: tf.cast(group, tf.int32)).flat_map(
        read_together
    )


def _places(sizes, before):
    """Where files stand after `before` records of theirs, read in turns.

    Args:
        sizes: int64 [C], their numbers of records.
        before: int64, less than the sum of `sizes`.

    Returns:
        How many records of each were read, int64 [C], and whose turn it is.
    """
    ascending = tf.sort(sizes)
    ended = tf.cumsum(ascending, exclusive=True)
    num_open = tf.constant(np.arange(FILES_AT_A_TIME, 0, -1))
    # While n files are open, a round reads n records. Summed up, this gives
    # how many were read when the shortest file ended, the next one, and so on.
    num_ended = tf.searchsorted(
        ended + num_open * ascending, before[None], side="right"
    )[0]
    in_rounds = before - ended[num_ended]
    rounds, extra = (
        operation(in_rounds, num_open[num_ended])
        for operation in (tf.math.floordiv, tf.math.floormod)
    )
    is_open = sizes > rounds
    rank = tf.cumsum(tf.cast(is_open, tf.int64), exclusive=True)
    skips = tf.minimum(sizes, rounds) + tf.cast(
        is_open & (rank < extra), tf.int64
    )
    turn = tf.argmax(tf.cast(is_open & (rank == extra), tf.int32))
    return skips, tf.cast(turn, tf.int32)

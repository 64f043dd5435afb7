"""Record files to batches, in `tf.data` alone, so that any host can run it.

The order of the records is a function of (seed, epoch) and nothing else. Epochs
follow one another without a gap: record number n of a run is record
n mod num_records of epoch n // num_records, whatever was run before.
"""

import tensorflow as tf

# Files read at the same time, and records among which the next one is drawn.
_CYCLE_LENGTH = 4
_SHUFFLE_RECORDS = 10_000


def training_batches(files, *, parse, batch_size, seed, start_record=0):
    """Returns an endless dataset of whole batches.

    Args:
        files: a list of `record_files.RecordFile`.
        parse: maps serialized records [B] to a dict of tensors.
        batch_size: records a batch, over all replicas.
        seed: decides the order, together with the epoch.
        start_record: how many records a run has already seen.
    """
    num_records = sum(file.num_records for file in files)
    epoch, offset = divmod(start_record, num_records)
    return _with_options(
        tf.data.Dataset.range(epoch, tf.int64.max)
        .flat_map(lambda epoch: _epoch(files, seed, epoch))
        .skip(offset)
        .batch(batch_size, drop_remainder=True)
        .map(parse, num_parallel_calls=tf.data.AUTOTUNE)
        .prefetch(tf.data.AUTOTUNE)
    )


def evaluation_batches(files, *, parse, batch_size):
    """Returns a dataset of every record once, in order.

    The last batch is filled up with rows of zeros, which no real record is:
    its input_mask starts with a 1.
    """
    paths = [file.path for file in files]
    types = [file.compression for file in files]
    return _with_options(
        tf.data.Dataset.from_tensor_slices((paths, types))
        .flat_map(_records_of)
        .batch(batch_size)
        .map(parse, num_parallel_calls=tf.data.AUTOTUNE)
        .map(lambda batch: _fill_up(batch, batch_size))
        .prefetch(tf.data.AUTOTUNE)
    )


def _epoch(files, seed, epoch):
    """All records once, in the order of `epoch` (an int64 tensor)."""
    paths = tf.constant([file.path for file in files])
    types = tf.constant([file.compression for file in files])
    order = tf.random.experimental.stateless_shuffle(
        tf.range(len(files)), seed=tf.stack([tf.cast(seed, tf.int64), epoch])
    )
    return (
        tf.data.Dataset.from_tensor_slices(order)
        .interleave(
            lambda i: _records_of(paths[i], types[i]),
            cycle_length=_CYCLE_LENGTH,
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
        .shuffle(
            _SHUFFLE_RECORDS,
            seed=seed * 1_000_003 + epoch,
            reshuffle_each_iteration=False,
        )
    )


def _records_of(path, compression):
    return tf.data.TFRecordDataset(path, compression_type=compression)


def _fill_up(batch, batch_size):
    def fill_up(tensor):
        missing = batch_size - tf.shape(tensor)[0]
        paddings = [[0, missing]] + [[0, 0]] * (tensor.shape.rank - 1)
        return tf.ensure_shape(
            tf.pad(tensor, paddings), (batch_size, *tensor.shape[1:])
        )

    return {name: fill_up(tensor) for name, tensor in batch.items()}


def _with_options(dataset):
    options = tf.data.Options()
    # Several workers read the same files and take turns within a batch.
    options.experimental_distribute.auto_shard_policy = (
        tf.data.experimental.AutoShardPolicy.DATA
    )
    return dataset.with_options(options)

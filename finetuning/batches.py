"""Rows in memory -> batches, in an order that (seed, epoch) decides.

Shapes: N rows, B batch, T tokens.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from data.feeding import endless
from finetuning.task import FEATURES, Rows, Tensors

# Rows of so many batches are sorted by length together.
_BATCHES_A_GROUP = 16
# Every length is a program of its own: more of them take longer to build than
# they save.
_MAX_LENGTHS = 3
_MULTIPLE = 8
_STEPS_FOR_LENGTHS = 200
# As a row is cut where each length costs nothing.
_LENGTHS = (8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)
# As TensorFlow's own tf.random.experimental.index_shuffle.
_ROUNDS = 4

LENGTH_INDEX = "length_index"


def lengths_of_rows(rows: Rows) -> np.ndarray:
    """Returns how many tokens each row has, the longest of its texts, [N]."""
    mask = rows["input_mask"]
    places = np.arange(1, mask.shape[-1] + 1)
    ends = (mask * places).max(axis=-1)
    return ends.reshape(len(mask), -1).max(axis=1)


def lengths_up_to(longest: int) -> list[int]:
    """Returns the lengths that rows of at most `longest` tokens are cut to.

    Ascending, the last one is `longest`. Which one a row is cut to depends on
    it alone, and so does then what is computed of it, to the last bit.
    """
    return [*(x for x in _LENGTHS if x < longest), longest]


def trim(rows: Tensors, num_tokens: int, *, per_token: bool) -> dict[str, Any]:
    """Returns the rows without what is padding in all of them.

    Args:
        rows: {name: [N, ...]}, arrays or tensors.
        num_tokens: the length to cut to.
        per_token: whether what is beside the features may be [N, T, ...], too.
    """
    whole = rows["input_ids"].shape[-1]

    def cut(name: str, value: Any) -> Any:
        if name in FEATURES:
            return value[..., :num_tokens]
        is_of_tokens = len(value.shape) > 1 and value.shape[1] == whole
        return value[:, :num_tokens] if per_token and is_of_tokens else value

    return {name: cut(name, value) for name, value in rows.items()}


def choose_lengths(lengths: np.ndarray, *, is_one: bool = False) -> list[int]:
    """Returns the few lengths to cut batches to that leave least padding.

    Args:
        lengths: of all rows, [N].
        is_one: whether it is to be one length.

    Returns:
        Ascending multiples of 8; the last one is enough for all rows.
    """
    rounded = -(-np.asarray(lengths) // _MULTIPLE) * _MULTIPLE
    edges, counts = np.unique(rounded, return_counts=True)
    most = 1 if is_one else min(_MAX_LENGTHS, len(edges))
    # least[e]: least tokens of the rows up to edge e, by how many lengths.
    covered = np.cumsum(counts)
    least = covered * edges
    chosen = [[int(edge)] for edge in edges]
    for _ in range(most - 1):
        costs = [
            [
                least[before] + (covered[edge] - covered[before]) * edges[edge]
                for before in range(edge)
            ]
            for edge in range(len(edges))
        ]
        best = [int(np.argmin(row)) if row else -1 for row in costs]
        better = [
            before >= 0 and costs[edge][before] < least[edge]
            for edge, before in enumerate(best)
        ]
        chosen = [
            [*chosen[best[edge]], int(edges[edge])]
            if better[edge]
            else chosen[edge]
            for edge in range(len(edges))
        ]
        least = np.array(
            [
                costs[edge][best[edge]] if better[edge] else least[edge]
                for edge in range(len(edges))
            ]
        )
    return chosen[-1]


def lengths_of_run(
    rows: Rows,
    num_train_steps: int,
    devices: tf.distribute.Strategy,
    *,
    group_by_length: bool,
) -> list[int]:
    """Returns the lengths of batches: one on a TPU and for several replicas.

    Replicas that took different lengths would wait for one another's sums in
    different programs.
    """
    if isinstance(devices, tf.distribute.TPUStrategy):
        return [rows["input_ids"].shape[-1]]
    lengths = choose_lengths(
        lengths_of_rows(rows),
        is_one=num_train_steps < _STEPS_FOR_LENGTHS,
    )
    lengths[-1] = min(lengths[-1], rows["input_ids"].shape[-1])
    if devices.num_replicas_in_sync > 1 or not group_by_length:
        return lengths[-1:]
    return lengths


def training_batches(
    rows: Rows,
    *,
    batch_size: int,
    seed: int,
    start_step: int,
    num_steps: int,
    lengths: Sequence[int],
    group_by_length: bool,
    context: tf.distribute.InputContext | None,
    draws: Sequence[tuple[int, int]] = (),
) -> tf.data.Dataset:
    """Returns a dataset of the batches from `start_step` to `num_steps`.

    Rows come in epochs, in a new order each; batches go on across the end of
    one. Where rows are grouped by length, those of some batches on end are
    sorted, and these batches come in random order.

    Args:
        rows: of the split.
        batch_size: rows a step, over all replicas of all workers.
        seed: decides the order, together with the epoch.
        start_step: how many steps a run has done.
        num_steps: how many it will have done at its end.
        lengths: see `choose_lengths`; with several, a batch says which one is
            enough for it, as `LENGTH_INDEX`.
        group_by_length: whether batches are made of rows of like length.
        context: that of this worker.
        draws: see `Task.draws`.
    """
    num_rows = len(rows["input_ids"])
    tensors = {name: tf.constant(value) for name, value in rows.items()}
    row_lengths = tf.constant(lengths_of_rows(rows).astype(np.int32))
    a_group = max(1, min(_BATCHES_A_GROUP, num_rows // (4 * batch_size)))
    a_group = a_group if group_by_length else 1
    first, offset = divmod(start_step, a_group)

    def order_of_group(group: tf.Tensor) -> tf.data.Dataset:
        begin = group * a_group
        num_batches = tf.minimum(tf.cast(a_group, tf.int64), num_steps - begin)
        places = begin * batch_size + tf.range(num_batches * batch_size)
        found = _rows_at(places, num_rows, seed, draws)
        if a_group > 1:
            order = tf.argsort(tf.gather(row_lengths, found), stable=True)
            found = tf.gather(found, order)
        found = tf.reshape(found, (-1, batch_size))
        mixed = _shuffled(tf.range(num_batches), num_batches, (seed, 1, group))
        return tf.data.Dataset.from_tensor_slices(tf.gather(found, mixed))

    num_groups = -(-num_steps // a_group)
    batches = tf.data.Dataset.range(first, num_groups).flat_map(order_of_group)
    batches, per_replica = _share(batches.skip(offset), batch_size, context)

    def gather(found: tf.Tensor) -> dict[str, tf.Tensor]:
        found = tf.ensure_shape(found, (per_replica,))
        batch = {name: tf.gather(x, found) for name, x in tensors.items()}
        if len(lengths) > 1:
            longest = tf.reduce_max(tf.gather(row_lengths, found))
            batch[LENGTH_INDEX] = tf.reduce_sum(
                tf.cast(longest > tf.constant(lengths, tf.int32), tf.int32)
            )
        return batch

    return batches.map(gather).repeat().apply(endless.ahead)


def _rows_at(places, num_rows, seed, draws):
    """Returns the rows at places in the endless sequence of epochs.

    Rows of several kinds have epochs of their own: where a kind is drawn more
    often than it has rows, each of them comes again before the others have.
    """
    epochs, within = places // num_rows, places % num_rows
    slots = _shuffled(within, num_rows, (seed, 0, epochs))
    if not draws:
        return slots
    sizes, drawn = np.array(draws, np.int64).T
    first_slots, first_rows = (np.cumsum(x) - x for x in (drawn, sizes))
    kind = tf.searchsorted(np.cumsum(drawn), slots, side="right")
    size, number, slot, row = (
        tf.gather(tf.constant(x), kind)
        for x in (sizes, drawn, first_slots, first_rows)
    )
    taken = epochs * number + slots - slot
    return row + _shuffled(taken % size, size, (seed, kind + 2, taken // size))


def _shuffled(indices, size, seed):
    """Returns where a permutation of `size` things, made of a seed, puts some.

    Args:
        indices: int64 [K], below `size`.
        size: an integer scalar, or [K].
        seed: three integers; the last two may be [K].
    """
    run, use, number = seed
    numbers = tf.cast(tf.zeros_like(indices) + number, tf.int32)
    others = tf.ones_like(numbers)
    seeds = tf.stack([run % 2**31 * others, use * others, numbers], axis=1)
    # tf.random.experimental.index_shuffle takes no batch of seeds.
    return tf.raw_ops.RandomIndexShuffle(
        index=indices,
        seed=seeds,
        max_index=tf.cast(size, indices.dtype) - 1,
        rounds=_ROUNDS,
    )


def _share(batches, batch_size, context):
    """Returns the rows of one replica after another, and their number."""
    if context is None:
        return batches, batch_size
    replicas = context.num_replicas_in_sync
    mine = replicas // context.num_input_pipelines
    begin = context.input_pipeline_id * mine
    per_replica = batch_size // replicas
    return (
        batches.flat_map(
            lambda found: tf.data.Dataset.from_tensor_slices(
                tf.reshape(found, (replicas, per_replica))[begin : begin + mine]
            )
        ),
        per_replica,
    )

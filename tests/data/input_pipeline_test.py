"""The order of records is a function of (seed, epoch), and nothing else."""

import collections
import itertools

import numpy as np
import pytest
import tensorflow as tf

from data import config
from data.feeding import input_pipeline, record_files
from tests import tiny
from tests.data import unmasked

_NUM_RECORDS = 30
_BATCH_SIZE = 8  # Does not divide the number of records.


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    directory = tmp_path_factory.mktemp("records")
    for name, size, compression in (
        ("a", 12, ""),
        ("b", 11, "GZIP"),
        ("c", 7, ""),
    ):
        tiny.write_records(directory / name, size, ord(name), 90, compression)
    return record_files.find(str(directory))


def _masking(files):
    num_predictions = tiny.NUM_PREDICTIONS
    if files[0].masking == "static":
        return config.MaskingConfig(max_predictions_per_seq=num_predictions)
    return config.MaskingConfig(max_predictions_per_seq=6, masked_lm_prob=0.4)


def _parse(files, vocab_size=tiny.VOCAB_SIZE):
    return input_pipeline.parser(
        files,
        _masking(files),
        max_seq_length=tiny.NUM_TOKENS,
        vocab_size=vocab_size,
        seed=1,
    )


def _batches(files, *, seed=1, start_record=0, context=None):
    return input_pipeline.training_batches(
        files,
        parse=_parse(files),
        batch_size=_BATCH_SIZE,
        seed=seed,
        start_record=start_record,
        context=context,
        window_records=9,
    )


def _rows(files, num_batches, **arguments):
    """Returns the records of the first batches, each as a tuple."""
    batches = itertools.islice(
        _batches(files, **arguments).as_numpy_iterator(), num_batches
    )
    return [tuple(row) for batch in batches for row in batch["input_ids"]]


def test_every_epoch_holds_every_record_once_in_another_order(files):
    rows = _rows(files, 3 * _NUM_RECORDS // _BATCH_SIZE + 1)
    epochs = [rows[i * _NUM_RECORDS : (i + 1) * _NUM_RECORDS] for i in range(3)]
    assert all(len(set(epoch)) == _NUM_RECORDS for epoch in epochs)
    assert sorted(epochs[0]) == sorted(epochs[1]) == sorted(epochs[2])
    assert epochs[0] != epochs[1] != epochs[2] != epochs[0]


def test_the_same_seed_gives_the_same_order_and_another_another(files):
    assert _rows(files, 5) == _rows(files, 5)
    assert _rows(files, 5) != _rows(files, 5, seed=2)


@pytest.mark.parametrize("step", [1, 3, 4, 8, 40])
def test_a_resumed_run_sees_what_an_uninterrupted_one_would_have(files, step):
    uninterrupted = _rows(files, step + 5)
    resumed = _rows(files, 5, start_record=step * _BATCH_SIZE)
    assert resumed == uninterrupted[step * _BATCH_SIZE :]


def test_shapes_are_static_and_integers_have_32_bits(files, unmasked_files):
    for group in (files, unmasked_files):
        spec = _batches(group).element_spec
        assert all(s.shape.is_fully_defined() for s in spec.values())
        assert {s.dtype.name for s in spec.values()} == {"int32", "float32"}


@pytest.mark.parametrize("batch_size", [1, 7, 30, 64])
def test_evaluation_covers_each_record_once_and_fills_up_with_zeros(
    files, batch_size
):
    dataset = input_pipeline.evaluation_batches(
        files, parse=_parse(files), batch_size=batch_size
    )
    assert all(
        s.shape.is_fully_defined() for s in dataset.element_spec.values()
    )
    # One batch more than the records fill: it is all padding.
    num_batches = -(-_NUM_RECORDS // batch_size) + 1
    batches = list(itertools.islice(dataset.as_numpy_iterator(), num_batches))
    ids = np.concatenate([batch["input_ids"] for batch in batches])
    is_record = np.concatenate([batch["input_mask"] for batch in batches])
    assert is_record[:, 0].sum() == _NUM_RECORDS
    assert is_record[:_NUM_RECORDS, 0].all()
    assert len(set(map(tuple, ids[:_NUM_RECORDS]))) == _NUM_RECORDS
    for batch in batches:
        for value in batch.values():
            assert not value[batch["input_mask"][:, 0] == 0].any()


@pytest.mark.parametrize("num_workers", [1, 2])
def test_workers_and_replicas_share_the_batches_of_one_replica(
    files, num_workers
):
    """4 replicas on 1 or 2 workers see, together, the batches of one."""
    per_replica, per_worker = _BATCH_SIZE // 4, _BATCH_SIZE // num_workers
    num_batches = 5
    shares = []
    for worker in range(num_workers):
        context = tf.distribute.InputContext(num_workers, worker, 4)
        dataset = _batches(files, context=context)
        assert dataset.element_spec["input_ids"].shape[0] == per_replica
        rows = dataset.unbatch().take(num_batches * per_worker)
        ids = [row["input_ids"] for row in rows.as_numpy_iterator()]
        shares.append(np.reshape(ids, (num_batches, per_worker, -1)))
    together = np.concatenate(shares, axis=1).reshape(-1, tiny.NUM_TOKENS)
    assert list(map(tuple, together)) == _rows(files, num_batches)


def test_evaluation_shared_by_workers_covers_each_record_once(files):
    seen = []
    for worker in range(2):
        dataset = input_pipeline.evaluation_batches(
            files,
            parse=_parse(files),
            batch_size=8,
            context=tf.distribute.InputContext(2, worker, 2),
        )
        for batch in dataset.take(4).as_numpy_iterator():
            real = batch["input_mask"][:, 0] == 1
            seen += map(tuple, batch["input_ids"][real])
    assert len(seen) == len(set(seen)) == _NUM_RECORDS


# Records without masks: those are drawn in the pipeline.


@pytest.fixture(scope="module")
def unmasked_files(tmp_path_factory):
    directory = tmp_path_factory.mktemp("unmasked")
    paths = [
        unmasked.write(directory / name, size, size)
        for name, size in (("a", 19), ("b", 11))
    ]
    return record_files.find(",".join(paths))


def _ids_of(dataset, num_batches):
    """Rows of ids before and after masking, as lists of tuples."""
    before, after = [], []
    for batch in dataset.take(num_batches).as_numpy_iterator():
        for index in range(len(batch["input_ids"])):
            ids = batch["input_ids"][index].copy()
            after.append(tuple(ids.tolist()))
            for position, (was, _) in unmasked.masks_of(batch, index).items():
                ids[position] = was
            before.append(tuple(ids.tolist()))
    return before, after


def test_every_epoch_masks_the_records_anew(unmasked_files):
    before, after = _ids_of(_batches(unmasked_files), 15)
    seen = collections.defaultdict(set)
    for was, now in zip(before, after, strict=True):
        seen[was].add(now)
    assert len(seen) == _NUM_RECORDS
    num_different = collections.Counter(map(len, seen.values()))
    # Short records may get the same masks again.
    assert num_different[4] > 20


@pytest.mark.parametrize("step", [1, 4, 9])
def test_a_resumed_run_has_the_masks_it_would_have_had(unmasked_files, step):
    whole = _ids_of(_batches(unmasked_files), step + 5)
    resumed = _ids_of(
        _batches(unmasked_files, start_record=step * _BATCH_SIZE), 5
    )
    for ours, theirs in zip(whole, resumed, strict=True):
        assert ours[step * _BATCH_SIZE :] == theirs


def test_workers_draw_the_masks_of_one(unmasked_files):
    whole = _ids_of(_batches(unmasked_files), 4)[1]
    for worker in range(2):
        context = tf.distribute.InputContext(2, worker, 2)
        _, share = _ids_of(_batches(unmasked_files, context=context), 4)
        parts = np.reshape(whole, (4, 2, _BATCH_SIZE // 2, -1))
        assert np.reshape(parts[:, worker], np.shape(share)).tolist() == list(
            map(list, share)
        )


def test_evaluation_masks_each_record_the_same_in_batches_of_any_size(
    unmasked_files,
):
    rows = []
    for size in (7, 16):
        dataset = input_pipeline.evaluation_batches(
            unmasked_files, parse=_parse(unmasked_files), batch_size=size
        )
        shapes = [spec.shape for spec in dataset.element_spec.values()]
        assert all(shape.is_fully_defined() for shape in shapes)
        rows.append(_ids_of(dataset, 5)[1][:_NUM_RECORDS])
    assert rows[0] == rows[1]
    assert len(set(rows[0])) == _NUM_RECORDS


def test_a_token_the_model_does_not_know_is_an_error(unmasked_files):
    dataset = input_pipeline.evaluation_batches(
        unmasked_files,
        parse=_parse(unmasked_files, vocab_size=60),
        batch_size=8,
    )
    with pytest.raises(tf.errors.InvalidArgumentError, match="outside 0 to 59"):
        _ids_of(dataset, 4)

"""Batches of rows: every row once an epoch, alike in length, cut to fit."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from finetuning import batches


def _rows(count, width=48, seed=0):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(3, width + 1, count)
    mask = (np.arange(width) < lengths[:, None]).astype(np.int32)
    numbers = np.arange(count, dtype=np.int32)
    return {
        "input_ids": mask * (1 + numbers[:, None]),
        "input_mask": mask,
        "segment_ids": 0 * mask,
        "label_ids": numbers,
    }


def _batches(rows, start_step=0, context=None, **settings):
    defaults = {
        "batch_size": 6,
        "seed": 3,
        "num_steps": 40,
        "lengths": [16, 48],
        "group_by_length": True,
    }
    data = batches.training_batches(
        rows, start_step=start_step, context=context, **defaults | settings
    )
    num_steps = (defaults | settings)["num_steps"] - start_step
    return [
        {name: value.numpy() for name, value in batch.items()}
        for batch in data.take(num_steps)
    ]


def _numbers(found):
    return np.array([batch["label_ids"] for batch in found])


@pytest.mark.parametrize("grouped", [False, True])
def test_every_row_comes_as_often_as_every_other(grouped):
    # 40 steps of 6 rows are 2 epochs of 120 rows.
    found = _numbers(_batches(_rows(120), group_by_length=grouped))
    np.testing.assert_array_equal(np.bincount(found.ravel()), np.full(120, 2))
    assert not np.array_equal(np.sort(found[:20].ravel()), found[:20].ravel())
    other = _numbers(_batches(_rows(120), group_by_length=grouped, seed=4))
    assert not np.array_equal(found, other)


@pytest.mark.parametrize("start_step", [1, 7, 39])
def test_a_run_that_goes_on_sees_what_it_would_have_seen(start_step):
    rows = _rows(50)
    whole = _numbers(_batches(rows))
    np.testing.assert_array_equal(
        _numbers(_batches(rows, start_step)), whole[start_step:]
    )


def test_grouped_rows_are_alike_and_fit_the_length_they_name():
    rows = _rows(600)
    mixed, grouped = (
        _batches(rows, num_steps=100, group_by_length=is_grouped)
        for is_grouped in (False, True)
    )

    def padding(found):
        longest = [batches.lengths_of_rows(b).max() for b in found]
        real = [b["input_mask"].sum() for b in found]
        return 1 - np.sum(real) / (6 * np.sum(longest))

    assert padding(grouped) < 0.4 * padding(mixed)
    for batch in grouped:
        longest = batches.lengths_of_rows(batch).max()
        assert batch[batches.LENGTH_INDEX] == (longest > 16)


def test_workers_share_a_batch_between_their_replicas():
    rows = _rows(50)
    whole = _numbers(_batches(rows, lengths=[48]))
    found = [
        _numbers(
            _batches(
                rows,
                lengths=[48],
                num_steps=40,
                context=tf.distribute.InputContext(2, worker, 2),
            )
        )
        for worker in range(2)
    ]
    np.testing.assert_array_equal(np.concatenate(found, axis=1), whole)


def test_the_lengths_chosen_leave_least_padding():
    rng = np.random.default_rng(0)
    for _ in range(20):
        lengths = rng.integers(1, 60, rng.integers(1, 40))
        edges = np.unique(-(-lengths // 8) * 8)

        def tokens(chosen, lengths=lengths):
            places = np.searchsorted(chosen, lengths)
            return np.array(chosen)[places].sum()

        best = min(
            tokens([*some, edges[-1]])
            for count in range(3)
            for some in itertools.combinations(edges[:-1], count)
        )
        chosen = batches.choose_lengths(lengths)
        assert len(chosen) <= 3
        assert tokens(chosen) == best
        assert batches.choose_lengths(lengths, is_one=True) == [edges[-1]]


def test_trimming_keeps_what_is_not_of_tokens():
    rows = _rows(5) | {"labels": np.zeros((5, 48)), "one": np.zeros(5)}
    for per_token, width in ((True, 8), (False, 48)):
        found = batches.trim(rows, 8, per_token=per_token)
        assert found["input_ids"].shape == (5, 8)
        assert found["labels"].shape == (5, width)
        assert found["one"].shape == (5,)
    choices = {n: np.zeros((5, 4, 48)) for n in ("input_ids", "input_mask")}
    found = batches.trim(choices, 8, per_token=False)
    assert found["input_mask"].shape == (5, 4, 8)

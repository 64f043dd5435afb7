"""Rows of many requests are computed together, and each gets its own."""

import threading
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serving import batching


class Double:
    """Returns twice the ids of a row; remembers the batches."""

    def __init__(self, per_token=True, secs=0.0):
        self.per_token = per_token
        self.shapes = []
        self._secs = secs

    def __call__(self, batch):
        time.sleep(self._secs)
        self.shapes.append(batch["input_ids"].shape)
        ids = batch["input_ids"]
        values = 2 * ids if self.per_token else 2 * ids.sum(axis=1)
        return {"values": values.astype(np.float32)}


def rows(lengths, first=1, whole=40):
    """Rows of ids that no other row has."""
    mask = (np.arange(whole) < np.array(lengths)[:, None]).astype(np.int32)
    ids = first + np.arange(mask.size, dtype=np.int32).reshape(mask.shape)
    return {
        "input_ids": ids * mask,
        "input_mask": mask,
        "segment_ids": 0 * mask,
    }


def make(**changes):
    options = {"batch_size": 4, "max_wait_secs": 0.002, "max_queue": 10_000}
    return batching.Batcher(**options | changes)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.lists(st.integers(1, 40), min_size=1, max_size=9), max_size=12),
    st.booleans(),
    st.integers(1, 7),
)
def test_every_request_gets_the_outputs_of_its_own_rows(
    requests, per_token, batch_size
):
    batcher = make(batch_size=batch_size)
    double = Double(per_token)
    asked = [rows(x, 1 + 1000 * n) for n, x in enumerate(requests)]
    futures = [batcher.submit(double, one) for one in asked]
    for one, future in zip(asked, futures, strict=True):
        wanted = 2 * one["input_ids"]
        if not per_token:
            wanted = wanted.sum(axis=1)
        np.testing.assert_array_equal(future.result(10)["values"], wanted)
    batcher.stop()
    assert all(shape[0] <= batch_size for shape in double.shapes)
    assert sum(s[0] for s in double.shapes) == sum(map(len, requests))


def test_requests_from_threads_are_batched_by_length():
    batcher = make(batch_size=8)
    double = Double(secs=0.02)
    threads = [
        threading.Thread(
            target=lambda n=n: batcher.submit(
                double, rows([5 if n % 2 else 30], 1000 * n + 1)
            ).result(10)
        )
        for n in range(32)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    batcher.stop()
    assert {shape[1] for shape in double.shapes} == {8, 32}
    assert len(double.shapes) < 16


def test_a_row_waits_for_those_on_their_way_and_no_longer_than_it_may():
    batcher = make(max_wait_secs=0.2)
    double = Double()
    begin = time.monotonic()
    batcher.submit(double, rows([5])).result(10)
    assert time.monotonic() - begin < 0.15
    batcher.expect(1)
    begin = time.monotonic()
    first = batcher.submit(double, rows([5]))
    second = batcher.submit(double, rows([6]))
    first.result(10)
    second.result(10)
    assert time.monotonic() - begin >= 0.19
    assert double.shapes[-1][0] == 2
    batcher.stop()


def test_too_many_rows_are_refused_whole_and_the_rest_is_answered():
    batcher = make(max_queue=5)
    double = Double(secs=0.2)
    running = batcher.submit(double, rows([5]))
    time.sleep(0.05)
    taken = batcher.submit(double, rows([5] * 4))
    with pytest.raises(batching.QueueFullError, match="4 rows wait, and 5 may"):
        batcher.submit(double, rows([5] * 2))
    assert len(running.result(10)["values"]) == 1
    assert len(taken.result(10)["values"]) == 4
    batcher.stop()
    with pytest.raises(batching.StoppedError):
        batcher.submit(double, rows([5]))


def test_a_deadline_and_a_failure_reach_who_asked_and_nobody_else():
    batcher = make()

    class Broken(Double):
        def __call__(self, batch):
            raise RuntimeError("broken")

    double = Double()
    late = batcher.submit(double, rows([5]), deadline=0.0)
    broken = batcher.submit(Broken(), rows([5]))
    cancelled = batcher.submit(Double(secs=0.1), rows([5]))
    cancelled.cancel()
    fine = batcher.submit(double, rows([7]))
    with pytest.raises(batching.DeadlineError):
        late.result(10)
    with pytest.raises(RuntimeError, match="broken"):
        broken.result(10)
    assert len(fine.result(10)["values"]) == 1
    batcher.stop()


def test_what_was_taken_is_computed_before_the_end():
    batcher = make(batch_size=1)
    double = Double(secs=0.01)
    futures = [batcher.submit(double, rows([5])) for _ in range(20)]
    batcher.stop()
    assert all(future.done() for future in futures)

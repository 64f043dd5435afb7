"""An epoch holds each record once and can be entered at any of them."""

import os

import numpy as np
import pytest
import tensorflow as tf

from data.feeding import epochs, record_files


def _write(directory, sizes):
    """Files of these numbers of records, "file:place" each."""
    files = []
    for number, size in enumerate(sizes):
        path = str(directory / f"{number}")
        with tf.io.TFRecordWriter(path) as writer:
            for place in range(size):
                writer.write(f"{number}:{place}".encode())
        files.append(record_files.RecordFile(path, "", size, None))
    return files


def _orders(files, window_records, entries):
    """For each (epoch, start), the records of the epoch from there on."""
    rows = tf.data.Dataset.from_tensor_slices(np.array(entries, np.int64))
    rows = rows.flat_map(
        lambda entry: epochs.records_from(
            files,
            entry[1],
            seed=tf.stack([tf.constant(7, tf.int64), entry[0]]),
            window_records=window_records,
        ).batch(10_000)
    )
    return [[x.decode() for x in rows] for rows in rows.as_numpy_iterator()]


@pytest.mark.parametrize("window_records", [7, 1000])
@pytest.mark.parametrize(
    "sizes",
    [[23], [9, 0, 14], [11, 1, 5, 30, 2, 0, 8], [3] * 9, [0] * 5 + [4]],
)
def test_an_epoch_can_be_entered_at_any_record(tmp_path, sizes, window_records):
    files = _write(tmp_path, sizes)
    whole, *rest = _orders(
        files, window_records, [(3, start) for start in range(sum(sizes))]
    )
    assert sorted(whole) == sorted(
        f"{number}:{place}"
        for number, size in enumerate(sizes)
        for place in range(size)
    )
    for start, rows in enumerate(rest, start=1):
        assert rows == whole[start:], start


def test_records_travel_a_window_and_meet_others_in_the_next_epoch(tmp_path):
    files = _write(tmp_path, [1000])
    ends = []
    for rows in _orders(files, 100, [(0, 0), (1, 0)]):
        places = [int(row.partition(":")[2]) for row in rows]
        distances = np.abs(np.array(places) - np.arange(1000))
        assert distances.max() < 100
        # A third of the window is the mean of a shuffle of all of it.
        assert 25 < distances.mean() < 40
        last = np.maximum.accumulate(places)
        ends.append(set(np.flatnonzero(last == np.arange(1000))))
        assert len(ends[-1]) >= 10
    assert ends[0] & ends[1] <= {999}


def test_a_set_that_fits_a_window_is_shuffled_as_a_whole(tmp_path):
    files = _write(tmp_path, [5, 5])
    orders = _orders(files, 10, [(epoch, 0) for epoch in range(90)])
    for place in range(10):
        assert len({rows[place] for rows in orders}) == 10


def test_files_before_the_place_are_not_opened(tmp_path):
    files = _write(tmp_path, [10] * 12)
    (whole,) = _orders(files, 5, [(1, 0)])
    needed = {int(row.partition(":")[0]) for row in whole[60:]}
    for number, file in enumerate(files):
        if number not in needed:
            os.unlink(file.path)
    assert len(list(tmp_path.iterdir())) < 12
    assert _orders(files, 5, [(1, 65)]) == [whole[65:]]

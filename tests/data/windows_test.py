"""Long records without masks, cut to a shorter length by the trainer."""

import collections
import math

import numpy as np
import pytest
import tensorflow as tf

from data import config
from data.feeding import input_pipeline, record_checks, record_files
from tests import tiny
from tests.data import unmasked

_LONG, _SHORT = 64, 16
_ROOM = _SHORT - 2
_VOCAB_SIZE = 30_000
_NUM_RECORDS = 40


def _texts():
    """Texts of all lengths; no token is twice in any of them."""
    rng = np.random.default_rng(1)
    lengths = [_LONG - 2] * 10
    lengths += [1 + i % (_LONG - 2) for i in range(_NUM_RECORDS - 10)]
    tokens = 5 + rng.permutation(_VOCAB_SIZE - 5)[: sum(lengths)]
    return [part.tolist() for part in np.split(tokens, np.cumsum(lengths)[:-1])]


@pytest.fixture(scope="module", name="texts")
def _fixture_of_texts():
    return _texts()


@pytest.fixture(scope="module")
def files(tmp_path_factory, texts):
    path = str(tmp_path_factory.mktemp("long") / "records")
    with tf.io.TFRecordWriter(path) as writer:
        for text in texts:
            begins = [True, True] + [t % 3 > 0 for t in text[1:]] + [True]
            ids = [2, *text, 3]
            writer.write(unmasked.serialize(ids, len(ids), np.array(begins)))
    unmasked.write_manifest(
        path,
        len(texts),
        pair_task="none",
        max_seq_length=_LONG,
        vocab_size=_VOCAB_SIZE,
    )
    return record_files.find(path)


def _windows(files, num_epochs, start_record=0, length=_SHORT, **flags):
    """The text of each sequence, with what was masked put back."""
    flags = {"max_predictions_per_seq": 6, "masked_lm_prob": 0.4} | flags
    batches = input_pipeline.training_batches(
        files,
        parse=input_pipeline.parser(
            files,
            config.MaskingConfig(**flags),
            max_seq_length=length,
            vocab_size=_VOCAB_SIZE,
            seed=1,
        ),
        batch_size=8,
        seed=1,
        start_record=start_record,
        window_records=9,
    )
    num_batches = (num_epochs * _NUM_RECORDS - start_record) // 8
    found = []
    for batch in batches.take(num_batches).as_numpy_iterator():
        assert batch["input_ids"].shape == (8, length)
        assert not batch["segment_ids"].any()
        for index, row in enumerate(batch["input_ids"].tolist()):
            masks = unmasked.masks_of(batch, index)
            for position, (was, _) in masks.items():
                row[position] = was
            size = int(batch["input_mask"][index].sum())
            assert row[0] == 2 and row[size - 1] == 3
            assert row[size:] == [0] * (length - size)
            assert masks and not masks.keys() & {0, size - 1}
            found.append((row[1 : size - 1], masks))
    return found


def test_a_window_is_a_run_of_the_text_and_full(files, texts):
    of_token = {t: (text, i) for text in texts for i, t in enumerate(text)}
    for window, _ in _windows(files, 3):
        text, first = of_token[window[0]]
        assert window == text[first : first + len(window)]
        assert len(window) == min(len(text), _ROOM)


def test_every_token_is_seen_in_as_many_epochs_as_there_are_windows(
    files, texts
):
    num_epochs = math.ceil((_LONG - 2) / _ROOM)
    seen = collections.Counter()
    of_token = {t: i for i, text in enumerate(texts) for t in text}
    by_text = collections.defaultdict(set)
    for window, _ in _windows(files, num_epochs):
        seen.update(window)
        by_text[of_token[window[0]]].add(window[0])
    assert set(seen) == set(of_token)
    for number, text in enumerate(texts):
        wanted = math.ceil(len(text) / _ROOM)
        assert len(by_text[number]) == min(wanted, num_epochs)
    # The first epoch does not have the beginnings of all texts.
    firsts = [window[0] for window, _ in _windows(files, 1)]
    at_begin = sum(text[0] in firsts for text in texts[:10])
    assert 0 < at_begin < 10


def test_a_run_that_goes_on_has_the_windows_and_masks_it_would_have_had(files):
    whole = _windows(files, 4)
    for start in (8, 72, 120):
        assert _windows(files, 4, start_record=start) == whole[start:]


def test_words_of_a_window_are_masked_whole(files):
    num_long = 0
    for window, masks in _windows(files, 2, do_whole_word_mask=True):
        begins = [i == 0 or t % 3 > 0 for i, t in enumerate(window)]
        word = np.cumsum(begins)
        for position in masks:
            parts = 1 + np.flatnonzero(word == word[position - 1])
            assert masks.keys() >= set(parts.tolist())
            num_long += len(parts) > 1
    assert num_long > 20


def test_at_their_own_length_records_are_what_they_were(files, texts):
    found = [window for window, _ in _windows(files, 1, length=_LONG)]
    assert sorted(found) == sorted(texts)


def _check(files, length):
    record_checks.check(
        files,
        max_seq_length=length,
        max_predictions_per_seq=6,
        vocab_size=_VOCAB_SIZE,
    )


def test_shorter_is_taken_and_longer_is_refused(files):
    for length in (3, _SHORT, _LONG):
        _check(files, length)
    for length in (2, _LONG + 1):
        with pytest.raises(ValueError, match=f"--max_seq_length={_LONG},"):
            _check(files, length)


def test_pairs_are_not_cut(tmp_path):
    path = unmasked.write(tmp_path / "pairs", 12)
    with pytest.raises(ValueError, match="--max_seq_length=8"):
        record_checks.check(
            record_files.find(path),
            max_seq_length=8,
            max_predictions_per_seq=4,
            vocab_size=tiny.VOCAB_SIZE,
        )

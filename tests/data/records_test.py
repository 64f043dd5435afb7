"""Encoded records against tf.train.Example and TensorFlow's own reader."""

import types

import numpy as np
import pytest
import tensorflow as tf

from data import records
from data.building import instances, masking, recipes, similar_words
from data.building.encoder import Encoder
from data.laws import LAWS
from tests.data import built
from text import vocab

LAW = LAWS["word"]
CLS, SEP, MASK, PADDING = 101, 102, 103, 104
# At the edges of one, two, three, four and five bytes of a varint.
EDGES = [1, 127, 128, 2**14 - 1, 2**14, 2**21 - 1, 2**21, 2**28 - 1, 2**28]
IDS = np.array([*EDGES, 2**31 - 1, 0], np.int32)


def make_rules(length, num_predictions, is_masked=True):
    nothing = np.zeros(0, np.int32)
    no_words = types.SimpleNamespace(similar_words=None)
    return instances.Rules(
        length,
        0.1,
        instances.NSP,
        False,
        is_masked,
        np.int32(CLS),
        np.int32(SEP),
        np.int32(PADDING),
        *vocab.Vocabulary.layout,
        masking.Masking(
            0.15,
            num_predictions,
            LAW.run_lengths,
            LAW.draws_for,
            LAW.takes_similar,
            False,
            vocab.Vocabulary.layout.num_between,
            True,
            masking.StandIns(0.8, 0.5, np.int32(MASK), nothing),
            similar_words.load(no_words, None),
        ),
    )


def make_recipes(rng, length, num_predictions, count):
    """Random recipes, some without masks, some as full as can be."""
    corpus = instances.Corpus(
        rng.choice(IDS, 5 * length),
        rng.random(5 * length) < 0.6,
        np.zeros(1, np.int64),
        np.zeros(1, np.int64),
    )
    words = recipes.num_words(num_predictions, 1 << 31)
    matrix = np.zeros((count, words), np.uint16)
    rows = []
    for index in range(count):
        total = length - 3 if index % 3 == 0 else rng.integers(2, length - 2)
        num_a = int(rng.integers(1, total))
        num_b = 0 if index % 7 == 6 else int(total) - num_a
        begins = rng.integers(0, 4 * length, 2)
        stop = num_a + num_b + 2 if num_b else num_a + 1
        places = np.setdiff1d(np.arange(1, stop), [num_a + 1])
        most = min(num_predictions, len(places))
        num_masks = most if index % 2 else int(rng.integers(0, most + 1))
        places = np.sort(rng.choice(places, num_masks, replace=False))
        ids = rng.choice(IDS, num_masks)
        label = index % 5 == 0
        rows.append((begins, (num_a, num_b), label, places, ids))
        columns = np.zeros((2, num_predictions), np.int32)
        columns[:, :num_masks] = places, ids
        recipes.write(
            matrix[index],
            *begins,
            num_a,
            num_b,
            label,
            columns,
            num_masks,
            num_predictions,
        )
    return corpus, matrix, rows


def plain(corpus, row, length, num_predictions):
    """The features of a recipe, by lists."""
    (a, b), (num_a, num_b), is_random, places, new = row
    first = [CLS, *corpus.ids[a : a + num_a].tolist(), SEP]
    second = [*corpus.ids[b : b + num_b].tolist(), SEP] if num_b else []
    ids = first + second
    labels = [ids[place] for place in places]
    for place, token in zip(places, new, strict=True):
        ids[place] = int(token)

    def pad(values, size, padding=0):
        return list(values) + [padding] * (size - len(values))

    return {
        "input_ids": pad(ids, length, PADDING),
        "input_mask": pad([1] * len(ids), length),
        "segment_ids": pad([0] * len(first) + [1] * len(second), length),
        "masked_lm_positions": pad(places.tolist(), num_predictions),
        "masked_lm_ids": pad(labels, num_predictions),
        "masked_lm_weights": pad([1.0] * len(places), num_predictions),
        "next_sentence_labels": [int(is_random)],
    }


SIZES = pytest.mark.parametrize(
    ("length", "num_predictions"),
    [(5, 1), (16, 40), (128, 20), (130, 127), (512, 77), (20000, 3000)],
)


def encode(rng, tmp_path, length, num_predictions, count=60):
    corpus, matrix, rows = make_recipes(rng, length, num_predictions, count)
    encoder = Encoder(corpus, make_rules(length, num_predictions))
    chosen = rng.permutation(count)
    path = tmp_path / "records"
    with open(path, "wb") as file:
        for part in np.array_split(chosen, 7):
            file.write(encoder.encode(matrix, part).data)
    wanted = [plain(corpus, rows[i], length, num_predictions) for i in chosen]
    return str(path), wanted


@SIZES
def test_a_record_holds_what_its_recipe_says(tmp_path, length, num_predictions):
    rng = np.random.default_rng(length)
    path, wanted = encode(rng, tmp_path, length, num_predictions)
    assert built.read(path) == wanted


@SIZES
def test_a_record_takes_as_many_bytes_as_tensorflows(
    tmp_path, length, num_predictions
):
    rng = np.random.default_rng(length)
    path, _ = encode(rng, tmp_path, length, num_predictions, 20)
    for record in tf.data.TFRecordDataset(path).as_numpy_iterator():
        again = tf.train.Example.FromString(record).SerializeToString()
        assert len(again) == len(record)


def test_a_record_without_masks_holds_the_tokens_and_where_words_begin(
    tmp_path,
):
    rng = np.random.default_rng(3)
    corpus, matrix, rows = make_recipes(rng, 300, 1, 60)
    encoder = Encoder(corpus, make_rules(300, 1, is_masked=False))
    path = tmp_path / "records"
    path.write_bytes(encoder.encode(matrix, np.arange(60)).tobytes())
    got = tf.data.TFRecordDataset(str(path)).as_numpy_iterator()
    for record, ((a, b), (num_a, num_b), label, _, _) in zip(
        got, rows, strict=True
    ):
        example = tf.train.Example.FromString(record)
        assert len(example.SerializeToString()) == len(record)
        features = example.features.feature
        assert set(features) == {f.name for f in records.DYNAMIC_FEATURES}
        ids = [CLS, *corpus.ids[a : a + num_a], SEP]
        starts = [True, *corpus.begins[a : a + num_a], True]
        if num_b:
            ids += [*corpus.ids[b : b + num_b], SEP]
            starts += [*corpus.begins[b : b + num_b], True]
        assert features["input_ids"].int64_list.value == ids
        (packed,) = features["word_starts"].bytes_list.value
        bits = np.unpackbits(np.frombuffer(packed, np.uint8), bitorder="little")
        assert bits[: len(ids)].tolist() == starts
        assert not bits[len(ids) :].any()
        (num_first,) = features["first_segment_tokens"].int64_list.value
        assert num_first == num_a + 2
        assert features["next_sentence_labels"].int64_list.value == [label]


def test_the_parser_reads_what_the_encoder_writes(tmp_path):
    rng = np.random.default_rng(2)
    path, wanted = encode(rng, tmp_path, 128, 20)
    parse = records.parse_fn(128, 20)
    (batch,) = tf.data.TFRecordDataset(path).batch(len(wanted)).map(parse)
    assert set(batch) == set(built.NAMES)
    for name, values in batch.items():
        column = np.array([record[name] for record in wanted])
        if name == "next_sentence_labels":
            column = column[:, 0]
        np.testing.assert_array_equal(values.numpy(), column)
        is_weight = name == "masked_lm_weights"
        assert values.dtype == (tf.float32 if is_weight else tf.int32)


def test_a_changed_byte_is_found_by_tensorflows_reader(tmp_path):
    path, _ = encode(np.random.default_rng(1), tmp_path, 16, 3)
    with open(path, "r+b") as file:
        file.seek(40)
        byte = file.read(1)[0]
        file.seek(40)
        file.write(bytes([byte ^ 1]))
    with pytest.raises(tf.errors.DataLossError):
        built.read(path)

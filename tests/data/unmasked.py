"""Records as `create_pretraining_data --masking=dynamic` writes them."""

import json
import os

import numpy as np
import tensorflow as tf

from tests import tiny

MANIFEST = {
    "masking": "dynamic",
    "pair_task": "nsp",
    "word_segmenter": "none",
    "mask_id": 4,
    "special_ids": [0, 1, 2, 3, 4],
    "max_seq_length": tiny.NUM_TOKENS,
    "max_predictions_per_seq": tiny.NUM_PREDICTIONS,
    "vocab_size": tiny.VOCAB_SIZE,
    "compression": "",
    "made_from": {},
}


def serialize(ids, num_first, word_starts=None, label=0):
    """One record; words begin everywhere unless `word_starts` says where."""
    if word_starts is None:
        word_starts = np.ones(len(ids), bool)
    packed = np.packbits(word_starts, bitorder="little").tobytes()
    values = {
        "input_ids": ids,
        "first_segment_tokens": [num_first],
        "next_sentence_labels": [label],
    }
    features = {
        name: tf.train.Feature(int64_list=tf.train.Int64List(value=value))
        for name, value in values.items()
    }
    features["word_starts"] = tf.train.Feature(
        bytes_list=tf.train.BytesList(value=[packed])
    )
    return tf.train.Example(
        features=tf.train.Features(feature=features)
    ).SerializeToString(deterministic=True)


def rows(size, seed=0, num_tokens=tiny.NUM_TOKENS, vocab_size=tiny.VOCAB_SIZE):
    """Random (ids, num_first, word_starts, label); all lengths from 5 on."""
    rng = np.random.default_rng(seed)
    made = []
    for index in range(size):
        length = 5 + index % (num_tokens - 4)
        num_first = int(rng.integers(3, length - 1))
        ids = rng.integers(5, vocab_size, length)
        ids[[0, num_first - 1, -1]] = 2, 3, 3
        word_starts = rng.random(length) < 0.6
        word_starts[[0, 1, num_first - 1, num_first, -1]] = True
        made.append((ids, num_first, word_starts, int(rng.integers(2))))
    return made


def write(path, size, seed=0, with_manifest=True, **changes):
    """Writes `rows(size, seed)` and their manifest; returns the path."""
    path = str(path)
    with tf.io.TFRecordWriter(path) as writer:
        for row in rows(size, seed):
            writer.write(serialize(*row))
    if with_manifest:
        write_manifest(path, size, **changes)
    return path


def write_manifest(path, num_records, **changes):
    """Writes the manifest of one file of records without masks."""
    entry = {"num_records": num_records, "num_bytes": os.path.getsize(path)}
    files = {"files": {os.path.basename(path): entry}}
    with open(path + ".manifest.json", "w") as file:
        json.dump(MANIFEST | files | changes, file)


def masks_of(features, index):
    """{position: (label, id now there)} of one record."""
    count = int(features["masked_lm_weights"][index].sum())
    positions = features["masked_lm_positions"][index][:count].tolist()
    labels = features["masked_lm_ids"][index][:count].tolist()
    now = features["input_ids"][index][positions].tolist()
    assert positions == sorted(set(positions))
    return dict(zip(positions, zip(labels, now, strict=True), strict=True))


def read(path):
    """The ids of the records of a file, without padding."""
    made = []
    for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
        features = tf.train.Example.FromString(record).features.feature
        made.append(list(features["input_ids"].int64_list.value))
    return made

"""Builds of samples/ for the tests, and their records read back plainly."""

import hashlib

import numpy as np
import tensorflow as tf

from data import config
from data.building import build
from tests import google_reference, project

INTEGERS = (
    "input_ids",
    "input_mask",
    "segment_ids",
    "masked_lm_positions",
    "masked_lm_ids",
    "next_sentence_labels",
)
NAMES = (*INTEGERS[:5], "masked_lm_weights", INTEGERS[5])


def make_config(directory, **flags):
    """The flags of a build of samples/ into `directory`, changed by `flags`."""
    vocabulary = directory / "vocab.txt"
    if "vocab_file" not in flags and not vocabulary.exists():
        project.write_vocabulary(directory, project.sample_vocabulary())
    defaults = {
        "input_file": ",".join(project.SAMPLES),
        "output_file": str(directory / "records"),
        "vocab_file": str(vocabulary),
        "dupe_factor": 2,
    }
    return config.BuildConfig(**defaults | flags)


def build_only(directory, **flags):
    """Builds and returns the manifest."""
    return build.build(make_config(directory, **flags))


def run(directory, **flags):
    """Builds and returns the records, a list for each output file."""
    settings = make_config(directory, **flags)
    build.build(settings)
    return [
        read(path, settings.gzip_compress) for path in settings.output_paths
    ]


def read(path, is_packed=False):
    """The records of a file as {name: list}; a bad checksum is an error."""
    kind = "GZIP" if is_packed else ""
    files = tf.data.TFRecordDataset(str(path), compression_type=kind)
    return [_features(record) for record in files.as_numpy_iterator()]


def _features(serialized):
    features = tf.train.Example.FromString(serialized).features.feature
    values = {name: list(features[name].int64_list.value) for name in INTEGERS}
    weights = list(features["masked_lm_weights"].float_list.value)
    assert set(features) == set(NAMES)
    return values | {"masked_lm_weights": weights}


def expected(settings):
    """What the plain algorithm makes of the same flags, as `run` returns it."""
    args = google_reference.arguments([])
    for name in vars(args):
        setattr(args, name, getattr(settings, name))
    records = list(google_reference.build(args))
    num_files = len(settings.output_paths)
    return [records[first::num_files] for first in range(num_files)]


def digest(paths):
    """(number, sha256) of records: every feature of every one, in order."""
    sha256 = hashlib.sha256()
    num_records = 0
    for path in paths:
        for record in tf.data.TFRecordDataset(path).as_numpy_iterator():
            features = _features(record)
            for name in NAMES:
                kind = "<f4" if name.endswith("weights") else "<i4"
                sha256.update(np.array(features[name], kind).tobytes())
            num_records += 1
    return num_records, sha256.hexdigest()

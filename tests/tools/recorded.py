"""Record files for the inspector's tests: built, changed, damaged."""

import pathlib
import shutil
import struct

import tensorflow as tf

from data.building import build
from tests.data import built
from tools import inspect_records
from tools.inspection import inspecting

NUM_FEW = 8
_FRAME_BYTES = 16


def build_samples(directory, **flags):
    """Builds samples/; returns (path of the records, manifest)."""
    settings = built.make_config(directory, **flags)
    return settings.output_paths[0], build.build(settings)


def copy_of(path, directory):
    """A copy of a record file, with its manifest if it has one."""
    for file in pathlib.Path(path).parent.glob(pathlib.Path(path).name + "*"):
        shutil.copy(file, directory)
    return str(directory / pathlib.Path(path).name)


def serialized(path, packed=""):
    """The records of a file, as TensorFlow reads them."""
    files = tf.data.TFRecordDataset(str(path), compression_type=packed)
    return list(files.as_numpy_iterator())


def write(path, records, packed=""):
    """Writes records as TensorFlow does; returns the path as a string."""
    with tf.io.TFRecordWriter(str(path), packed) as writer:
        for record in records:
            writer.write(record)
    return str(path)


def changed(record, name, values):
    """A record with other values of a feature; None leaves it out."""
    example = tf.train.Example.FromString(record)
    feature = example.features.feature
    if values is None:
        del feature[name]
    elif isinstance(values[0], float):
        feature[name].float_list.value[:] = values
    elif isinstance(values[0], bytes):
        feature[name].bytes_list.value[:] = values
    else:
        feature[name].int64_list.value[:] = values
    return example.SerializeToString()


def values_of(record, name):
    """The values of a feature of a record, as a list."""
    feature = tf.train.Example.FromString(record).features.feature[name]
    lists = (feature.int64_list, feature.float_list, feature.bytes_list)
    return [value for values in lists for value in values.value]


def starts(data):
    """Where the records of an undamaged file begin, and where it ends."""
    begins = [0]
    while begins[-1] < len(data):
        (num_bytes,) = struct.unpack_from("<Q", data, begins[-1])
        begins.append(begins[-1] + _FRAME_BYTES + num_bytes)
    return begins


def inspect(*paths, **flags):
    """What the tool finds in some files."""
    config = inspect_records.InspectConfig(**flags)
    return inspecting.inspect([str(path) for path in paths], config)


def places(inspection):
    """{(title of the rule, number of the record)} of all findings."""
    return {
        (rule.title, item.record)
        for rule, _, shown in inspection.found.by_rule()
        for item in shown
    }
